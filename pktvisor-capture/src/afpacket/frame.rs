//! One frame of a block: the kernel's header, and the packet behind it, restored to its form on the
//! wire.
//!
//! Behind the header (`struct tpacket3_hdr`) follows the address of the interface (`struct
//! sockaddr_ll`), then, directly before the packet, the virtio header of `PACKET_VNET_HDR`. It
//! holds the number of packets on the wire that offload merged.

use std::mem::{offset_of, size_of};

use libc::{sockaddr_ll, tpacket_hdr_variant1, tpacket3_hdr};
use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_common::wire::Wire;

use super::VirtioHeader;
use super::bytes::{u16_at, u32_at};
use super::offload;

/// Bytes before the packet's address: the header, aligned to 16 bytes.
const ADDRESS_OFFSET: usize = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// The two Ethernet addresses, behind which a VLAN tag stands.
const ETHERNET_ADDRESSES_BYTES: usize = 12;
/// Tag protocol and tag.
const VLAN_TAG_BYTES: usize = 4;

/// A link layer of the interface (`ARPHRD_`) that libc does not name: 802.11 with a radiotap
/// header.
const ARPHRD_IEEE80211_RADIOTAP: u16 = 803;

/// The kernel's header of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// Bytes from this frame to the next one.
    pub(super) next_offset: usize,
    timestamp_ns: u64,
    captured_len: usize,
    original_len: u32,
    status: u32,
    /// Offset of the packet's first byte.
    mac: usize,
    /// Offset of its network header.
    net: usize,
    vlan_tci: u16,
    vlan_tpid: u16,
    hatype: u16,
    packet_type: u8,
}

impl FrameHeader {
    /// Reads the header that `frame` begins with.
    pub(super) fn read(frame: &[u8]) -> Option<Self> {
        const VARIANT: usize = offset_of!(tpacket3_hdr, hv1);
        let sec = u64::from(u32_at(frame, offset_of!(tpacket3_hdr, tp_sec))?);
        let nsec = u64::from(u32_at(frame, offset_of!(tpacket3_hdr, tp_nsec))?);
        Some(Self {
            next_offset: u32_at(frame, offset_of!(tpacket3_hdr, tp_next_offset))? as usize,
            timestamp_ns: sec * 1_000_000_000 + nsec,
            captured_len: u32_at(frame, offset_of!(tpacket3_hdr, tp_snaplen))? as usize,
            original_len: u32_at(frame, offset_of!(tpacket3_hdr, tp_len))?,
            status: u32_at(frame, offset_of!(tpacket3_hdr, tp_status))?,
            mac: usize::from(u16_at(frame, offset_of!(tpacket3_hdr, tp_mac))?),
            net: usize::from(u16_at(frame, offset_of!(tpacket3_hdr, tp_net))?),
            vlan_tci: u32_at(frame, VARIANT + offset_of!(tpacket_hdr_variant1, tp_vlan_tci))? as u16,
            vlan_tpid: u16_at(frame, VARIANT + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid))?,
            hatype: u16_at(frame, ADDRESS_OFFSET + offset_of!(sockaddr_ll, sll_hatype))?,
            packet_type: *frame.get(ADDRESS_OFFSET + offset_of!(sockaddr_ll, sll_pkttype))?,
        })
    }

    /// Whether it is the copy of a packet on the loopback interface that is seen again as it
    /// arrives.
    pub(super) fn is_seen_twice(&self) -> bool {
        self.hatype == libc::ARPHRD_LOOPBACK && self.packet_type == libc::PACKET_OUTGOING
    }

    /// The tag that the kernel or the device took out of the frame, with its protocol.
    fn tag(&self) -> Option<[u8; VLAN_TAG_BYTES]> {
        if self.status & libc::TP_STATUS_VLAN_VALID == 0 {
            return None;
        }
        let tpid = match self.status & libc::TP_STATUS_VLAN_TPID_VALID {
            0 => libc::ETH_P_8021Q as u16,
            _ => self.vlan_tpid,
        };
        let ([a, b], [c, d]) = (tpid.to_be_bytes(), self.vlan_tci.to_be_bytes());
        Some([a, b, c, d])
    }

    /// The packet of the frame that this header was read from, and its size on the wire. `None` if
    /// the header makes no sense.
    pub(super) fn packet<'a>(
        &self,
        frame: &'a mut [u8],
        virtio_header: VirtioHeader,
    ) -> Option<(Packet<'a>, Wire)> {
        let end = self.mac.checked_add(self.captured_len)?;
        let link_type = link_type(self.hatype);
        // Devices without a link layer of their own may still keep something before the network
        // header (PPP, tunnels).
        let mut start = if link_type == LinkType::RAW { self.net.max(self.mac) } else { self.mac };
        let mut wire = match virtio_header {
            VirtioHeader::Present => {
                offload::wire(frame.get(..end)?, self.mac, self.original_len, link_type, start)
            }
            VirtioHeader::Absent => Wire::single(self.original_len),
        };
        wire.take_from_each((start - self.mac) as u32);
        if let Some(tag) = self.tag().filter(|_| link_type == LinkType::ETHERNET) {
            start = put_back(tag, frame, start)?;
            wire.add_to_each(VLAN_TAG_BYTES as u32);
        }
        let packet = Packet {
            timestamp_ns: self.timestamp_ns,
            stamp: Stamp::Own,
            data: frame.get(start..end)?,
            wire_len: wire.bytes,
            link_type,
            segments: u16::try_from(wire.packets).unwrap_or(u16::MAX),
        };
        Some((packet, wire))
    }
}

/// Puts a VLAN tag behind the addresses of the Ethernet frame at `start`, as it was on the wire.
/// The addresses move over the bytes before them, which have been read. Returns the new start.
fn put_back(tag: [u8; VLAN_TAG_BYTES], frame: &mut [u8], start: usize) -> Option<usize> {
    let addresses = start..start + ETHERNET_ADDRESSES_BYTES;
    let new_start = start.checked_sub(VLAN_TAG_BYTES)?;
    let new_end = new_start + ETHERNET_ADDRESSES_BYTES;
    frame.get(addresses.clone())?;
    frame.copy_within(addresses, new_start);
    frame.get_mut(new_end..new_end + VLAN_TAG_BYTES)?.copy_from_slice(&tag);
    Some(new_start)
}

/// The first header in the frames of such a device. If the link layer is unknown, the packet begins
/// at the network header.
fn link_type(hatype: u16) -> LinkType {
    match hatype {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => LinkType::ETHERNET,
        libc::ARPHRD_IEEE80211 => LinkType(105),
        ARPHRD_IEEE80211_RADIOTAP => LinkType(127),
        _ => LinkType::RAW,
    }
}
