//! Segments that wait, behind a gap or for the other direction of their connection.

use std::collections::VecDeque;

use super::arrival::{Arrival, Order};

/// A part of the stream from one segment. Its bytes are borrowed on arrival and owned while it
/// waits.
pub(super) struct Piece<B = Box<[u8]>> {
    pub(super) sequence: u32,
    /// The captured bytes ...
    pub(super) bytes: B,
    /// ... and the number of bytes behind them that were not captured.
    pub(super) missing: u32,
    /// The arrival of the segment.
    pub(super) arrival: Arrival,
    /// Its place among the segments of both directions. While it waits, the earliest place of it
    /// and the pieces behind it in the stream, because none of them can be taken before it.
    pub(super) order: Order,
    /// Whether this is the beginning of the segment, where a message is likely to begin.
    pub(super) starts_segment: bool,
}

impl<B: AsRef<[u8]>> Piece<B> {
    pub(super) fn wire_len(&self) -> u32 {
        self.bytes.as_ref().len() as u32 + self.missing
    }
}

impl Piece<&[u8]> {
    /// Cuts off the first `len` bytes. Returns whether anything is left.
    pub(super) fn cut_front(&mut self, len: u32) -> bool {
        if len >= self.wire_len() {
            return false;
        }
        let captured = self.bytes.len().min(len as usize);
        self.bytes = &self.bytes[captured..];
        self.missing -= len - captured as u32;
        self.sequence = self.sequence.wrapping_add(len);
        self.starts_segment = false;
        true
    }
}

impl Piece {
    /// A borrowed view of the piece, as on arrival.
    pub(super) fn borrowed(&self) -> Piece<&[u8]> {
        Piece {
            sequence: self.sequence,
            bytes: &self.bytes,
            missing: self.missing,
            arrival: self.arrival,
            order: self.order,
            starts_segment: self.starts_segment,
        }
    }
}

/// Pieces in the order of the stream, without overlaps: the first bytes to arrive win.
#[derive(Default)]
pub(super) struct Waiting {
    pieces: VecDeque<Piece>,
    /// Sum of their lengths on the wire.
    wire_len: u32,
    /// Sum of their captured lengths.
    captured: usize,
}

/// The maximum of waiting bytes of a stream. Beyond it, the gap is given up.
pub(super) const WAITING_MAX: u32 = 64 * 1024;
/// The maximum of waiting pieces, so that a stream of single bytes costs no more than one of full
/// segments.
pub(super) const PIECES_MAX: usize = 1024;
/// The allocator's overhead per piece, in bytes.
const ALLOCATION_OVERHEAD: usize = 16;

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether `wire_len` bytes more would be too many.
    pub(super) fn is_full_for(&self, wire_len: u32) -> bool {
        let is_too_much = self.wire_len.saturating_add(wire_len) > WAITING_MAX;
        !self.is_empty() && (is_too_much || self.pieces.len() >= PIECES_MAX)
    }

    pub(super) fn front(&self) -> Option<&Piece> {
        self.pieces.front()
    }

    pub(super) fn pop_front(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_front()?;
        self.wire_len -= piece.wire_len();
        self.captured -= piece.bytes.len();
        Some(piece)
    }

    /// Adds the parts of `piece` that no other piece covers. Returns whether there are any.
    ///
    /// `base` is the sequence number from which the order counts: at or before every piece, and
    /// less than 2^31 away.
    pub(super) fn insert(&mut self, base: u32, piece: &Piece<&[u8]>) -> bool {
        let start = piece.sequence.wrapping_sub(base);
        let end = start + piece.wire_len();
        let span = |other: &Piece| {
            let start = other.sequence.wrapping_sub(base);
            (start, start + other.wire_len())
        };
        // The pieces from here on end behind the beginning of the new one. Usually there are none.
        let mut at = self.pieces.len();
        while at > 0 && span(&self.pieces[at - 1]).1 > start {
            at -= 1;
        }
        let (mut from, mut anything_new) = (start, false);
        while from < end {
            let covered = self.pieces.get(at).map(span).filter(|covered| covered.0 < end);
            let until = covered.map_or(end, |covered| covered.0.max(from));
            if from < until {
                self.insert_part(at, part(piece, from - start, until - start));
                anything_new = true;
                at += 1;
            }
            from = covered.map_or(end, |covered| covered.1);
            at += 1;
        }
        anything_new
    }

    fn insert_part(&mut self, at: usize, mut piece: Piece) {
        self.wire_len += piece.wire_len();
        self.captured += piece.bytes.len();
        if let Some(next) = self.pieces.get(at) {
            piece.order = piece.order.min(next.order);
        }
        // Orders never fall from front to back, so the first that is early enough ends the search.
        let later = self.pieces.range_mut(..at).rev().take_while(|before| before.order > piece.order);
        later.for_each(|before| before.order = piece.order);
        self.pieces.insert(at, piece);
    }

    /// Memory on the heap, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.pieces.capacity() * size_of::<Piece>() + self.captured + self.pieces.len() * ALLOCATION_OVERHEAD
    }
}

/// Bytes `from..until` of a piece.
fn part(piece: &Piece<&[u8]>, from: u32, until: u32) -> Piece {
    let captured_end = piece.bytes.len().min(until as usize);
    let bytes: Box<[u8]> = piece.bytes.get(from as usize..captured_end).unwrap_or_default().into();
    Piece {
        sequence: piece.sequence.wrapping_add(from),
        missing: until - from - bytes.len() as u32,
        arrival: piece.arrival,
        order: piece.order,
        starts_segment: piece.starts_segment && from == 0,
        bytes,
    }
}
