//! The kernel half, seen from the agent: programs that look at every packet, and the maps that they share with us.
//!
//! ```text
//! object ── Kernel ── programs, for whoever attaches them
//!             ├────── Control: what the programs are told (shared memory)
//!             ├────── Drain: what they counted
//!             └────── Deep: packets that they handed up
//! ```
//!
//! [`Kernel::load`] wants CAP_BPF (and CAP_NET_ADMIN for XDP, CAP_PERFMON for packet access); what it returns works
//! without any capability on Linux 5.19 and later.
//!
//! Minimum kernel version: 5.8 (ring buffers), 5.18 for XDP.

mod control;
mod cpus;
mod deep;
mod drain;
mod error;
mod heavy;
mod load;
mod log;
mod mapping;
pub mod object;
mod ring;
mod source;

pub use control::Control;
pub use deep::{Deep, monotonic_ns};
pub use drain::{CardinalityRegisters, Collected, Drain, KernelCounts, Quiet, Wait};
pub use error::KernelError;
pub use heavy::{HeavyHitters, Hitter, Hitters};
pub use load::{Entry, Kernel, Loaded, Settings};
pub use log::ProgramLog;
pub use ring::Ring;
pub use source::{Next, Source};
