//! Where the agent runs, which decides how it is granted capabilities.

use std::env;
use std::fs;
use std::path::Path;

/// The environment that grants capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// The machine itself.
    #[default]
    Host,
    /// A container engine, such as Docker or Podman.
    Container,
    /// Kubernetes.
    Kubernetes,
}

/// What engines leave in a container's file system (Docker; Podman and CRI-O; systemd-nspawn and
/// LXC).
const MARKS: [&str; 3] = [".dockerenv", "run/.containerenv", "run/systemd/container"];

/// What the control groups of containers are called. With a cgroup namespace of its own a container
/// does not see it.
const CONTROL_GROUPS: [&str; 6] = ["docker", "containerd", "libpod", "kubepods", "/lxc", "crio"];

impl Environment {
    /// Looks where this process runs.
    pub fn detect() -> Self {
        Self::of(Path::new("/"), |variable| env::var_os(variable).is_some_and(|value| !value.is_empty()))
    }

    /// With this file system and these environment variables.
    pub(super) fn of(root: &Path, has_variable: impl Fn(&str) -> bool) -> Self {
        let has_secrets = || root.join("var/run/secrets/kubernetes.io").exists();
        if has_variable("KUBERNETES_SERVICE_HOST") || has_secrets() {
            return Self::Kubernetes;
        }
        let groups = || fs::read_to_string(root.join("proc/1/cgroup")).unwrap_or_default();
        let is_container = MARKS.iter().any(|mark| root.join(mark).exists())
            // Set by Podman, LXC and systemd-nspawn.
            || has_variable("container")
            || CONTROL_GROUPS.iter().any(|name| groups().contains(name));
        if is_container { Self::Container } else { Self::Host }
    }
}
