//! Building blocks of the tables that every packet touches: memory on [huge pages](huge_pages),
//! [prefetching](prefetch), and a [hash](keyed_hash) that nobody outside can predict. The other
//! memory of copies and merges comes from the [allocator].
//!
//! This crate knows nothing of packets. Analysis and metrics build their tables with it, and the
//! capture prefetches with it. It is separate from `pktvisor-common` because the kernel programs do
//! not need it.

pub mod allocator;
pub mod huge_pages;
pub mod keyed_hash;
pub mod prefetch;
