//! `cargo xtask setup`: installs the packages that the build and the tests need.

mod packages;

use std::process::Command;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{apt, bpf_toolchain, command, dependencies, node_tools, python_tools};
use packages::{OF_DEBIAN, PACKAGES, Package, is_present};

/// The purpose of a package. Each level includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum SetupLevel {
    /// `cargo build`
    Build,
    /// `cargo xtask test`
    Test,
    /// `cargo xtask bench`
    Bench,
}

/// Parts of the Rust toolchain that a minimal rustup profile leaves out, with the cargo subcommand
/// each brings.
const COMPONENTS: &[(&str, &str)] = &[("clippy", "clippy"), ("rustfmt", "fmt")];

#[derive(clap::Args)]
pub(crate) struct SetupArguments {
    /// Install only the packages for this
    #[arg(long = "for", value_name = "WHAT", value_enum, default_value = "test")]
    need: SetupLevel,
}

/// The subcommand.
pub(crate) fn run(arguments: &SetupArguments) -> Result<()> {
    ensure(arguments.need)
}

/// Installs the packages that are missing for `need`. Without root it fails with the command to
/// run.
pub(crate) fn ensure(need: SetupLevel) -> Result<()> {
    let mut missing: Vec<&Package> =
        PACKAGES.iter().filter(|package| package.need <= need && !is_present(&package.probe)).collect();
    missing.retain(|Package { name, reason, .. }| {
        let is_available = !OF_DEBIAN.contains(name) || apt::has(name);
        if !is_available {
            println!("left out: {name} ({reason}), which this system does not have; its tests are skipped");
        }
        is_available
    });
    for package in &missing {
        println!("missing: {} ({})", package.name, package.reason);
    }
    if !missing.is_empty() {
        let mut names: Vec<_> = missing.iter().map(|package| package.name).collect();
        // A user who is not root gets one line for everything.
        if !apt::is_root() {
            names.extend(bpf_toolchain::missing_packages());
        }
        apt::install(&names)?;
    }
    let components = if need >= SetupLevel::Test { missing_components() } else { Vec::new() };
    if !components.is_empty() {
        add_components(&components)?;
    }
    if missing.is_empty() && components.is_empty() {
        println!("setup: everything is there");
    }
    if need >= SetupLevel::Test {
        dependencies::ensure();
        python_tools::ensure();
        node_tools::ensure();
    }
    bpf_toolchain::ensure();
    Ok(())
}

fn missing_components() -> Vec<&'static str> {
    let is_missing = |subcommand: &str| !command::succeeds(&mut command::cargo([subcommand, "--version"]));
    COMPONENTS.iter().filter(|(_, subcommand)| is_missing(subcommand)).map(|(name, _)| *name).collect()
}

fn add_components(names: &[&str]) -> Result<()> {
    if !command::on_path("rustup") {
        bail!("the Rust toolchain lacks {}: install it as you installed cargo", names.join(" and "));
    }
    command::run(Command::new("rustup").args(["component", "add"]).args(names))
}
