//! The archive: each closed period of an agent as a Parquet file that still merges.
//!
//! A file has one row: the counters, the top lists with their bounds, the histograms, and the
//! distinct counts as Apache DataSketches images. So an engine that reads Parquet answers for a fleet and
//! any span of time what one agent would have answered that saw all the traffic.
//!
//! | module | contents |
//! |---|---|
//! | `layout` | the columns, from the declarations of the metrics |
//! | `row` | a row: one period of one agent, or several merged |
//! | `write`, `read` | a row as a file, and back |
//! | `sketch`, `merge` | what several periods are together |
//! | `name` | agents, days and times in the names of files |
//! | `location`, `store` | where the files are: a directory or an object store |
//! | `variables`, `services` | the environment of an object store, and what that needs of a restricted process |
//! | `archiver` | the thread that writes what the agent has closed |
//! | `roll_up` | merges the files of minutes into hours and days |
//!
//! The crate knows no capture and no store of periods: it depends on the types of the HTTP JSON only.

mod archiver;
mod layout;
mod location;
mod merge;
mod name;
mod read;
mod roll_up;
mod row;
mod services;
mod sketch;
mod store;
#[cfg(test)]
mod testing;
mod variables;
mod write;

pub use archiver::{
    ArchiveStatus, Archiver, ArchiverSettings, EmptyPeriods, Overflow, PeriodSource, StartError,
};
pub use layout::{CounterColumn, LAYOUT, Layout, ListColumn, SketchColumn};
pub use location::{ArchiveLocation, LocationError, ObjectStoreKind, ObjectStoreLocation};
pub use merge::{MergeError, merge};
pub use name::{AgentName, FileKey, FileSpan};
pub use read::{BrokenFile, decode};
pub use roll_up::{RollUpError, RollUpReport, RollUpUnit, SkippedFile, roll_up};
pub use row::{ArchiveRow, ArchivedEntry, ArchivedList};
pub use services::{Services, services};
pub use store::{ArchiveStore, StoreError};
pub use variables::Variables;
pub use write::{PERIOD_BYTES_MAX, PERIOD_ENTRIES, encode, encode_period};
