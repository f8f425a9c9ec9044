//! Installs Debian packages: as root directly, otherwise it prints the command to run.

use std::process::Command;

use anyhow::{Result, bail};

use crate::command;

/// Whether the system's package lists have this package.
pub(crate) fn has(package: &str) -> bool {
    // A package that others provide or refer to is shown as well, but with no version to install.
    let policy = Command::new("apt-cache").args(["policy", package]).output();
    policy.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().any(|line| line.trim_start().starts_with("Candidate:") && !line.ends_with("(none)"))
    })
}

/// Installs the packages. It updates the package lists only if they lack one or are out of date.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !command::on_path("apt-get") {
        bail!("this system has no apt-get: install the equivalents of the Debian packages {names}");
    }
    if !is_root() {
        bail!("missing packages, please run: sudo apt-get install -y {names}");
    }
    let are_known = command::succeeds(apt_get(&["install", "--simulate"]).args(packages));
    if are_known && command::run(&mut install_command(packages)).is_ok() {
        return Ok(());
    }
    command::run(&mut apt_get(&["update"]))?;
    command::run(&mut install_command(packages))
}

fn install_command(packages: &[&str]) -> Command {
    let mut install = apt_get(&["install", "--yes", "--no-install-recommends"]);
    install.args(packages);
    install
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut apt = Command::new("apt-get");
    apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
