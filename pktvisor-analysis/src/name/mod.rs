//! A domain name as it is counted: lower-cased, decompressed, in wire form, in a buffer on the
//! stack.
//!
//! Names are compared without regard to case (RFC 4343: ASCII letters only), so the lower-cased
//! wire form is the one form that sketches, transactions and lists agree on; text is made only when
//! a list is read. Vocabulary (RFC 9499): a name is a sequence of labels; its wire form (RFC 1035
//! section 3.1) has a length octet before each label and ends with the empty label of the root.

mod presentation;
mod runs;

use std::fmt;

use pktvisor_memory::keyed_hash;
pub use presentation::{Presentation, presentation};
pub(super) use runs::NameSkipper;
use runs::Run;

/// The longest name in wire form, RFC 1035 section 2.3.4.
pub const NAME_BYTES_MAX: usize = 255;

const ROOT: &[u8] = &[0];

/// Number of octets copied at once; the last copy may reach beyond the end.
const BLOCK_BYTES: usize = 16;

/// Number of last labels with a remembered offset.
const STARTS: usize = 3;

/// Why a name could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The octets end within the name.
    #[error("the message ends within a name")]
    EndsEarly,
    /// A reserved label type, a pointer that does not lead backwards, or more than 255 octets.
    #[error("a name has a bad label, a pointer that does not lead backwards, or more than 255 octets")]
    Malformed,
}

/// A lower-cased domain name in uncompressed wire form. The default is the root.
#[derive(Clone, Copy)]
pub struct Name {
    /// Octets behind `len` mean nothing.
    wire: [u8; NAME_BYTES_MAX + BLOCK_BYTES],
    len: u8,
    labels: u8,
    /// The offsets of the last labels; that of the last label is last.
    starts: [u8; STARTS],
}

impl Default for Name {
    #[inline]
    fn default() -> Self {
        Self { wire: [0; NAME_BYTES_MAX + BLOCK_BYTES], len: 1, labels: 0, starts: [0; STARTS] }
    }
}

impl Name {
    /// Reads the name at `offset` of a message into `self` and returns the offset behind it. After
    /// an error `self` is the root.
    #[inline]
    pub fn read(&mut self, message: &[u8], offset: usize) -> Result<usize, NameError> {
        let result = self.read_labels(message, offset);
        if result.is_err() {
            *self = Self::default();
        }
        result
    }

    #[inline]
    fn read_labels(&mut self, message: &[u8], offset: usize) -> Result<usize, NameError> {
        let mut run_start = offset;
        let mut end = None;
        let (mut len, mut labels, mut pointers) = (0, 0, 0);
        // One octet per offset, the last one lowest. So the offsets shift in a register instead of
        // being stored and loaded.
        let mut starts = 0_u32;
        loop {
            let run = Run::read(message, run_start, |label| {
                starts = starts << u8::BITS | (len + label - run_start) as u32 & u32::from(u8::MAX);
            })?;
            let run_len = run.end - run_start;
            if len + run_len > NAME_BYTES_MAX {
                return Err(NameError::Malformed);
            }
            self.copy(message, run_start, len, run_len);
            len += run_len;
            labels += run.labels;
            let Some(pointer) = run.pointer else {
                if len >= NAME_BYTES_MAX {
                    return Err(NameError::Malformed);
                }
                self.wire[len] = 0;
                self.len = len as u8 + 1;
                self.labels = labels as u8;
                let [_, third, second, last] = starts.to_be_bytes();
                self.starts = [third, second, last];
                return Ok(end.unwrap_or(run.end + 1));
            };
            end.get_or_insert(run.end + 2);
            pointers += 1;
            if pointer >= run_start || pointers > runs::POINTERS_MAX {
                return Err(NameError::Malformed);
            }
            run_start = pointer;
        }
    }

    /// Copies `count` octets of a message at `from` to the place `to`, lower-cased. There must be
    /// room for them. Length octets are below 64 and so below 'A', so a run of labels is copied
    /// without regard to where labels begin.
    #[inline]
    fn copy(&mut self, message: &[u8], from: usize, to: usize, count: usize) {
        for done in (0..count).step_by(BLOCK_BYTES) {
            let rest = message.get(from + done..).unwrap_or_default();
            let block = rest.first_chunk::<BLOCK_BYTES>().copied().unwrap_or_else(|| padded(rest));
            if let Some(place) = self.wire.get_mut(to + done..).and_then(<[u8]>::first_chunk_mut) {
                *place = block.map(|octet| octet.to_ascii_lowercase());
            }
        }
    }

    /// A hash of the wire form, with a random key per process: that of a list key of the kind
    /// [`HASH_KIND`](Self::HASH_KIND).
    #[inline]
    pub fn hash(&self) -> u64 {
        keyed_hash::of_bytes(self.as_wire(), Self::HASH_KIND)
    }

    /// The kind of whole names among hashed items.
    pub const HASH_KIND: u8 = 0;

    /// The lower-cased wire form, the root label included.
    #[inline]
    pub fn as_wire(&self) -> &[u8] {
        self.wire.get(..usize::from(self.len)).unwrap_or(ROOT)
    }

    /// The first `N` octets of the buffer, of which those behind the name mean nothing. A copy of
    /// fixed length is faster.
    #[inline]
    pub(crate) fn block<const N: usize>(&self) -> Option<&[u8; N]> {
        self.wire.first_chunk()
    }

    /// Number of labels, the root not counted.
    #[inline]
    pub fn label_count(&self) -> usize {
        usize::from(self.labels)
    }

    /// The labels from left to right, the root left out.
    #[inline]
    pub fn labels(&self) -> Labels<'_> {
        Labels { rest: self.as_wire() }
    }

    /// The last `labels` labels, or the whole name if it has no more.
    #[inline]
    pub fn suffix(&self, labels: usize) -> Suffix<'_> {
        let cut = self.label_count().saturating_sub(labels);
        let start = match STARTS.checked_sub(labels) {
            _ if cut == 0 => 0,
            Some(place) if labels > 0 => usize::from(self.starts[place]),
            _ => self.labels().take(cut).map(|label| label.len() + 1).sum(),
        };
        Suffix { cut: cut > 0, wire: self.as_wire().get(start..).unwrap_or(ROOT) }
    }
}

/// A block that begins with these octets.
#[cold]
fn padded(octets: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    for (to, from) in block.iter_mut().zip(octets) {
        *to = *from;
    }
    block
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_wire() == other.as_wire()
    }
}

impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        presentation(self.as_wire()).fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// The end of a name that represents the name in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Suffix<'a> {
    /// Leading labels were cut off. It is presented with a leading dot.
    pub cut: bool,
    /// The suffix in wire form.
    pub wire: &'a [u8],
}

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cut && self.wire != ROOT {
            f.write_str(".")?;
        }
        presentation(self.wire).fmt(f)
    }
}

/// Labels of a name in wire form, from left to right. Ends at the root label or at the first fault.
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (&len, rest) = self.rest.split_first()?;
        if len == 0 {
            return None;
        }
        let (label, rest) = rest.split_at_checked(usize::from(len))?;
        self.rest = rest;
        Some(label)
    }
}

#[cfg(test)]
mod tests;
