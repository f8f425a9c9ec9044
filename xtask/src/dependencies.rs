//! Checks the dependencies against deny.toml, with cargo-deny.

use anyhow::Result;

use crate::steps::StepOutcome;
use crate::{build_ebpf, command, fuzz};

/// The version that setup installs; an installed version is used as it is.
const VERSION: &str = "0.20.2";

/// The workspaces: each has dependencies of its own.
const MANIFESTS: [&str; 3] = ["Cargo.toml", build_ebpf::MANIFEST, fuzz::MANIFEST];

/// Installs cargo-deny if it is missing. Never fails: without it the check is skipped.
pub(crate) fn ensure() {
    if is_installed() {
        return;
    }
    println!("missing: cargo-deny (checks licences and sources of the dependencies)");
    // The check takes seconds either way, and an optimised build takes several minutes.
    let mut install = command::cargo(["install", "cargo-deny", "--locked", "--version", VERSION, "--debug"]);
    install.env("CARGO_PROFILE_DEV_DEBUG", "0");
    if let Err(error) = command::run(&mut install) {
        eprintln!("warning: the dependencies will not be checked: {error:#}");
    }
}

/// Checks licences, bans and sources. Advisories are left out, see deny.toml.
pub(crate) fn check() -> Result<StepOutcome> {
    if !is_installed() {
        return Ok(StepOutcome::Skipped(format!(
            "there is no cargo-deny (cargo install cargo-deny --locked --version {VERSION})"
        )));
    }
    for manifest in MANIFESTS {
        // A build does not download the crates of other platforms, and cargo-deny reads their
        // manifests too.
        let fetch = command::run(&mut command::cargo(["fetch", "--locked", "--manifest-path", manifest]));
        if let Err(error) = fetch {
            return Ok(StepOutcome::Skipped(format!(
                "not all dependencies can be downloaded here: {error:#}"
            )));
        }
        let mut deny = command::cargo(["deny", "--offline", "--manifest-path", manifest]);
        deny.args(["--config", "deny.toml", "check", "bans", "licenses", "sources"]);
        command::run(&mut deny)?;
    }
    Ok(StepOutcome::Passed)
}

fn is_installed() -> bool {
    command::succeeds(&mut command::cargo(["deny", "--version"]))
}
