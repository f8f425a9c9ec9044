//! A bare Debian or Ubuntu in a directory, made by debootstrap and removed at the end.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{command, workspace};

/// The file that names the release of this machine (os-release(5)).
const OS_RELEASE: &str = "/etc/os-release";

/// What a process in the root has as PATH.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The root directory of a minimal system.
pub(crate) struct BareRoot(TempDir);

impl BareRoot {
    /// A system with nothing but what Debian calls essential, and `packages`.
    ///
    /// # Errors
    ///
    /// debootstrap fails: there is no network, or no package or release of that name.
    pub(crate) fn make(release: &Release, packages: &[String]) -> Result<Self> {
        // /tmp may be small, or mounted so that nothing in it can be run.
        let directory = tempfile::tempdir_in(workspace::target()?).context("cannot create a directory")?;
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.arg("--variant=minbase");
        if !packages.is_empty() {
            debootstrap.arg(format!("--include={}", packages.join(",")));
        }
        let origin = release.origin();
        debootstrap.arg(format!("--components={}", origin.components));
        debootstrap.args(origin.keyring.map(|keyring| format!("--keyring={keyring}")));
        debootstrap.arg(&release.0).arg(directory.path()).args(origin.source);
        command::run(&mut debootstrap)?;
        let root = Self(directory);
        root.write("etc/apt/sources.list", &origin.sources(&release.0))?;
        // The root is thrown away, so no package has to be safe on the disk.
        root.write("etc/dpkg/dpkg.cfg.d/unsafe-io", "force-unsafe-io\n")?;
        Ok(root)
    }

    /// The root directory, as it is called outside.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, named relative to the root.
    pub(crate) fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.path().join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// A command that runs inside.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.path()).arg(program).args(arguments);
        with_environment(&mut command, PATH);
        command
    }

    /// What a command that runs inside prints.
    pub(crate) fn output(&self, program: &str, arguments: &[&str]) -> Result<String> {
        command::output(&mut self.command(program, arguments))
    }
}

/// Gives a command the environment of a bare system, not that of this process.
pub(crate) fn with_environment(command: &mut Command, path: &str) {
    command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive");
    // Without its proxy, a machine may have no way to the packages.
    for (name, value) in std::env::vars_os() {
        if name.to_string_lossy().to_ascii_lowercase().ends_with("_proxy") {
            command.env(name, value);
        }
    }
}

/// The code name of a release of Debian or Ubuntu, such as `bookworm` or `noble`.
pub(crate) struct Release(String);

impl Release {
    /// Debian 12.
    pub(crate) fn bookworm() -> Self {
        Self("bookworm".to_owned())
    }

    /// The release of this machine.
    ///
    /// # Errors
    ///
    /// It has no code name.
    pub(crate) fn of_this_machine() -> Result<Self> {
        let os_release =
            fs::read_to_string(OS_RELEASE).with_context(|| format!("cannot read {OS_RELEASE}"))?;
        codename(&os_release).map(Self::from).with_context(|| format!("{OS_RELEASE} names no release"))
    }

    /// Why it cannot be made here, in words.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let keyring = self.origin().keyring?;
        let is_missing = !Path::new(keyring).exists();
        is_missing.then(|| format!("there is no {keyring}, which signs {self} (Debian: ubuntu-keyring)"))
    }

    /// Where its packages are.
    fn origin(&self) -> &'static Origin {
        if UBUNTU_RELEASES.contains(&self.0.as_str()) { &UBUNTU } else { &DEBIAN }
    }
}

impl From<&str> for Release {
    fn from(codename: &str) -> Self {
        Self(codename.to_owned())
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The releases that are Ubuntu's; all others are Debian's.
const UBUNTU_RELEASES: &[&str] = &["jammy", "noble", "plucky", "questing", "resolute"];

/// A place of packages.
struct Origin {
    /// The components of a release, with commas.
    components: &'static str,
    /// The file of the keys that sign it, if it is not debootstrap's default.
    keyring: Option<&'static str>,
    /// Mirror and script of debootstrap. The script of every Ubuntu is the same, and a debootstrap that is older than a
    /// release does not know that.
    source: &'static [&'static str],
    /// Lines of apt's sources.list without the release, in two parts: before and after its name.
    lists: &'static [(&'static str, &'static str)],
}

const DEBIAN: Origin = Origin {
    components: "main",
    keyring: None,
    source: &["http://deb.debian.org/debian"],
    lists: &[
        ("deb http://deb.debian.org/debian ", " main"),
        ("deb http://deb.debian.org/debian ", "-updates main"),
        ("deb http://deb.debian.org/debian-security ", "-security main"),
    ],
};

const UBUNTU: Origin = Origin {
    components: "main,universe",
    keyring: Some("/usr/share/keyrings/ubuntu-archive-keyring.gpg"),
    source: &["http://archive.ubuntu.com/ubuntu", "/usr/share/debootstrap/scripts/gutsy"],
    lists: &[
        ("deb http://archive.ubuntu.com/ubuntu ", " main universe"),
        ("deb http://archive.ubuntu.com/ubuntu ", "-updates main universe"),
        ("deb http://archive.ubuntu.com/ubuntu ", "-security main universe"),
    ],
};

impl Origin {
    /// apt's sources.list, as the installers of Debian and Ubuntu write it.
    fn sources(&self, release: &str) -> String {
        self.lists.iter().map(|(before, after)| format!("{before}{release}{after}\n")).collect()
    }
}

/// Why no bare system can be made here, in words.
pub(crate) fn obstacle() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("only root can make a bare system".to_owned());
    }
    let missing = ["debootstrap", "chroot"].into_iter().find(|program| !command::on_path(program));
    missing.map(|program| format!("there is no {program}"))
}

/// The code name of the release, such as `bookworm` or `noble`.
fn codename(os_release: &str) -> Option<&str> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(value.trim_matches('"')).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_release_has_its_security_updates() {
        let sources = |release: &str| Release::from(release).origin().sources(release);
        assert!(sources("trixie").contains("/debian-security trixie-security main\n"));
        assert!(sources("noble").contains("/ubuntu noble-security main universe\n"));
    }
}
