//! Names as text.

use std::fmt;

use super::Labels;

/// A name in uncompressed wire form, ready to be displayed as in a zone file (RFC 1035 section
/// 5.1): a backslash before each of `" $ ( ) . ; @ \` within a label, octets outside 0x21 to 0x7e
/// as `\DDD`, no trailing dot except for the root `.` itself.
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
                    b'"' | b'$' | b'(' | b')' | b'.' | b';' | b'@' | b'\\' => {
                        write!(f, "\\{}", char::from(octet))?;
                    }
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
