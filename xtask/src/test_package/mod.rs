//! `cargo xtask test-package`: the Debian package, installed into a bare Debian and removed again.
//!
//! A development machine has libraries and directories that a user's machine lacks, so only a bare [`BareRoot`] shows
//! whether the package names all of its dependencies and installs everything that its service needs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::bare_root::{self, BareRoot, Release};
use crate::dist::{deb, documents};
use crate::steps::StepOutcome;
use crate::{command, workspace};

/// The highest exposure of the service that passes, in tenths, as `systemd-analyze security` rates it (0 to 100).
const EXPOSURE_MAX: &str = "25";

/// The subcommand: the test of the release build, or an error that says why it cannot run here.
pub(crate) fn run() -> Result<()> {
    match test(&workspace::release_directory()?)? {
        StepOutcome::Passed => {
            println!("\nthe package installs, its service is sound, and it leaves nothing behind");
            Ok(())
        }
        StepOutcome::Skipped(reason) => bail!("{reason}"),
    }
}

/// Packs the programs in a directory, and tries the package.
pub(crate) fn test(programs: &Path) -> Result<StepOutcome> {
    if let Some(reason) = bare_root::obstacle() {
        return Ok(StepOutcome::Skipped(reason));
    }
    if let Some(program) = deb::TOOLS.iter().find(|program| !command::on_path(program)) {
        return Ok(StepOutcome::Skipped(format!("there is no {program}")));
    }
    let package = pack(programs)?;
    let mut wanted = deb::depends(&package)?;
    wanted.push("systemd".to_owned());
    // The programs need the C library that they were linked with.
    let root = match BareRoot::make(&Release::of_this_machine()?, &wanted) {
        Ok(root) => root,
        Err(error) => return Ok(StepOutcome::Skipped(format!("no bare Debian can be made here: {error:#}"))),
    };
    install(&root, &package)?;
    check_programs(&root)?;
    check_service(&root)?;
    purge(&root)?;
    Ok(StepOutcome::Passed)
}

/// The package of these programs.
fn pack(programs: &Path) -> Result<PathBuf> {
    let directory = workspace::target()?.join("package");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for program in deb::PROGRAMS {
        let built = programs.join(program);
        fs::copy(&built, directory.join(program))
            .with_context(|| format!("cannot copy {} (cargo build --release)", built.display()))?;
    }
    documents::write(&directory, deb::PROGRAMS)?;
    deb::pack(&directory)
}

fn install(root: &BareRoot, package: &Path) -> Result<()> {
    fs::copy(package, root.path().join("pktvisor.deb")).context("cannot copy the package")?;
    command::run(&mut root.command("dpkg", &["--install", "/pktvisor.deb"]))?;
    fs::remove_file(root.path().join("pktvisor.deb")).context("cannot remove the package's file")
}

/// The agent summarises a capture, the terminal UI shows the summary, and both have their documents.
fn check_programs(root: &BareRoot) -> Result<()> {
    let capture = workspace::root().join(workspace::DEMO_CAPTURE);
    fs::copy(&capture, root.path().join("demo.pcap")).context("cannot copy the bundled capture")?;
    let summary = root.output("pktvisord", &["--summary", "/demo.pcap"])?;
    fs::write(root.path().join("summary.json"), &summary).context("cannot write the summary")?;
    let shown = root.output("pktvisor", &["--once", "--snapshot", "/summary.json"])?;
    ensure!(shown.contains("queries"), "the terminal UI does not show the summary: {shown}");
    for program in deb::PROGRAMS {
        let man = root.output("zcat", &[&format!("/usr/share/man/man1/{program}.1.gz")])?;
        ensure!(man.contains(&format!(".TH {program} 1")), "{program} has no man page: {man}");
        ensure!(man.contains("\\-\\-help"), "the man page of {program} lacks its options: {man}");
        let completions = format!("/usr/share/bash-completion/completions/{program}");
        command::run(&mut root.command("bash", &["-n", &completions]))?;
    }
    for file in ["demo.pcap", "summary.json"] {
        fs::remove_file(root.path().join(file)).with_context(|| format!("cannot remove {file}"))?;
    }
    Ok(())
}

/// The unit is valid, starts nothing by itself, and confines the agent.
fn check_service(root: &BareRoot) -> Result<()> {
    const UNIT: &str = "/usr/lib/systemd/system/pktvisord.service";
    command::run(&mut root.command("systemd-analyze", &["verify", "--man=no", UNIT]))?;
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    command::run(&mut root.command("systemd-analyze", &["security", "--offline=yes", &threshold, UNIT]))?;
    let enabled = root.path().join("etc/systemd/system/multi-user.target.wants/pktvisord.service");
    ensure!(!enabled.exists(), "the installation enabled the service");
    Ok(())
}

/// Removing the package with its configuration leaves no file of it.
fn purge(root: &BareRoot) -> Result<()> {
    let installed = root.output("dpkg", &["--listfiles", "pktvisor"])?;
    let inside = |path: &str| root.path().join(path.trim_start_matches('/'));
    // As the service makes it, whose user is dynamic.
    let archive = inside("/var/lib/private/pktvisor/archive");
    fs::create_dir_all(&archive).with_context(|| format!("cannot create {}", archive.display()))?;
    symlink("private/pktvisor", inside("/var/lib/pktvisor")).context("cannot link the state directory")?;
    command::run(&mut root.command("dpkg", &["--remove", "pktvisor"]))?;
    ensure!(archive.exists(), "removing the package without its configuration removes the archive");
    command::run(&mut root.command("dpkg", &["--purge", "pktvisor"]))?;
    let state = ["/var/lib/private/pktvisor", "/var/lib/pktvisor"];
    let is_left = |path: &&str| {
        inside(path).symlink_metadata().is_ok_and(|file| !file.is_dir() || state.contains(path))
    };
    let left: Vec<_> = installed.lines().chain(state).filter(is_left).collect();
    ensure!(left.is_empty(), "the package leaves files behind: {}", left.join(" "));
    Ok(())
}
