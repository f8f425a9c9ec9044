//! The container engine: one that runs already, or Docker's daemon, started for the test.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use testbed::Process;

use crate::{command, workspace};

/// The clients of Docker, by preference. Debian's has BuildKit built in; those of Docker since 23 need a plugin.
const CLIENTS: &[&str] = &["docker", "/usr/bin/docker"];

/// Longest time of the daemon until it answers, and until it ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine that can be used.
pub(super) struct Engine {
    client: &'static str,
    daemon: Option<Daemon>,
}

impl Engine {
    /// The engine of this machine, or one of its own; in words why there is neither.
    pub(super) fn find() -> Result<Result<Self, String>> {
        let Some(client) = CLIENTS.iter().find(|client| has_build_kit(client)) else {
            return Ok(Err("there is no Docker client with BuildKit (Debian: docker.io)".to_owned()));
        };
        if command::succeeds(Command::new(client).arg("info")) {
            return Ok(Ok(Self { client, daemon: None }));
        }
        if !nix::unistd::geteuid().is_root() {
            return Ok(Err("no Docker engine answers, and only root can start one".to_owned()));
        }
        if !command::on_path("dockerd") {
            return Ok(Err(
                "no Docker engine answers, and there is no dockerd (Debian: docker.io)".to_owned()
            ));
        }
        let engine = Self { client, daemon: Some(Daemon::start()?) };
        let started = Instant::now();
        while !command::succeeds(engine.docker().arg("info")) {
            if started.elapsed() > PATIENCE {
                return Ok(Err(format!("dockerd does not start here: {}", engine.last_words())));
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(Ok(engine))
    }

    /// Whether it was started for the test: it has no image, no bridge, and nobody else uses it.
    pub(super) fn is_own(&self) -> bool {
        self.daemon.is_some()
    }

    /// The client, without its subcommand.
    pub(super) fn docker(&self) -> Command {
        let mut docker = Command::new(self.client);
        docker.env("DOCKER_BUILDKIT", "1");
        if let Some(daemon) = &self.daemon {
            docker.arg("--host").arg(daemon.address());
        }
        docker
    }

    fn last_words(&self) -> String {
        let log = self.daemon.as_ref().map(|daemon| fs::read_to_string(daemon.log()).unwrap_or_default());
        log.unwrap_or_default().lines().last().unwrap_or_default().to_owned()
    }
}

fn has_build_kit(client: &str) -> bool {
    if command::succeeds(Command::new(client).args(["buildx", "version"])) {
        return true;
    }
    let version = command::output(Command::new(client).arg("--version")).unwrap_or_default();
    major(&version).is_some_and(|major| major < 23)
}

/// `Docker version 20.10.24+dfsg1, build 297e128`
fn major(version: &str) -> Option<u32> {
    version.split_whitespace().nth(2)?.split('.').next()?.parse().ok()
}

/// `dockerd`, stopped when dropped. It neither makes a bridge nor changes the machine's packet filter.
struct Daemon {
    process: Process,
    /// Images and containers.
    data: TempDir,
    /// Its socket, whose path must be short.
    runtime: TempDir,
}

impl Daemon {
    fn start() -> Result<Self> {
        // Images are large, so they do not belong in /tmp.
        let data = tempfile::tempdir_in(workspace::target()?).context("cannot create a directory")?;
        let runtime = tempfile::tempdir().context("cannot create a temporary directory")?;
        let log = File::create(runtime.path().join("log")).context("cannot create the log of dockerd")?;
        let mut dockerd = Command::new("dockerd");
        dockerd.args(["--bridge=none", "--iptables=false", "--data-root"]).arg(data.path());
        dockerd.arg("--exec-root").arg(runtime.path().join("exec"));
        dockerd.arg("--pidfile").arg(runtime.path().join("pid"));
        dockerd.arg("--host").arg(format!("unix://{}", runtime.path().join("socket").display()));
        dockerd.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Self { process: Process::spawn(&mut dockerd), data, runtime })
    }

    fn address(&self) -> String {
        format!("unix://{}", self.runtime.path().join("socket").display())
    }

    fn log(&self) -> PathBuf {
        self.runtime.path().join("log")
    }

    /// Lets it end its containers and undo its mounts.
    fn stop(&mut self) -> Result<()> {
        self.process.signal(libc::SIGTERM);
        let started = Instant::now();
        while self.process.child().try_wait()?.is_none() {
            if started.elapsed() > PATIENCE {
                bail!("dockerd does not end; its images are in {}", self.data.path().display());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("warning: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_version_of_a_client_is_read() {
        assert_eq!(major("Docker version 20.10.24+dfsg1, build 297e128"), Some(20));
        assert_eq!(major("podman version 4.3.1"), Some(4));
        assert_eq!(major("no client"), None);
    }
}
