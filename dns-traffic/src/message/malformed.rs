//! Messages with a good header whose question cannot be parsed.

use crate::random::Rng;

/// Appends such a message with this id. Its header announces one question and nothing else.
pub(crate) fn write_malformed(id: u16, response: bool, rng: &mut Rng, out: &mut Vec<u8>) {
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(if response { &[0x81, 0x80] } else { &[0x01, 0x00] });
    out.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
    match rng.below(6) {
        // Nothing after the header.
        0 => {}
        // A label longer than the message.
        1 => out.extend_from_slice(b"\x3fwww\x07example\x03com"),
        // A label type that does not exist (RFC 6891 section 5 withdrew 01, 10 was never used).
        2 => out.extend_from_slice(b"\x83www\x07example\x03com\x00\x00\x01\x00\x01"),
        // A pointer to itself.
        3 => out.extend_from_slice(b"\xc0\x0c\x00\x01\x00\x01"),
        // A name of more than 255 bytes.
        4 => {
            for _ in 0..5 {
                out.push(63);
                out.extend_from_slice(&[b'x'; 63]);
            }
            out.extend_from_slice(&[0, 0, 1, 0, 1]);
        }
        // No class.
        _ => out.extend_from_slice(b"\x03www\x07example\x03com\x00\x00\x01"),
    }
}
