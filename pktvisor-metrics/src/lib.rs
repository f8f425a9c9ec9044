//! What is remembered: counters and sketches in a ring of 60-second periods.
//!
//! A [`Recorder`] is one capture thread's share of the live period; it takes what [analysis](pktvisor_analysis) finds
//! and never waits for anybody. The [`Timeline`] turns periods and seconds on the capture's clock. The [`Store`]
//! holds both and the closed periods, and answers readers. All that is remembered merges: shards into a period,
//! periods into a window, windows into a fleet.
//!
//! It knows the events of analysis and the types of the HTTP JSON, which a period is reported as, but neither where packets
//! come from nor who asks. The agent alone depends on it.
//!
//! | file | remembers |
//! |---|---|
//! | `cardinality`, `distinct_names` | how many distinct things |
//! | `frequent` | who comes up most |
//! | `quantiles`, `slowness` | how long, how fast |
//! | `codes` | exact counts by code |
//! | `record` | makes a period's records of the above from their declarations |
//! | `network`, `dns`, `transactions` | the metrics of a period |
//! | `live_period`, `batch`, `shares`, `ledger` | the live period in time, in the hands of one thread or several, and where its packets went |

mod batch;
mod cardinality;
mod codes;
mod context;
mod distinct_names;
mod dns;
pub mod frequent;
mod keys;
mod ledger;
mod listed;
mod live_period;
mod network;
mod period;
mod quantiles;
mod record;
mod recorder;
mod report;
mod settings;
mod shares;
mod slowness;
mod store;
mod timeline;
mod transactions;

pub use batch::Batch;
pub use cardinality::Cardinality;
pub use codes::CodeCounts;
pub use distinct_names::DistinctNames;
pub use network::address_key;
pub use period::Period;
pub use quantiles::Quantiles;
pub use recorder::Recorder;
pub use settings::{Clock, StoreSettings};
pub use shares::Cut;
pub use store::{NoPeriod, Store};
pub use timeline::Timeline;
