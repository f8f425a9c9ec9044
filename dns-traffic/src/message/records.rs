//! Resource records of responses, with compression pointers (RFC 1035 section 4.1.4) as servers
//! write them.

use super::{CLASS_IN, DnsExchange, HEADER_LEN, qtype, rcode};
use crate::names::{NameKey, Names};
use crate::random::Rng;

/// A pointer to the question's name.
const QUESTION_NAME: u16 = 0xc000 | HEADER_LEN as u16;

/// Writes answer and authority of the response that begins at `start` and returns the number of
/// records of each.
pub(super) fn write_sections(
    exchange: &DnsExchange,
    names: &Names,
    key: NameKey,
    qtype: u16,
    start: usize,
    rng: &mut Rng,
    out: &mut Vec<u8>,
) -> [u16; 2] {
    let signed = exchange.edns.is_some_and(|edns| edns.dnssec_ok);
    let mut answers = 0;
    if exchange.rcode == rcode::NOERROR {
        answers = write_answers(qtype, start, rng, out);
        if exchange.padded_to_bytes > 0 {
            answers += write_padding(start + usize::from(exchange.padded_to_bytes), out);
        }
        if signed && answers > 0 {
            write_rrsig(QUESTION_NAME, qtype, rng, out);
            answers += 1;
        }
    }
    let denied = exchange.rcode == rcode::NXDOMAIN || (exchange.rcode == rcode::NOERROR && answers == 0);
    if !denied {
        return [answers, 0];
    }
    let zone = zone_pointer(names, key);
    write_soa(zone, rng, out);
    let mut authority = 1;
    if signed {
        write_rrsig(zone, qtype::SOA, rng, out);
        write_nsec3(zone, rng, out);
        write_rrsig(zone, qtype::NSEC3, rng, out);
        authority += 3;
    }
    [answers, authority]
}

/// Fills in the length of the record data that began after `at`.
pub(super) fn close_rdata(out: &mut [u8], at: usize) {
    let len = (out.len() - at - 2) as u16;
    out[at..at + 2].copy_from_slice(&len.to_be_bytes());
}

/// Writes a record up to its data and returns the offset of its length.
fn open_record(owner: u16, qtype: u16, ttl_s: u32, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&owner.to_be_bytes());
    out.extend_from_slice(&qtype.to_be_bytes());
    out.extend_from_slice(&CLASS_IN);
    out.extend_from_slice(&ttl_s.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.len() - 2
}

/// A pointer to the last two labels of the question's name, to all of a shorter one.
fn zone_pointer(names: &Names, key: NameKey) -> u16 {
    let mut wire = Vec::with_capacity(64);
    names.wire(key, &mut wire);
    let (mut before, mut last, mut at) = (0, 0, 0);
    while let Some(&len) = wire.get(at) {
        (before, last) = (last, at);
        at += 1 + usize::from(len);
    }
    QUESTION_NAME + before as u16
}

/// Answers to the question, at most a handful; none if the name has no such record.
fn write_answers(qtype: u16, start: usize, rng: &mut Rng, out: &mut Vec<u8>) -> u16 {
    let empty = match qtype {
        qtype::AAAA => 0.3,
        qtype::HTTPS | qtype::SVCB => 0.7,
        qtype::DS | qtype::CAA | qtype::SPF | qtype::NAPTR | qtype::TLSA => 0.5,
        _ => 0.04,
    };
    if rng.chance(empty) {
        return 0;
    }
    let mut owner = QUESTION_NAME;
    let mut written = 0;
    let aliased = matches!(qtype, qtype::A | qtype::AAAA | qtype::HTTPS) && rng.chance(0.25);
    if aliased || qtype == qtype::CNAME {
        let at = open_record(owner, qtype::CNAME, 300, out);
        owner = 0xc000 | (out.len() - start) as u16;
        push_host(b"edge", rng, out);
        close_rdata(out, at);
        written += 1;
        if qtype == qtype::CNAME {
            return written;
        }
    }
    let copies = match qtype {
        qtype::A | qtype::AAAA => rng.weighted(&[(60, 1), (20, 2), (12, 4), (6, 3), (2, 8)]),
        qtype::NS | qtype::MX | qtype::DNSKEY => rng.between(2, 4),
        _ => 1,
    };
    for _ in 0..copies {
        let shown = if qtype == qtype::ANY { qtype::A } else { qtype };
        let ttl_s = rng.pick(&[60, 300, 3600, 86_400]);
        let at = open_record(owner, shown, ttl_s, out);
        if write_rdata(shown, rng, out) {
            close_rdata(out, at);
            written += 1;
        } else {
            out.truncate(at - 10);
        }
    }
    written
}

