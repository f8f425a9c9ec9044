//! Frames as the kernel lays them out, and frames as it never does.

use std::mem::{offset_of, size_of};

use libc::{sockaddr_ll, tpacket_hdr_variant1, tpacket3_hdr};
use pktvisor_common::classify::LinkType;
use proptest::prelude::*;

use super::VirtioHeader;
use super::frame::FrameHeader;
use super::offload::HEADER_BYTES;

const ADDRESS: usize = size_of::<tpacket3_hdr>();
const VARIANT: usize = offset_of!(tpacket3_hdr, hv1);
/// Where these tests put the packet.
const MAC: usize = 96;

/// A frame that is built field by field.
struct Frame(Vec<u8>);

impl Frame {
    fn holding(packet: &[u8]) -> Self {
        let mut frame = Self(vec![0; MAC]);
        frame.0.extend_from_slice(packet);
        let len = packet.len() as u32;
        frame
            .u32(offset_of!(tpacket3_hdr, tp_sec), 1_700_000_000)
            .u32(offset_of!(tpacket3_hdr, tp_nsec), 5)
            .u32(offset_of!(tpacket3_hdr, tp_snaplen), len)
            .u32(offset_of!(tpacket3_hdr, tp_len), len)
            .u16(offset_of!(tpacket3_hdr, tp_mac), MAC as u16)
            .u16(offset_of!(tpacket3_hdr, tp_net), MAC as u16 + 14)
            .u16(ADDRESS + offset_of!(sockaddr_ll, sll_hatype), libc::ARPHRD_ETHER)
    }

    fn u32(mut self, offset: usize, value: u32) -> Self {
        self.0[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
        self
    }

    fn u16(mut self, offset: usize, value: u16) -> Self {
        self.0[offset..offset + 2].copy_from_slice(&value.to_ne_bytes());
        self
    }

    fn tagged(self, status: u32, tpid: u16, tci: u16) -> Self {
        self.u32(offset_of!(tpacket3_hdr, tp_status), status)
            .u32(VARIANT + offset_of!(tpacket_hdr_variant1, tp_vlan_tci), u32::from(tci))
            .u16(VARIANT + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid), tpid)
    }

    /// With the virtio header of an offloaded packet.
    fn offloaded(mut self, flags: u8, kind: u8, segment: u16, checksum_start: u16) -> Self {
        self.0[MAC - HEADER_BYTES] = flags;
        self.0[MAC - HEADER_BYTES + 1] = kind;
        self.u16(MAC - HEADER_BYTES + 4, segment).u16(MAC - HEADER_BYTES + 6, checksum_start)
    }

    fn of_device(self, hatype: u16, packet_type: u8) -> Self {
        let mut frame = self.u16(ADDRESS + offset_of!(sockaddr_ll, sll_hatype), hatype);
        frame.0[ADDRESS + offset_of!(sockaddr_ll, sll_pkttype)] = packet_type;
        frame
    }

    /// The packet's bytes, length on the wire, segments and link type.
    fn packet(&mut self) -> (Vec<u8>, u32, u16, LinkType) {
        let header = FrameHeader::read(&self.0).unwrap();
        let (packet, wire) = header.packet(&mut self.0, VirtioHeader::Present).unwrap();
        assert_eq!((packet.wire_len, u32::from(packet.segments)), (wire.bytes, wire.packets));
        assert_eq!(packet.timestamp_ns, 1_700_000_000_000_000_005);
        (packet.data.to_vec(), packet.wire_len, packet.segments, packet.link_type)
    }
}

/// Ethernet, IPv4 and TCP headers of 54 bytes, then `payload` bytes.
fn tcp(payload: usize) -> Vec<u8> {
    let mut packet = vec![0; 54 + payload];
    packet[12..14].copy_from_slice(&[0x08, 0x00]);
    packet[14] = 0x45;
    packet[16..18].copy_from_slice(&(40 + payload as u16).to_be_bytes());
    packet[23] = 6;
    packet[46] = 5 << 4;
    packet
}

