//! Scenarios over whole tables; each name states the rule it holds the table to.

use etherparse::{IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header};
use proptest::prelude::*;

use super::*;
use ReassemblyEvent::{
    DatagramEvicted, DatagramIncomplete, DatagramReassembled, DatagramUnidentified, FragmentMalformed,
};

const SECOND: u64 = 1_000_000_000;
const ETHERNET_LEN: usize = 14;

/// A UDP datagram, header included, with `len` bytes of payload.
fn udp(destination_port: u16, len: usize) -> Vec<u8> {
    let mut datagram = Vec::new();
    for field in [4000, destination_port, 8 + len as u16, 0] {
        datagram.extend(field.to_be_bytes());
    }
    datagram.extend((0..len).map(|index| (index / 8) as u8 ^ index as u8));
    datagram
}

#[derive(Clone, Copy)]
struct Part {
    ip_version: u8,
    identification: u16,
    protocol: IpNumber,
    /// Bytes of the datagram; a `to` beyond its end or at it is the last fragment.
    from: usize,
    to: usize,
    more: bool,
    /// Bytes of the packet that were captured.
    snaplen: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            ip_version: 4,
            identification: 7,
            protocol: IpNumber::UDP,
            from: 0,
            to: 0,
            more: true,
            snaplen: usize::MAX,
        }
    }
}

/// The packet of a fragment as captured, with Ethernet padding, and what a classifier finds in it.
fn packet(datagram: &[u8], part: Part) -> (Vec<u8>, Class) {
    let data = &datagram[part.from..part.to];
    let offset = IpFragOffset::try_new((part.from / 8) as u16).unwrap();
    let mut packet = vec![0; ETHERNET_LEN];
    if part.ip_version == 4 {
        let mut header =
            Ipv4Header::new(data.len() as u16, 64, part.protocol, [192, 0, 2, 1], [192, 0, 2, 2]).unwrap();
        header.identification = part.identification;
        header.dont_fragment = false;
        header.more_fragments = part.more;
        header.fragment_offset = offset;
        header.write(&mut packet).unwrap();
    } else {
        let header = Ipv6Header {
            payload_length: data.len() as u16 + 16,
            next_header: IpNumber::IPV6_DESTINATION_OPTIONS,
            hop_limit: 64,
            source: [1; 16],
            destination: [2; 16],
            ..Ipv6Header::default()
        };
        header.write(&mut packet).unwrap();
        packet.extend([IpNumber::IPV6_FRAGMENTATION_HEADER.0, 0, 1, 4, 0, 0, 0, 0]);
        let identification = part.identification.into();
        Ipv6FragmentHeader::new(part.protocol, offset, part.more, identification).write(&mut packet).unwrap();
    }
    packet.extend(data);
    if part.snaplen == usize::MAX {
        packet.extend([0xee; 6]);
    }
    packet.truncate(part.snaplen);
    let mut class = Class {
        source: [1; 16],
        destination: [2; 16],
        ip_version: part.ip_version,
        protocol: IpNumber::UDP.0,
        network_offset: ETHERNET_LEN as u16,
        flags: flags::FRAGMENT,
        ..Class::default()
    };
    // A real classifier looks at the ports of this very fragment.
    let is_dns = datagram.windows(2).take(80).any(|bytes| bytes == [0, 53]);
    if part.from > 0 {
        class.flags |= flags::LATER_FRAGMENT | flags::DNS_FRAGMENT;
    } else if is_dns {
        class.flags |= flags::DNS_FRAGMENT;
    }
    (packet, class)
}

struct Scenario {
    fragments: Fragments,
    events: Vec<ReassemblyEvent>,
    now_ns: u64,
}

