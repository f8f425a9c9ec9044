//! The agent, compiled with counts of what it does.
//!
//! Both builds are for an explicit target, so that the flags reach neither build scripts nor
//! procedural macros, and of the same package alone: counts find their function by a name that
//! depends on these.

use std::collections::hash_map::DefaultHasher;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::compiler::Compiler;
use super::training::{self, Lesson};
use super::{AGENT, AGENT_PROFILE};
use crate::{command, workspace};

/// Moves the blocks that training never reached out of the functions that it did. What a packet
/// executes then fits better into the instruction cache: 3 % less CPU time on a capture of DNS. LLVM
/// ignores it for processors where it cannot do so.
const SPLIT: &str = "-Cllvm-args=-enable-split-machine-functions";

/// Builds the agent twice and returns the path of the second. `profdata` merges the counts of the
/// first.
pub(super) fn build_agent(compiler: &Compiler, profdata: &Path) -> Result<PathBuf> {
    let directory = workspace::target()?.join("pgo");
    create(&directory)?;
    println!("\nThe agent that counts:");
    let instrumented = build(compiler, &[with("-Cprofile-generate", &directory.join("untrained"))])?;
    println!("\nIts training:");
    let profile = profile(&instrumented, profdata, &directory)?;
    println!("\nThe agent with what was counted:");
    build(compiler, &[with("-Cprofile-use", &profile), OsString::from(SPLIT)])
}

/// A flag for rustc with a path as its value.
fn with(flag: &str, value: &Path) -> OsString {
    let mut flag = OsString::from(flag);
    flag.extend([OsStr::new("="), value.as_os_str()]);
    flag
}

/// Builds the agent with the user's flags and more.
fn build(compiler: &Compiler, own: &[OsString]) -> Result<PathBuf> {
    let set = |name| std::env::var_os(name);
    let mut build = super::build_agent();
    build.args(["--target", &compiler.host]);
    build.env("CARGO_ENCODED_RUSTFLAGS", flags(set("CARGO_ENCODED_RUSTFLAGS"), set("RUSTFLAGS"), own));
    command::run(&mut build)?;
    Ok(workspace::target()?.join(&compiler.host).join(AGENT_PROFILE).join(AGENT))
}

/// Flags for rustc in the variable that cargo reads first: the user's flags, as cargo reads them,
/// and our own. As with every such variable, cargo then takes none from its configuration files.
fn flags(encoded: Option<OsString>, plain: Option<OsString>, own: &[OsString]) -> OsString {
    let separator = "\u{1f}";
    let mut flags = encoded.unwrap_or_else(|| {
        let plain = plain.unwrap_or_default();
        plain.to_string_lossy().split_whitespace().collect::<Vec<_>>().join(separator).into()
    });
    for own in own {
        if !flags.is_empty() {
            flags.push(separator);
        }
        flags.push(own);
    }
    flags
}

/// The merged counts of this agent in training. Their file name depends on their inputs: cargo
/// rebuilds dependencies if the name changes, and only then.
fn profile(instrumented: &Path, profdata: &Path, directory: &Path) -> Result<PathBuf> {
    let lessons = training::lessons(directory)?;
    let profile = directory.join(format!("{:016x}.profdata", fingerprint(instrumented, &lessons)?));
    if profile.exists() {
        println!("known from before: {}", workspace::shown(&profile));
        return Ok(profile);
    }
    let counts =
        lessons.iter().map(|lesson| lesson.give(instrumented, directory)).collect::<Result<Vec<_>>>()?;
    let unfinished = directory.join("unfinished.profdata");
    command::run(Command::new(profdata).args(["merge", "--output"]).arg(&unfinished).args(&counts))?;
    fs::rename(&unfinished, &profile).with_context(|| format!("cannot name {}", profile.display()))?;
    Ok(profile)
}

/// A hash of everything that the counts depend on.
fn fingerprint(agent: &Path, lessons: &[Lesson]) -> Result<u64> {
    let content = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let mut hasher = DefaultHasher::new();
    content(agent)?.hash(&mut hasher);
    for lesson in lessons {
        (content(&lesson.capture)?, lesson.arguments().collect::<Vec<_>>()).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn create(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_user_come_first_and_stay() {
        let own = [with("-Cprofile-use", Path::new("/a b"))];
        let flags = |encoded: Option<&str>, plain: Option<&str>| {
            flags(encoded.map(OsString::from), plain.map(OsString::from), &own).into_string().expect("text")
        };
        assert_eq!(flags(None, None), "-Cprofile-use=/a b");
        assert_eq!(
            flags(None, Some(" -C  target-cpu=native ")),
            "-C\u{1f}target-cpu=native\u{1f}-Cprofile-use=/a b"
        );
        // Cargo reads the encoded variable first.
        assert_eq!(
            flags(Some("--cfg\u{1f}x=\"y z\""), Some("-g")),
            "--cfg\u{1f}x=\"y z\"\u{1f}-Cprofile-use=/a b"
        );
        assert_eq!(flags(Some(""), Some("-g")), "-Cprofile-use=/a b");
    }

    #[test]
    fn another_agent_or_lesson_is_another_profile() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |name: &str, content: &str| {
            let path = directory.path().join(name);
            fs::write(&path, content).expect("a file");
            path
        };
        let (agent, changed) = (file("agent", "1"), file("changed", "2"));
        let lesson =
            |capture: &str, packets: &str, options| vec![Lesson { capture: file(capture, packets), options }];
        let of = |agent: &Path, lessons: Vec<Lesson>| fingerprint(agent, &lessons).expect("readable files");
        let known = of(&agent, lesson("a.pcap", "packets", &[]));
        assert_eq!(known, of(&agent, lesson("copy.pcap", "packets", &[])));
        assert_ne!(known, of(&changed, lesson("a.pcap", "packets", &[])));
        assert_ne!(known, of(&agent, lesson("a.pcap", "other packets", &[])));
        assert_ne!(known, of(&agent, lesson("a.pcap", "packets", &["--summary"])));
    }
}
