//! The archive: programs and documents in one directory, named after version and machine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{command, workspace};

/// Files of the checkout that are packed as well.
const PAPERS: &[&str] = &["LICENSE", "README.md", "CHANGELOG.md"];

/// Packs `files` of `directory`, and leaves the archive beside them.
pub(super) fn pack(directory: &Path, host: &str, files: &[String]) -> Result<PathBuf> {
    let name = name(env!("CARGO_PKG_VERSION"), host);
    let archive = directory.join(format!("{name}.tar.gz"));
    let mut tar = tar(&archive, &name, directory, files);
    command::run(tar.arg("--directory").arg(workspace::root()).args(PAPERS))?;
    Ok(archive)
}

/// Packs the debug information of the programs. To use it, unpack it over them.
pub(super) fn pack_debug(directory: &Path, host: &str, files: &[String]) -> Result<PathBuf> {
    let name = name(env!("CARGO_PKG_VERSION"), host);
    let archive = directory.join(format!("{name}-debug.tar.gz"));
    command::run(&mut tar(&archive, &name, directory, files))?;
    Ok(archive)
}

/// Packs files of `directory` below `name`.
fn tar(archive: &Path, name: &str, directory: &Path, files: &[impl AsRef<OsStr>]) -> Command {
    let mut tar = Command::new("tar");
    // The users of the building machine do not exist where the archive is unpacked.
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--numeric-owner"])
        .arg(format!("--transform=s,^,{name}/,"))
        .arg("--file")
        .arg(archive)
        .arg("--directory")
        .arg(directory)
        .args(files);
    tar
}

/// The name of the archive without its extension, and of the directory in it.
fn name(version: &str, host: &str) -> String {
    format!("pktvisor-{version}-{host}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_archive_contains_programs_and_documents_below_its_own_name() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("pktvisord"), "the agent").expect("a program");
        let archive = pack(directory.path(), "riscv64gc-unknown-linux-gnu", &["pktvisord".to_owned()])
            .expect("an archive");
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("pktvisor-{version}-riscv64gc-unknown-linux-gnu");
        assert_eq!(archive, directory.path().join(format!("{expected}.tar.gz")));

        let output = Command::new("tar").arg("-tzf").arg(&archive).output().expect("tar runs");
        let listed = String::from_utf8(output.stdout).expect("names are text");
        let papers = ["pktvisord", "LICENSE", "README.md", "CHANGELOG.md"];
        assert_eq!(listed.lines().collect::<Vec<_>>(), papers.map(|paper| format!("{expected}/{paper}")));
    }
}
