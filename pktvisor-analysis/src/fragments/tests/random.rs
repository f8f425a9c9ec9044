//! Fragments at random.

use proptest::prelude::*;

use super::*;

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
        let limits = FragmentLimits { datagrams: 4, buffered_bytes: 4096, fragments_per_datagram: 8 };
        let mut scenario = Scenario::with(limits);
        let datagrams = [udp(53, 6000), udp(2049, 6000)];
        for (is_ipv6, identification, offset, len, more, is_snapped, snaplen, pause_ns) in parts {
            let from = 8 * offset;
            let to = (from + len).min(datagrams[0].len());
            let ip_version = if is_ipv6 { IpVersion::V6 } else { IpVersion::V4 };
            let snaplen = if is_snapped { snaplen } else { usize::MAX };
            let part = Part { ip_version, identification, from, to, more, snaplen, ..Part::default() };
            scenario.wait(pause_ns);
            scenario.add(&datagrams[usize::from(identification) % 2], part);
            prop_assert!(scenario.fragments.len() <= limits.datagrams);
            prop_assert!(scenario.fragments.buffered_bytes <= limits.buffered_bytes);
        }
        let events = &mut scenario.events;
        scenario.fragments.finish(|event| events.push(event));
        prop_assert_eq!((scenario.fragments.len(), scenario.fragments.buffered_bytes), (0, 0));
    }

    #[test]
    fn random_packets_do_no_harm(packet: Vec<u8>, offset in 0u16..40, version in 0usize..3) {
        let class = Class {
            network_offset: offset,
            ip_version: [None, Some(IpVersion::V4), Some(IpVersion::V6)][version],
            protocol: IpNumber::UDP.0,
            flags: flags::FRAGMENT | flags::DNS_FRAGMENT,
            ..Class::default()
        };
        Scenario::new().packet(&packet, &class);
    }
}