impl Scenario {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        Self {
            fragments: Fragments::new(DnsPorts::default(), limits),
            events: Vec::new(),
            now_ns: 1000 * SECOND,
        }
    }

    /// What a fragment brings: message, number of fragments, whether it is truncated.
    fn add(&mut self, datagram: &[u8], part: Part) -> Option<(Vec<u8>, u16, bool)> {
        let (packet, class) = packet(datagram, part);
        self.packet(&packet, &class)
    }

    fn packet(&mut self, packet: &[u8], class: &Class) -> Option<(Vec<u8>, u16, bool)> {
        let events = &mut self.events;
        self.fragments
            .fragment(packet, class, self.now_ns, |event| events.push(event))
            .map(|found| (found.message.to_vec(), found.fragments, found.truncated))
    }

    fn parts<const N: usize>(&mut self, datagram: &[u8], parts: [Part; N]) -> Option<(Vec<u8>, u16, bool)> {
        parts.into_iter().fold(None, |_, part| self.add(datagram, part))
    }

    fn wait(&mut self, ns: u64) {
        self.now_ns += ns;
        let events = &mut self.events;
        self.fragments.advance(self.now_ns, |event| events.push(event));
    }
}

/// First, middle and last third of a datagram.
fn thirds(datagram: &[u8]) -> [Part; 3] {
    let [first, second] = [datagram.len() / 24 * 8, datagram.len() / 24 * 16];
    [
        Part { from: 0, to: first, ..Part::default() },
        Part { from: first, to: second, ..Part::default() },
        Part { from: second, to: datagram.len(), more: false, ..Part::default() },
    ]
}

#[test]
fn a_datagram_counts_once_when_its_last_missing_fragment_comes() {
    let datagram = udp(53, 1000);
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut scenario = Scenario::new();
        let parts = thirds(&datagram);
        assert_eq!(scenario.add(&datagram, parts[order[0]]), None);
        assert_eq!(scenario.add(&datagram, parts[order[1]]), None);
        assert_eq!(scenario.add(&datagram, parts[order[2]]), Some((datagram[8..].to_vec(), 3, false)));
        assert_eq!(scenario.events, [DatagramReassembled]);
        assert_eq!((scenario.fragments.len(), scenario.fragments.buffered_bytes()), (0, 0));
    }
}

#[test]
fn the_flow_is_that_of_the_reassembled_udp_header() {
    let datagram = udp(53, 1000);
    let mut scenario = Scenario::new();
    let parts = thirds(&datagram).map(|part| packet(&datagram, part));
    let mut flows = Vec::new();
    for (packet, class) in &parts {
        flows.extend(scenario.fragments.fragment(packet, class, 1, |_| ()).map(|found| found.flow));
    }
    let flow = Flow {
        source: [1; 16],
        destination: [2; 16],
        source_port: 4000,
        destination_port: 53,
        ip_version: 4,
        transport: Transport::Udp,
    };
    assert_eq!(flows, [flow]);
}

#[test]
fn ipv6_fragments_may_lie_behind_and_before_extension_headers() {
    let mut datagram = vec![IpNumber::UDP.0, 0, 1, 4, 0, 0, 0, 0];
    datagram.extend(udp(53, 1000));
    let mut scenario = Scenario::new();
    // Only the first fragment tells what the datagram begins with (RFC 8200 section 4.5).
    let mut parts = thirds(&datagram).map(|part| Part { ip_version: 6, ..part });
    parts[0].protocol = IpNumber::IPV6_DESTINATION_OPTIONS;
    parts.reverse();
    assert_eq!(scenario.parts(&datagram, parts), Some((datagram[16..].to_vec(), 3, false)));
}

#[test]
fn a_datagram_incomplete_after_30_s_is_no_message() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    scenario.parts(&datagram, [first, last]);
    scenario.wait(30 * SECOND);
    assert_eq!(scenario.events, []);
    scenario.wait(1);
    assert_eq!(scenario.events, [DatagramIncomplete]);
    assert_eq!(scenario.add(&datagram, middle), None);
    scenario.wait(31 * SECOND);
    assert_eq!(scenario.events, [DatagramIncomplete, DatagramUnidentified]);
    assert_eq!((scenario.fragments.len(), scenario.fragments.buffered_bytes()), (0, 0));
}

