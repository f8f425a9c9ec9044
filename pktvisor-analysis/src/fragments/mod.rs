//! Reassembles DNS messages in fragmented UDP datagrams (RFC 791 section 3.2, RFC 8200 section
//! 4.5).
//!
//! Only the first fragment of a datagram has ports, so the other ones may or may not belong to a DNS
//! message:
//!
//! - In IPv6 the fragmentable part may begin with extension headers. Then the later fragments carry
//!   the number of the first extension header, and UDP is found when the datagram is complete. So
//!   this number never decides which fragments belong together.
//! - A first fragment with a DNS port makes its datagram wanted. Any other first fragment makes it
//!   unwanted, and its later fragments are dropped. A later fragment that arrives before its first
//!   one waits.
//! - A datagram is a message when all of it has arrived. Bytes that arrive twice count as they
//!   arrived first. After 30 s the datagram is given up and counted: as incomplete if it was DNS, as
//!   unidentified if its first fragment was never seen.
//! - A snapped fragment counts as complete for the datagram. The message is then truncated at the
//!   first byte that was not captured; there is no message if that lies within the DNS header.
//! - Memory has two ceilings ([`FragmentLimits`]). The datagram that has waited longest is dropped
//!   first, and counted.

mod assembly;
mod header;
#[cfg(test)]
mod tests;

use assembly::{Assembly, Impossible};
use etherparse::{IpNumber, UdpHeaderSlice};
use header::{DatagramKey, Fragment, walk_extensions};
use pktvisor_common::address::IpVersion;
use pktvisor_common::classify::{Captured, Class, DnsPorts, flags};

use crate::flow::{Flow, Transport};
use crate::observer::ReassemblyEvent;
use crate::table::{SlotId, Table};

/// The maximum time for a datagram to become complete, in nanoseconds of packet time.
pub const DATAGRAM_TIMEOUT_NS: u64 = 30_000_000_000;
/// RFC 1035 section 4.1.1: no message is shorter than its header.
const HEADER_LEN: usize = 12;
/// Memory that is kept for the next datagram, in bytes. Most datagrams fit into it (RFC 9715
/// recommends 1,400).
const SPARE_MAX: usize = 8 * 1024;

/// Ceilings of a [`Fragments`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentLimits {
    /// Number of datagrams at a time.
    pub datagrams: usize,
    /// Memory for waiting fragments of all datagrams together, in bytes.
    pub buffered_bytes: usize,
    /// Number of fragments of one datagram, repeated ones included.
    pub fragments_per_datagram: u16,
}

impl Default for FragmentLimits {
    fn default() -> Self {
        Self { datagrams: 1024, buffered_bytes: 4 << 20, fragments_per_datagram: 64 }
    }
}

/// A DNS message from fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Its flow.
    pub flow: Flow,
    /// The UDP payload, at least 12 bytes.
    pub message: &'a [u8],
    /// The number of its packets, repeated ones included.
    pub fragments: u16,
    /// How much of the message the capture holds.
    pub captured: Captured,
}

#[derive(Default)]
struct PendingDatagram {
    /// The arrival of its first fragment, in the table's time.
    since_ns: u64,
    /// `None`: unwanted.
    assembly: Option<Assembly>,
}

impl PendingDatagram {
    fn heap_bytes(&self) -> usize {
        self.assembly.as_ref().map_or(0, Assembly::heap_bytes)
    }
}

/// The table of incomplete datagrams.
pub struct Fragments {
    /// One queue, in the order of arrival.
    table: Table<DatagramKey, PendingDatagram, 1>,
    dns_ports: DnsPorts,
    limits: FragmentLimits,
    buffered_bytes: usize,
    /// The latest time stamp. It never goes back.
    now_ns: u64,
    /// The last complete datagram. Its memory is used for the next one.
    complete: Vec<u8>,
}

impl Fragments {
    /// An empty table. A datagram is DNS if either port is among `dns_ports`.
    pub fn new(dns_ports: DnsPorts, limits: FragmentLimits) -> Self {
        Self {
            table: Table::new(limits.datagrams),
            dns_ports,
            limits,
            buffered_bytes: 0,
            now_ns: 0,
            complete: Vec::new(),
        }
    }

    /// Number of remembered datagrams, unwanted ones included.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Memory for waiting fragments, in bytes: never above [`FragmentLimits::buffered_bytes`] between
    /// two calls.
    pub fn buffered_bytes(&self) -> usize {
        self.buffered_bytes
    }

