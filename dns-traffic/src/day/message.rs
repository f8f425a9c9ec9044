//! The messages of a day.

use super::Lookup;
use crate::message;
use crate::random::Rng;

const RESPONSE: u16 = 0x8180;
const TRUNCATED: u16 = 0x0200;
const QUERY: u16 = 0x0100;

/// A query.
pub(super) fn query(id: u16, lookup: &Lookup) -> Vec<u8> {
    let mut out = head(id, QUERY, lookup, 0);
    // An OPT record with a size of 1232 (RFC 6891).
    out[11] = 1;
    out.extend_from_slice(&[0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    out
}

/// A response with one record of so many octets, or none.
pub(super) fn response(id: u16, lookup: &Lookup, rcode: u8, data_bytes: u16) -> Vec<u8> {
    let answers = u16::from(data_bytes > 0);
    let mut out = head(id, RESPONSE | u16::from(rcode), lookup, answers);
    if answers > 0 {
        // The owner is the question's name (RFC 1035 section 4.1.4).
        out.extend_from_slice(&[0xc0, 12]);
        out.extend_from_slice(&lookup.qtype.to_be_bytes());
        out.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
        out.extend_from_slice(&data_bytes.to_be_bytes());
        out.resize(out.len() + usize::from(data_bytes), 7);
    }
    out
}

/// A truncated response.
pub(super) fn truncated(id: u16, lookup: &Lookup) -> Vec<u8> {
    head(id, RESPONSE | TRUNCATED, lookup, 0)
}

/// A query that cannot be parsed.
pub(super) fn malformed(id: u16, rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    message::write_malformed(id, false, rng, &mut out);
    out
}

fn head(id: u16, flags: u16, lookup: &Lookup, answers: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + lookup.name.len());
    for word in [id, flags, 1, answers, 0, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(&lookup.name);
    out.push(0);
    out.extend_from_slice(&lookup.qtype.to_be_bytes());
    out.extend_from_slice(&[0, 1]);
    out
}
