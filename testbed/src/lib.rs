//! Networks for tests: namespaces, veth pairs between them, programs inside them, and packets in and out.
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
//! - Nothing here touches an interface that the test did not make: links are made inside of the namespaces and never
//!   appear in the machine's own.
//! - Everything made goes with the value that made it, also when the test panics. What a killed test leaves behind, the
//!   next one finds by its name (`pkv-PID-N`) and removes.
//! - Only the test's own packets flow: IPv6 is off until an end is given an IPv6 address, neighbours are known and never
//!   asked for.
//! - What cannot be made is the test's failure: these functions panic and say what the tool they called said. What
//!   cannot be had is asked for first, with [`require!`].

mod enter;
pub mod http;
mod namespace;
mod need;
mod packets;
mod process;
mod tool;
mod tun;
mod veth;

pub use namespace::Namespace;
pub use need::{Need, missing, tell_skipped};
pub use packets::{Frame, FrameSocket};
pub use process::Process;
pub use tun::Tun;
pub use veth::{End, InterfaceStatistics, Veth, VethPair};