#[test]
fn a_packet_is_lent_as_it_came() {
    let packet = tcp(10);
    let (data, wire_len, segments, link_type) = Frame::holding(&packet).packet();
    assert_eq!((data, wire_len, segments, link_type), (packet, 64, 1, LinkType::ETHERNET));
}

#[test]
fn a_tag_goes_back_behind_the_addresses() {
    let valid = libc::TP_STATUS_VLAN_VALID;
    for (status, tpid, expected) in [
        (valid | libc::TP_STATUS_VLAN_TPID_VALID, 0x88a8, [0x88, 0xa8, 0x20, 7]),
        (valid, 0, [0x81, 0, 0x20, 7]),
    ] {
        let packet: Vec<u8> = (0..60).collect();
        let (data, wire_len, ..) = Frame::holding(&packet).tagged(status, tpid, 0x2007).packet();
        assert_eq!(data, [&packet[..12], &expected, &packet[12..]].concat());
        assert_eq!(wire_len, 64);
    }
}

#[test]
fn an_offloaded_packet_counts_its_segments_and_their_headers() {
    // Whether the device says where the transport header is or not.
    for flags in [0, 1] {
        let frame = Frame::holding(&tcp(3000)).offloaded(flags, 1, 1448, 34);
        let (_, wire_len, segments, _) = { frame }.packet();
        assert_eq!((wire_len, segments), (3 * 54 + 3000, 3), "flags {flags}");
    }
}

#[test]
fn each_segment_of_a_tagged_packet_has_the_tag() {
    let frame = Frame::holding(&tcp(3000)).offloaded(1, 1, 1448, 34);
    let (_, wire_len, segments, _) = frame.tagged(libc::TP_STATUS_VLAN_VALID, 0, 5).packet();
    assert_eq!((wire_len, segments), (3 * 58 + 3000, 3));
}

#[test]
fn a_device_without_link_layer_gives_packets_from_the_network_header_on() {
    let packet = tcp(10);
    let frame = Frame::holding(&packet).of_device(libc::ARPHRD_PPP, libc::PACKET_HOST);
    let (data, wire_len, _, link_type) = { frame }.packet();
    assert_eq!((data.as_slice(), wire_len, link_type), (&packet[14..], 50, LinkType::RAW));
}

#[test]
fn only_the_loopback_interface_shows_a_packet_twice() {
    let twice = |hatype, packet_type| {
        FrameHeader::read(&Frame::holding(&[0; 60]).of_device(hatype, packet_type).0).unwrap().is_seen_twice()
    };
    assert!(twice(libc::ARPHRD_LOOPBACK, libc::PACKET_OUTGOING));
    assert!(!twice(libc::ARPHRD_LOOPBACK, libc::PACKET_HOST));
    assert!(!twice(libc::ARPHRD_ETHER, libc::PACKET_OUTGOING));
}

proptest! {
    #[test]
    fn no_header_leads_outside_of_the_block(
        mut frame in prop::collection::vec(any::<u8>(), 0..400),
        mac in any::<u8>(),
        len in any::<u8>(),
        status in any::<u8>(),
    ) {
        // Half plausible, so that the later steps are reached.
        if frame.len() > 100 {
            let put = |frame: &mut Vec<u8>, offset: usize, value: u32| {
                frame[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
            };
            put(&mut frame, offset_of!(tpacket3_hdr, tp_snaplen), u32::from(len));
            put(&mut frame, offset_of!(tpacket3_hdr, tp_status), u32::from(status));
            put(&mut frame, offset_of!(tpacket3_hdr, tp_mac), u32::from(mac));
            frame[ADDRESS + offset_of!(sockaddr_ll, sll_hatype)] = 1;
            frame[ADDRESS + offset_of!(sockaddr_ll, sll_hatype) + 1] = 0;
        }
        if let Some(header) = FrameHeader::read(&frame)
            && let Some((packet, _)) = header.packet(&mut frame, VirtioHeader::Present)
        {
            prop_assert!(packet.segments >= 1);
        }
    }
}