/// Record data of a type; false if the generator has none.
fn write_rdata(qtype: u16, rng: &mut Rng, out: &mut Vec<u8>) -> bool {
    let bits = rng.next_u64();
    match qtype {
        qtype::A => out.extend_from_slice(&((bits as u32 & 0x0fff_ffff) | 0x6000_0000).to_be_bytes()),
        qtype::AAAA => {
            out.extend_from_slice(&[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0]);
            out.extend_from_slice(&bits.to_be_bytes());
        }
        qtype::NS => push_host(b"ns", rng, out),
        qtype::PTR => push_host(b"host", rng, out),
        qtype::MX => {
            out.extend_from_slice(&[0, 10]);
            push_host(b"mx", rng, out);
        }
        qtype::SRV => {
            out.extend_from_slice(&[0, 10, 0, 60, 0x13, 0xc4]);
            push_host(b"sip", rng, out);
        }
        qtype::TXT | qtype::SPF => {
            push_text(b"v=spf1 include:_spf.example.com ip4:198.51.100.0/24 ~all", out)
        }
        qtype::HTTPS | qtype::SVCB => {
            // Priority 1, target ".", alpn=h3,h2 (RFC 9460).
            out.extend_from_slice(&[0, 1, 0, 0, 1, 0, 6, 2, b'h', b'3', 2, b'h', b'2']);
        }
        qtype::SOA => push_soa(rng, out),
        qtype::CAA => out.extend_from_slice(b"\x00\x05issueca.example.net"),
        qtype::DS => {
            out.extend_from_slice(&[(bits >> 8) as u8, bits as u8, 13, 2]);
            push_noise(32, rng, out);
        }
        qtype::DNSKEY => {
            out.extend_from_slice(&[1, 0, 3, 13]);
            push_noise(64, rng, out);
        }
        qtype::TLSA => {
            out.extend_from_slice(&[3, 1, 1]);
            push_noise(32, rng, out);
        }
        qtype::RRSIG => push_rrsig(qtype::A, rng, out),
        qtype::NAPTR => {
            out.extend_from_slice(&[0, 10, 0, 100]);
            out.extend_from_slice(b"\x01u\x07E2U+sip\x18!^.*$!sip:info@host.com!\x00");
        }
        _ => return false,
    }
    true
}

/// Text records until the message has this length; each fills what is left.
fn write_padding(end: usize, out: &mut Vec<u8>) -> u16 {
    let mut written = 0;
    while out.len() < end {
        let at = open_record(QUESTION_NAME, qtype::TXT, 3600, out);
        let len = end.saturating_sub(out.len() + 1).clamp(1, 255);
        out.push(len as u8);
        out.extend((0..len).map(|index| b"k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEF"[index % 33]));
        close_rdata(out, at);
        written += 1;
    }
    written
}

fn write_soa(zone: u16, rng: &mut Rng, out: &mut Vec<u8>) {
    let at = open_record(zone, qtype::SOA, 900, out);
    push_soa(rng, out);
    close_rdata(out, at);
}

fn write_rrsig(owner: u16, covered: u16, rng: &mut Rng, out: &mut Vec<u8>) {
    let at = open_record(owner, qtype::RRSIG, 300, out);
    push_rrsig(covered, rng, out);
    close_rdata(out, at);
}

fn write_nsec3(zone: u16, rng: &mut Rng, out: &mut Vec<u8>) {
    // The owner is a hash below the zone: 32 digits of base32hex (RFC 5155 section 3).
    out.push(32);
    let bits = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
    out.extend((0..32).map(|digit| {
        b"0123456789abcdefghijklmnopqrstuv"[(bits[digit / 12] >> (5 * (digit % 12)) & 31) as usize]
    }));
    let at = open_record(zone, qtype::NSEC3, 900, out);
    out.extend_from_slice(&[1, 0, 0, 0, 0, 20]);
    push_noise(20, rng, out);
    out.extend_from_slice(&[0, 6, 0x62, 0x01, 0x80, 0x08, 0x00, 0x02]);
    close_rdata(out, at);
}

fn push_soa(rng: &mut Rng, out: &mut Vec<u8>) {
    push_host(b"ns", rng, out);
    out.extend_from_slice(b"\x0ahostmaster\x07example\x03net\x00");
    for value in [2_024_010_100 + rng.below(99) as u32, 7200, 900, 1_209_600, 300] {
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// An ECDSA P-256 signature (RFC 6605) by example.net.
fn push_rrsig(covered: u16, rng: &mut Rng, out: &mut Vec<u8>) {
    out.extend_from_slice(&covered.to_be_bytes());
    out.extend_from_slice(&[13, 2, 0, 0, 1, 0x2c]);
    out.extend_from_slice(&1_702_000_000_u32.to_be_bytes());
    out.extend_from_slice(&1_699_000_000_u32.to_be_bytes());
    out.extend_from_slice(&[0x30, 0x39]);
    out.extend_from_slice(b"\x07example\x03net\x00");
    push_noise(64, rng, out);
}

/// A host such as ns7.example-net.com.
fn push_host(stem: &[u8], rng: &mut Rng, out: &mut Vec<u8>) {
    let number = rng.below(90);
    out.push(stem.len() as u8 + 2);
    out.extend_from_slice(stem);
    out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
    out.extend_from_slice(b"\x0bexample-net\x03com\x00");
}

fn push_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(text.len() as u8);
    out.extend_from_slice(text);
}

fn push_noise(len: usize, rng: &mut Rng, out: &mut Vec<u8>) {
    for _ in 0..len / 4 {
        out.extend_from_slice(&(rng.next_u64() as u32).to_be_bytes());
    }
}
