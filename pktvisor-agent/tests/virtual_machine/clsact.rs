//! The agent on a veth: native XDP for received packets, a filter of a clsact qdisc for sent ones.

use aya::util::KernelVersion;
use testbed::{FrameSocket, Namespace, Veth, VethPair};

use crate::frames::{self, Sender};
use crate::watched::{PATIENCE, Watched, stop};

/// The agent on one end of a veth pair.
struct Cable {
    watched: Watched,
    /// Sends to the watched end, and receives the packets that leave it.
    far: FrameSocket,
    /// Sends from the watched end.
    near: FrameSocket,
    _pair: VethPair,
}

impl Cable {
    fn new() -> Option<Self> {
        let too_new = match KernelVersion::current() {
            Ok(version) if version < KernelVersion::new(6, 6, 0) => None,
            _ => Some("this kernel has tcx (cargo xtask test-vm boots one without)".to_owned()),
        };
        if crate::skipped(too_new) {
            return None;
        }
        let (left, right) = (Namespace::new(), Namespace::new());
        let pair = Veth::new(&left, &right).addresses("10.53.0.1/24", "10.53.0.2/24").create();
        let far = FrameSocket::open(&left, pair.left.name());
        let near = FrameSocket::open(&right, pair.right.name());
        let watched = Watched { namespace: right, interface: pair.right.name().to_owned() };
        Some(Self { watched, far, near, _pair: pair })
    }

    /// The filters of the watched end, as `tc` shows them.
    fn tc(&self, what: &str, at: &[&str]) -> String {
        let mut command = self.watched.namespace.command("tc");
        let output = command.args([what, "show", "dev", &self.watched.interface]).args(at).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The number of our filters for sent packets.
    fn filters(&self) -> usize {
        self.tc("filter", &["egress"]).matches("pktvisord-").count()
    }

    /// Frames to and from the watched end, of port 53 and of another; each must arrive at the far
    /// end.
    fn exchange(&self, to: usize, from: usize) {
        (0..to).for_each(|_| self.far.send(&udp(Sender::Far, 53)));
        for number in 0..from {
            self.near.send(&udp(Sender::Watched, if number % 2 == 0 { 53 } else { 54 }));
            assert!(self.far.receive(PATIENCE).is_some(), "a packet did not arrive");
        }
    }
}

/// A frame without DNS.
fn udp(sender: Sender, port: u16) -> Vec<u8> {
    frames::udp(sender, port, &[1, 2, 3, 4])
}

#[test]
fn every_packet_is_counted_in_both_directions_and_nothing_stays_attached() {
    let Some(cable) = Cable::new() else { return };
    let agent = cable.watched.agent(&[]);
    let capture = cable.watched.capture();
    assert_eq!(capture.mode.name(), "inline");
    assert_eq!(capture.interfaces[0].ingress, "xdp", "{:?}", capture.notes);
    assert_eq!(capture.interfaces[0].egress.as_deref(), Some("clsact"));
    cable.exchange(20, 10);
    let ledger = cable.watched.ledger(30);
    assert_eq!((ledger.seen, ledger.counted), (30, 30));
    stop(agent);
    assert!(!cable.tc("qdisc", &[]).contains("clsact"));
}

#[test]
fn a_filter_applies_in_both_directions() {
    let Some(cable) = Cable::new() else { return };
    let agent = cable.watched.agent(&["-b", "udp port 53"]);
    cable.exchange(20, 10);
    let ledger = cable.watched.ledger(30);
    assert_eq!((ledger.seen, ledger.filtered, ledger.counted), (30, 5, 25));
    stop(agent);
}

#[test]
fn the_next_start_removes_the_filters_of_a_killed_agent() {
    let Some(cable) = Cable::new() else { return };
    let mut killed = cable.watched.agent(&[]);
    killed.signal(libc::SIGKILL);
    killed.wait(PATIENCE);
    assert_eq!(cable.filters(), 1);
    cable.exchange(3, 3);
    let agent = cable.watched.agent(&[]);
    assert_eq!(cable.filters(), 1);
    cable.exchange(4, 4);
    assert_eq!(cable.watched.ledger(8).seen, 8);
    stop(agent);
    assert_eq!(cable.filters(), 0);
    assert!(!cable.tc("qdisc", &[]).contains("clsact"));
}
