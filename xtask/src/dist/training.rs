//! The training of the agent: typical traffic, in captures that are the same every time.
//!
//! Files need no privilege and no network, and lessons on live interfaces make live capture no
//! faster than these. The compiler assumes that code outside of every lesson never runs, and makes
//! it slower: decompression by a quarter.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{command, workspace};

/// One run of the agent.
#[derive(Debug)]
pub(super) struct Lesson {
    /// The capture that it summarises.
    pub(super) capture: PathBuf,
    /// Further options of the agent.
    pub(super) options: &'static [&'static str],
}

/// Captures to generate, and options of the agent for each. The seeds differ from those of the
/// benchmarks, which would otherwise measure the very packets of the training.
const GENERATED: &[(&str, &str, &[&str])] = &[
    // A resolver: DNS with other traffic beside it, UDP and TCP, IPv4 and IPv6.
    (
        "resolver.pcap",
        "--packets 400000 --names 60000 --clients 30000 --dns-share 0.65 --tcp-share 0.1 --seed 101",
        &[],
    ),
    // Mostly DNS, as analysis gets it from a live interface.
    (
        "dns.pcap",
        "--packets 300000 --names 60000 --clients 30000 --dns-share 1 --tcp-share 0 --seed 102",
        &[],
    ),
    // Messages in several pieces, and compressed.
    (
        "pieces.pcap.gz",
        "--packets 100000 --names 20000 --clients 10000 --dns-share 0.9 --tcp-share 0.5 --fragments 0.1 --vlan \
         --split-tcp --reorder 0.05 --duplicate-segments 0.05 --seed 103",
        &["--public-suffix"],
    ),
    // Names and sources that occur only once.
    (
        "flood.pcap",
        "--packets 100000 --names 20000 --clients 10000 --random-subdomains 0.5 --random-sources 0.3 \
         --malformed 0.02 --seed 104",
        &["--max-deep-sample", "50"],
    ),
];

/// The lessons; captures are generated below `directory`.
pub(super) fn lessons(directory: &Path) -> Result<Vec<Lesson>> {
    let demo = workspace::root().join(workspace::DEMO_CAPTURE);
    let mut lessons = vec![Lesson { capture: demo, options: &["--summary"] }];
    for (name, scenario, options) in GENERATED {
        let capture = directory.join(name);
        generate(&capture, scenario)?;
        lessons.push(Lesson { capture, options });
    }
    Ok(lessons)
}

fn generate(capture: &Path, scenario: &str) -> Result<()> {
    let is_compressed = capture.extension().is_some_and(|extension| extension == "gz");
    let plain = if is_compressed { capture.with_extension("") } else { capture.to_owned() };
    let mut generate = Command::new(workspace::release_binary("pcap-replay")?);
    command::run(generate.arg("generate").args(scenario.split_whitespace()).arg("--output").arg(&plain))?;
    if is_compressed {
        command::run(Command::new("gzip").args(["--force", "--no-name"]).arg(&plain))?;
    }
    Ok(())
}

impl Lesson {
    /// Runs the instrumented `agent`; returns the file of its counts, in `directory`.
    pub(super) fn give(&self, agent: &Path, directory: &Path) -> Result<PathBuf> {
        let name =
            self.capture.file_name().with_context(|| format!("{} has no name", self.capture.display()))?;
        let counts = directory.join(name).with_extension("profraw");
        // If this run counts nothing, counts of another agent must not be taken for its own.
        if counts.exists() {
            fs::remove_file(&counts).with_context(|| format!("cannot remove {}", counts.display()))?;
        }
        command::run(
            Command::new(agent)
                .args(self.arguments())
                .arg(&self.capture)
                .env("LLVM_PROFILE_FILE", &counts)
                .stdout(Stdio::null()),
        )?;
        // An agent that cannot write them says so, but succeeds.
        let bytes = fs::metadata(&counts).map_or(0, |metadata| metadata.len());
        ensure!(bytes > 0, "the instrumented agent wrote no counts to {}", counts.display());
        Ok(counts)
    }

    /// The arguments of the agent before the capture. The sandbox would forbid it to write its counts.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &'static str> {
        ["--no-sandbox", "-H", workspace::GENERATED_HOST].into_iter().chain(self.options.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_agent_that_writes_no_counts_fails() {
        let directory = tempfile::tempdir().expect("a directory");
        let agent = |script: &str| {
            let path = directory.path().join("agent");
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
            path
        };
        let lesson = Lesson { capture: "demo.pcap".into(), options: &[] };
        let error = lesson.give(&agent("exit 0"), directory.path()).expect_err("no counts");
        assert!(error.to_string().starts_with("the instrumented agent wrote no counts"), "{error}");
        let counting = agent("test \"$1\" = --no-sandbox && echo counts > \"$LLVM_PROFILE_FILE\"");
        let counts = lesson.give(&counting, directory.path()).expect("counts");
        assert_eq!(counts, directory.path().join("demo.profraw"));
    }
}