#[test]
fn the_30_s_count_from_the_first_fragment_that_came() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    scenario.add(&datagram, last);
    scenario.wait(20 * SECOND);
    scenario.add(&datagram, first);
    scenario.wait(10 * SECOND + 1);
    assert_eq!((scenario.add(&datagram, middle), scenario.events), (None, vec![DatagramIncomplete]));
}

#[test]
fn where_fragments_overlap_the_first_data_wins() {
    let datagram = udp(53, 1000);
    let mut forged = datagram.clone();
    forged[8..].fill(0xee);
    let mut scenario = Scenario::new();
    let part = |from, to| Part { from, to, ..Part::default() };
    scenario.add(&datagram, part(400, 600));
    scenario.add(&forged, part(200, 800));
    scenario.add(&datagram, part(0, 320));
    let last = Part { more: false, ..part(560, datagram.len()) };
    let mut expected = datagram[8..].to_vec();
    expected[192..392].fill(0xee);
    expected[592..792].fill(0xee);
    assert_eq!(scenario.add(&datagram, last), Some((expected, 4, false)));
}

#[test]
fn a_repeated_fragment_changes_nothing_but_the_number_of_packets() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    let found = scenario.parts(&datagram, [first, last, first, last, middle]);
    assert_eq!(found, Some((datagram[8..].to_vec(), 5, false)));
}

#[test]
fn an_end_that_is_told_late_completes_the_datagram() {
    let datagram = udp(53, 1000);
    let mut scenario = Scenario::new();
    let part = |from, to| Part { from, to, ..Part::default() };
    let found =
        scenario.parts(&datagram, [part(0, 504), part(504, 1008), Part { more: false, ..part(800, 1008) }]);
    assert_eq!(found, Some((datagram[8..].to_vec(), 3, false)));
}

#[test]
fn fragments_that_contradict_each_other_are_left_out() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    let early_end = Part { more: false, to: middle.to - 8, ..middle };
    let beyond_end = Part { from: 1000, to: 1024, ..Part::default() };
    scenario.parts(&datagram, [first, last, early_end]);
    scenario.add(&udp(53, 2000), beyond_end);
    assert_eq!(scenario.events, [FragmentMalformed; 2]);
    let whole = scenario.add(&datagram, middle);
    assert_eq!(whole, Some((datagram[8..].to_vec(), 3, false)));
}

#[test]
fn an_end_before_what_has_come_is_left_out() {
    let datagram = udp(53, 1000);
    let [first, middle, _] = thirds(&datagram);
    let mut scenario = Scenario::new();
    scenario.parts(&datagram, [middle, Part { more: false, ..first }]);
    assert_eq!(scenario.events, [FragmentMalformed]);
}

#[test]
fn impossible_fragments_are_counted() {
    let datagram = udp(53, 1000);
    let [first, ..] = thirds(&datagram);
    let mut scenario = Scenario::new();
    let unaligned = Part { to: first.to - 1, ..first };
    let empty = Part { to: 0, ..first };
    for part in [unaligned, empty, Part { snaplen: 20, ..first }] {
        assert_eq!(scenario.add(&datagram, part), None);
    }
    let (mut beyond, class) = packet(&datagram, Part { from: 8, to: 808, ..first });
    beyond[ETHERNET_LEN + 6..ETHERNET_LEN + 8].copy_from_slice(&0x3fff_u16.to_be_bytes());
    assert_eq!(scenario.packet(&beyond, &class), None);
    assert_eq!(scenario.events, [FragmentMalformed; 4]);
}

#[test]
fn the_message_ends_where_udp_says_if_that_is_before_the_last_fragments_end() {
    let mut datagram = udp(53, 1000);
    datagram[4..6].copy_from_slice(&508_u16.to_be_bytes());
    let mut scenario = Scenario::new();
    let parts = thirds(&datagram);
    assert_eq!(scenario.parts(&datagram, parts), Some((datagram[8..508].to_vec(), 3, false)));
}

#[test]
fn the_message_ends_where_the_last_fragment_does_if_udp_says_more() {
    let mut datagram = udp(53, 1000);
    datagram[4..6].copy_from_slice(&5000_u16.to_be_bytes());
    let mut scenario = Scenario::new();
    let parts = thirds(&datagram);
    assert_eq!(scenario.parts(&datagram, parts), Some((datagram[8..].to_vec(), 3, false)));
}

