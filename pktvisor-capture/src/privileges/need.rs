//! The capabilities that a capture needs and those that it keeps, and the error for missing ones.

use std::env;
use std::path::PathBuf;

use caps::Capability;
use pktvisor_definitions::Mode;

use super::environment::Environment;
use super::features::{self, KernelFeatures};
use super::give_up::Keep;

/// Capabilities that a capture needs and this process does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct MissingPrivileges {
    /// How packets were to be captured.
    pub mode: Mode,
    /// The missing capabilities.
    pub missing: Vec<Capability>,
    /// What all captures together need on this kernel: granted once, every mode works.
    pub all: Vec<Capability>,
    /// This program.
    pub program: PathBuf,
    /// Where it runs, which decides how capabilities are granted.
    pub environment: Environment,
}

impl MissingPrivileges {
    fn text(&self) -> String {
        let older = in_older_engines(&self.all);
        let place = match self.environment {
            Environment::Host => String::new(),
            Environment::Container => format!("; run the container with {}", container_flags(&self.all)),
            Environment::Kubernetes => format!(
                "; in the pod's specification: securityContext.capabilities.add: [{}], or [{}] where BPF is not known",
                names(&self.all).join(", "),
                names(&older).join(", "),
            ),
        };
        // Also in a container, in which the agent may run as a user of its own or as a service.
        format!(
            "cannot capture in {} mode without {}{place}; run as root, or grant what is needed, once: setcap {}+ep {}; or \
             in the systemd unit: AmbientCapabilities={}",
            self.mode,
            join(&self.missing, ", "),
            join(&self.all, ",").to_lowercase(),
            self.program.display(),
            join(&self.all, " "),
        )
    }
}

/// The flags of `docker run` and `podman run`, and those for engines that know no CAP_BPF, or whose
/// seccomp profile asks for CAP_SYS_ADMIN instead (Docker 20.10).
pub fn container_flags(capabilities: &[Capability]) -> String {
    let flags = |capabilities: &[Capability]| {
        let flags: Vec<String> = names(capabilities).iter().map(|name| format!("--cap-add {name}")).collect();
        flags.join(" ")
    };
    let older = in_older_engines(capabilities);
    if older == capabilities {
        return flags(capabilities);
    }
    format!(
        "{}; or, where the engine does not know BPF (Docker 20.10): {}",
        flags(capabilities),
        flags(&older)
    )
}

/// CAP_SYS_ADMIN instead of those that are younger than the engine.
fn in_older_engines(capabilities: &[Capability]) -> Vec<Capability> {
    let mut older = Vec::new();
    for &capability in capabilities {
        let known = if is_part_of_sys_admin(capability) { Capability::CAP_SYS_ADMIN } else { capability };
        if !older.contains(&known) {
            older.push(known);
        }
    }
    older
}

/// As container engines call them.
fn names(capabilities: &[Capability]) -> Vec<String> {
    let name = |capability: &Capability| capability.to_string().trim_start_matches("CAP_").to_owned();
    capabilities.iter().map(name).collect()
}

fn join(capabilities: &[Capability], separator: &str) -> String {
    capabilities.iter().map(Capability::to_string).collect::<Vec<_>>().join(separator)
}

/// The capabilities that a capture needs on such a kernel.
pub fn needed(mode: Mode, kernel: &KernelFeatures) -> Vec<Capability> {
    let bpf = kernel.bpf_capabilities();
    match mode {
        Mode::Inline => [bpf, &[Capability::CAP_NET_ADMIN]].concat(),
        Mode::Tap => [bpf, &[Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW]].concat(),
        Mode::AfPacket => vec![Capability::CAP_NET_RAW],
    }
}

/// Whether CAP_SYS_ADMIN implies it (`bpf_capable()` and `perfmon_capable()` of
/// linux/capability.h).
fn is_part_of_sys_admin(capability: Capability) -> bool {
    matches!(capability, Capability::CAP_BPF | Capability::CAP_PERFMON)
}

/// Of what a capture needs: what this thread does not have. CAP_SYS_ADMIN stands for CAP_BPF and
/// CAP_PERFMON, as it does in the kernel.
pub fn missing(mode: Mode, kernel: &KernelFeatures) -> Vec<Capability> {
    let mut missing = needed(mode, kernel);
    missing.retain(|&capability| !features::has(stand_in(capability, features::has)));
    missing
}

/// The capability that this one is used by: itself, or CAP_SYS_ADMIN where a process `has` only
/// that.
fn stand_in(capability: Capability, has: impl Fn(Capability) -> bool) -> Capability {
    let stands_in = is_part_of_sys_admin(capability) && !has(capability) && has(Capability::CAP_SYS_ADMIN);
    if stands_in { Capability::CAP_SYS_ADMIN } else { capability }
}

/// Whether this thread has what a capture needs; capabilities that are only permitted are raised.
///
/// # Errors
///
/// It has not.
pub fn check(mode: Mode, kernel: &KernelFeatures) -> Result<(), MissingPrivileges> {
    let missing = missing(mode, kernel);
    if missing.is_empty() {
        return Ok(());
    }
    let mut all = needed(Mode::Tap, kernel);
    if kernel.counts_bpf_memory() {
        all.push(Capability::CAP_SYS_RESOURCE);
    }
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("pktvisord"));
    Err(MissingPrivileges { mode, missing, all, program, environment: Environment::detect() })
}

/// What a capture still needs once it is attached: what it takes to attach again, to interfaces
/// that come later or come back, in the thread that attaches.
pub fn keep(mode: Mode, kernel: &KernelFeatures) -> Keep {
    keep_of(mode, kernel, features::has)
}

/// The same for a process that `has` these capabilities.
pub(super) fn keep_of(mode: Mode, kernel: &KernelFeatures, has: impl Fn(Capability) -> bool) -> Keep {
    let mut keep = Keep::default();
    if mode == Mode::AfPacket {
        // A packet socket may be bound to another interface without any.
        return keep;
    }
    let used = |capability: &Capability| stand_in(*capability, &has);
    if kernel.guards_maps() {
        keep.everywhere = kernel.bpf_capabilities()[..1].iter().map(used).collect();
    }
    keep.here = needed(mode, kernel).iter().map(used).collect();
    keep.here.dedup();
    if mode == Mode::Tap && has(Capability::CAP_IPC_LOCK) {
        // The memory of sockets to come is locked, too.
        keep.here.push(Capability::CAP_IPC_LOCK);
    }
    keep
}
