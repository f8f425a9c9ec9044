//! Packets that are not yet due: conversations are planned as a whole and interleave here by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::facts::Facts;

/// A packet and its facts.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueuedPacket {
    pub(crate) data: Vec<u8>,
    pub(crate) facts: Facts,
}

/// Packets by time; those of the same time in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct PacketQueue {
    due: BinaryHeap<Reverse<(u64, u64, u32)>>,
    /// Buffers, which are reused.
    slots: Vec<QueuedPacket>,
    free: Vec<u32>,
    added: u64,
}

impl PacketQueue {
    /// The number of packets added so far.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// Adds a packet due at `at_ns` and returns it, empty, to be filled.
    pub(crate) fn add(&mut self, at_ns: u64) -> &mut QueuedPacket {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(QueuedPacket::default());
            (self.slots.len() - 1) as u32
        });
        self.due.push(Reverse((at_ns, self.added, slot)));
        self.added += 1;
        let packet = &mut self.slots[slot as usize];
        packet.data.clear();
        packet.facts.ip = None;
        packet.facts.vlan = false;
        packet.facts.messages.clear();
        packet
    }

    /// The time of the next packet.
    pub(crate) fn next_due_ns(&self) -> Option<u64> {
        self.due.peek().map(|Reverse((at_ns, ..))| *at_ns)
    }

    /// Takes the next packet; its buffers stay readable by [`PacketQueue::packet`] until the next
    /// call of `add`.
    pub(crate) fn pop(&mut self) -> Option<(u64, u32)> {
        let Reverse((at_ns, _, slot)) = self.due.pop()?;
        self.free.push(slot);
        Some((at_ns, slot))
    }

    /// Most packets that the queue has held at once.
    #[cfg(test)]
    pub(crate) fn len_max(&self) -> usize {
        self.slots.len()
    }

    /// The packet in a slot.
    pub(crate) fn packet(&self, slot: u32) -> &QueuedPacket {
        &self.slots[slot as usize]
    }
}
