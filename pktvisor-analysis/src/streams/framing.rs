//! From contiguous bytes to messages: RFC 1035 section 4.2.2 puts two bytes of length before each.
//!
//! If message boundaries are unknown, a message begins at the beginning of a segment whose length
//! and header are [plausible](super::plausible).

use pktvisor_common::classify::Captured;

use super::plausible::{HEADER_LEN, may_begin_message};
use super::{Out, StreamSink};
use crate::ReassemblyEvent;

/// The length before each message, in bytes.
const PREFIX_LEN: usize = 2;
/// The size of the first buffer for a message that continues in the next segment, in bytes.
const PARTIAL_MIN: usize = 256;

/// The knowledge of message boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Boundaries {
    /// The next byte begins a length, or continues `partial`.
    Known,
    /// The next segment may begin with a message.
    #[default]
    Assumed,
    /// No segment did so far, and the loss was counted.
    Lost,
}

/// Cuts one stream into messages.
#[derive(Default)]
pub(super) struct Framing {
    /// The beginning of an incomplete message, length included.
    partial: Vec<u8>,
    /// The number of bytes to skip: the rest of a truncated message that is already delivered.
    skip: u32,
    boundaries: Boundaries,
}

impl Framing {
    /// At the first byte of the stream.
    pub(super) fn at_stream_start() -> Self {
        Self { boundaries: Boundaries::Known, ..Self::default() }
    }

    /// Whether message boundaries were lost.
    #[inline]
    pub(super) fn is_lost(&self) -> bool {
        self.boundaries == Boundaries::Lost
    }

    /// Continues after bytes were given up: looks for the next message, and does not count the loss
    /// again.
    pub(super) fn give_up(&mut self) {
        *self = Self { boundaries: Boundaries::Lost, ..Self::default() };
    }

    /// Memory on the heap, in bytes.
    #[inline]
    pub(super) fn heap_bytes(&self) -> usize {
        self.partial.capacity()
    }

    /// Takes the next bytes of the stream, after which `missing` bytes were not captured.
    #[inline]
    pub(super) fn take<S: StreamSink>(
        &mut self,
        bytes: &[u8],
        missing: u32,
        starts_segment: bool,
        time_ns: u64,
        out: &mut Out<'_, S>,
    ) {
        let plain = self.boundaries == Boundaries::Known && self.skip == 0;
        let (bytes, missing) = match plain {
            true => (bytes, missing),
            false => match self.prepare(bytes, missing, starts_segment, out) {
                Some(rest) => rest,
                None => return,
            },
        };
        let rest = match self.partial.is_empty() {
            true => bytes,
            false => match self.complete_partial(bytes, missing, time_ns, out) {
                Some(rest) => rest,
                None => return,
            },
        };
        self.whole_messages(rest, missing, time_ns, out);
        if self.partial.is_empty() && self.partial.capacity() > 0 {
            self.partial = Vec::new();
        }
    }

