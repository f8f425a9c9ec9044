//! The places in the kernel where a program can be put, and why one did not take it.

use std::error::Error;
use std::fmt;
use std::io;

use aya::programs::{ProgramError, TcAttachType, tc};
use aya::util::KernelVersion;

use crate::capture::kernel::KernelError;

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

/// A hook did not take our program.
#[derive(Debug)]
pub struct Refusal {
    hook: Hook,
    reason: String,
}

impl Refusal {
    pub(super) fn new(hook: Hook, error: ProgramError) -> Self {
        let reason = match errno(&error) {
            Some(libc::EBUSY) => "another program holds it".to_owned(),
            Some(libc::EOPNOTSUPP) => "the driver does not support it".to_owned(),
            Some(libc::ERANGE) => "the interface's MTU is too large for the driver".to_owned(),
            Some(libc::EPERM) => "permission denied".to_owned(),
            _ => chain(&error),
        };
        Self { hook, reason }
    }

    pub(super) fn of_kernel(hook: Hook, error: KernelError) -> Self {
        Self { hook, reason: chain(&error) }
    }

    pub(super) fn of_io(hook: Hook, error: io::Error) -> Self {
        Self { hook, reason: error.to_string() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.hook, self.reason)
    }
}

/// Several refusals in one sentence.
pub(super) fn listed(refusals: &[Refusal]) -> String {
    refusals.iter().map(Refusal::to_string).collect::<Vec<_>>().join("; ")
}

/// What classifiers are attached to on this kernel.
pub(super) fn classifier_hook() -> Hook {
    match KernelVersion::current() {
        Ok(version) if version < KernelVersion::new(6, 6, 0) => Hook::Clsact,
        _ => Hook::Tcx,
    }
}

/// Makes the qdisc that filters hang on, and takes off what an agent left there that was killed.
pub(super) fn prepare_clsact(interface: &str, way: TcAttachType, program: &str) -> io::Result<()> {
    // It fails where the qdisc is there already, which is as good; what is wrong otherwise, attaching will tell.
    let _ = tc::qdisc_add_clsact(interface);
    match tc::qdisc_detach_program(interface, way, program) {
        Err(error) if errno(&error).is_some() => Err(io::Error::other(chain(&error))),
        // Nothing was left.
        _ => Ok(()),
    }
}

/// The number of the system's error behind an error.
fn errno(error: &(dyn Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(code) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(code);
        }
        next = error.source();
    }
    None
}

/// An error with all its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
