//! Names that several crates share: every metric, declared once, and the capture modes ([`Mode`]).
//!
//! A metric is one row in [`packets`], [`dns`], [`dns_in`], [`transactions`] or [`ledger`]: its key in the JSON,
//! its kind, unit and exactness, its meaning as a doc comment, and its Prometheus family if the
//! generated name does not fit. Everything else is made from that row:
//!
//! | what | where |
//! |---|---|
//! | the counter that kernel and userspace share | `pktvisor-common::counters` |
//! | the JSON, its OpenAPI schema and description | `pktvisor-api` |
//! | the record of a period: how it begins, merges, shrinks, is reported | `pktvisor-metrics` |
//! | the tables in docs/metrics.md | a test of this crate writes and compares them |
//! | the Prometheus family | `pktvisor-agent::families`, from [`GROUPS`], [`LEDGER`] and [`RATES`] |
//!
//! To add a metric: add a row, and the line that counts it.
//!
//! A group of rows is a macro that passes its rows to another macro, so that each crate generates
//! from them what it needs:
//!
//! ```
//! macro_rules! keys {
//!     ($(#[$about:meta])* $path:literal: $report:ident / $record:ident { $(
//!         $(#[doc = $help:literal])+ $field:ident $(as $json:literal)?: $kind:ident($($of:tt)*) $(=> $family:tt)?;
//!     )* }) => {
//!         const KEYS: &[&str] = &[$(stringify!($field)),*];
//!     };
//! }
//! pktvisor_definitions::edns!(keys);
//! assert_eq!(KEYS[0], "queries");
//! ```
//!
//! # Kinds
//!
//! | kind | is | JSON |
//! |---|---|---|
//! | `Kernel(unit)` | counted for every packet or message, in the kernel where there is one; exact | integer |
//! | `Counter(unit, class)` | counted in userspace | integer |
//! | `Derived(unit, class)` | computed from others for the report | integer |
//! | `Computed(unit, class)` | computed from the record of its group for the report | integer |
//! | `Sizes(unit, n)` | `n` counts, as `Kernel` | array of integers |
//! | `Distinct(unit, what)` | how many distinct names or addresses | integer |
//! | `Quantiles(unit)` | a histogram | object of p50, p90, p95, p99; left out where there is nothing |
//! | `Times(unit)` | a histogram that knows its running 90th percentile | p50, p90, p95, p99 |
//! | `List(unit, class, what)` | frequent items, spelled as `what` | array of entries |
//! | `Group(report, record)` | a group of its own | object |
//!
//! A list, a distinct count or quantiles with `derived` as their last word have no memory of their
//! own: the record of the group computes them.
//!
//! `class` is [`exact`](Exactness::Exact) or [`analysed`](Exactness::Analysed).
#![no_std]

mod agent;
mod dns;
mod mode;
mod packets;
mod sides;
mod table;
mod transactions;

pub use mode::Mode;
pub use table::{Exactness, Family, GROUPS, Group, Kind, LEDGER, Metric, RATES, family_help};
