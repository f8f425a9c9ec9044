//! Focuses and packet watches as a capture thread fills them.

use crate::PacketKeys;
use std::sync::atomic::AtomicU64;

use pktvisor_analysis::message::{Message, MessageHead};
use pktvisor_analysis::name::Name;
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::{ClientSide, ExchangeEnds, Flow, Observer, Transaction, Transport};
use pktvisor_common::address::IpVersion;
use pktvisor_common::classify::{Captured, Class, LinkType, flags};
use pktvisor_common::direction::Direction;
use pktvisor_common::packet::Stamp;

use super::*;
use crate::settings::{Clock, StoreSettings};
use crate::store::Store;

const S: u64 = 1_000_000_000;
const CLIENT: [u8; 4] = [192, 0, 2, 1];
const SERVER: [u8; 4] = [198, 51, 100, 53];

fn store() -> Store {
    let (name_cut, clock) = (NameCut::Labels, Clock::Packets);
    let store = Store::new(StoreSettings { periods: 5, summary: true, name_cut, clock });
    store.batch().advance(100 * S, |_, _| {});
    store
}

/// A message with this question.
fn octets(id: u16, name: &str, qtype: u16, header_flags: u16) -> Vec<u8> {
    let mut octets = [id, header_flags, 1, 0, 0, 0].map(u16::to_be_bytes).concat();
    octets.extend_from_slice(WireName::parse(name).unwrap().as_wire());
    octets.extend_from_slice(&qtype.to_be_bytes());
    octets.extend_from_slice(&1_u16.to_be_bytes());
    octets
}

const QUERY: u16 = 0;
const NOERROR: u16 = 0x8000;
const NXDOMAIN: u16 = 0x8003;

/// Passes on a message as the analysis of its packet does.
fn analyse(store: &Store, at_s: u64, message: &[u8], answered: Option<u64>) {
    let is_response = message[2] & 0x80 != 0;
    let (source, destination) = if is_response { (SERVER, CLIENT) } else { (CLIENT, SERVER) };
    let mut class = Class { ip_version: Some(IpVersion::V4), flags: flags::DNS_UDP, ..Class::default() };
    class.source[..4].copy_from_slice(&source);
    class.destination[..4].copy_from_slice(&destination);
    class.dns_flags = u16::from_be_bytes([message[2], message[3]]);
    let packet = Packet {
        timestamp_ns: at_s * S,
        stamp: Stamp::Own,
        data: message,
        wire_len: 100,
        link_type: LinkType(1),
        segments: 1,
    };
    let direction = if is_response { Direction::Received } else { Direction::Sent };
    let mut batch = store.batch();
    batch.advance(packet.timestamp_ns, |_, _| {});
    let flow = Flow::of(&class, Transport::Udp).unwrap();
    let mut name = Name::default();
    let mut head = MessageHead::new(message);
    head.parse(&mut name).unwrap();
    let seen = AnalysedPacket { packet: &packet, class: &class, direction };
    match batch.watching_observer(seen) {
        Some(mut observer) => report(&mut observer, &flow, head, answered),
        None => report(batch.recorder(), &flow, head, answered),
    }
    batch.packet(&class, &PacketKeys::of(&class, direction), 100);
}

fn report(out: &mut impl Observer, flow: &Flow, mut head: MessageHead<'_>, answered: Option<u64>) {
    let (source, destination) = (flow.addresses.source(), flow.addresses.destination());
    let (client, server) = if head.header().qr() { (destination, source) } else { (source, destination) };
    let keys = out.keys(out.end_keys(&ExchangeEnds { client, server, side: ClientSide::Host }), &head);
    let message: &Message<'_> = head.parse_rest(Captured::Whole);
    if let Some(duration_ns) = answered {
        let (client, question) = (ClientSide::Host, message.question.as_ref());
        let (query_bytes, response_bytes, duration_ns) = (30, 60, Some(duration_ns));
        out.transaction(&Transaction { client, query_bytes, response_bytes, duration_ns, question }, &keys);
    }
    out.message(flow, message, &keys);
    out.udp_port(1234);
    out.outcome(pktvisor_analysis::Outcome::Analysed, 1);
}

