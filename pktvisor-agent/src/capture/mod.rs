//! Where packets come from.

pub mod afpacket;
pub mod attach;
pub mod clsact;
mod filter;
pub mod hosts;
pub mod interfaces;
pub mod kernel;
pub mod pause;
pub mod promiscuous;
pub mod tap;

pub use filter::{
    ClassicError, Filter, FilterError, FilterProgram, FilterProgramError, Hook, Placement, Rejected, Source,
    TAGS_WARNING, TranslateError,
};
use pktvisor_common::classify::LinkType;

/// One packet as captured, borrowed from where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it was captured, in nanoseconds since 1970-01-01 UTC.
    pub timestamp_ns: u64,
    /// The captured bytes, beginning with the link-layer header.
    pub data: &'a [u8],
    /// Length on the wire in bytes, of all its segments; more than `data` holds where the capture was snapped.
    pub wire_len: u32,
    /// What `data` begins with.
    pub link_type: LinkType,
    /// How many packets it was on the wire: 1, or more where the host's segmentation or receive offload makes one of
    /// many.
    pub segments: u16,
}
