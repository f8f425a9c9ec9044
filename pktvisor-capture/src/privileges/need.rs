//! Which capabilities a capture needs, which of them it keeps, and what to tell an operator who has not given them.

use std::env;
use std::fmt;
use std::path::PathBuf;

use caps::Capability;

use super::give_up::Keep;
use super::kernel::{self, Kernel};

/// How packets are to be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// By BPF programs, the host's traffic untouched.
    Inline,
    /// By BPF programs and AF_XDP sockets.
    Tap,
    /// By a packet socket.
    AfPacket,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inline => "inline",
            Self::Tap => "tap",
            Self::AfPacket => "afpacket",
        })
    }
}

/// Capabilities that a capture needs and this process does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct MissingPrivileges {
    /// How packets were to be captured.
    pub work: Work,
    /// What is missing.
    pub missing: Vec<Capability>,
    /// What all captures together need on this kernel: granted once, every mode works.
    pub all: Vec<Capability>,
    /// This program.
    pub program: PathBuf,
}

impl MissingPrivileges {
    fn text(&self) -> String {
        format!(
            "cannot capture in {} mode without {}; run as root, or grant what is needed, once: setcap {}+ep {}; or in \
             the systemd unit: AmbientCapabilities={}",
            self.work,
            join(&self.missing, ", "),
            join(&self.all, ",").to_lowercase(),
            self.program.display(),
            join(&self.all, " "),
        )
    }
}

fn join(capabilities: &[Capability], separator: &str) -> String {
    capabilities.iter().map(Capability::to_string).collect::<Vec<_>>().join(separator)
}

/// What a capture needs on such a kernel.
pub fn needed(work: Work, kernel: &Kernel) -> Vec<Capability> {
    let bpf = kernel.bpf_capabilities();
    match work {
        Work::Inline => [bpf, &[Capability::CAP_NET_ADMIN]].concat(),
        Work::Tap => [bpf, &[Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW]].concat(),
        Work::AfPacket => vec![Capability::CAP_NET_RAW],
    }
}

/// Of what a capture needs: what this thread does not have. CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, as it does
/// in the kernel.
pub fn missing(work: Work, kernel: &Kernel) -> Vec<Capability> {
    let stands_in = |capability: &Capability| match capability {
        Capability::CAP_BPF | Capability::CAP_PERFMON => kernel::has(Capability::CAP_SYS_ADMIN),
        _ => false,
    };
    let mut missing = needed(work, kernel);
    missing.retain(|capability| !kernel::has(*capability) && !stands_in(capability));
    missing
}

/// Whether this thread has what a capture needs; capabilities that are only permitted are raised.
///
/// # Errors
///
/// It has not.
pub fn check(work: Work, kernel: &Kernel) -> Result<(), MissingPrivileges> {
    let missing = missing(work, kernel);
    if missing.is_empty() {
        return Ok(());
    }
    let mut all = needed(Work::Tap, kernel);
    if kernel.counts_bpf_memory() {
        all.push(Capability::CAP_SYS_RESOURCE);
    }
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("pktvisord"));
    Err(MissingPrivileges { work, missing, all, program })
}

/// What a capture still needs once it is attached. `follows_interfaces`: the attaching thread attaches to interfaces that
/// come up later. `detaches`: it has to remove what the kernel will not (clsact, below Linux 6.6).
pub fn keep(work: Work, kernel: &Kernel, follows_interfaces: bool, detaches: bool) -> Keep {
    let mut keep = Keep::default();
    if work == Work::AfPacket {
        return keep;
    }
    if kernel.guards_maps() {
        keep.everywhere = kernel.bpf_capabilities()[..1].to_vec();
    }
    if follows_interfaces {
        keep.here = needed(work, kernel);
    } else if detaches {
        keep.here = vec![Capability::CAP_NET_ADMIN];
    }
    keep
}
