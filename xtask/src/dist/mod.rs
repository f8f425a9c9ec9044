//! `cargo xtask dist`: what is shipped, with the agent optimised for the traffic it will see (profile-guided optimisation).
//!
//! The agent is built twice ([`profile`]): first so that it counts how often each branch is taken while it summarises
//! captures ([`training`]), then with these counts. [`compiler`] says whether that can be done here; [`debug`] takes the debug
//! information out; the programs print their [`documents`]; [`archive`] and [`deb`] pack all of it.

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

use anyhow::{Context, Result, bail};

use crate::setup::{self, SetupLevel};
use crate::{build_ebpf, command, workspace};
use compiler::Compiler;

/// The program that a packet's cost is the cost of.
const AGENT: &str = "pktvisord";
/// The profile of the workspace's Cargo.toml that it is built with.
const AGENT_PROFILE: &str = "shipped";
/// Everything that is shipped.
const PROGRAMS: &[&str] = &[AGENT, "pktvisor", "pcap-replay"];

#[derive(clap::Args)]
pub(crate) struct DistArguments {
    /// Build without profile-guided optimisation
    #[arg(long)]
    no_pgo: bool,
    /// Fail where profile-guided optimisation is not to be had, instead of going on without
    #[arg(long, conflicts_with = "no_pgo")]
    require_pgo: bool,
}

/// The subcommand. Leaves the programs, their debug information and archives of both in `TARGET/dist`.
pub(crate) fn run(arguments: &DistArguments) -> Result<()> {
    setup::ensure(SetupLevel::Build)?;
    let compiler = Compiler::ask()?;
    // Told before minutes go into building.
    let profdata = if arguments.no_pgo { None } else { profdata(&compiler, arguments.require_pgo)? };
    build_ebpf::build_if_possible()?;
    // The training's traffic comes from pcap-replay.
    command::run(build("release").args(["-p", "pktvisor-tui", "-p", "pcap-replay"]))?;
    let agent = match &profdata {
        Some(profdata) => profile::build_agent(&compiler, profdata)?,
        None => {
            command::run(&mut build_agent())?;
            workspace::target()?.join(AGENT_PROFILE).join(AGENT)
        }
    };
    let directory = workspace::target()?.join("dist");
    collect(&agent, &directory)?;
    let documents = documents::write(&directory, PROGRAMS)?;
    let programs = PROGRAMS.iter().map(|program| (*program).to_owned());
    let archive = archive::pack(&directory, &compiler.host, &programs.chain(documents).collect::<Vec<_>>())?;
    let debug_files: Vec<_> = PROGRAMS.iter().map(|program| debug::file_name(program)).collect();
    archive::pack_debug(&directory, &compiler.host, &debug_files)?;
    let how = if profdata.is_some() { "with" } else { "without" };
    println!("\nbuilt {}, {how} profile-guided optimisation", workspace::shown(&archive));
    if command::on_path("dpkg-deb") {
        println!("built {}", workspace::shown(&deb::pack(&directory)?));
    }
    Ok(())
}

/// What merges the counts; `None`, with a warning, where there is nothing, and an error where that is `required`.
fn profdata(compiler: &Compiler, required: bool) -> Result<Option<PathBuf>> {
    match compiler.profdata() {
        Ok(profdata) => Ok(Some(profdata)),
        Err(reason) if required => bail!("there is no profile-guided optimisation here: {reason}"),
        Err(reason) => {
            eprintln!("warning: the agent will be without profile-guided optimisation: {reason}");
            Ok(None)
        }
    }
}

/// `cargo build` of what is shipped: exactly the versions that were tested.
fn build(profile: &str) -> Command {
    command::cargo(["build", "--profile", profile, "--locked"])
}

/// The same of the agent alone.
fn build_agent() -> Command {
    let mut build = build(AGENT_PROFILE);
    build.args(["-p", "pktvisor-agent", "--bin", AGENT]);
    build
}

/// Copies the programs to where nothing else lies, and moves their debug information into files of their own.
fn collect(agent: &Path, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for name in PROGRAMS {
        let built = if *name == AGENT { agent.to_owned() } else { workspace::release_binary(name)? };
        let copy = directory.join(name);
        // A program that runs cannot be written to, but another can take its name.
        let unfinished = directory.join("unfinished");
        fs::copy(&built, &unfinished).with_context(|| format!("cannot copy {}", built.display()))?;
        debug::separate(&unfinished, name)?;
        fs::rename(&unfinished, &copy).with_context(|| format!("cannot name {}", copy.display()))?;
    }
    Ok(())
}
