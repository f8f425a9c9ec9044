//! Installs Debian packages: as root directly, otherwise it prints the command to run.

use std::process::Command;

use anyhow::{Result, bail};

use crate::command;

/// How packages are installed.
const INSTALL: &[&str] = &["install", "--yes", "--no-install-recommends"];

/// Whether this package is installed.
pub(crate) fn is_installed(package: &str) -> bool {
    let query =
        Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]).output();
    query.is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

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
    let are_known = command::succeeds(apt_get(&["install", "--simulate"]).args(packages));
    if !is_root() {
        bail!("{}", request(&names, are_known));
    }
    if are_known && command::run(&mut install_command(packages)).is_ok() {
        return Ok(());
    }
    command::run(&mut apt_get(&["update"]))?;
    command::run(&mut install_command(packages))
}

/// Asks a user who is not root for packages, with a line to paste.
fn request(names: &str, are_known: bool) -> String {
    let update = if are_known { "" } else { "sudo apt-get update && " };
    format!("packages are missing, please run: {update}sudo apt-get {} {names}", INSTALL.join(" "))
}

fn install_command(packages: &[&str]) -> Command {
    let mut install = apt_get(INSTALL);
    install.args(packages);
    install
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut apt = Command::new("apt-get");
    apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

/// Whether this process may install packages.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_root_gets_a_line_that_installs_what_root_would_get() {
        let line =
            "packages are missing, please run: sudo apt-get install --yes --no-install-recommends m4 tmux";
        assert_eq!(request("m4 tmux", true), line);
        assert!(request("m4 tmux", false).contains("run: sudo apt-get update && sudo apt-get install"));
    }
}
