//! Networks for tests: namespaces, veth pairs between them, programs inside them, and packets in
//! and out. Besides, [object stores](StoreServer) on loopback.
//!
//! ```no_run
//! # fn a_test() {
//! testbed::require!(testbed::Need::Namespaces, testbed::Need::Program("ping"));
//! let (left, right) = (testbed::Namespace::new(), testbed::Namespace::new());
//! let pair = testbed::Veth::new(&left, &right).addresses("10.53.0.1/24", "10.53.0.2/24").create();
//! assert!(left.command("ping").args(["-c1", "10.53.0.2"]).status().unwrap().success());
//! println!("{} received {:?}", pair.right, pair.right.statistics());
//! # }
//! ```
//!
//! - Nothing here touches an interface that the test did not create: links are created inside the
//!   namespaces and never appear among the machine's own.
//! - Dropping a value removes the namespace or link that it created, also when the test panics. The
//!   next test finds the remains of a killed test by their name (`pkv-PID-N`) and removes them.
//! - Only the test's own packets flow: IPv6 is off until an end gets an IPv6 address, and
//!   neighbours are known without ARP or neighbour discovery.
//! - A test fails if something cannot be created: these functions panic with the message of the
//!   tool they called. A test checks first with [`require!`] whether the machine has everything it
//!   needs.

mod certificates;
mod enter;
pub mod http;
mod namespace;
mod need;
mod packets;
mod process;
mod store_server;
mod tool;
mod tun;
mod veth;

pub use certificates::TestCertificate;
pub use namespace::Namespace;
pub use need::{Need, missing, report_skipped};
pub use packets::{Frame, FrameSocket};
pub use process::Process;
pub use store_server::{StoreServer, StoreServerKind};
pub use tun::Tun;
pub use veth::{End, InterfaceStatistics, Veth, VethPair};
