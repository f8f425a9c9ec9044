//! The needs of a test, and the line that reports a skipped test.

use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use crate::{Namespace, tool};

/// A feature that not every machine has.
#[derive(Debug, Clone, Copy)]
pub enum Need<'a> {
    /// Network namespaces: root, `ip`, and a kernel and container that allow them.
    Namespaces,
    /// A program of this name on PATH.
    Program(&'a str),
    /// A file or directory.
    File(&'a Path),
}

/// Returns from the test and reports the reason, unless the machine has everything listed.
#[macro_export]
macro_rules! require {
    ($($need:expr),+ $(,)?) => {
        if let Some(reason) = $crate::missing(&[$($need),+]) {
            $crate::report_skipped(&reason);
            return;
        }
    };
}

/// The first missing need, in words.
pub fn missing(needs: &[Need<'_>]) -> Option<String> {
    needs.iter().find_map(|need| match *need {
        Need::Namespaces => namespaces_missing().clone(),
        Need::Program(name) => (!tool::on_path(name)).then(|| format!("there is no program {name}")),
        Need::File(path) => (!path.exists()).then(|| format!("there is no {}", path.display())),
    })
}

/// Prints `skipped: REASON (TEST)` on stdout, also when the test harness captures output: `cargo
/// xtask test` counts these lines.
pub fn report_skipped(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("unnamed");
    // The test is skipped even if the line cannot be printed.
    let _ = std::io::stdout().write_all(format!("skipped: {reason} ({test})\n").as_bytes());
}

/// Tests once whether a namespace can be created.
fn namespaces_missing() -> &'static Option<String> {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    MISSING.get_or_init(|| {
        if !nix::unistd::geteuid().is_root() {
            return Some("network namespaces need root".to_owned());
        }
        if !tool::on_path("ip") {
            return Some("there is no program ip (Debian: iproute2)".to_owned());
        }
        Namespace::try_new().err().map(|error| format!("network namespaces cannot be created here: {error}"))
    })
}
