//! The memory of the agent: counters and sketches in a ring of 60-second periods.
//!
//! A [`Recorder`] is one capture thread's share of the live period; it takes the findings of
//! [analysis](pktvisor_analysis) and never waits. The `Timeline` ends seconds and periods by the
//! capture's clock. The [`Store`] holds both and the closed periods, and answers readers. All
//! metrics merge: shares into a period, periods into a window, windows into a fleet.
//!
//! This crate knows the events of analysis and the types of the HTTP JSON, but neither the source
//! of packets nor the clients. Only the agent depends on it.
//!
//! | file | holds |
//! |---|---|
//! | `cardinality`, `distinct_names` | numbers of distinct items |
//! | `frequent` | the most frequent items |
//! | `quantiles`, `slowness` | times and rates |
//! | `codes` | exact counts by code |
//! | `record` | generates the records of a period from their declarations |
//! | `network`, `dns`, `transactions` | the metrics of a period |
//! | `seconds` | the numbers of each of the last seconds |
//! | `watch` | zones, servers and clients of the last seconds, for the findings |
//! | `live_period`, `batch`, `shares`, `ledger` | the live period over time, for one thread or several, and the ledger |

mod batch;
mod cardinality;
mod codes;
mod context;
mod distinct_names;
mod distribution;
mod dns;
pub mod frequent;
mod keys;
mod ledger;
mod listed;
mod live_period;
mod network;
mod period;

mod record;
mod recorder;
mod report;
mod seconds;
mod settings;
mod shares;
mod slowness;
mod store;
mod timeline;
mod transactions;
mod watch;

pub use batch::Batch;
pub use distribution::Distribution;
pub use network::address_key;
pub use recorder::Recorder;
pub use settings::{Clock, StoreSettings};
pub use shares::Cut;
pub use store::{NoPeriod, Store, SumsSinceStart};
pub use watch::AgentSource;
