//! Runs `ip` and `ethtool`, and returns their output.

use std::io;
use std::process::Command;

/// Runs a program to its end. Returns its output, or an error of one line with the command and its
/// message.
pub(crate) fn try_run(command: &mut Command) -> io::Result<String> {
    let output = command
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run {}: {error}", line(command))))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("`{}` failed: {}", line(command), said.trim())))
}

/// Runs `ip` with these arguments.
///
/// # Panics
/// `ip` fails.
pub(crate) fn ip(words: &[&str]) -> String {
    must(try_ip(words))
}

/// Runs `ip` with these arguments.
pub(crate) fn try_ip(words: &[&str]) -> io::Result<String> {
    try_run(Command::new("ip").args(words))
}

/// The result of a step that a test cannot do without.
#[track_caller]
pub(crate) fn must<T>(result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Whether a program of this name lies in a directory of PATH.
pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
