//! Where packets come from: programs in the kernel and the rings they fill, AF_XDP sockets, packet sockets.
//!
//! It attaches and detaches, lends out packets and counters, translates filter expressions, and knows which privileges that
//! takes. It knows neither what a packet means nor what is remembered of it, and starts no thread: when to look for packets
//! and what to do with them is the agent's to say, which alone depends on this crate.

pub mod afpacket;
pub mod attach;
pub mod clsact;
mod filter;
pub mod hosts;
pub mod interfaces;
pub mod kernel;
mod packet_socket;
pub mod privileges;
pub mod promiscuous;
pub mod tap;

pub use filter::{
    ClassicError, Endian, Filter, FilterError, FilterProgram, FilterProgramError, FilterSite, PacketOrigin,
    ProgramContext, Rejected, TAGS_WARNING, TranslateError,
};
