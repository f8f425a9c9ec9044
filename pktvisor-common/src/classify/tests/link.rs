//! Link layers.

use super::*;

#[test]
fn ethernet_names_the_ip_version() {
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(0x0800, &dns_v4())), V4, 14);
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(0x86dd, &dns_v6())), V6, 14);
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(0x0806, &dns_v4())));
}

#[test]
fn a_version_nibble_that_disagrees_with_the_ethertype_is_malformed_of_the_ethertypes_version() {
    for (ethertype, payload, version) in [(0x0800, dns_v6(), V4), (0x86dd, dns_v4(), V6)] {
        let class = class_of(LinkType::ETHERNET, &ethernet(ethertype, &payload));
        assert_eq!(class.ip_version, version);
        assert_eq!(class.flags, flags::MALFORMED | flags::NO_ADDRESSES);
        assert_eq!((class.source, class.destination), ([0; 16], [0; 16]));
    }
}

#[test]
fn up_to_four_vlan_tags_are_looked_through() {
    for ethertype in [0x8100u16, 0x88a8, 0x9100] {
        for tags in 1..=5u16 {
            let mut packet = ethernet(ethertype, &[]);
            for _ in 1..tags {
                packet.extend([0, 7]);
                packet.extend(ethertype.to_be_bytes());
            }
            packet.extend([0, 7, 0x08, 0x00]);
            packet.extend(dns_v4());
            let class = class_of(LinkType::ETHERNET, &packet);
            assert!(class.has(flags::VLAN));
            if tags <= 4 {
                assert_dns(&class, V4, 14 + 4 * tags);
            } else {
                assert_non_ip(&class);
            }
        }
    }
}

#[test]
fn mixed_tags_with_snap_inside_are_looked_through() {
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd], &dns_v6()]);
    let inner = join(&[&[0, 1, 0x91, 0x00, 0, 2, 0x88, 0xa8, 0, 3, 0x81, 0x00, 0, 4, 0, 99], &snap]);
    let class = class_of(LinkType::ETHERNET, &ethernet(0x88a8, &inner));
    assert_dns(&class, V6, 14 + 16 + 8);
}

fn mpls(labels: usize, payload: &[u8]) -> Vec<u8> {
    let mut stack = [0, 1, 0x10, 64].repeat(labels);
    stack[labels * 4 - 2] |= 1;
    join(&[&stack, payload])
}

#[test]
fn up_to_16_mpls_labels_are_looked_through() {
    for ethertype in [0x8847, 0x8848] {
        for labels in [1, 2, 16] {
            let offset = 14 + 4 * labels as u16;
            let v4 = class_of(LinkType::ETHERNET, &ethernet(ethertype, &mpls(labels, &dns_v4())));
            assert_dns(&v4, V4, offset);
            let v6 = class_of(LinkType::ETHERNET, &ethernet(ethertype, &mpls(labels, &dns_v6())));
            assert_dns(&v6, V6, offset);
        }
        assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(ethertype, &mpls(17, &dns_v4()))));
    }
}

#[test]
fn mpls_with_anything_but_ip_is_non_ip() {
    // A pseudowire control word begins with nibble 0 (RFC 4385).
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(0x8847, &mpls(1, &[0; 64]))));
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(0x8847, &mpls(1, &[]))));
}

#[test]
fn pppoe_sessions_are_looked_through_but_not_discovery() {
    let session =
        |protocol: [u8; 2], code, payload: &[u8]| join(&[&[0x11, code, 0, 9, 0, 99], &protocol, payload]);
    let v4 = session([0x00, 0x21], 0, &dns_v4());
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(0x8864, &v4)), V4, 22);
    assert_dns(&class_of(LinkType::PPP_ETHER, &v4), V4, 8);
    let v6 = session([0x00, 0x57], 0, &dns_v6());
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(0x8864, &v6)), V6, 22);
    let discovery = session([0x00, 0x21], 9, &dns_v4());
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(0x8863, &discovery)));
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(0x8864, &discovery)));
    // Link control.
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(0x8864, &session([0xc0, 0x21], 0, &[1; 9]))));
}

