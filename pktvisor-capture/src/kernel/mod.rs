//! The kernel half, seen from the agent: programs that look at every packet, and the maps that they
//! share with us.
//!
//! ```text
//! object ── KernelPrograms   attaches
//!             ├── ControlMap   configures (shared memory)
//!             ├── MapCollector    collects counters and sketches
//!             └── Deep         polls for punted packets
//! ```
//!
//! [`KernelPrograms::load`] wants CAP_BPF (and CAP_NET_ADMIN for XDP, CAP_PERFMON for packet
//! access); what it returns works without any capability on Linux 5.19 and later.
//!
//! Minimum kernel version: 5.8 (ring buffers), 5.18 for XDP.

mod collect;
mod control;
mod cpus;
mod deep;
mod error;
mod heavy;
mod load;
mod log;
mod mapping;
pub mod object;
mod ring;
mod source;

pub use collect::{CardinalityRegisters, Collected, KernelCounts, MapCollector, Standby, Wait};
pub use control::ControlMap;
pub use deep::{Deep, monotonic_ns};
pub use error::KernelError;
pub use heavy::{HeavyHitters, Hitter, Hitters};
pub use load::{EntryPoint, KernelPrograms, Loaded, ProgramSettings};
pub use log::ProgramLog;
pub use ring::RecordRing;
pub use source::{NextRecord, RecordSource};
