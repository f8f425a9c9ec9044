//! Installs Debian packages: as root directly, otherwise it prints the command to run.

use std::process::Command;

use anyhow::{Result, bail};

use crate::command;

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
