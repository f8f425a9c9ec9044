//! What the kernel programs and userspace have in common.
//!
//! `no_std`, without allocation and without panics, so that the same source is compiled for BPF and
//! for userspace: the packet [classifier](classify), the [counters] it feeds, the hashing behind
//! [cardinality](hll) and [sampling]. Programs that link this crate classify packets identically,
//! by construction.
//!
//! It depends only on `pktvisor-definitions`, whose rows it makes into counters. Every crate that
//! handles packets may depend on it. Code that only userspace needs belongs elsewhere, however
//! small.
#![cfg_attr(not(test), no_std)]

pub mod address;
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
