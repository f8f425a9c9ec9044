//! Filters on interfaces of namespaces: attached, counting, gone with their link.

use std::net::UdpSocket;
use std::os::fd::{AsFd, OwnedFd};

use pktvisor_common::classify::LinkType;
use pktvisor_common::direction::LinkDirection;
use testbed::{FrameSocket, Namespace, Need, Veth};

use super::test_run::{self, FilterChain};
use crate::ProgramContext;
use crate::clsact::Clsact;
use crate::filter::{attach_tcx_egress, attach_tcx_ingress, attach_xdp};

const XDP: ProgramContext = ProgramContext::Xdp { frags: true };

/// Whether the test can run; says so if not.
fn skipped() -> bool {
    let reason = testbed::missing(&[Need::Namespaces]).or_else(test_run::unavailable);
    if let Some(reason) = &reason {
        testbed::report_skipped(reason);
    }
    reason.is_some()
}

/// A frame with these tags, then UDP over IPv4 to a port.
fn udp(tags: &[u16], port: u16) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 1]);
    for tci in tags {
        frame.extend([0x81, 0x00]);
        frame.extend(tci.to_be_bytes());
    }
    frame.extend([8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    frame.extend([0x80, 0]);
    frame.extend(port.to_be_bytes());
    frame.extend([0, 12, 0, 0, 1, 2, 3, 4]);
    frame.resize(64, 0);
    frame
}

/// Two namespaces, an interface in the second by name and number, and a way to send to it.
struct Receiver {
    namespace: Namespace,
    interface: String,
    index: u32,
    sender: FrameSocket,
    _pair: testbed::VethPair,
}

impl Receiver {
    fn new() -> Self {
        let (left, right) = (Namespace::new(), Namespace::new());
        let pair = Veth::new(&left, &right).create();
        let sender = FrameSocket::open(&left, pair.left.name());
        let index = index(&right, pair.right.name());
        Self { namespace: right, interface: pair.right.name().to_owned(), index, sender, _pair: pair }
    }

    /// Sends 7 packets to port 53 and 5 to port 54 with these tags. Returns what of them the chain
    /// counted as passed and as filtered.
    fn send(&self, tags: &[u16], chain: &FilterChain) -> (u64, u64) {
        let before = (chain.passed(), chain.filtered());
        for port in [53, 53, 54, 53, 54, 53, 53, 54, 53, 54, 53, 54] {
            self.sender.send(&udp(tags, port));
        }
        (chain.passed() - before.0, chain.filtered() - before.1)
    }
}

fn index(namespace: &Namespace, interface: &str) -> u32 {
    namespace.run(|| nix::net::if_::if_nametoindex(interface).unwrap())
}

#[test]
fn a_filter_before_xdp_counts_rejected_packets_until_its_link_goes() {
    if skipped() {
        return;
    }
    let receiver = Receiver::new();
    let chain = FilterChain::counting("udp port 53", XDP);
    let link = receiver.namespace.run(|| attach_xdp(chain.filter.as_fd(), receiver.index)).unwrap();
    assert_eq!(receiver.send(&[], &chain), (7, 5));
    let other = FilterChain::counting("udp port 54", XDP);
    let busy = receiver.namespace.run(|| attach_xdp(other.filter.as_fd(), receiver.index)).unwrap_err();
    assert_eq!(busy.raw_os_error(), Some(libc::EBUSY));
    drop(link);
    assert_eq!(receiver.send(&[], &chain), (0, 0));
    let link = receiver.namespace.run(|| attach_xdp(other.filter.as_fd(), receiver.index)).unwrap();
    assert_eq!(receiver.send(&[], &other), (5, 7));
    drop(link);
}

#[test]
fn a_filter_at_tcx_ingress_sees_tags_that_are_in_the_metadata() {
    if skipped() {
        return;
    }
    let receiver = Receiver::new();
    let cases: [(&str, &[u16], (u64, u64)); 6] = [
        ("vlan 7 and udp port 53", &[7], (7, 5)),
        ("vlan 7 and udp port 53", &[8], (0, 12)),
        ("udp port 53", &[7], (0, 12)),
        ("udp port 53", &[], (7, 5)),
        ("vlan 7 and vlan 8 and udp port 54", &[7, 8], (5, 7)),
        ("len = 68", &[7], (0, 12)),
    ];
    for (expression, tags, counts) in cases {
        let chain = FilterChain::counting(expression, ProgramContext::Tc);
        let attached: std::io::Result<OwnedFd> =
            receiver.namespace.run(|| attach_tcx_ingress(chain.filter.as_fd(), receiver.index));
        let _link = match attached {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                return testbed::report_skipped("this kernel has no tcx (6.6)");
            }
            attached => attached.unwrap(),
        };
        assert_eq!(receiver.send(tags, &chain), counts, "{expression} {tags:?}");
    }
}

#[test]
fn a_filter_at_egress_reads_a_packet_in_pieces() {
    if skipped() {
        return;
    }
    let namespace = Namespace::new();
    let lo = index(&namespace, "lo");
    // Behind both headers and far into the data, which lies in pages of its own.
    let expressions =
        [("udp[8008] = 0x5a", 3, 0), ("ether[8042:4] = 0x5a000000", 3, 0), ("udp[8007] = 0x5a", 0, 3)];
    for (expression, passed, filtered) in expressions {
        let chain = FilterChain::counting(expression, ProgramContext::Tc);
        namespace.run(|| {
            let tcx = attach_tcx_egress(chain.filter.as_fd(), lo);
            let clsact = tcx.is_err().then(|| Clsact::on(lo).unwrap());
            if let Some(clsact) = &clsact {
                clsact.attach(LinkDirection::Egress, chain.filter.as_fd()).unwrap();
            }
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let mut data = vec![0_u8; 20_000];
            data[8000] = 0x5a;
            for _ in 0..3 {
                socket.send_to(&data, socket.local_addr().unwrap()).unwrap();
            }
        });
        assert_eq!((chain.passed(), chain.filtered()), (passed, filtered), "{expression}");
    }
}