    /// Whether no datagram is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes one fragment of a datagram that may be UDP. Returns the message if the fragment
    /// completes it.
    ///
    /// `packet` begins with the link-layer header; `class` has [`flags::FRAGMENT`]. First fragments
    /// without a DNS port are needed too, because their later fragments need not be kept. Other
    /// fragments are skipped.
    pub fn fragment(
        &mut self,
        packet: &[u8],
        class: &Class,
        timestamp_ns: u64,
        mut events: impl FnMut(ReassemblyEvent),
    ) -> Option<Datagram<'_>> {
        self.advance(timestamp_ns, &mut events);
        if !class.is_fragment_of_use() {
            return None;
        }
        let Some(fragment) = Fragment::of(packet, class) else {
            events(ReassemblyEvent::FragmentMalformed);
            return None;
        };
        let is_first = fragment.offset.value() == 0;
        let is_wanted = !is_first || class.flags & flags::DNS_FRAGMENT != 0;
        let id = self.find_or_insert(&fragment.key, is_first && is_wanted, &mut events);
        if !is_wanted {
            // An earlier wanted datagram had the same identification and never became complete.
            if self.drop_data(id).is_some_and(|assembly| assembly.has_first()) {
                events(ReassemblyEvent::DatagramIncomplete);
            }
            return None;
        }
        let pending = &mut self.table[id];
        let assembly = pending.assembly.as_mut()?;
        let heap_before = assembly.heap_bytes();
        let added = assembly.add(&fragment);
        let is_complete = assembly.is_complete();
        let is_too_much = assembly.fragments() >= self.limits.fragments_per_datagram && !is_complete;
        self.buffered_bytes = self.buffered_bytes - heap_before + assembly.heap_bytes();
        if added == Err(Impossible) {
            events(ReassemblyEvent::FragmentMalformed);
        } else if is_complete {
            events(ReassemblyEvent::DatagramReassembled);
            return self.deliver(id);
        } else if is_too_much {
            self.drop_data(id);
            events(ReassemblyEvent::DatagramEvicted);
        }
        self.shed(&mut events);
        None
    }

    /// Moves packet time to `now_ns` and gives up datagrams that have waited too long. For times
    /// without fragments; each fragment brings its own time.
    pub fn advance(&mut self, now_ns: u64, mut events: impl FnMut(ReassemblyEvent)) {
        self.now_ns = self.now_ns.max(now_ns);
        while let Some(id) = self.table.front(0)
            && self.now_ns - self.table[id].since_ns > DATAGRAM_TIMEOUT_NS
        {
            self.give_up(id, &mut events);
        }
    }

    /// Ends the capture: gives up all datagrams.
    pub fn finish(&mut self, mut events: impl FnMut(ReassemblyEvent)) {
        while let Some(id) = self.table.front(0) {
            self.give_up(id, &mut events);
        }
    }

    /// The datagram of a fragment. A wanted first fragment begins a new datagram if the old one was
    /// unwanted, because identifications are reused.
    fn find_or_insert(
        &mut self,
        key: &DatagramKey,
        is_wanted_first: bool,
        events: &mut impl FnMut(ReassemblyEvent),
    ) -> SlotId {
        match self.table.find(key) {
            Some(id) if self.table[id].assembly.is_some() || !is_wanted_first => return id,
            Some(id) => {
                self.remove(id);
            }
            None if self.table.is_full() => self.evict_oldest(events),
            None => {}
        }
        let spare = Some(std::mem::take(&mut self.complete)).filter(|spare| spare.capacity() <= SPARE_MAX);
        let assembly = Assembly::new(spare.unwrap_or_default());
        self.buffered_bytes += assembly.heap_bytes();
        self.table.insert(*key, PendingDatagram { since_ns: self.now_ns, assembly: Some(assembly) }, 0)
    }

    /// Marks a datagram as unwanted and frees its memory.
    fn drop_data(&mut self, id: SlotId) -> Option<Assembly> {
        let pending = &mut self.table[id];
        self.buffered_bytes -= pending.heap_bytes();
        pending.assembly.take()
    }

    /// Removes a complete datagram and finds its message.
    fn deliver(&mut self, id: SlotId) -> Option<Datagram<'_>> {
        let key = *self.table.key(id);
        let whole = self.remove(id).assembly?.into_whole();
        self.complete = whole.data;
        let mut start = 0;
        let captured = self.complete.get(..whole.captured_len)?;
        let protocol = match (key.addresses.version(), whole.protocol?) {
            (IpVersion::V6, protocol) => walk_extensions(protocol, captured, &mut start),
            (IpVersion::V4, protocol) => protocol,
        };
        let captured = captured.get(start..)?;
        let header = UdpHeaderSlice::from_slice(captured).ok()?;
        if protocol != IpNumber::UDP
            || !self.dns_ports.either(header.source_port(), header.destination_port())
        {
            return None;
        }
        let whole_len = self.complete.len() - start;
        let end = match usize::from(header.length()) {
            // RFC 2675 section 4: the length is that of IP.
            0 if key.addresses.version() == IpVersion::V6 => whole_len,
            udp_len => udp_len.min(whole_len),
        };
        let message = captured.get(header.slice().len()..end.min(captured.len()))?;
        let flow = Flow {
            addresses: key.addresses,
            source_port: header.source_port(),
            destination_port: header.destination_port(),
            transport: Transport::Udp,
        };
        let captured = if captured.len() < end { Captured::Part } else { Captured::Whole };
        let fragments = whole.fragments;
        (message.len() >= HEADER_LEN).then_some(Datagram { flow, message, fragments, captured })
    }

    fn give_up(&mut self, id: SlotId, events: &mut impl FnMut(ReassemblyEvent)) {
        match self.remove(id).assembly {
            Some(assembly) if assembly.has_first() => events(ReassemblyEvent::DatagramIncomplete),
            Some(_) => events(ReassemblyEvent::DatagramUnidentified),
            None => {}
        }
    }

    /// Drops datagrams until memory is below the ceiling.
    fn shed(&mut self, events: &mut impl FnMut(ReassemblyEvent)) {
        while self.buffered_bytes > self.limits.buffered_bytes && !self.is_empty() {
            self.evict_oldest(events);
        }
    }

    fn evict_oldest(&mut self, events: &mut impl FnMut(ReassemblyEvent)) {
        if let Some(id) = self.table.front(0)
            && self.remove(id).assembly.is_some()
        {
            events(ReassemblyEvent::DatagramEvicted);
        }
    }

    fn remove(&mut self, id: SlotId) -> PendingDatagram {
        let (_, pending) = self.table.remove(id);
        self.buffered_bytes -= pending.heap_bytes();
        pending
    }
}
