//! What the tables are made of that every packet visits: memory on [huge pages](huge_pages), a word to the processor
//! about what comes [next](prefetch), and a [hash](keyed_hash) that nobody outside can foresee.
//!
//! It knows nothing of packets. Analysis and metrics keep their tables in it, and the capture prefetches with it. It stands
//! beside `pktvisor-common` rather than in it because the kernel programs have no use for any of this.

pub mod huge_pages;
pub mod keyed_hash;
pub mod prefetch;