fn filter(zone: &str) -> MessageFilter {
    MessageFilter { zone: WireName::parse_zone(zone), ..MessageFilter::default() }
}

fn focus(store: &Store, filter: &MessageFilter) -> pktvisor_api::Period {
    store.focus(crate::ListLength::DEFAULT, filter).unwrap()
}

#[test]
fn a_focus_records_what_matches_from_now_on() {
    let store = store();
    analyse(&store, 100, &octets(1, "a.example.com", 1, QUERY), None);
    let zone = filter("example.com");
    assert_eq!(focus(&store, &zone).packets.total, 0);
    analyse(&store, 103, &octets(2, "b.example.com", 28, QUERY), None);
    analyse(&store, 103, &octets(3, "b.example.org", 28, QUERY), None);
    analyse(&store, 104, &octets(2, "b.example.com", 28, NXDOMAIN), Some(5_000_000));
    let period = focus(&store, &zone);
    assert_eq!((period.period.start_ts, period.period.length), (100, 5));
    assert_eq!((period.packets.received, period.packets.sent, period.packets.total), (1, 1, 2));
    assert_eq!((period.packets.bytes_in, period.packets.top_ipv4[0].estimate), (100, 2));
    let dns = period.dns;
    assert_eq!((dns.wire_packets.queries, dns.wire_packets.replies, dns.wire_packets.nxdomain), (1, 1, 1));
    assert_eq!((dns.cardinality.qname, dns.top_udp_ports[0].estimate), (1, 2));
    assert_eq!((dns.xact.counts.total, dns.xact.outbound.total, dns.xact.inbound.total), (1, 1, 0));
    assert_eq!(dns.xact.outbound.quantiles_us.unwrap().p50, 5_008, "the middle of its bucket");
    assert_eq!((dns.top_nxdomain.len(), period.sampling.rate), (1, 1.0));
    assert_eq!(store.bucket(0).unwrap().packets.total, 4, "the agent itself counts all");
}

#[test]
fn time_outs_and_orphans_of_a_focus_are_its_own() {
    let store = store();
    analyse(&store, 100, &octets(1, "early.example", 1, QUERY), None);
    let zone = filter("example");
    focus(&store, &zone);
    // Its query came before the focus opened, but analysis knows it.
    analyse(&store, 101, &octets(1, "early.example", 1, NOERROR), Some(S));
    analyse(&store, 101, &octets(2, "lost.example", 1, QUERY), None);
    analyse(&store, 102, &octets(3, "none.example", 1, NOERROR), None);
    analyse(&store, 120, &octets(4, "other", 1, QUERY), None);
    let counts = focus(&store, &zone).dns.xact.counts;
    assert_eq!((counts.total, counts.timed_out, counts.orphans), (1, 1, 1));
}

#[test]
fn a_response_code_selects_responses_and_their_times() {
    let store = store();
    let rcode = MessageFilter { rcode: Some(3), ..MessageFilter::default() };
    focus(&store, &rcode);
    for (id, code) in [(1, NOERROR), (2, NXDOMAIN)] {
        analyse(&store, 101, &octets(id, "a.example", 1, QUERY), None);
        analyse(&store, 101, &octets(id, "a.example", 1, code), Some(1_000_000));
    }
    let dns = focus(&store, &rcode).dns;
    assert_eq!((dns.wire_packets.queries, dns.wire_packets.replies), (0, 1));
    let counts = dns.xact.counts;
    assert_eq!((counts.total, counts.orphans, dns.xact.outbound.total), (1, 0, 1));
}

