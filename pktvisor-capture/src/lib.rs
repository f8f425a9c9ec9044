//! Where packets come from: programs in the kernel and the rings they fill, AF_XDP sockets, packet
//! sockets.
//!
//! This crate attaches and detaches programs, lends out packets and counters, translates filter
//! expressions, and knows the privileges that this needs. It does not know what a packet means or
//! what is counted of it, and it starts no thread: the agent, the only crate that depends on this
//! one, decides when to poll for packets and how to process them.

pub mod afpacket;
pub mod attach;
mod clsact;
mod filter;
pub mod hosts;
pub mod interfaces;
pub mod kernel;
mod packet_socket;
pub mod privileges;
pub mod promiscuous;
pub mod tap;

#[cfg(feature = "test-run")]
pub use filter::test_run;
pub use filter::{
    ClassicError, Endian, Filter, FilterError, FilterProgram, FilterProgramError, FilterSite, PacketOrigin,
    ProgramContext, Rejected, TAGS_WARNING, TranslateError,
};
