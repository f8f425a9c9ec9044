//! Datagrams whose fragments all come.

use pktvisor_common::address::AddressPair;

use super::*;

#[test]
fn a_datagram_counts_once_when_its_last_missing_fragment_comes() {
    let datagram = udp(53, 1000);
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut scenario = Scenario::new();
        let parts = thirds(&datagram);
        assert_eq!(scenario.add(&datagram, parts[order[0]]), None);
        assert_eq!(scenario.add(&datagram, parts[order[1]]), None);
        assert_eq!(
            scenario.add(&datagram, parts[order[2]]),
            Some((datagram[8..].to_vec(), 3, Captured::Whole))
        );
        assert_eq!(scenario.events, [DatagramReassembled]);
        assert_eq!((scenario.fragments.len(), scenario.fragments.buffered_bytes), (0, 0));
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
        addresses: AddressPair::new(IpVersion::V4, [1; 16], [2; 16]),
        source_port: 4000,
        destination_port: 53,
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
    let mut parts = thirds(&datagram).map(|part| Part { ip_version: IpVersion::V6, ..part });
    parts[0].protocol = IpNumber::IPV6_DESTINATION_OPTIONS;
    parts.reverse();
    assert_eq!(scenario.parts(&datagram, parts), Some((datagram[16..].to_vec(), 3, Captured::Whole)));
}

/// A datagram behind two extension headers, in three IPv6 fragments that all carry the first one's
/// number.
fn behind_extensions(kind: IpNumber, upper: IpNumber, transport: &[u8]) -> (Vec<u8>, [Part; 3]) {
    let mut datagram = vec![IpNumber::IPV6_DESTINATION_OPTIONS.0, 0, 0, 0, 0, 0, 0, 0];
    datagram.extend([upper.0, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    datagram.extend(transport);
    let parts = thirds(&datagram).map(|part| Part { ip_version: IpVersion::V6, protocol: kind, ..part });
    (datagram, parts)
}

#[test]
fn ipv6_fragments_that_carry_the_number_of_an_extension_header_make_up_their_datagram() {
    for kind in [IpNumber::IPV6_DESTINATION_OPTIONS, IpNumber::IPV6_ROUTE_HEADER] {
        let (datagram, parts) = behind_extensions(kind, IpNumber::UDP, &udp(53, 1000));
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut scenario = Scenario::new();
            let mut found = None;
            for part in order.map(|index| parts[index]) {
                let (packet, class) = classified(&datagram, part);
                found = scenario.packet(&packet, &class);
            }
            assert_eq!(found, Some((datagram[32..].to_vec(), 3, Captured::Whole)), "{order:?}");
            assert_eq!(scenario.events, [DatagramReassembled]);
        }
    }
}

#[test]
fn the_ports_of_an_ipv6_datagram_may_lie_in_its_second_fragment() {
    let kind = IpNumber::IPV6_DESTINATION_OPTIONS;
    for port in [53, 2049] {
        let (datagram, _) = behind_extensions(kind, IpNumber::UDP, &udp(port, 100));
        let part = |from, to| Part { ip_version: IpVersion::V6, protocol: kind, from, to, ..Part::default() };
        let parts = [part(0, 24), Part { more: false, ..part(24, datagram.len()) }];
        let mut scenario = Scenario::new();
        let found = parts.map(|part| {
            let (packet, class) = classified(&datagram, part);
            scenario.packet(&packet, &class)
        });
        assert_eq!(found, [None, (port == 53).then(|| (datagram[32..].to_vec(), 2, Captured::Whole))]);
    }
}

#[test]
fn ipv6_fragments_of_other_transports_behind_extension_headers_are_dropped_and_not_counted() {
    let kind = IpNumber::IPV6_DESTINATION_OPTIONS;
    for (upper, transport) in [(IpNumber::IPV6_ICMP, vec![0x80; 900]), (IpNumber::UDP, udp(2049, 900))] {
        let (datagram, parts) = behind_extensions(kind, upper, &transport);
        for order in [[0, 1, 2], [2, 1, 0]] {
            let mut scenario = Scenario::new();
            for part in order.map(|index| parts[index]) {
                let (packet, class) = classified(&datagram, part);
                assert_eq!(scenario.packet(&packet, &class), None);
            }
            assert_eq!(scenario.fragments.buffered_bytes, 0);
            scenario.wait(31 * SECOND);
            assert_eq!((scenario.events, scenario.fragments.len()), (vec![], 0));
        }
    }
}

#[test]
fn the_message_ends_where_udp_says_if_that_is_before_the_last_fragments_end() {
    let mut datagram = udp(53, 1000);
    datagram[4..6].copy_from_slice(&508_u16.to_be_bytes());
    let mut scenario = Scenario::new();
    let parts = thirds(&datagram);
    assert_eq!(scenario.parts(&datagram, parts), Some((datagram[8..508].to_vec(), 3, Captured::Whole)));
}

#[test]
fn the_message_ends_where_the_last_fragment_does_if_udp_says_more() {
    let mut datagram = udp(53, 1000);
    datagram[4..6].copy_from_slice(&5000_u16.to_be_bytes());
    let mut scenario = Scenario::new();
    let parts = thirds(&datagram);
    assert_eq!(scenario.parts(&datagram, parts), Some((datagram[8..].to_vec(), 3, Captured::Whole)));
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
        assert_eq!(scenario.fragments.buffered_bytes, 0);
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
    assert_eq!(scenario.add(&one, thirds(&one)[2]), Some((one[8..].to_vec(), 3, Captured::Whole)));
    let last = Part { identification: 8, ..thirds(&other)[2] };
    assert_eq!(scenario.add(&other, last), Some((other[8..].to_vec(), 3, Captured::Whole)));
}

#[test]
fn a_snapped_fragment_truncates_the_message_at_the_first_missing_byte() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    for order in [[0, 1, 2], [2, 1, 0]] {
        let mut scenario = Scenario::new();
        let parts = [Part { snaplen: 34 + 100, ..first }, middle, Part { snaplen: 34 + 50, ..last }];
        let found = scenario.parts(&datagram, order.map(|index| parts[index]));
        assert_eq!(found, Some((datagram[8..100].to_vec(), 3, Captured::Part)));
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
