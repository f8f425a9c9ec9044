//! The places in the kernel where a program can be put.

use std::fmt;

use aya::util::KernelVersion;

/// Where a program sees packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// In the driver, before the host has seen the packet.
    Xdp,
    /// Traffic control, since Linux 6.6.
    Tcx,
    /// Traffic control before that: a filter of the clsact qdisc.
    Clsact,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xdp => "xdp",
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        })
    }
}

/// The hook for classifiers on this kernel.
pub(super) fn classifier_hook() -> Hook {
    match KernelVersion::current() {
        Ok(version) if version < KernelVersion::new(6, 6, 0) => Hook::Clsact,
        _ => Hook::Tcx,
    }
}