#[test]
fn llc_carries_ip_by_snap_or_by_service_access_point() {
    for oui in [0x00, 0xf8] {
        let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, oui, 0x08, 0x00], &dns_v4()]);
        assert_dns(&class_of(LinkType::ETHERNET, &ethernet(53, &snap)), V4, 22);
    }
    let sap = join(&[&[6, 6, 3], &dns_v4()]);
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(48, &sap)), V4, 17);
    // Cisco's OUI (discovery protocol), spanning tree, and Novell's raw 802.3.
    let cdp = join(&[&[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x08, 0x00], &dns_v4()]);
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(53, &cdp)));
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(38, &[0x42, 0x42, 3, 0, 0, 0, 0, 0, 0])));
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(38, &[0xff; 40])));
    // A length where SNAP promises an EtherType.
    let nested = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 0x00, 0x30, 6, 6, 3], &dns_v4()]);
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(99, &nested)));
}

#[test]
fn bsd_loopback_is_read_in_either_byte_order() {
    for (family, version) in [(2u32, V4), (10, V6), (23, V6), (24, V6), (28, V6), (30, V6)] {
        let payload = if version == V4 { dns_v4() } else { dns_v6() };
        for order in [family.to_be_bytes(), family.to_le_bytes()] {
            assert_dns(&class_of(LinkType::NULL, &join(&[&order, &payload])), version, 4);
            assert_dns(&class_of(LinkType::LOOP, &join(&[&order, &payload])), version, 4);
        }
    }
    // AppleTalk, and a family in the middle of the word.
    assert_non_ip(&class_of(LinkType::NULL, &join(&[&[16, 0, 0, 0], &dns_v4()])));
    assert_non_ip(&class_of(LinkType::NULL, &join(&[&[0, 2, 0, 0], &dns_v4()])));
}

#[test]
fn ppp_is_read_with_and_without_address_and_compression() {
    let ppp = |header: &[u8], payload: &[u8]| class_of(LinkType::PPP, &join(&[header, payload]));
    assert_dns(&ppp(&[0xff, 0x03, 0x00, 0x21], &dns_v4()), V4, 4);
    assert_dns(&ppp(&[0xff, 0x03, 0x21], &dns_v4()), V4, 3);
    assert_dns(&ppp(&[0x00, 0x57], &dns_v6()), V6, 2);
    assert_dns(&ppp(&[0x57], &dns_v6()), V6, 1);
    assert_dns(&ppp(&[0x02, 0x81], &mpls(2, &dns_v6())), V6, 10);
    assert_non_ip(&ppp(&[0xff, 0x03, 0xc0, 0x21], &dns_v4()));
    assert_dns(&class_of(LinkType::PPP_WITH_DIR, &join(&[&[1, 0xff, 3, 0, 0x21], &dns_v4()])), V4, 5);
    assert_dns(&class_of(LinkType::PPP_SERIAL, &join(&[&[0xff, 3, 0, 0x21], &dns_v4()])), V4, 4);
    assert_dns(&class_of(LinkType::PPP_SERIAL, &join(&[&[0x0f, 0, 0x08, 0], &dns_v4()])), V4, 4);
    assert_dns(&class_of(LinkType::C_HDLC, &join(&[&[0x8f, 0, 0x86, 0xdd], &dns_v6()])), V6, 4);
}

#[test]
fn the_version_of_raw_ip_is_in_its_nibble_or_in_the_link_type() {
    for link_type in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD] {
        assert_dns(&class_of(link_type, &dns_v4()), V4, 0);
        assert_dns(&class_of(link_type, &dns_v6()), V6, 0);
        assert_non_ip(&class_of(link_type, &[0x50; 60]));
        assert_non_ip(&class_of(link_type, &[]));
    }
    assert_dns(&class_of(LinkType::IPV4, &dns_v4()), V4, 0);
    assert_dns(&class_of(LinkType::IPV6, &dns_v6()), V6, 0);
    let wrong = class_of(LinkType::IPV6, &dns_v4());
    assert_eq!((wrong.ip_version, wrong.flags), (V6, flags::MALFORMED | flags::NO_ADDRESSES));
    let empty = class_of(LinkType::IPV4, &[]);
    assert_eq!((empty.ip_version, empty.flags), (V4, flags::MALFORMED | flags::NO_ADDRESSES));
}

