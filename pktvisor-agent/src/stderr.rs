//! Lines on stderr that are no log messages.

use std::io::Write;

/// Writes a line. Where stderr cannot be written, nobody reads it, and that ends nothing
/// (`eprintln!` would panic).
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
