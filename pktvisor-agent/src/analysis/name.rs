//! A domain name as it is counted: lower-cased, decompressed, in wire form, in a buffer on the stack.
//!
//! Names are compared without regard to case (RFC 4343: ASCII letters only), so the lower-cased wire form is the
//! one form that sketches, transactions and lists agree on; text is made only when a list is read. Vocabulary
//! (RFC 9499): a name is a sequence of labels; its wire form (RFC 1035 section 3.1) has a length octet before each
//! label and ends with the empty label of the root.

use std::fmt;

/// The longest name in wire form, RFC 1035 section 2.3.4.
pub const NAME_BYTES_MAX: usize = 255;

/// Compression pointers followed in one name. A name has at most 127 labels, and a pointer that is not followed by a
/// label is pointless; without a limit, a message made of pointers would cost its length squared.
const POINTERS_MAX: usize = 127;

const ROOT: &[u8] = &[0];

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
    wire: [u8; NAME_BYTES_MAX],
    len: u8,
    labels: u8,
}

impl Default for Name {
    #[inline]
    fn default() -> Self {
        Self { wire: [0; NAME_BYTES_MAX], len: 1, labels: 0 }
    }
}

impl Name {
    /// Reads the name at `offset` of a message into `self` and returns the offset behind it. After an error `self` is
    /// the root.
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
        loop {
            let run = Run::read(message, run_start)?;
            let octets = message.get(run_start..run.end).ok_or(NameError::EndsEarly)?;
            let target = self.wire.get_mut(len..len + octets.len()).ok_or(NameError::Malformed)?;
            // Length octets are below 64 and so below 'A': the whole run can be lower-cased at once.
            for (to, from) in target.iter_mut().zip(octets) {
                *to = from.to_ascii_lowercase();
            }
            len += octets.len();
            labels += run.labels;
            let Some(pointer) = run.pointer else {
                *self.wire.get_mut(len).ok_or(NameError::Malformed)? = 0;
                self.len = len as u8 + 1;
                self.labels = labels as u8;
                return Ok(end.unwrap_or(run.end + 1));
            };
            end.get_or_insert(run.end + 2);
            pointers += 1;
            if pointer >= run_start || pointers > POINTERS_MAX {
                return Err(NameError::Malformed);
            }
            run_start = pointer;
        }
    }

    /// The lower-cased wire form, the root label included.
    #[inline]
    pub fn as_wire(&self) -> &[u8] {
        self.wire.get(..usize::from(self.len)).unwrap_or(ROOT)
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

    /// The last `labels` labels; the whole name when it has no more than these.
    #[inline]
    pub fn suffix(&self, labels: usize) -> Suffix<'_> {
        let cut = self.label_count().saturating_sub(labels);
        let mut rest = self.labels();
        for _ in 0..cut {
            rest.next();
        }
        Suffix { cut: cut > 0, wire: rest.rest }
    }
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

/// The end of a name that stands for the whole of it in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Suffix<'a> {
    /// Something was cut off: presented with a leading dot.
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

/// Labels of a name in wire form, from left to right. Ends at the root label or at whatever is not a label.
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

/// A name in uncompressed wire form, ready to be displayed as in RFC 1035 section 5.1: dots and backslashes within
/// labels as `\.` and `\\`, octets outside 0x21 to 0x7e as `\DDD`, no trailing dot save the root `.` itself.
pub fn presentation(wire: &[u8]) -> Presentation<'_> {
    Presentation { wire }
}

/// See [`presentation`].
#[derive(Clone, Copy, Debug)]
pub struct Presentation<'a> {
    wire: &'a [u8],
}

impl fmt::Display for Presentation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let mut labels = Labels { rest: self.wire }.peekable();
        if labels.peek().is_none() {
            return f.write_str(".");
        }
        while let Some(label) = labels.next() {
            for &octet in label {
                match octet {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(octet))?,
                    0x21..=0x7e => f.write_char(char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            if labels.peek().is_some() {
                f.write_str(".")?;
            }
        }
        Ok(())
    }
}

/// Labels that stand together in a message, up to the root label or a compression pointer.
struct Run {
    /// Offset of the octet that ends the run.
    end: usize,
    labels: usize,
    /// Where the name goes on, when a pointer (RFC 1035 section 4.1.4) ends the run.
    pointer: Option<usize>,
}

impl Run {
    #[inline]
    fn read(message: &[u8], start: usize) -> Result<Self, NameError> {
        let mut end = start;
        let mut labels = 0;
        loop {
            let octet = *message.get(end).ok_or(NameError::EndsEarly)?;
            match octet {
                0 => return Ok(Self { end, labels, pointer: None }),
                1..=63 => {
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

/// Steps over names without keeping them, but checks them as [`Name::read`] does.
///
/// Nearly all names of records are a pointer to a name that was met before; the last such target is remembered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NameSkipper {
    target: usize,
    /// Octets of the name at `target`, its root label included; 0 while none is known.
    target_bytes: usize,
}

impl NameSkipper {
    /// Knows already that the name at `offset` is good and has `bytes` octets.
    #[inline]
    pub(super) fn knowing(offset: usize, bytes: usize) -> Self {
        Self { target: offset, target_bytes: bytes }
    }

    /// The offset behind the name at `offset`.
    #[inline]
    pub(super) fn skip(&mut self, message: &[u8], offset: usize) -> Result<usize, NameError> {
        let run = Run::read(message, offset)?;
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
        let run = Run::read(message, start)?;
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

#[cfg(test)]
#[path = "name_tests.rs"]
mod tests;