#[test]
fn linux_cooked_captures_carry_ethertypes_llc_and_vlan_tags() {
    let sll = |protocol: u16, payload: &[u8]| {
        class_of(LinkType::LINUX_SLL, &join(&[&[9; 14], &protocol.to_be_bytes(), payload]))
    };
    let sll2 = |protocol: u16, payload: &[u8]| {
        class_of(LinkType::LINUX_SLL2, &join(&[&protocol.to_be_bytes(), &[9; 18], payload]))
    };
    assert_dns(&sll(0x0800, &dns_v4()), V4, 16);
    assert_dns(&sll(0x86dd, &dns_v6()), V6, 16);
    assert_dns(&sll2(0x0800, &dns_v4()), V4, 20);
    assert_dns(&sll2(0x86dd, &dns_v6()), V6, 20);
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], &dns_v4()]);
    assert_dns(&sll(0x0004, &snap), V4, 24);
    assert_dns(&sll2(0x0004, &snap), V4, 28);
    let tagged = join(&[&[0, 7, 0x08, 0x00], &dns_v4()]);
    assert_dns(&sll(0x8100, &tagged), V4, 20);
    assert_dns(&sll2(0x8100, &tagged), V4, 24);
    // Novell's raw 802.3, and CAN.
    assert_non_ip(&sll(0x0001, &snap));
    assert_non_ip(&sll2(0x000c, &snap));
}

#[test]
fn packets_of_unsupported_link_types_are_non_ip() {
    for number in 0..=u16::MAX {
        let link_type = LinkType(number);
        if !link_type.is_supported() {
            assert_non_ip(&class_of(link_type, &ethernet(0x0800, &dns_v4())));
        }
    }
    assert!(LinkType::LINUX_SLL2.is_supported() && !LinkType(105).is_supported());
}

/// Behind an EtherType: 802.1ah, 802.1BR, VN-tag and Cisco MetaData of one and two units, each
/// before `ethertype`.
fn tags_before(ethertype: u16) -> [(u16, Vec<u8>); 5] {
    let ethertype = ethertype.to_be_bytes();
    [
        (0x88e7, join(&[&[0, 0, 0, 1], &[2; 6], &[4; 6], &ethertype])),
        (0x893f, join(&[&[0; 6], &ethertype])),
        (0x8926, join(&[&[0x80, 1, 0, 2], &ethertype])),
        (0x8909, join(&[&[1, 1, 0, 1, 0, 6], &ethertype])),
        (0x8909, join(&[&[1, 2, 0, 1, 0, 6], &[0; 8], &ethertype])),
    ]
}

#[test]
fn tags_of_bridges_switches_and_taps_are_looked_through() {
    for (tag, bytes) in tags_before(0x0800) {
        let packet = ethernet(tag, &join(&[&bytes, &dns_v4()]));
        let class = class_of(LinkType::ETHERNET, &packet);
        assert_dns(&class, V4, 14 + bytes.len() as u16);
        assert!(!class.has(flags::VLAN));
        // As they come: behind a VLAN tag, and with one inside.
        let inside = join(&[&bytes[..bytes.len() - 2], &[0x81, 0, 0, 7, 0x86, 0xdd], &dns_v6()]);
        let packet = ethernet(0x88a8, &join(&[&[0, 9], &tag.to_be_bytes(), &inside]));
        let class = class_of(LinkType::ETHERNET, &packet);
        assert_dns(&class, V6, 14 + 4 + bytes.len() as u16 + 4);
        assert!(class.has(flags::VLAN));
        // Linux's cooked captures have the same EtherTypes.
        let cooked = join(&[&[9; 14], &tag.to_be_bytes(), &bytes, &dns_v4()]);
        assert_dns(&class_of(LinkType::LINUX_SLL, &cooked), V4, 16 + bytes.len() as u16);
    }
    // An LLC frame in a provider's backbone.
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0], &dns_v4()]);
    let [(tag, bytes), ..] = tags_before(snap.len() as u16);
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(tag, &join(&[&bytes, &snap]))), V4, 14 + 18 + 8);
}

#[test]
fn a_tag_that_is_cut_or_of_no_length_is_non_ip() {
    for (tag, bytes) in tags_before(0x0800) {
        for len in 0..bytes.len() {
            assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(tag, &bytes[..len])));
        }
        let class = class_of(LinkType::ETHERNET, &ethernet(tag, &bytes));
        assert_eq!((class.ip_version, class.flags), (V4, flags::MALFORMED | flags::NO_ADDRESSES));
    }
    let no_length = join(&[&[1, 0, 0, 1, 0, 6, 8, 0], &dns_v4()]);
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(0x8909, &no_length)));
}

