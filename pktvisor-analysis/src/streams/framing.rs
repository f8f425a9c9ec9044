//! From contiguous bytes to messages: RFC 1035 section 4.2.2 puts two bytes of length before each.
//!
//! Where message boundaries are unknown, a message is taken to begin at the beginning of a segment when length and
//! header are [plausible](super::plausible).

use super::plausible::{HEADER_LEN, may_begin_message};
use super::{Out, StreamSink};
use crate::ReassemblyEvent;

/// The length before each message, in bytes.
const PREFIX_LEN: usize = 2;
/// The first buffer of a message that is cut by a segment's end, in bytes.
const PARTIAL_MIN: usize = 256;

/// What is known about message boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Boundaries {
    /// The next byte begins a length, or continues what `partial` began.
    Known,
    /// The next segment may begin with a message.
    #[default]
    Assumed,
    /// So far none did, and that was counted.
    Lost,
}

/// Cuts one stream into messages.
#[derive(Default)]
pub(super) struct Framing {
    /// The beginning of a message, length included, whose rest has not come.
    partial: Vec<u8>,
    /// Bytes of an already delivered, truncated message that are still to come.
    skip: u32,
    boundaries: Boundaries,
}

impl Framing {
    /// The stream's first byte comes next.
    pub(super) fn at_stream_start() -> Self {
        Self { boundaries: Boundaries::Known, ..Self::default() }
    }

    /// Whether message boundaries were lost.
    #[inline]
    pub(super) fn is_lost(&self) -> bool {
        self.boundaries == Boundaries::Lost
    }

    /// Bytes were given up: looks for the next message, and counts that no more.
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

    /// Skips what is to be skipped and looks for a boundary where none is known. Returns what is left to be framed.
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

    /// Whether a message may begin like this. Too little to tell is enough to go on, if more will come.
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

    /// Adds to a message whose beginning came before. Returns the bytes after its end, if it was reached.
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
                out.message(time_ns, &self.partial[PREFIX_LEN..], false);
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

    /// Grows `partial` to `len` bytes as far as `bytes` reach, and returns the rest of them.
    fn add<'b>(&mut self, bytes: &'b [u8], len: usize) -> &'b [u8] {
        let (part, rest) = bytes.split_at(bytes.len().min(len.saturating_sub(self.partial.len())));
        let needed = self.partial.len() + part.len();
        if self.partial.capacity() < needed {
            // What has come decides, not what the length claims; and never more than a message.
            let capacity = needed.next_power_of_two().clamp(PARTIAL_MIN, PREFIX_LEN + usize::from(u16::MAX));
            self.partial.reserve_exact(capacity - self.partial.len());
        }
        self.partial.extend_from_slice(part);
        rest
    }

    /// Delivers what begins at a boundary and lies whole in `bytes`; keeps what is left over.
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
            out.message(time_ns, message, false);
            bytes = rest;
        }
        if missing > 0 {
            self.cut_message(bytes, missing, time_ns, out);
        } else if !bytes.is_empty() {
            self.add(bytes, bytes.len());
        }
    }

    /// A message (`head`, length included) breaks off because `missing` bytes were not captured.
    fn cut_message<S: StreamSink>(&mut self, head: &[u8], missing: u32, time_ns: u64, out: &mut Out<'_, S>) {
        self.boundaries = Boundaries::Assumed;
        let Some((prefix, message)) = head.split_first_chunk::<PREFIX_LEN>() else { return };
        let len = usize::from(u16::from_be_bytes(*prefix));
        if len < HEADER_LEN {
            return self.lose(out);
        }
        if message.len() >= HEADER_LEN {
            out.message(time_ns, message, true);
        }
        let rest = (len - message.len()) as u32;
        if missing <= rest {
            // The message reaches beyond what was not captured, or exactly to its end: the next one's place is known.
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
