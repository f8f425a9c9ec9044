//! The privileges that the agent has, needs, and gives away.
//!
//! Linux splits root's power into capabilities (capabilities(7)); each thread has its own. Before
//! capturing the agent [checks](check) that it has what the capture needs and names what is
//! missing; once attached it [gives away](give_up()) what it will not need again, in every thread
//! and for good: a fault in a parser then gives nobody more than what any process of that user may
//! do. One thread, which parses nothing, [keeps](keep) what it takes to attach again.
//!
//! The user stays the same. Started as root, the agent without capabilities still owns root's
//! files; run it as a user of its own (systemd's `DynamicUser=`, or `setcap` on the binary) to take
//! that away too.

mod environment;
mod features;
mod give_up;
mod memlock;
mod need;
#[cfg(test)]
mod tests;
mod threads;

pub use caps::Capability;
pub use environment::Environment;
pub use features::KernelFeatures;
pub use give_up::{GiveUpError, Keep, give_up};
pub use memlock::raise_memlock;
pub use need::{MissingPrivileges, check, container_flags, keep, missing, needed};
pub use threads::{ThreadPrivileges, threads};
