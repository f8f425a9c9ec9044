//! A bare Debian or Ubuntu in a directory, made by debootstrap and removed at the end.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{command, workspace};

/// The file that names the release of this machine (os-release(5)).
const OS_RELEASE: &str = "/etc/os-release";

/// What a process in the root has as PATH.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The root directory of a minimal system.
pub(super) struct BareRoot(TempDir);

impl BareRoot {
    /// A system with nothing but what Debian calls essential, and `packages`. It is of the release of this machine, because
    /// the programs need the C library that they were linked with.
    ///
    /// # Errors
    ///
    /// This machine's release has no code name, or debootstrap fails: there is no network, or no package of that name.
    pub(super) fn make(packages: &[String]) -> Result<Self> {
        let os_release =
            fs::read_to_string(OS_RELEASE).with_context(|| format!("cannot read {OS_RELEASE}"))?;
        let suite = codename(&os_release).with_context(|| format!("{OS_RELEASE} names no release"))?;
        // /tmp may be small, or mounted so that nothing in it can be run.
        let directory = tempfile::tempdir_in(workspace::target()?).context("cannot create a directory")?;
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.arg("--variant=minbase");
        if !packages.is_empty() {
            debootstrap.arg(format!("--include={}", packages.join(",")));
        }
        command::run(debootstrap.arg(suite).arg(directory.path()))?;
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

/// The code name of the release, such as `bookworm` or `noble`.
fn codename(os_release: &str) -> Option<&str> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(value.trim_matches('"')).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::codename;

    #[test]
    fn the_code_name_of_the_release_is_found() {
        assert_eq!(
            codename("NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=bookworm\nID=debian\n"),
            Some("bookworm")
        );
        assert_eq!(codename("VERSION_CODENAME=\"noble\"\n"), Some("noble"));
        assert_eq!(codename("ID=arch\n"), None);
        assert_eq!(codename("VERSION_CODENAME=\n"), None);
    }
}
