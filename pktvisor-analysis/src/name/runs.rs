//! The form of a name in a message: runs of labels, joined by compression pointers.

use super::{NAME_BYTES_MAX, NameError};

/// The maximum number of compression pointers in one name. A name has at most 127 labels, and a
/// pointer without a label behind it is pointless. Without a limit, a message made of pointers
/// would cost its length squared.
pub(super) const POINTERS_MAX: usize = 127;

/// Consecutive labels in a message, up to the root label or a compression pointer.
pub(super) struct Run {
    /// Offset of the octet that ends the run.
    pub(super) end: usize,
    pub(super) labels: usize,
    /// The target of the pointer (RFC 1035 section 4.1.4) that ends the run.
    pub(super) pointer: Option<usize>,
}

impl Run {
    /// Reads from `start` and calls `label` with the offset of each label.
    #[inline]
    pub(super) fn read(
        message: &[u8],
        start: usize,
        mut label: impl FnMut(usize),
    ) -> Result<Self, NameError> {
        let mut end = start;
        let mut labels = 0;
        loop {
            let octet = *message.get(end).ok_or(NameError::EndsEarly)?;
            match octet {
                0 => return Ok(Self { end, labels, pointer: None }),
                1..=63 => {
                    label(end);
                    end += 1 + usize::from(octet);
                    labels += 1;
                    if end - start >= NAME_BYTES_MAX {
                        return Err(NameError::Malformed);
                    }
                }
                0xc0.. => {
                    let low = *message.get(end + 1).ok_or(NameError::EndsEarly)?;
                    let pointer = usize::from(octet & 0x3f) << 8 | usize::from(low);
                    return Ok(Self { end, labels, pointer: Some(pointer) });
                }
                // Reserved; 0x41 was once an extended label (RFC 6891 section 5).
                _ => return Err(NameError::Malformed),
            }
        }
    }
}

/// Skips names, and checks them as [`Name::read`](super::Name::read) does.
///
/// Nearly all names of records are a pointer to an earlier name. The last target is remembered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NameSkipper {
    target: usize,
    /// Octets of the name at `target`, its root label included; 0 if no target is known.
    target_bytes: usize,
}

impl NameSkipper {
    /// Starts with the knowledge that the name at `offset` is good and has `bytes` octets.
    #[inline]
    pub(crate) fn knowing(offset: usize, bytes: usize) -> Self {
        Self { target: offset, target_bytes: bytes }
    }

    /// The offset behind the name at `offset`.
    #[inline(always)]
    pub(crate) fn skip(&mut self, message: &[u8], offset: usize) -> Result<usize, NameError> {
        // The most frequent names by far: a pointer to the last target, and the root.
        let pointer = 0xc000 | self.target;
        match message.get(offset..offset + 2) {
            Some(&[high, low])
                if usize::from(u16::from_be_bytes([high, low])) == pointer && self.target_bytes > 0 =>
            {
                if self.target < offset { Ok(offset + 2) } else { Err(NameError::Malformed) }
            }
            Some([0, _]) => Ok(offset + 1),
            _ => self.skip_any(message, offset),
        }
    }

    /// As [`skip`](Self::skip), for a name of any form.
    fn skip_any(&mut self, message: &[u8], offset: usize) -> Result<usize, NameError> {
        let run = Run::read(message, offset, |_| {})?;
        let own_bytes = run.end - offset;
        let Some(pointer) = run.pointer else { return Ok(run.end + 1) };
        if pointer >= offset {
            return Err(NameError::Malformed);
        }
        if pointer != self.target || self.target_bytes == 0 {
            *self = Self { target: pointer, target_bytes: name_bytes(message, pointer)? };
        }
        if own_bytes + self.target_bytes > NAME_BYTES_MAX {
            return Err(NameError::Malformed);
        }
        Ok(run.end + 2)
    }
}

/// Octets of the name at `offset` once decompressed, its root label included.
fn name_bytes(message: &[u8], offset: usize) -> Result<usize, NameError> {
    let mut start = offset;
    let mut bytes = 0;
    for _ in 0..POINTERS_MAX {
        let run = Run::read(message, start, |_| {})?;
        bytes += run.end - start;
        if bytes >= NAME_BYTES_MAX {
            return Err(NameError::Malformed);
        }
        match run.pointer {
            None => return Ok(bytes + 1),
            Some(pointer) if pointer >= start => return Err(NameError::Malformed),
            Some(pointer) => start = pointer,
        }
    }
    Err(NameError::Malformed)
}