    /// Skips bytes, and looks for a boundary if none is known. Returns the bytes that are left.
    fn prepare<'b, S: StreamSink>(
        &mut self,
        bytes: &'b [u8],
        missing: u32,
        starts_segment: bool,
        out: &mut Out<'_, S>,
    ) -> Option<(&'b [u8], u32)> {
        let skipped = bytes.len().min(self.skip as usize);
        let bytes = &bytes[skipped..];
        self.skip -= skipped as u32;
        let skipped_missing = missing.min(self.skip);
        self.skip -= skipped_missing;
        let missing = missing - skipped_missing;
        if bytes.is_empty() && missing == 0 {
            return None;
        }
        if self.boundaries != Boundaries::Known && !self.find_boundary(bytes, missing, starts_segment) {
            self.lose(out);
            return None;
        }
        Some((bytes, missing))
    }

    /// Whether `bytes`, perhaps after `partial`, may be framed.
    fn find_boundary(&mut self, bytes: &[u8], missing: u32, starts_segment: bool) -> bool {
        if !self.partial.is_empty() {
            let mut beginning = [0; PREFIX_LEN + HEADER_LEN];
            let mut len = 0;
            for (to, from) in beginning.iter_mut().zip(self.partial.iter().chain(bytes)) {
                *to = *from;
                len += 1;
            }
            if self.judge(&beginning[..len], missing) {
                return true;
            }
            self.partial.clear();
        }
        starts_segment && self.judge(bytes, missing)
    }

    /// Whether a message may begin like this. Too few bytes to decide are accepted if more will
    /// come.
    fn judge(&mut self, beginning: &[u8], missing: u32) -> bool {
        let Some((prefix, message)) = beginning.split_first_chunk::<PREFIX_LEN>() else {
            return missing == 0;
        };
        let len = u16::from_be_bytes(*prefix);
        if usize::from(len) < HEADER_LEN {
            return false;
        }
        match message.first_chunk::<HEADER_LEN>() {
            Some(header) if may_begin_message(len, header) => {
                self.boundaries = Boundaries::Known;
                true
            }
            Some(_) => false,
            None => missing == 0,
        }
    }

    /// Adds to a partial message. Returns the bytes after its end, if it was reached.
    fn complete_partial<'b, S: StreamSink>(
        &mut self,
        bytes: &'b [u8],
        missing: u32,
        time_ns: u64,
        out: &mut Out<'_, S>,
    ) -> Option<&'b [u8]> {
        let mut rest = bytes;
        if self.partial.len() < PREFIX_LEN {
            rest = self.add(rest, PREFIX_LEN);
        }
        if let Some(prefix) = self.partial.first_chunk::<PREFIX_LEN>() {
            let len = usize::from(u16::from_be_bytes(*prefix));
            if len < HEADER_LEN {
                self.lose(out);
                return None;
            }
            rest = self.add(rest, PREFIX_LEN + len);
            if self.partial.len() == PREFIX_LEN + len {
                out.message(time_ns, &self.partial[PREFIX_LEN..], Captured::Whole);
                self.partial.clear();
                return Some(rest);
            }
        }
        if missing > 0 {
            let cut = std::mem::take(&mut self.partial);
            self.cut_message(&cut, missing, time_ns, out);
        }
        None
    }

    /// Grows `partial` to `len` bytes as far as `bytes` reach. Returns the rest of `bytes`.
    fn add<'b>(&mut self, bytes: &'b [u8], len: usize) -> &'b [u8] {
        let (part, rest) = bytes.split_at(bytes.len().min(len.saturating_sub(self.partial.len())));
        let needed = self.partial.len() + part.len();
        if self.partial.capacity() < needed {
            // The size follows the bytes that arrived, not the claimed length, and is at most one
            // message.
            let capacity = needed.next_power_of_two().clamp(PARTIAL_MIN, PREFIX_LEN + usize::from(u16::MAX));
            self.partial.reserve_exact(capacity - self.partial.len());
        }
        self.partial.extend_from_slice(part);
        rest
    }

    /// Delivers the messages that are whole in `bytes`, which begin at a boundary, and keeps the
    /// rest.
    #[inline]
    fn whole_messages<S: StreamSink>(
        &mut self,
        mut bytes: &[u8],
        missing: u32,
        time_ns: u64,
        out: &mut Out<'_, S>,
    ) {
        while let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX_LEN>() {
            let len = usize::from(u16::from_be_bytes(*prefix));
            if len < HEADER_LEN {
                return self.lose(out);
            }
            let Some((message, rest)) = rest.split_at_checked(len) else { break };
            out.message(time_ns, message, Captured::Whole);
            bytes = rest;
        }
        if missing > 0 {
            self.cut_message(bytes, missing, time_ns, out);
        } else if !bytes.is_empty() {
            self.add(bytes, bytes.len());
        }
    }

    /// Ends a message (`head`, length included) whose next `missing` bytes were not captured.
    fn cut_message<S: StreamSink>(&mut self, head: &[u8], missing: u32, time_ns: u64, out: &mut Out<'_, S>) {
        self.boundaries = Boundaries::Assumed;
        let Some((prefix, message)) = head.split_first_chunk::<PREFIX_LEN>() else { return };
        let len = usize::from(u16::from_be_bytes(*prefix));
        if len < HEADER_LEN {
            return self.lose(out);
        }
        if message.len() >= HEADER_LEN {
            out.message(time_ns, message, Captured::Part);
        }
        let rest = (len - message.len()) as u32;
        if missing <= rest {
            // The message reaches at least to the end of the missing bytes, so the place of the
            // next one is known.
            self.boundaries = Boundaries::Known;
            self.skip = rest - missing;
        }
    }

    #[cold]
    fn lose<S: StreamSink>(&mut self, out: &mut Out<'_, S>) {
        if !self.is_lost() {
            out.event(ReassemblyEvent::Unsynchronised);
        }
        self.give_up();
    }
}
