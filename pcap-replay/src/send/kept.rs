//! A capture kept in memory, so that only its first round reads the file.

use capture_file::{ByteOrder, PacketRef};

/// Most bytes of packets that are kept. A longer capture is read again in each round.
const MOST_BYTES: usize = 256 << 20;
/// The number of shortest packets in that many bytes.
const MOST_PACKETS: usize = MOST_BYTES / 64;

/// Packets in the order in which they were read.
#[derive(Default)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    packets: Vec<KeptPacket>,
    overflowed: bool,
}

struct KeptPacket {
    timestamp_ns: u64,
    /// The end in `bytes`; a packet begins at the end of the one before.
    end: usize,
    wire_len: u32,
    link_type: u16,
}

impl Kept {
    /// Keeps a packet, or discards all packets when they exceed the limit.
    pub(super) fn add(&mut self, packet: &PacketRef<'_>) {
        if self.overflowed {
            return;
        }
        if self.bytes.len() + packet.data.len() > MOST_BYTES || self.packets.len() == MOST_PACKETS {
            *self = Self { overflowed: true, ..Self::default() };
            return;
        }
        self.bytes.extend_from_slice(packet.data);
        let PacketRef { timestamp_ns, wire_len, link_type, .. } = *packet;
        self.packets.push(KeptPacket { timestamp_ns, end: self.bytes.len(), wire_len, link_type });
    }

    /// All packets, or `None` if they exceeded the limit.
    pub(super) fn packets(&self) -> Option<impl Iterator<Item = PacketRef<'_>>> {
        let mut start = 0;
        let lent = move |packet: &KeptPacket| {
            let &KeptPacket { timestamp_ns, end, wire_len, link_type } = packet;
            let data = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            PacketRef {
                timestamp_ns,
                has_timestamp: true,
                data,
                wire_len,
                link_type,
                interface: 0,
                byte_order: ByteOrder::NATIVE,
            }
        };
        (!self.overflowed).then(|| self.packets.iter().map(lent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(data: &[u8], timestamp_ns: u64) -> PacketRef<'_> {
        PacketRef {
            timestamp_ns,
            has_timestamp: true,
            data,
            wire_len: 100,
            link_type: 1,
            interface: 0,
            byte_order: ByteOrder::NATIVE,
        }
    }

    #[test]
    fn packets_are_kept_as_they_were() {
        let packets = [packet(b"first", 1), packet(b"", 2), packet(b"third", 3)];
        let mut kept = Kept::default();
        packets.iter().for_each(|packet| kept.add(packet));
        assert_eq!(kept.packets().unwrap().collect::<Vec<_>>(), packets);
        assert_eq!(kept.packets().unwrap().count(), 3, "as often as asked for");
    }

    #[test]
    fn packets_beyond_the_limit_are_not_kept_at_all() {
        let mut kept = Kept { bytes: vec![0; MOST_BYTES], ..Kept::default() };
        kept.add(&packet(b"x", 1));
        assert!(kept.packets().is_none() && kept.bytes.is_empty());
        kept.add(&packet(b"y", 2));
        assert!(kept.packets().is_none(), "a part would be wrong");
    }
}