#[test]
fn less_than_a_dns_header_is_no_message() {
    let datagram = udp(53, 11);
    let mut scenario = Scenario::new();
    let part = |from, to| Part { from, to, ..Part::default() };
    let found = scenario.parts(&datagram, [part(0, 16), Part { more: false, ..part(16, 19) }]);
    assert_eq!((found, scenario.events), (None, vec![DatagramReassembled]));
}

#[test]
fn the_rest_of_a_datagram_without_dns_port_is_dropped_and_not_counted() {
    let datagram = udp(2049, 1000);
    let parts = thirds(&datagram);
    for order in [[0, 1, 2], [2, 1, 0]] {
        let mut scenario = Scenario::new();
        assert_eq!(scenario.parts(&datagram, order.map(|index| parts[index])), None);
        assert_eq!(scenario.fragments.buffered_bytes(), 0);
        scenario.wait(31 * SECOND);
        assert_eq!((scenario.events, scenario.fragments.len()), (vec![], 0));
    }
}

#[test]
fn an_identification_may_be_used_again() {
    let mut scenario = Scenario::new();
    for port in [2049, 53, 53] {
        let datagram = udp(port, 1000);
        let found = scenario.parts(&datagram, thirds(&datagram));
        assert_eq!(found.is_some(), port == 53);
    }
    let [old, new] = [udp(53, 1000), udp(2049, 1000)];
    scenario.add(&old, thirds(&old)[0]);
    scenario.add(&new, thirds(&new)[0]);
    assert_eq!(scenario.events, [DatagramReassembled, DatagramReassembled, DatagramIncomplete]);
}

#[test]
fn datagrams_with_another_identification_do_not_mix() {
    let [one, other] = [udp(53, 1000), udp(53, 1200)];
    let mut scenario = Scenario::new();
    for (a, b) in thirds(&one).into_iter().zip(thirds(&other)).take(2) {
        scenario.add(&one, a);
        scenario.add(&other, Part { identification: 8, ..b });
    }
    assert_eq!(scenario.add(&one, thirds(&one)[2]), Some((one[8..].to_vec(), 3, false)));
    let last = Part { identification: 8, ..thirds(&other)[2] };
    assert_eq!(scenario.add(&other, last), Some((other[8..].to_vec(), 3, false)));
}

#[test]
fn a_snapped_fragment_truncates_the_message_at_the_first_missing_byte() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    for order in [[0, 1, 2], [2, 1, 0]] {
        let mut scenario = Scenario::new();
        let parts = [Part { snaplen: 34 + 100, ..first }, middle, Part { snaplen: 34 + 50, ..last }];
        let found = scenario.parts(&datagram, order.map(|index| parts[index]));
        assert_eq!(found, Some((datagram[8..100].to_vec(), 3, true)));
    }
}

#[test]
fn a_snapped_message_with_less_than_its_header_is_no_message() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    let snapped = |part| Part { snaplen: 34 + 19, ..part };
    let found = scenario.parts(&datagram, [snapped(first), snapped(middle), snapped(last)]);
    assert_eq!((found, scenario.events), (None, vec![DatagramReassembled]));
}

#[test]
fn the_oldest_datagram_goes_first_when_there_are_too_many() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::with(Limits { datagrams: 2, ..Limits::default() });
    for identification in 1..=3 {
        scenario.add(&datagram, Part { identification, ..first });
    }
    assert_eq!((scenario.events.as_slice(), scenario.fragments.len()), ([DatagramEvicted].as_slice(), 2));
    let rest = [middle, last].map(|part| Part { identification: 2, ..part });
    assert!(scenario.parts(&datagram, rest).is_some());
}

