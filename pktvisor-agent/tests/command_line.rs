//! The binary `pktvisord` in a shell: exit codes, stdout and stderr.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs in an empty directory.
fn pktvisord(words: &[&str]) -> Output {
    pktvisord_in(tempfile::tempdir().unwrap().path(), words)
}

fn pktvisord_in(directory: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
    command.args(words).current_dir(directory).env_remove("RUST_LOG").output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_version_is_printed_on_stdout() {
    let output = pktvisord(&["--version"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "pktvisord 4.0.0\n");
}

#[test]
fn help_is_printed_on_stdout() {
    let output = pktvisord(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("Usage: pktvisord [OPTIONS] <TARGET>"));
}

#[test]
fn wrong_usage_is_reported_on_stderr_with_exit_code_2() {
    for words in [&[][..], &["--periods", "0", "-"], &["-H", "nonsense", "-"], &["--no-such-option", "-"]] {
        let output = pktvisord(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{words:?}");
    }
}

#[test]
fn an_unknown_target_is_reported_on_stderr_with_exit_code_1() {
    let output = pktvisord(&["no-such-thing"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let message = text(&output.stderr);
    assert!(message.starts_with("pktvisord: cannot capture from \"no-such-thing\": "), "{message}");
    assert!(message.contains("lo (127.0.0.1"), "{message}");
}

#[test]
fn a_directory_is_refused_with_exit_code_1() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("captures")).unwrap();
    let output = pktvisord_in(directory.path(), &["captures"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "pktvisord: cannot read captures: it is a directory; give a capture file in it\n";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn warnings_go_to_stderr() {
    let output = pktvisord(&["--max-deep-sample", "101", "no-such.pcap"]);
    let message = text(&output.stderr);
    assert!(message.contains("WARN --max-deep-sample is a percentage from 0 to 100, using 100"), "{message}");
}

/// Runs a shell command, in which `$0` is the agent and `$1` a capture.
fn shell(line: &str) -> Output {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/demo.pcap");
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_pktvisord")]).arg(capture).env_remove("RUST_LOG");
    command.output().unwrap()
}

#[test]
fn a_summary_that_cannot_be_written_is_exit_code_1_and_one_sentence() {
    for (line, reason) in [
        ("\"$0\" \"$1\" >&-", "cannot write the summary to stdout, which is closed"),
        ("\"$0\" - <\"$1\" >&-", "cannot write the summary to stdout, which is closed"),
        ("\"$0\" \"$1\" >/dev/full", "cannot write the summary to stdout: No space left"),
        ("{ \"$0\" \"$1\"; echo $? >&2; } | true", "cannot write the summary to stdout: Broken pipe"),
    ] {
        let output = shell(line);
        let message = text(&output.stderr);
        let sentence = message.strip_prefix("pktvisord: ").unwrap_or_else(|| panic!("{line}: {message}"));
        assert!(sentence.starts_with(reason), "{line}: {message}");
        // The last of them is a pipe, whose exit code is that of its reader.
        match sentence.split_once('\n').unwrap() {
            (_, "") => assert_eq!(output.status.code(), Some(1), "{line}"),
            (_, rest) => assert_eq!(rest, "1\n", "{line}"),
        }
    }
    assert_eq!(shell("\"$0\" \"$1\" >/dev/null").status.code(), Some(0));
}

#[test]
fn messages_that_nobody_can_read_change_no_exit_code() {
    let broken = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(OwnedFd::from(writer))
    };
    for (words, code) in [
        (&["no-such-thing"][..], 1),
        (&["no-such.pcap"], 1),
        (&["--log-format", "json", "--periods", "3", "--max-deep-sample", "101", "no-such.pcap"], 1),
        (&["--no-such-option"], 2),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
        let status = command.args(words).stderr(broken()).stdout(broken()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{words:?}");
    }
}
