//! Runs `ip` and `ethtool`, and keeps what they said.

use std::io;
use std::process::Command;

/// Runs a program to its end; what it printed, or an error of one line that says what was run and what it complained of.
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

/// `ip` with these words.
///
/// # Panics
/// `ip` fails.
pub(crate) fn ip(words: &[&str]) -> String {
    must(try_ip(words))
}

/// `ip` with these words.
pub(crate) fn try_ip(words: &[&str]) -> io::Result<String> {
    try_run(Command::new("ip").args(words))
}

/// The result of a step without which a test makes no sense.
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
