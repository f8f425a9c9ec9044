//! Runs the binary in a folder of its own.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with files, in which the binary runs.
pub(crate) struct Shell {
    folder: TempDir,
}

/// The outcome of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    /// Without the line that suggests a HOST, which every capture of DNS gets without `-H`.
    pub(crate) stderr: String,
    /// That line.
    pub(crate) suggestion: Option<String>,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With one file.
    pub(crate) fn with(name: &str, bytes: &[u8]) -> Self {
        let shell = Self::new();
        fs::write(shell.path().join(name), bytes).unwrap();
        shell
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn run(&self, words: &[&str]) -> Run {
        self.command(words).stdin(Stdio::null()).output().unwrap().into()
    }

    /// With `input` on stdin.
    pub(crate) fn run_with_input(&self, words: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // The agent may end before it has read everything.
        let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        output.into()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
        command.args(words).current_dir(self.path()).env_remove("RUST_LOG");
        command
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        let is_suggestion = |line: &&str| line.contains("HOST is likely");
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            suggestion: stderr.lines().find(is_suggestion).map(str::to_owned),
            stderr: stderr.split_inclusive('\n').filter(|line| !is_suggestion(line)).collect(),
        }
    }
}

impl Run {
    /// The document under `key` of a successful run that printed exactly this document, as one
    /// compact line.
    pub(crate) fn document(&self, key: &str) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        let line = self.stdout.strip_suffix('\n').unwrap();
        assert!(!line.contains(['\n', ' ']) || !line.contains("\": "), "{line}");
        let mut document: Value = serde_json::from_str(line).unwrap();
        assert_eq!(document.as_object().unwrap().len(), 1);
        document.get_mut(key).unwrap_or_else(|| panic!("no {key}: {line}")).take()
    }

    /// The one sentence on stderr of a failed run, without the program's name.
    pub(crate) fn sentence(&self) -> &str {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.stdout, "");
        let line = self.stderr.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        let sentence = line.strip_prefix("pktvisord: ").unwrap();
        let parts: Vec<_> = sentence.split(": ").collect();
        for (n, part) in parts.iter().enumerate() {
            assert!(!parts[..n].contains(part), "said twice: {sentence}");
        }
        sentence
    }
}
