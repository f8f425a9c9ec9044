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
//! | `distribution`, `slowness` | times, sizes and rates |
//! | `codes`, `codes_by_side` | exact counts by code and header |
//! | `remember` | what every part of a period can do |
//! | `record` | generates the records of a period from their declarations |
//! | `network`, `dns`, `sides`, `transactions` | the metrics of a period |
//! | `sketches`, `exponential` | what of a report merges with those of other agents |
//! | `places` | places of listed addresses, for a report |
//! | `seconds` | the numbers of each of the last seconds |
//! | `rolling` | the last seconds in the shape of a period |
//! | `watch` | what a filter on messages lets through: focuses, and packets |
//! | `evidence` | zones, servers and clients of the last seconds, for the findings |
//! | `live_period`, `batch`, `shares`, `list_readers`, `ledger` | the live period over time, for one thread or several, and the ledger |

mod batch;
mod cardinality;
mod codes;
mod codes_by_side;
mod context;
mod distinct_names;
mod distribution;
mod dns;
mod evidence;
mod exponential;
pub mod frequent;
mod keys;
mod ledger;
mod list_readers;
mod listed;
mod live_period;
mod network;
mod period;
mod places;
mod prefixes;
mod rare_items;
mod record;
mod recorder;
mod remember;
mod report;
mod response;
mod rolling;
mod seconds;
mod settings;
mod shares;
mod sides;
mod sketches;
mod slowness;
mod store;
mod timeline;
mod transactions;
mod unarchived;
pub mod watch;

pub use batch::Batch;
pub use distribution::Distribution;
pub use evidence::AgentSource;
pub use keys::{PacketKeys, address_key};
pub use listed::ListLength;
pub use recorder::Recorder;
pub use rolling::RollingSpan;
pub use settings::{ClientPrefix, Clock, StoreSettings};
pub use shares::Cut;
pub use store::{NoPeriod, Store, SumsSinceStart};
