//! Why an interface, or one of its hooks, does not take our programs.

use std::error::Error;
use std::{fmt, io};

use super::hook::Hook;
use crate::filter::FilterProgramError;
use crate::interfaces::Interface;
use crate::kernel::KernelError;

/// Why nothing could be attached. A message that contains its cause has no source that would print
/// it again.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// No hook on the way in takes our program.
    #[error("cannot attach to ingress of {interface} ({refusals})")]
    Ingress {
        /// Its name.
        interface: String,
        /// The hooks that were tried, with the kernel's errors.
        refusals: String,
    },
    /// The hook on the way out does not take our program.
    #[error("cannot attach to egress of {interface} ({refusal})")]
    Egress {
        /// Its name.
        interface: String,
        /// The kernel's error.
        refusal: Refusal,
    },
    /// We do not know what its packets look like.
    #[error("cannot capture from {interface}: links of hardware type {number} are not supported")]
    Hardware {
        /// Its name.
        interface: String,
        /// `ARPHRD_...`
        number: u16,
    },
    /// The kernel refuses the program itself.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The filter cannot be put before the program.
    #[error(transparent)]
    Filter(#[from] FilterProgramError),
    /// There are no file descriptors left.
    #[error("cannot share a kernel map with the filter: {0}")]
    Descriptor(io::Error),
}

impl AttachError {
    pub(super) fn ingress(interface: &Interface, refusals: &[Refusal]) -> Self {
        let refusals = refusals.iter().map(Refusal::to_string).collect::<Vec<_>>().join("; ");
        Self::Ingress { interface: interface.name.clone(), refusals }
    }
}

/// A hook did not take our program.
#[derive(Debug)]
pub struct Refusal {
    hook: Hook,
    reason: String,
}

impl Refusal {
    pub(super) fn of_kernel(hook: Hook, error: &KernelError) -> Self {
        let mut reason = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            reason = format!("{reason}: {cause}");
            next = cause.source();
        }
        Self { hook, reason }
    }

    pub(super) fn of_io(hook: Hook, error: &io::Error) -> Self {
        let reason = match error.raw_os_error() {
            Some(libc::EBUSY) => "another program holds it".to_owned(),
            Some(libc::EOPNOTSUPP) => "the driver does not support it".to_owned(),
            Some(libc::ERANGE) => "the interface's MTU is too large for the driver".to_owned(),
            Some(libc::ENODEV) => "the interface is gone".to_owned(),
            _ => error.to_string(),
        };
        Self { hook, reason }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.hook, self.reason)
    }
}
