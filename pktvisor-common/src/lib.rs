//! What the kernel programs and userspace have in common.
//!
//! `no_std`, without allocation and without panics, so that the same source is compiled for BPF and for
//! userspace: the packet [classifier](classify), the [counters] it feeds, the hashing behind
//! [cardinality](hll) and [sampling], and how foreign [text] is shown. Whoever links this crate agrees by construction on what a packet is.
//!
//! It knows nothing of ours, and everything that handles packets may depend on it. What only userspace needs, however
//! small, belongs elsewhere.
#![cfg_attr(not(test), no_std)]

pub mod classify;
pub mod counters;
pub mod direction;
pub mod hll;
pub mod kernel;
pub mod packet;
pub mod reader;
pub mod sampling;
pub mod sharding;
pub mod wire;
