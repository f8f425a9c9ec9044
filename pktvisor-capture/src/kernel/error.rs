//! What can go wrong between the agent and the kernel.

use std::io;

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;
use thiserror::Error;

/// Why the BPF programs cannot be loaded, or their maps not be used.
#[derive(Debug, Error)]
pub enum KernelError {
    /// The object is not a BPF object, or the kernel refuses its maps.
    #[error("cannot load the kernel programs")]
    Load(#[source] EbpfError),
    /// The object belongs to another program or another version.
    #[error("the BPF object has no {what} named {name}: it was not built from this version")]
    Missing {
        /// A map or a program.
        what: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// The verifier refuses a program, or there is no permission.
    #[error("the kernel refuses the program {name}")]
    Program {
        /// Its name in the object.
        name: &'static str,
        /// With the verifier's last words.
        #[source]
        source: ProgramError,
    },
    /// A map cannot be made, read or written.
    #[error("cannot use the kernel map {name}")]
    Map {
        /// Its name in the object.
        name: &'static str,
        /// Why.
        #[source]
        source: MapError,
    },
    /// A map cannot be mapped into memory.
    #[error("cannot share memory with the kernel map {name}")]
    Mapping {
        /// Its name in the object.
        name: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A map has another size than this version's.
    #[error(
        "the kernel map {name} holds values of {found} bytes instead of {expected}: the BPF object was not built from this version"
    )]
    Layout {
        /// Its name in the object.
        name: &'static str,
        /// Bytes, as the object says.
        found: u32,
        /// Bytes, as we say.
        expected: usize,
    },
    /// The system does not report its processors.
    #[error("cannot read the list of processors from {path}")]
    Processors {
        /// The file that lists them.
        path: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}
