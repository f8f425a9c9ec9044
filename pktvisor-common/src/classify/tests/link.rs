//! Link layers.

use super::*;

#[test]
fn ethernet_names_the_ip_version() {
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(0x0800, &dns_v4())), 4, 14);
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(0x86dd, &dns_v6())), 6, 14);
    assert_non_ip(&class_of(LinkType::ETHERNET, &ethernet(0x0806, &dns_v4())));
}

#[test]
fn a_version_nibble_that_disagrees_with_the_ethertype_is_malformed_of_the_ethertypes_version() {
    for (ethertype, payload, version) in [(0x0800, dns_v6(), 4), (0x86dd, dns_v4(), 6)] {
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
                assert_dns(&class, 4, 14 + 4 * tags);
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
    assert_dns(&class, 6, 14 + 16 + 8);
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
            assert_dns(&v4, 4, offset);
            let v6 = class_of(LinkType::ETHERNET, &ethernet(ethertype, &mpls(labels, &dns_v6())));
            assert_dns(&v6, 6, offset);
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
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(0x8864, &v4)), 4, 22);
    assert_dns(&class_of(LinkType::PPP_ETHER, &v4), 4, 8);
    let v6 = session([0x00, 0x57], 0, &dns_v6());
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(0x8864, &v6)), 6, 22);
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
        assert_dns(&class_of(LinkType::ETHERNET, &ethernet(53, &snap)), 4, 22);
    }
    let sap = join(&[&[6, 6, 3], &dns_v4()]);
    assert_dns(&class_of(LinkType::ETHERNET, &ethernet(48, &sap)), 4, 17);
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
    for (family, version) in [(2u32, 4), (10, 6), (23, 6), (24, 6), (28, 6), (30, 6)] {
        let payload = if version == 4 { dns_v4() } else { dns_v6() };
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
    assert_dns(&ppp(&[0xff, 0x03, 0x00, 0x21], &dns_v4()), 4, 4);
    assert_dns(&ppp(&[0xff, 0x03, 0x21], &dns_v4()), 4, 3);
    assert_dns(&ppp(&[0x00, 0x57], &dns_v6()), 6, 2);
    assert_dns(&ppp(&[0x57], &dns_v6()), 6, 1);
    assert_dns(&ppp(&[0x02, 0x81], &mpls(2, &dns_v6())), 6, 10);
    assert_non_ip(&ppp(&[0xff, 0x03, 0xc0, 0x21], &dns_v4()));
    assert_dns(&class_of(LinkType::PPP_WITH_DIR, &join(&[&[1, 0xff, 3, 0, 0x21], &dns_v4()])), 4, 5);
    assert_dns(&class_of(LinkType::PPP_SERIAL, &join(&[&[0xff, 3, 0, 0x21], &dns_v4()])), 4, 4);
    assert_dns(&class_of(LinkType::PPP_SERIAL, &join(&[&[0x0f, 0, 0x08, 0], &dns_v4()])), 4, 4);
    assert_dns(&class_of(LinkType::C_HDLC, &join(&[&[0x8f, 0, 0x86, 0xdd], &dns_v6()])), 6, 4);
}

#[test]
fn raw_ip_is_told_by_its_nibble_or_by_the_link_type() {
    for link_type in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD] {
        assert_dns(&class_of(link_type, &dns_v4()), 4, 0);
        assert_dns(&class_of(link_type, &dns_v6()), 6, 0);
        assert_non_ip(&class_of(link_type, &[0x50; 60]));
        assert_non_ip(&class_of(link_type, &[]));
    }
    assert_dns(&class_of(LinkType::IPV4, &dns_v4()), 4, 0);
    assert_dns(&class_of(LinkType::IPV6, &dns_v6()), 6, 0);
    let wrong = class_of(LinkType::IPV6, &dns_v4());
    assert_eq!((wrong.ip_version, wrong.flags), (6, flags::MALFORMED | flags::NO_ADDRESSES));
    let empty = class_of(LinkType::IPV4, &[]);
    assert_eq!((empty.ip_version, empty.flags), (4, flags::MALFORMED | flags::NO_ADDRESSES));
}

#[test]
fn linux_cooked_captures_carry_ethertypes_llc_and_vlan_tags() {
    let sll = |protocol: u16, payload: &[u8]| {
        class_of(LinkType::LINUX_SLL, &join(&[&[9; 14], &protocol.to_be_bytes(), payload]))
    };
    let sll2 = |protocol: u16, payload: &[u8]| {
        class_of(LinkType::LINUX_SLL2, &join(&[&protocol.to_be_bytes(), &[9; 18], payload]))
    };
    assert_dns(&sll(0x0800, &dns_v4()), 4, 16);
    assert_dns(&sll(0x86dd, &dns_v6()), 6, 16);
    assert_dns(&sll2(0x0800, &dns_v4()), 4, 20);
    assert_dns(&sll2(0x86dd, &dns_v6()), 6, 20);
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], &dns_v4()]);
    assert_dns(&sll(0x0004, &snap), 4, 24);
    assert_dns(&sll2(0x0004, &snap), 4, 28);
    let tagged = join(&[&[0, 7, 0x08, 0x00], &dns_v4()]);
    assert_dns(&sll(0x8100, &tagged), 4, 20);
    assert_dns(&sll2(0x8100, &tagged), 4, 24);
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
