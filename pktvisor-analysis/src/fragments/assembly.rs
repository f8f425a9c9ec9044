//! Puts one datagram together.

use etherparse::defrag::{IpDefragBuf, IpFragRange};
use etherparse::{IpFragOffset, IpNumber};

use super::header::Fragment;

/// A fragment that cannot be a part of the datagram: beyond 65,535 bytes, or beyond the end that
/// another fragment gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Impossible;

/// A complete datagram.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) data: Vec<u8>,
    /// Length of the part of `data` that was captured without a hole, in bytes.
    pub(super) captured_len: usize,
    pub(super) protocol: Option<IpNumber>,
    pub(super) fragments: u16,
}

/// The flag of IP that says whether more fragments follow (MF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MoreFragments {
    Yes,
    No,
}

/// Collects fragments until the datagram is whole.
///
/// Bytes that a snapped fragment had only on the wire count as received, so the datagram is
/// complete when all fragments were seen. Only the bytes before the first hole can be used.
#[derive(Debug)]
pub(super) struct Assembly {
    buffer: IpDefragBuf,
    /// The protocol of the datagram, from the fragment at offset 0 (RFC 8200 section 4.5).
    protocol: Option<IpNumber>,
    /// The offset of the first byte that was not captured.
    captured_end: usize,
    fragments: u16,
}

impl Assembly {
    /// An empty datagram that reuses the memory of `data`.
    pub(super) fn new(data: Vec<u8>) -> Self {
        let buffer = IpDefragBuf::new(IpNumber::UDP, data, Vec::new());
        Self { buffer, protocol: None, captured_end: usize::MAX, fragments: 0 }
    }

    /// Number of fragments so far, repeated ones included.
    pub(super) fn fragments(&self) -> u16 {
        self.fragments
    }

    /// Whether the fragment at offset 0 has come.
    pub(super) fn has_first(&self) -> bool {
        self.protocol.is_some()
    }

    /// Memory on the heap, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.buffer.data().capacity() + self.buffer.sections().capacity() * size_of::<IpFragRange>()
    }

    /// Adds the new parts of a fragment.
    pub(super) fn add(&mut self, fragment: &Fragment<'_>) -> Result<(), Impossible> {
        let start = fragment.offset.byte_offset();
        let end = u16::try_from(fragment.wire_len).ok().and_then(|len| start.checked_add(len));
        let end = end.ok_or(Impossible)?;
        let known_end = self.buffer.end();
        let farthest = self.buffer.sections().iter().map(|section| section.end).max().unwrap_or(0);
        let is_last = !fragment.more_fragments;
        if known_end.is_some_and(|known| end > known || (is_last && end != known))
            || (is_last && farthest > end)
        {
            return Err(Impossible);
        }
        let captured_end = start + fragment.data.len() as u16;
        let mut from = start;
        while let Some(part) = self.next_uncovered(from, end) {
            let more = if is_last && part.end == end { MoreFragments::No } else { MoreFragments::Yes };
            self.add_part(fragment, part, more)?;
            if part.end > captured_end {
                self.captured_end = self.captured_end.min(captured_end.max(part.start).into());
            }
            from = part.end;
        }
        if is_last && self.buffer.end().is_none() {
            // The last bytes were in a fragment that was not marked as the last. This fragment
            // marks the end.
            self.add_part(fragment, IpFragRange { start: end, end }, MoreFragments::No)?;
        }
        if start == 0 {
            self.protocol.get_or_insert(fragment.protocol);
        }
        self.fragments = self.fragments.saturating_add(1);
        Ok(())
    }

    /// The first part of `from..end` that no fragment covers.
    fn next_uncovered(&self, mut from: u16, mut end: u16) -> Option<IpFragRange> {
        // Sections are merged and few, in no order.
        while let Some(section) =
            self.buffer.sections().iter().find(|section| (section.start..section.end).contains(&from))
        {
            from = section.end;
        }
        for section in self.buffer.sections() {
            if section.start > from {
                end = end.min(section.start);
            }
        }
        (from < end).then_some(IpFragRange { start: from, end })
    }

    /// Adds a part of `fragment`. All borders but the datagram's end are multiples of 8.
    fn add_part(
        &mut self,
        fragment: &Fragment<'_>,
        part: IpFragRange,
        more: MoreFragments,
    ) -> Result<(), Impossible> {
        let offset = IpFragOffset::try_new(part.start / 8).map_err(|_| Impossible)?;
        let start = fragment.offset.byte_offset();
        let (from, until) = (usize::from(part.start - start), usize::from(part.end - start));
        let added = match fragment.data.get(from..until) {
            Some(captured) => self.buffer.add(offset, more == MoreFragments::Yes, captured),
            None => {
                let mut padded = fragment.data.get(from..).unwrap_or_default().to_vec();
                padded.resize(until - from, 0);
                self.buffer.add(offset, more == MoreFragments::Yes, &padded)
            }
        };
        added.map_err(|_| Impossible)
    }

    /// Whether every byte has come, and the end is known.
    pub(super) fn is_complete(&self) -> bool {
        self.buffer.is_complete()
    }

    /// The whole datagram.
    pub(super) fn into_whole(self) -> Whole {
        let (data, _) = self.buffer.take_bufs();
        let captured_len = self.captured_end.min(data.len());
        Whole { data, captured_len, protocol: self.protocol, fragments: self.fragments }
    }
}
