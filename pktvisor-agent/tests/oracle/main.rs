//! The agent against an oracle: the generator `dns-traffic` knows the right summary of its packets.
//!
//! | file | holds |
//! |---|---|
//! | `traffic` | packets and their answer |
//! | `replay` | a replay of packets through the agent, without a file |
//! | `compare` | a summary against its answer, field by field |
//! | `sides` | of a summary: DNS by direction |
//! | `scenarios` | ordinary, hostile and IPv6 traffic: the summary, each period, windows |
//! | `sampling` | the numbers that the sampling rate must not change, and those that it may |
//! | `windows` | periods merged against the same packets in one period |
//! | `slowness` | slow names against a plain list of all times |
//! | `prefetching` | what leaving out every prefetch must not change |
//! | `geography` | places and networks |
//! | `fleet` | agents that saw a part each, merged |
//! | `binary` | the program itself, with a file |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod binary;
mod compare;
mod fleet;
mod geography;
mod prefetching;
mod replay;
mod sampling;
mod scenarios;
mod sides;
mod slowness;
mod traffic;
mod windows;