#[test]
fn clsact_filters_go_with_their_owner_and_with_the_next_one_if_it_was_killed() {
    if skipped() {
        return;
    }
    let receiver = Receiver::new();
    let tc = |what: &str, at: &[&str]| {
        let mut command = receiver.namespace.command("tc");
        let output = command.args([what, "show", "dev", &receiver.interface]).args(at).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let chain = FilterChain::counting("udp port 53", ProgramContext::Tc);
    receiver.namespace.run(|| {
        let attach = |clsact: &Clsact| {
            clsact.attach(LinkDirection::Ingress, chain.filter.as_fd()).unwrap();
            clsact.attach(LinkDirection::Egress, chain.filter.as_fd()).unwrap();
        };
        let first = Clsact::on(receiver.index).unwrap();
        attach(&first);
        assert_eq!(receiver.send(&[], &chain), (7, 5));
        // A second owner leaves what is not abandoned alone, and the queueing discipline too.
        let second = Clsact::on(receiver.index).unwrap();
        assert_eq!(second.leftovers(), 0);
        attach(&second);
        drop(second);
        assert_eq!(receiver.send(&[], &chain), (7, 5));
        drop(first);
        assert!(!tc("qdisc", &[]).contains("clsact"));

        let killed = Clsact::on(receiver.index).unwrap();
        attach(&killed);
        killed.abandon();
        assert_eq!(tc("filter", &["ingress"]).matches("pktvisord-").count(), 1);
        let next = Clsact::on(receiver.index).unwrap();
        assert_eq!(next.leftovers(), 2);
        assert_eq!(receiver.send(&[], &chain), (0, 0));
        attach(&next);
        assert_eq!(receiver.send(&[], &chain), (7, 5));
        drop(next);
        assert!(!tc("qdisc", &[]).contains("clsact"));
    });
}

#[test]
fn three_capabilities_are_enough() {
    if skipped() {
        return;
    }
    let receiver = Receiver::new();
    receiver.namespace.run(|| {
        const CAP_NET_ADMIN: u32 = 12;
        const CAP_PERFMON: u32 = 38;
        const CAP_BPF: u32 = 39;
        keep_capabilities(1 << CAP_NET_ADMIN | 1 << CAP_PERFMON | 1 << CAP_BPF);
        for context in [ProgramContext::Xdp { frags: false }, XDP, ProgramContext::Tc] {
            for expression in ["udp port 53", "vlan 7 and len > 60 and tcp[tcpflags] & tcp-syn != 0"] {
                FilterChain::new(expression, context, LinkType::ETHERNET);
            }
        }
        let chain = FilterChain::counting("udp port 53", XDP);
        let _link = attach_xdp(chain.filter.as_fd(), receiver.index).unwrap();
        let chain = FilterChain::counting("udp port 53", ProgramContext::Tc);
        Clsact::on(receiver.index).unwrap().attach(LinkDirection::Egress, chain.filter.as_fd()).unwrap();
    });
}

#[test]
fn a_filter_reads_nothing_of_its_stack_that_it_has_not_written() {
    if skipped() {
        return;
    }
    let strict = || {
        const CAP_NET_ADMIN: u32 = 12;
        const CAP_BPF: u32 = 39;
        // Without CAP_PERFMON every kernel is as strict as those before Linux 6.3.
        keep_capabilities(1 << CAP_NET_ADMIN | 1 << CAP_BPF);
        // Those that read at fixed places: others need it.
        let fixed = [
            "ether[13:2] = 1",
            "ether[15] = 1",
            "ether[12:4] = 1",
            "ether[14:4] = 1",
            "ether[11:2] = 1",
            "ip",
            "host 192.0.2.1",
            "vlan 7",
            "len > 60",
        ];
        for expression in fixed {
            FilterChain::new(expression, ProgramContext::Tc, LinkType::ETHERNET);
        }
    };
    std::thread::spawn(strict).join().unwrap();
}

#[test]
fn filtered_packets_with_a_tag_are_counted_where_the_expression_says_nothing_of_tags() {
    if skipped() {
        return;
    }
    for context in [ProgramContext::Xdp { frags: false }, XDP, ProgramContext::Tc] {
        for (expression, tags, counts) in [
            ("udp port 53", &[7][..], (3, 3)),
            ("udp port 53", &[], (1, 0)),
            ("udp port 53", &[7, 8], (3, 3)),
            ("vlan 9 and udp port 53", &[7], (3, 0)),
            ("ether[12:2] != 0", &[7], (0, 0)),
        ] {
            let chain = FilterChain::counting(expression, context);
            for port in [53, 53, 54] {
                chain.passes_or_not(&udp(tags, port));
            }
            assert_eq!(
                (chain.filtered(), chain.filtered_tagged()),
                counts,
                "{expression} at {context:?}, {tags:?}"
            );
        }
    }
}

/// Takes all other capabilities from this thread.
fn keep_capabilities(kept: u64) {
    #[repr(C)]
    struct CapabilityHeader {
        version: u32,
        pid: i32,
    }
    const LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;
    let header = CapabilityHeader { version: LINUX_CAPABILITY_VERSION_3, pid: 0 };
    let (low, high) = (kept as u32, (kept >> 32) as u32);
    // Effective, permitted and inheritable, twice 32 bits.
    let data = [low, low, 0, high, high, 0];
    // SAFETY: both are as capset(2) lays them out.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}
