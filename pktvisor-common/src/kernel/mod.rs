//! What the kernel programs and the agent share: the layouts of the maps, and what is done for
//! every packet.
//!
//! In the order of a packet's way: [`wire`](crate::wire) says for how many packets a buffer of the
//! kernel stands, [`hosts`] which way they go, [`cpu`] is where a processor counts, [`heavy`] where
//! it counts addresses, [`record`] is what they punt to the agent. [`filtered`] is where filters
//! count. [`config`] and [`control`] go the other way.

pub mod config;
pub mod control;
pub mod cpu;
pub mod filtered;
pub mod heavy;
pub mod hosts;
pub mod record;
