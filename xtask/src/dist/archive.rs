//! The archive: programs and papers in one directory, named after version and machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{command, workspace};

/// What goes along from the checkout.
const PAPERS: &[&str] = &["LICENSE", "README.md", "CHANGELOG.md"];

/// Packs the `programs` that lie in `directory`, and leaves the archive beside them.
pub(super) fn pack(directory: &Path, programs: &[&str], host: &str) -> Result<PathBuf> {
    let name = name(env!("CARGO_PKG_VERSION"), host);
    let archive = directory.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    // Whoever builds and whoever unpacks have no users in common.
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--numeric-owner"])
        .arg(format!("--transform=s,^,{name}/,"))
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .arg(directory)
        .args(programs)
        .arg("--directory")
        .arg(workspace::root())
        .args(PAPERS);
    command::run(&mut tar)?;
    Ok(archive)
}

/// Of the archive, without its ending, and of the directory in it.
fn name(version: &str, host: &str) -> String {
    format!("pktvisor-{version}-{host}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_archive_holds_programs_and_papers_below_its_own_name() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("pktvisord"), "the agent").expect("a program");
        let archive =
            pack(directory.path(), &["pktvisord"], "riscv64gc-unknown-linux-gnu").expect("an archive");
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("pktvisor-{version}-riscv64gc-unknown-linux-gnu");
        assert_eq!(archive, directory.path().join(format!("{expected}.tar.gz")));

        let output = Command::new("tar").arg("-tzf").arg(&archive).output().expect("tar runs");
        let listed = String::from_utf8(output.stdout).expect("names are text");
        let papers = ["pktvisord", "LICENSE", "README.md", "CHANGELOG.md"];
        assert_eq!(listed.lines().collect::<Vec<_>>(), papers.map(|paper| format!("{expected}/{paper}")));
    }
}
