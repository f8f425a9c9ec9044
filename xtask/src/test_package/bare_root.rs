//! A bare Debian in a directory, made by debootstrap and removed at the end.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{command, workspace};

/// The release that the programs are built for in CI: the oldest that is supported.
const SUITE: &str = "bookworm";

/// What a process in the root has as PATH.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The root directory of a minimal system.
pub(super) struct BareRoot(TempDir);

impl BareRoot {
    /// A system with nothing but what Debian calls essential, and `packages`.
    ///
    /// # Errors
    ///
    /// That of debootstrap: there is no network, or no package of that name.
    pub(super) fn make(packages: &[String]) -> Result<Self> {
        // /tmp may be small, or mounted so that nothing in it can be run.
        let directory = tempfile::tempdir_in(workspace::target()?).context("cannot create a directory")?;
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.arg("--variant=minbase");
        if !packages.is_empty() {
            debootstrap.arg(format!("--include={}", packages.join(",")));
        }
        command::run(debootstrap.arg(SUITE).arg(directory.path()))?;
        Ok(Self(directory))
    }

    /// The root directory, as it is called outside.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A command that runs inside.
    pub(super) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.path()).arg(program).args(arguments);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// What a command that runs inside prints.
    pub(super) fn output(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(program, arguments);
        let line = command::line(&command);
        let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
        if !output.status.success() {
            bail!("`{line}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
