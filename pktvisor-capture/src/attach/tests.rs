//! The hooks on an interface of a namespace: which one is taken, and whether both count the same.

use std::time::{Duration, Instant};

use etherparse::PacketBuilder;
use pktvisor_common::address::{Address, IpVersion, address_bytes};
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::record::RecordHeader;
use testbed::{FrameSocket, Namespace, Need, Veth, VethPair};

use super::{Attached, Attacher, Hook, HookChoice};
use crate::interfaces::{Hardware, Interface};
use crate::kernel::{KernelCounts, KernelPrograms, Loaded, ProgramSettings, monotonic_ns, object};

const CLIENT: [u8; 4] = [192, 0, 2, 1];
const HOST: [u8; 4] = [192, 0, 2, 2];
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether the test can run; says so if not.
fn skipped() -> bool {
    let no_programs = || object::embedded().is_none().then(|| "there are no kernel programs".to_owned());
    let reason = testbed::missing(&[Need::Namespaces]).or_else(no_programs);
    if let Some(reason) = &reason {
        testbed::report_skipped(reason);
    }
    reason.is_some()
}

/// Two ends of a cable, of which one is watched.
struct Cable {
    pair: VethPair,
    sender: FrameSocket,
}

impl Cable {
    fn new() -> Self {
        let pair = Veth::new(&Namespace::new(), &Namespace::new()).create();
        let sender = FrameSocket::open(pair.left.namespace(), pair.left.name());
        Self { pair, sender }
    }

    fn watch(&self, choice: HookChoice) -> Watched {
        let end = &self.pair.right;
        let host = address_bytes(HOST.into());
        let mut config = KernelConfig::default();
        config.host.insert(Address::new(IpVersion::V4, &host), 32).unwrap();
        let settings = ProgramSettings { config, ..ProgramSettings::default() };
        let programs = object::embedded().unwrap();
        let loaded = KernelPrograms::load(programs, &settings).unwrap();
        let Loaded { programs, control: _, collector, deep, log: _ } = loaded;
        let mut attacher = Attacher::new(programs, None, choice);
        let index = end.namespace().run(|| nix::net::if_::if_nametoindex(end.name()).unwrap());
        let interface = Interface {
            name: end.name().to_owned(),
            index,
            is_up: true,
            has_carrier: true,
            hardware: Hardware::Ethernet,
            addresses: Vec::new(),
        };
        let attached = end.namespace().run(|| attacher.attach(&interface).unwrap());
        Watched { attached, _attacher: attacher, collector, deep }
    }
}

/// The programs on an interface. The links go before the programs.
struct Watched {
    attached: Attached,
    _attacher: Attacher,
    collector: crate::kernel::MapCollector,
    deep: Vec<crate::kernel::Deep>,
}

impl Watched {
    /// Waits until so many packets are counted.
    fn counts(&self, packets: u64) -> KernelCounts {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let counts = self.collector.counts().unwrap();
            if counts.counters.packets.total() >= packets || Instant::now() > deadline {
                return counts;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn records(&mut self) -> Vec<RecordHeader> {
        let mut records = Vec::new();
        self.deep[0].poll(monotonic_ns(), usize::MAX, |header, _| records.push(*header));
        records
    }
}

/// An IPv4 packet of UDP to a port of HOST, or from it.
fn udp(port: u16, payload_len: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2; 6], [0xff; 6]).ipv4(CLIENT, HOST, 64).udp(40_000, port);
    builder.write(&mut frame, &vec![1; payload_len]).unwrap();
    frame
}

/// The same with tags behind the addresses, outermost first.
fn tagged(tags: &[[u8; 4]], mut frame: Vec<u8>) -> Vec<u8> {
    frame.splice(12..12, tags.concat());
    frame
}

fn frames() -> Vec<Vec<u8>> {
    let mut syn = Vec::new();
    let tcp = PacketBuilder::ethernet2([2; 6], [0xff; 6]).ipv4(CLIENT, HOST, 64).tcp(40_000, 53, 1, 99);
    tcp.syn().write(&mut syn, &[]).unwrap();
    let mut v6 = Vec::new();
    let ends = ([0xfd; 16], [0xfe; 16]);
    let udp6 = PacketBuilder::ethernet2([2; 6], [0xff; 6]).ipv6(ends.0, ends.1, 64).udp(53, 40_000);
    udp6.write(&mut v6, &[7; 40]).unwrap();
    let mut padded = udp(443, 1);
    padded.resize(60, 0);
    let mut fragment = udp(53, 200);
    // More fragments follow (RFC 791 section 3.1).
    fragment[20] = 0x20;
    let unknown = [&[0xff; 6][..], &[2; 6], &[0x88, 0xcc], &[0; 50]].concat();
    let (inner, outer, priority) = ([0x81, 0, 0, 42], [0x88, 0xa8, 0, 7], [0x81, 0, 0x20, 0]);
    vec![
        udp(53, 40),
        udp(53, 1_400),
        udp(53, 5),
        padded,
        syn,
        v6,
        fragment,
        unknown,
        tagged(&[inner], udp(53, 40)),
        tagged(&[outer, inner], udp(53, 40)),
        tagged(&[priority], udp(443, 300)),
    ]
}

#[test]
fn both_hooks_count_and_punt_the_same_packets() {
    if skipped() {
        return;
    }
    let mut seen = Vec::new();
    for (choice, hook) in [(HookChoice::Xdp, Hook::Xdp), (HookChoice::Tcx, Hook::Tcx)] {
        let cable = Cable::new();
        let mut watched = cable.watch(choice);
        if watched.attached.ingress == Hook::Clsact {
            return;
        }
        assert_eq!(watched.attached.ingress, hook, "{:?}", watched.attached.notes);
        let frames = frames();
        frames.iter().for_each(|frame| cable.sender.send(frame));
        let counts = watched.counts(frames.len() as u64);
        assert_eq!(counts.counters.packets.total(), frames.len() as u64);
        // The time, the interface, and the captured length, which lacks a tag at tcx, differ.
        let common = |it: RecordHeader| (it.wire_len, it.packets, it.direction, it.link_type, it.epoch());
        seen.push((counts, watched.records().into_iter().map(common).collect::<Vec<_>>()));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(!seen[0].1.is_empty());
}

#[test]
fn a_veth_is_watched_at_tcx_because_it_copies_for_xdp() {
    if skipped() {
        return;
    }
    let cable = Cable::new();
    let attached = cable.watch(HookChoice::Auto).attached;
    if attached.egress != Some(Hook::Clsact) {
        assert_eq!(attached.ingress, Hook::Tcx, "{:?}", attached.notes);
        assert_eq!(attached.ingress_reason, "the driver veth copies every packet for XDP");
        assert!(attached.notes.is_empty(), "{:?}", attached.notes);
    }
}

#[test]
fn a_hook_that_another_program_holds_is_replaced_and_the_reason_is_given() {
    if skipped() {
        return;
    }
    let cable = Cable::new();
    let first = cable.watch(HookChoice::Xdp);
    assert_eq!(
        (first.attached.ingress, first.attached.ingress_reason.as_str()),
        (Hook::Xdp, "as --hook says")
    );
    let second = cable.watch(HookChoice::Xdp).attached;
    assert_ne!(second.ingress, Hook::Xdp);
    assert_eq!(second.ingress_reason, "xdp: another program holds it");
    let [note] = &second.notes[..] else { panic!("{:?}", second.notes) };
    assert!(note.contains("xdp: another program holds it; "), "{note}");
    assert!(note.ends_with(" is used instead"), "{note}");
}
