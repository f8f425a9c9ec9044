//! The HTTP JSON, version 1: the agent writes it and the terminal UI reads it.
//!
//! This crate is the contract between the two and knows nothing of either. Every crate that writes
//! or reads the JSON depends on it: the metrics, which fill in its types, the agent, which serves
//! them, the terminal UI, and tests. Feature `openapi` adds the schemas of the types, which only the
//! agent needs.
//!
//! Every struct has a default for missing keys, so that the JSON of a 3.0 agent can be read as well.
//! Keys that 3.0 does not have are additions. No key of 3.0 is renamed or removed.

mod agent;
mod capture_mode;
mod dns;
mod findings;
mod hll_image;
mod lists;
mod packets;
mod period;
mod report;
mod series;
mod sketches;

pub use agent::{
    App, AppDns, AppInfo, AppXact, ArchiveInfo, CaptureInfo, CaptureInterface, DirectionRates, HttpInfo,
    Ledger, Losses, Rates, SandboxInfo, SandboxState,
};
pub use capture_mode::CaptureMode;
pub use dns::{
    Dns, DnsCardinality, DnsFlags, DnsIn, DnsMessages, DnsOut, EdnsMetrics, Reassembly, TransactionCounts,
    TransactionDirection, Transactions,
};
pub use findings::{Finding, FindingsDocument, Measure, Severity, Subject};
pub use hll_image::{HLL_REGISTERS, HllImage};
pub use lists::{Quantiles, TopEntry};
pub use packets::{IpCardinality, PacketRates, Packets};
pub use period::{ErrorBody, Period, PeriodDocument, PeriodSpan, Sampling};
pub use pktvisor_definitions::Mode;
pub use series::{DirectionSeries, DnsSeries, PacketSeries, SecondSeries, SeriesDocument, TransactionSeries};
pub use sketches::{ExponentialBucket, ExponentialHistogram, ListTotals, SKETCHES_FORMAT, SketchDocument};