#[test]
fn up_to_four_tags_that_are_no_vlan_tags_are_looked_through() {
    for count in 1..=6 {
        for kind in 0..5 {
            let [(tag, _), ..] = {
                let mut tags = tags_before(0);
                tags.rotate_left(kind);
                tags
            };
            let mut inner = join(&[&tags_before(0x0800)[kind].1, &dns_v4()]);
            for _ in 1..count {
                inner = join(&[&tags_before(tag)[kind].1, &inner]);
            }
            let class = class_of(LinkType::ETHERNET, &ethernet(tag, &inner));
            if count <= 4 {
                assert!(class.has(flags::DNS_UDP), "{tag:x} {count}")
            } else {
                assert_non_ip(&class)
            }
        }
    }
    // Every limit at once.
    let mut inner = join(&[&[0, 1, 0x08, 0], &dns_v4()]);
    for _ in 1..4 {
        inner = join(&[&[0, 1, 0x81, 0], &inner]);
    }
    let mut inside = 0x8100;
    for kind in 0..4 {
        let (tag, bytes) = &tags_before(inside)[kind];
        inner = join(&[bytes, &inner]);
        inside = *tag;
    }
    assert!(class_of(LinkType::ETHERNET, &ethernet(inside, &inner)).has(flags::DNS_UDP));
}

#[test]
fn an_unexpected_ethertype_is_reported() {
    let unknown = |packet: &[u8]| class_of(LinkType::ETHERNET, packet).unknown_ethertype;
    for ethertype in [0x88e5_u16, 0x22f3, 0x894f, 0x4305, 0xfffe] {
        let bytes = ethertype.to_be_bytes();
        assert_eq!(unknown(&ethernet(ethertype, &dns_v4())), ethertype);
        assert_eq!(unknown(&ethernet(0x8100, &join(&[&[0, 1], &bytes, &dns_v4()]))), ethertype);
        assert_eq!(unknown(&ethernet(53, &join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &bytes]))), ethertype);
        for (tag, bytes) in tags_before(ethertype) {
            assert_eq!(unknown(&ethernet(tag, &bytes)), ethertype);
        }
    }
    // ARP, LLDP, LACP, PPPoE discovery and 802.1X are nothing to warn of; nor are frames that are
    // cut, LLC, or too deep.
    for ethertype in [0x0806, 0x88cc, 0x8809, 0x8863, 0x888e, 0x9000, 0x8100, 0x88e7, 0x8847, 0x8864, 53] {
        assert_eq!(unknown(&ethernet(ethertype, &[0; 3])), 0, "{ethertype:x}");
    }
    assert_eq!(unknown(&ethernet(0x8100, &[0, 7, 0x81, 0].repeat(9))), 0);
    assert_eq!((unknown(&ethernet(0x0800, &dns_v4())), unknown(&[])), (0, 0));
}

#[test]
fn fddi_carries_llc() {
    let fddi = |frame_control: u8, llc: &[u8]| {
        class_of(LinkType::FDDI, &join(&[&[frame_control], &[2; 6], &[4; 6], llc]))
    };
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd], &dns_v6()]);
    for frame_control in [0x50, 0x54, 0x57, 0xd0] {
        assert_dns(&fddi(frame_control, &snap), V6, 21);
    }
    // Station management, a token, a ring's own frame.
    for frame_control in [0x41, 0x4f, 0x80, 0xc0, 0xc2, 0x00] {
        assert_non_ip(&fddi(frame_control, &snap));
    }
    for len in 0..21 {
        let packet = join(&[&[0x50], &[2; 12], &snap]);
        assert_non_ip(&class_of(LinkType::FDDI, &packet[..len]));
    }
}

#[test]
fn a_netfilter_log_holds_its_packet_among_attributes_in_either_byte_order() {
    type Order = fn(u16) -> [u8; 2];
    for order in [u16::to_be_bytes as Order, u16::to_le_bytes] {
        let attribute = |kind: u16, value: &[u8]| {
            let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
            join(&[&order(4 + value.len() as u16), &order(kind), value, &padding])
        };
        let before =
            join(&[&attribute(1, &[8, 0, 1, 0]), &attribute(10, b"logged\0"), &attribute(0x4002, &[0; 4])]);
        let log = |family: u8, packet: &[u8]| {
            class_of(
                LinkType::NFLOG,
                &join(&[&[family, 0, 0, 5], &before, &attribute(9, packet), &attribute(11, &[0; 4])]),
            )
        };
        let offset = 4 + 8 + 12 + 8 + 4;
        assert_dns(&log(2, &dns_v4()), V4, offset);
        assert_dns(&log(10, &dns_v6()), V6, offset);
        assert_non_ip(&log(3, &dns_v4()));
        assert_non_ip(&class_of(LinkType::NFLOG, &join(&[&[2, 0, 0, 5], &attribute(1, &[8, 0, 1, 0])])));
        // An attribute without length would be read for ever.
        assert_non_ip(&class_of(
            LinkType::NFLOG,
            &join(&[&[2, 0, 0, 5], &[order(0), order(1)].concat().repeat(40)]),
        ));
    }
}
