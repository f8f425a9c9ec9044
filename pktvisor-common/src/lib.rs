//! What the kernel programs, the agent and the terminal UI have in common.
//!
//! `no_std`, without allocation and without panics, so that the same source is compiled for BPF and for
//! userspace: the packet [classifier](classify), the [counters] it feeds, the hashing behind
//! [cardinality](hll) and [sampling], and how foreign [text] is shown. Whoever links this crate agrees by construction on what a packet is.
//!
//! Feature `api` adds the serde types of the HTTP JSON (`alloc`), feature `openapi` their schemas.
#![cfg_attr(not(any(test, feature = "api")), no_std)]

#[cfg(feature = "api")]
pub mod api;
pub mod classify;
pub mod counters;
pub mod direction;
pub mod hll;
pub mod kernel;
pub mod reader;
pub mod sampling;
pub mod sharding;
pub mod text;
