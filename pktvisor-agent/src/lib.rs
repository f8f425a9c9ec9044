//! The agent: one straight line from packets to answers.
//!
//! ```text
//! pktvisor-capture, capture-file   where packets come from
//! pktvisor-analysis                what a packet means
//! pktvisor-metrics                 what is remembered
//! serve/                           how it is read
//! ```
//!
//! Data flows one way. The crates above do not know one another except downwards, and this one puts them together:
//! [`pipeline`] is the line that every packet passes, [`replay`] sends a capture file down it, [`live`] takes over what the
//! kernel has counted, [`agent`] is what answers are made of, [`cli`] says what to do and [`run`] does it. Nothing depends
//! on this crate but its binary and its tests.

pub mod agent;
pub mod cli;
mod ethertype_notes;
mod interface_address;
pub mod live;
pub mod pipeline;
mod progress;
pub mod replay;
pub mod run;
pub mod serve;
mod signals;
pub mod stderr;