#[test]
fn the_oldest_datagram_goes_first_when_memory_runs_out() {
    let datagram = udp(53, 60_000);
    let [first, ..] = thirds(&datagram);
    let mut scenario = Scenario::with(Limits { buffered_bytes: 50_000, ..Limits::default() });
    for identification in 1..=3 {
        scenario.add(&datagram, Part { identification, ..first });
        assert!(scenario.fragments.buffered_bytes() <= 50_000);
    }
    assert_eq!((scenario.events.as_slice(), scenario.fragments.len()), ([DatagramEvicted].as_slice(), 2));
}

#[test]
fn a_datagram_of_too_many_fragments_is_dropped() {
    let datagram = udp(53, 1000);
    let mut scenario = Scenario::new();
    for index in 0..70 {
        scenario.add(&datagram, Part { from: 8 * index, to: 8 * index + 8, ..Part::default() });
    }
    assert_eq!(
        (scenario.events.as_slice(), scenario.fragments.buffered_bytes()),
        ([DatagramEvicted].as_slice(), 0)
    );
}

#[test]
fn what_the_end_of_the_capture_cuts_off_is_incomplete() {
    let datagram = udp(53, 1000);
    let [first, _, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    scenario.parts(&datagram, [first, Part { identification: 8, ..last }]);
    let events = &mut scenario.events;
    scenario.fragments.finish(|event| events.push(event));
    assert_eq!(scenario.events, [DatagramIncomplete, DatagramUnidentified]);
    assert!(scenario.fragments.is_empty());
}

proptest! {
    #[test]
    fn cuts_order_and_repetition_change_nothing(
        len in 12usize..4000,
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        order in Just((0usize..40).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let datagram = udp(53, len);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(datagram.len()) / 8 * 8).collect();
        ends.extend([0, datagram.len()]);
        ends.sort_unstable();
        ends.dedup();
        let mut parts: Vec<_> = ends
            .windows(2)
            .map(|span| Part { from: span[0], to: span[1], more: span[1] < datagram.len(), ..Part::default() })
            .collect();
        parts.extend(parts.clone().into_iter().step_by(2));
        let mut shuffled: Vec<_> = order.into_iter().filter_map(|index| parts.get(index)).collect();
        shuffled.dedup_by_key(|part| part.from);
        let mut scenario = Scenario::new();
        let mut found = Vec::new();
        for part in shuffled {
            found.extend(scenario.add(&datagram, *part));
            if !found.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(&found[0].0, &datagram[8..]);
    }

    #[test]
    fn garbage_stays_within_the_limits(
        parts in proptest::collection::vec(
            (any::<bool>(), 0u16..6, 0usize..500, 0usize..200, any::<bool>(), any::<bool>(), 20usize..120, 0u64..SECOND),
            0..200
        )
    ) {
        let limits = Limits { datagrams: 4, buffered_bytes: 4096, fragments_per_datagram: 8 };
        let mut scenario = Scenario::with(limits);
        let datagrams = [udp(53, 6000), udp(2049, 6000)];
        for (is_ipv6, identification, offset, len, more, is_snapped, snaplen, pause_ns) in parts {
            let from = 8 * offset;
            let to = (from + len).min(datagrams[0].len());
            let ip_version = if is_ipv6 { 6 } else { 4 };
            let snaplen = if is_snapped { snaplen } else { usize::MAX };
            let part = Part { ip_version, identification, from, to, more, snaplen, ..Part::default() };
            scenario.wait(pause_ns);
            scenario.add(&datagrams[usize::from(identification) % 2], part);
            prop_assert!(scenario.fragments.len() <= limits.datagrams);
            prop_assert!(scenario.fragments.buffered_bytes() <= limits.buffered_bytes);
        }
        let events = &mut scenario.events;
        scenario.fragments.finish(|event| events.push(event));
        prop_assert_eq!((scenario.fragments.len(), scenario.fragments.buffered_bytes()), (0, 0));
    }

    #[test]
    fn random_packets_do_no_harm(packet: Vec<u8>, offset in 0u16..40, ip_version in 3u8..8) {
        let class = Class {
            network_offset: offset,
            ip_version,
            protocol: IpNumber::UDP.0,
            flags: flags::FRAGMENT | flags::DNS_FRAGMENT,
            ..Class::default()
        };
        Scenario::new().packet(&packet, &class);
    }
}
