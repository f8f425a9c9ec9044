//! Packets on their way to the thread that analyses them: copies, because the reader lends a packet
//! only until the next one.

use pktvisor_analysis::{Analysis, Observer};
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::{Class, LinkType};
use pktvisor_common::packet::{Packet, Stamp};

/// A batch with so many bytes is full. It may have more by its last packet.
const BYTES_MAX: usize = 256 << 10;

/// Octets of a packet that are kept. The offset and the length of a payload have 16 bits each, so
/// analysis never looks behind them.
const PACKET_BYTES_MAX: usize = 1 << 17;

/// Packets in the order of the capture, and what to do behind the last one.
#[derive(Debug, Default)]
pub(super) struct PacketBatch {
    packets: Vec<HeldPacket>,
    bytes: Vec<u8>,
    advance_to_ns: Option<u64>,
}

/// A [`Packet`] whose bytes are in the batch.
#[derive(Debug)]
struct HeldPacket {
    class: Class,
    timestamp_ns: u64,
    start: u32,
    len: u32,
    wire_len: u32,
    link_type: LinkType,
    stamp: Stamp,
}

impl PacketBatch {
    /// The number of packets.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.advance_to_ns.is_none()
    }

    /// Whether the bytes of the packets are enough for a batch.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= BYTES_MAX
    }

    /// Adds a packet, which was one packet on the wire.
    #[inline]
    pub(super) fn add(&mut self, packet: &Packet<'_>, class: &Class) {
        let data = packet.data.get(..PACKET_BYTES_MAX).unwrap_or(packet.data);
        self.packets.push(HeldPacket {
            class: *class,
            timestamp_ns: packet.timestamp_ns,
            start: self.bytes.len() as u32,
            len: data.len() as u32,
            wire_len: packet.wire_len,
            link_type: packet.link_type,
            stamp: packet.stamp,
        });
        self.bytes.extend_from_slice(data);
    }

    /// Moves the time of the analysis to `now_ns` behind the last packet.
    pub(super) fn advance_to(&mut self, now_ns: u64) {
        self.advance_to_ns = Some(now_ns);
    }

    /// Analyses all packets and forgets them.
    pub(super) fn analyse(&mut self, analysis: &mut Analysis<HostSet>, out: &mut impl Observer) {
        for held in &self.packets {
            let start = held.start as usize;
            let packet = Packet {
                timestamp_ns: held.timestamp_ns,
                stamp: held.stamp,
                data: self.bytes.get(start..start + held.len as usize).unwrap_or_default(),
                wire_len: held.wire_len,
                link_type: held.link_type,
                segments: 1,
            };
            analysis.packet(&packet, &held.class, out);
        }
        if let Some(now_ns) = self.advance_to_ns.take() {
            analysis.advance(now_ns, out);
        }
        self.packets.clear();
        self.bytes.clear();
    }
}
