//! The agent: one straight line from packets to answers.
//!
//! ```text
//! pktvisor-capture, capture-file   sources of packets
//! pktvisor-analysis                meaning of packets
//! pktvisor-metrics                 memory of the agent
//! serve/                           answers to clients
//! ```
//!
//! Data flows one way. Each of these crates knows only those above it, and this crate connects
//! them: [`pipeline`] processes every packet that userspace counts, [`replay`] sends a capture file
//! through it, and [`live`] takes over the kernel's counters. `agent` holds what answers are made
//! of, [`families`] makes metric families of its numbers, `archive` writes closed periods to files, [`cli`] reads the options, [`credentials`]
//! the files with secrets that they name, [`sandbox`] restricts the process to what they need, and
//! [`run`] carries them out. Only its binary and its tests depend on this crate.

mod agent;
mod archive;
pub mod cli;
pub mod credentials;
mod ethertype_notes;
pub mod families;
mod interface_address;
pub mod likely_host;
pub mod live;
pub mod pipeline;
mod progress;
mod push;
pub mod replay;
pub mod run;
pub mod sandbox;
pub mod serve;
mod signals;
pub mod stderr;