#[test]
fn each_condition_must_hold() {
    let network = |text: &str| parse_network(text);
    let conditions: [(MessageFilter, u64); 10] = [
        (MessageFilter { client: network("192.0.2.1"), ..Default::default() }, 2),
        (MessageFilter { client: network("198.51.100.0/24"), ..Default::default() }, 0),
        (MessageFilter { server: network("198.51.100.0/24"), ..Default::default() }, 2),
        (MessageFilter { network: network("198.51.100.53"), ..Default::default() }, 2),
        (MessageFilter { network: network("2001:db8::/32"), ..Default::default() }, 0),
        (MessageFilter { name: WireName::parse("a.example"), ..Default::default() }, 2),
        (MessageFilter { name: WireName::parse("example"), ..Default::default() }, 0),
        (MessageFilter { qtype: Some(28), ..Default::default() }, 0),
        (MessageFilter { qtype: Some(1), rcode: Some(0), ..Default::default() }, 1),
        (MessageFilter { client: network("192.0.2.1"), ..filter("org") }, 0),
    ];
    for (filter, expected) in conditions {
        let store = store();
        focus(&store, &filter);
        analyse(&store, 101, &octets(1, "a.example", 1, QUERY), None);
        analyse(&store, 101, &octets(1, "a.example", 1, NOERROR), Some(1));
        assert_eq!(focus(&store, &filter).packets.total, expected, "{filter}");
    }
}

#[test]
fn at_most_eight_focuses_are_open_and_the_same_filter_is_the_same_focus() {
    let store = store();
    let zones: Vec<_> = (0..FOCUSES_MAX).map(|n| filter(&format!("zone{n}"))).collect();
    zones.iter().chain(&zones).for_each(|zone| drop(focus(&store, zone)));
    assert_eq!(store.focus(crate::ListLength::DEFAULT, &filter("ninth")), Err(TooManyWatches));
    assert_eq!(store.watches().current().unwrap().len(), FOCUSES_MAX);
    analyse(&store, 101, &octets(1, "a.zone7", 1, QUERY), None);
    assert_eq!(focus(&store, &zones[7]).packets.total, 1);
    assert_eq!(focus(&store, &zones[0]).packets.total, 0);
}

#[test]
fn a_focus_closes_a_minute_after_it_was_last_read() {
    let store = store();
    assert!(store.watches().current().is_none());
    focus(&store, &filter("example"));
    let watches = store.watches().current().unwrap();
    let now = Instant::now();
    assert!(watches[0].is_wanted(now + std::time::Duration::from_secs(59)));
    assert!(!watches[0].is_wanted(now + std::time::Duration::from_secs(61)));
    assert_eq!(watches[0].name(), "zone=example");
}

#[test]
fn the_lists_of_a_focus_are_bounded() {
    let store = store();
    let zone = filter("example");
    focus(&store, &zone);
    for n in 0..10_000_u32 {
        analyse(&store, 101, &octets(n as u16, &format!("{n}.{n}.example"), 1, NXDOMAIN), None);
    }
    let limits = crate::frequent::ListLimits::FOCUS;
    let Output::Focus(focus) = &store.watches().current().unwrap()[0].output else { panic!("a focus") };
    let record = focus.share(0).unwrap().lock();
    let list = &record.recorder.period().dns.top_nxdomain;
    assert!(list.len() <= limits.entries && list.bound() > 0, "{}", list.len());
}

#[derive(Debug, Default)]
struct Count(AtomicU64);

impl PacketSink for Count {
    fn packet(&self, packet: &Packet<'_>) {
        self.0.fetch_add(u64::from(packet.wire_len), Ordering::Relaxed);
    }
}

#[test]
fn packets_of_matching_messages_go_to_a_sink_until_it_is_dropped() {
    let store = store();
    let sinks = [(); PACKET_WATCHES_MAX].map(|()| Arc::new(Count::default()));
    let open = |sink: &Arc<Count>| store.watches().packets(filter("example"), sink.clone());
    let watches: Vec<_> = sinks.iter().map(|sink| open(sink).unwrap()).collect();
    assert_eq!(open(&sinks[0]).unwrap_err(), TooManyWatches);
    // Packets do not take the place of a focus.
    focus(&store, &filter("org"));
    analyse(&store, 101, &octets(1, "a.example", 1, QUERY), None);
    analyse(&store, 101, &octets(1, "a.org", 1, QUERY), None);
    drop(watches);
    analyse(&store, 101, &octets(2, "a.example", 1, QUERY), None);
    assert_eq!(sinks.map(|sink| sink.0.load(Ordering::Relaxed)), [100; PACKET_WATCHES_MAX]);
    assert_eq!(store.watches().current().unwrap().len(), 1);
}
