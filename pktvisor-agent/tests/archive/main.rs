//! The archive of a fleet: what DuckDB, ClickHouse and Spark read from it with the SQL of deploy/sql, and what becomes of it if
//! agents are killed or the store is away.
//!
//! | file | holds |
//! |---|---|
//! | `fleet` | three agents on different captures with clients in common, and the true summary of all together |
//! | `engines` | the engines, in Python |
//! | `object_store` | an S3 server on loopback |
//! | `other_stores` | agents that archive to Google Cloud Storage, Azure and WebDAV |
//! | `reading` | what the engines say of the fleet: from a directory, after a roll-up, from the S3 server |
//! | `killed` | agents killed in mid-write |
//! | `away` | a store that is away for five periods |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod away;
mod engines;
mod fleet;
mod killed;
mod object_store;
mod other_stores;
mod reading;
#[path = "../support/mod.rs"]
mod support;
