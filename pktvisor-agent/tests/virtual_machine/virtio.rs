//! The agent on an interface with a hardware driver, which receives the packets of another one: the
//! driver's native XDP, and AF_XDP without copying.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use aya::util::KernelVersion;
use testbed::{FrameSocket, Namespace};

use crate::frames::query;
use crate::skipped;
use crate::watched::{PATIENCE, Watched, stop};

/// The variables with the names of both ends. They are set only for these tests, so that no other
/// interface is touched.
const ENDS: &str = "PKTVISOR_TEST_CABLE";
const QUERIES: u64 = 500;

/// Both ends of the cable, up, in namespaces of their own. The kernel moves them back when the
/// namespaces are removed.
struct Cable {
    watched: Watched,
    far: FrameSocket,
    _far_namespace: Namespace,
}

impl Cable {
    fn new() -> Option<Self> {
        let ends = std::env::var(ENDS).ok();
        let missing =
            "only a virtual machine has a cable between two interfaces (cargo xtask test-vm boots one)";
        if skipped(ends.is_none().then(|| missing.to_owned())) {
            return None;
        }
        let ends = ends.unwrap();
        let (watched, far) = ends.split_once(' ').unwrap();
        let watched = Watched { namespace: end(watched), interface: watched.to_owned() };
        let far_namespace = end(far);
        let far = FrameSocket::open(&far_namespace, far);
        Some(Self { watched, far, _far_namespace: far_namespace })
    }

    /// Sends queries and checks that the agent, started with these options, counts and analyses
    /// every one.
    fn assert_all_analysed(&self, words: &[&str]) {
        let agent = self.watched.agent(words);
        (0..QUERIES).for_each(|id| self.far.send(&query(id as u16)));
        let ledger = self.watched.ledger(QUERIES);
        assert_eq!((ledger.seen, ledger.counted, ledger.lost), (QUERIES, QUERIES, 0));
        assert_eq!((ledger.dns_packets, ledger.analysed, ledger.messages), (QUERIES, QUERIES, QUERIES));
        let interface = &self.watched.capture().interfaces[0];
        assert_eq!(interface.ingress, "xdp");
        stop(agent);
    }
}

/// Moves an interface into a namespace.
fn end(interface: &str) -> Namespace {
    let namespace = Namespace::new();
    let deadline = Instant::now() + PATIENCE;
    // The kernel needs some time to move back the interface of the test before.
    while !Path::new("/sys/class/net").join(interface).exists() {
        assert!(Instant::now() < deadline, "there is no {interface}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut ip = Command::new("ip");
    let moved = ip.args(["link", "set", interface, "netns", namespace.name()]).output().unwrap();
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    namespace.ip(&["link", "set", interface, "up"]);
    namespace
}

#[test]
fn inline_uses_the_native_xdp_of_the_driver() {
    let Some(cable) = Cable::new() else { return };
    cable.assert_all_analysed(&["--hook", "xdp"]);
}

/// virtio_net supports zero copy since Linux 6.13.
#[test]
fn tap_uses_zero_copy_if_the_driver_supports_it() {
    let Some(cable) = Cable::new() else { return };
    for threads in ["1", "2"] {
        let words = ["--mode", "tap", "--threads", threads];
        let agent = cable.watched.agent(&words);
        let can = KernelVersion::current().unwrap() >= KernelVersion::new(6, 13, 0);
        assert_eq!(cable.watched.capture().zero_copy, Some(can));
        stop(agent);
        cable.assert_all_analysed(&words);
    }
}
