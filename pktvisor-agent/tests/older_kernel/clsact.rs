//! The agent on a veth: native XDP on the way in, a filter of a clsact qdisc on the way out.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use pktvisor_common::api::{App, Ledger};
use testbed::{Namespace, PacketSocket, Pair, Process, Veth, http};

use crate::skipped;

const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 10853);
/// Only a hang takes this long, also where every instruction is emulated.
const PATIENCE: Duration = Duration::from_secs(300);

/// The namespace in which the agent watches one end of a cable.
struct Watched {
    namespace: Namespace,
    pair: Pair,
    /// Sends to the watched end, and sees what leaves it.
    far: PacketSocket,
    /// Sends from the watched end.
    near: PacketSocket,
}

impl Watched {
    fn new() -> Self {
        let (left, right) = (Namespace::new(), Namespace::new());
        let pair = Veth::new(&left, &right).addresses("10.53.0.1/24", "10.53.0.2/24").create();
        let far = PacketSocket::open(&left, pair.left.name());
        let near = PacketSocket::open(&right, pair.right.name());
        Self { namespace: right, pair, far, near }
    }

    /// An agent that captures.
    fn agent(&self, words: &[&str]) -> Process {
        let mut command = self.namespace.command(env!("CARGO_BIN_EXE_pktvisord"));
        let agent = Process::spawn(command.args([self.pair.right.name(), "-l", "127.0.0.1"]).args(words));
        http::wait_until_ok(&self.namespace, SERVER, "/healthz", PATIENCE);
        agent
    }

    fn app(&self) -> App {
        serde_json::from_value(http::json(&self.namespace, SERVER, "/api/v1/metrics/app")).unwrap()
    }

    /// The ledger once it tells of so many packets.
    fn ledger(&self, seen: u64) -> Ledger {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ledger = self.app().app.ledger.unwrap_or_default();
            if ledger.seen >= seen || Instant::now() > deadline {
                return ledger;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What `tc` shows of the watched end.
    fn tc(&self, what: &str, at: &[&str]) -> String {
        let mut command = self.namespace.command("tc");
        let output = command.args([what, "show", "dev", self.pair.right.name()]).args(at).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// How many of our filters see packets leave.
    fn filters(&self) -> usize {
        self.tc("filter", &["egress"]).matches("pktvisord-").count()
    }

    /// Frames to and from the watched end, of port 53 and of another; each must arrive at the far end.
    fn exchange(&self, to: usize, from: usize) {
        (0..to).for_each(|_| self.far.send(&udp(false, 53)));
        for number in 0..from {
            self.near.send(&udp(true, if number % 2 == 0 { 53 } else { 54 }));
            assert!(self.far.receive(PATIENCE).is_some(), "a packet was held up");
        }
    }
}

/// UDP between the two ends, with nothing that is DNS in it.
fn udp(from_right: bool, port: u16) -> Vec<u8> {
    let (from, to): (u8, u8) = if from_right { (2, 1) } else { (1, 2) };
    // The watched end takes what is for everybody, whatever its address.
    let mut frame = [[0xff; 6], [2, 0x53, 0, 0, 0, from]].concat();
    frame.extend([8, 0, 0x45, 0, 0, 32, 0, 0, 0x40, 0, 64, 17, 0, 0]);
    frame.extend([10, 53, 0, from, 10, 53, 0, to]);
    frame.extend([0x9c, 0x40]);
    frame.extend(port.to_be_bytes());
    frame.extend([0, 12, 0, 0, 1, 2, 3, 4]);
    frame.resize(60, 0);
    frame
}

#[test]
fn every_packet_is_counted_both_ways_and_nothing_stays_behind() {
    if skipped() {
        return;
    }
    let watched = Watched::new();
    let mut agent = watched.agent(&[]);
    let capture = watched.app().app.capture.unwrap();
    assert_eq!(capture.mode, "inline");
    assert_eq!(capture.interfaces[0].ingress, "xdp", "{:?}", capture.notes);
    assert_eq!(capture.interfaces[0].egress.as_deref(), Some("clsact"));
    watched.exchange(20, 10);
    let ledger = watched.ledger(30);
    assert_eq!((ledger.seen, ledger.counted), (30, 30));
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(PATIENCE).success());
    assert!(!watched.tc("qdisc", &[]).contains("clsact"));
}

#[test]
fn a_filter_is_applied_both_ways() {
    if skipped() {
        return;
    }
    let watched = Watched::new();
    let mut agent = watched.agent(&["-b", "udp port 53"]);
    watched.exchange(20, 10);
    let ledger = watched.ledger(30);
    assert_eq!((ledger.seen, ledger.filtered, ledger.counted), (30, 5, 25));
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(PATIENCE).success());
}

#[test]
fn the_next_start_clears_away_what_a_killed_agent_left() {
    if skipped() {
        return;
    }
    let watched = Watched::new();
    let mut killed = watched.agent(&[]);
    killed.signal(libc::SIGKILL);
    killed.wait(PATIENCE);
    assert_eq!(watched.filters(), 1);
    watched.exchange(3, 3);
    let mut agent = watched.agent(&[]);
    assert_eq!(watched.filters(), 1);
    watched.exchange(4, 4);
    assert_eq!(watched.ledger(8).seen, 8);
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(PATIENCE).success());
    assert_eq!(watched.filters(), 0);
    assert!(!watched.tc("qdisc", &[]).contains("clsact"));
}
