//! `cargo xtask dist`: builds the release archives, with the agent optimised for typical traffic
//! (profile-guided optimisation).
//!
//! The agent is built twice ([`profile`]): first so that it counts how often each branch is taken
//! while it summarises captures ([`training`]), then with these counts. [`compiler`] checks whether
//! this is possible; [`debug`] moves the debug information out; the programs print
//! their [`documents`]; [`archive`] and [`deb`] pack all of it.

mod archive;
mod compiler;
pub(crate) mod deb;
mod debug;
pub(crate) mod documents;
mod profile;
mod training;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{self, SetupLevel};
use crate::{build_ebpf, command, workspace};
use compiler::Compiler;

/// The program that processes packets, and is therefore optimised.
const AGENT: &str = "pktvisord";
/// The profile of the workspace's Cargo.toml that it is built with.
const AGENT_PROFILE: &str = "shipped";
/// All programs that are shipped.
const PROGRAMS: &[&str] = &[AGENT, "pktvisor", "pktvisor-archive", "pcap-replay"];

#[derive(clap::Args)]
pub(crate) struct DistArguments {
    /// Build without profile-guided optimisation
    #[arg(long)]
    no_pgo: bool,
    /// Fail if profile-guided optimisation is unavailable, instead of continuing without it
    #[arg(long, conflicts_with = "no_pgo")]
    require_pgo: bool,
}

/// The subcommand. Leaves the programs, their debug information and archives of both in
/// `TARGET/dist`.
pub(crate) fn run(arguments: &DistArguments) -> Result<()> {
    setup::ensure(SetupLevel::Build)?;
    let compiler = Compiler::ask()?;
    // Checked before the build, which takes minutes.
    let profdata = if arguments.no_pgo { None } else { profdata(&compiler, arguments.require_pgo)? };
    build_ebpf::build_if_possible()?;
    // The training's traffic comes from pcap-replay.
    command::run(build("release").args([
        "-p",
        "pktvisor-tui",
        "-p",
        "pktvisor-archive",
        "-p",
        "pcap-replay",
    ]))?;
    let agent = match &profdata {
        Some(profdata) => profile::build_agent(&compiler, profdata)?,
        None => {
            command::run(&mut build_agent())?;
            workspace::target()?.join(AGENT_PROFILE).join(AGENT)
        }
    };
    let directory = directory()?;
    collect(&agent, &directory)?;
    let documents = documents::write(&directory, PROGRAMS)?;
    let programs = PROGRAMS.iter().map(|program| (*program).to_owned());
    let archive = archive::pack(&directory, &compiler.host, &programs.chain(documents).collect::<Vec<_>>())?;
    let debug_files: Vec<_> = PROGRAMS.iter().map(|program| debug::file_name(program)).collect();
    archive::pack_debug(&directory, &compiler.host, &debug_files)?;
    let how = if profdata.is_some() { "with" } else { "without" };
    println!("\nbuilt {}, {how} profile-guided optimisation", workspace::shown(&archive));
    // A slim image has a C compiler without Debian's packaging tools.
    if deb::TOOLS.iter().all(|tool| command::on_path(tool)) {
        println!("built {}", workspace::shown(&deb::pack(&directory)?));
    }
    Ok(())
}

/// Where the programs are left.
pub(crate) fn directory() -> Result<PathBuf> {
    Ok(workspace::target()?.join("dist"))
}

/// The directory with the programs, or an error that names the first missing one.
pub(crate) fn programs() -> Result<PathBuf> {
    let directory = directory()?;
    for program in PROGRAMS.iter().map(|name| directory.join(name)) {
        ensure!(program.exists(), "there is no {} (cargo xtask dist builds it)", program.display());
    }
    Ok(directory)
}

/// The tool that merges the counts. If it is missing, `None` with a warning, or an error if it is
/// required.
fn profdata(compiler: &Compiler, required: bool) -> Result<Option<PathBuf>> {
    match compiler.profdata() {
        Ok(profdata) => Ok(Some(profdata)),
        Err(reason) if required => bail!("profile-guided optimisation is unavailable: {reason}"),
        Err(reason) => {
            eprintln!("warning: the agent will be without profile-guided optimisation: {reason}");
            Ok(None)
        }
    }
}

/// `cargo build` of the shipped programs, with exactly the dependencies that were tested.
fn build(profile: &str) -> Command {
    command::cargo(["build", "--profile", profile, "--locked"])
}

/// The same for the agent alone.
fn build_agent() -> Command {
    let mut build = build(AGENT_PROFILE);
    build.args(["-p", "pktvisor-agent", "--bin", AGENT]);
    build
}

/// Copies the programs to a directory of their own, and moves their debug information into separate
/// files.
fn collect(agent: &Path, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for name in PROGRAMS {
        let built = if *name == AGENT { agent.to_owned() } else { workspace::release_binary(name)? };
        let copy = directory.join(name);
        // A running program cannot be written to, but a new file can take its name.
        let unfinished = directory.join("unfinished");
        fs::copy(&built, &unfinished).with_context(|| format!("cannot copy {}", built.display()))?;
        debug::separate(&unfinished, name)?;
        fs::rename(&unfinished, &copy).with_context(|| format!("cannot name {}", copy.display()))?;
    }
    Ok(())
}
