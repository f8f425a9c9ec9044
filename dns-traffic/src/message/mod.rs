//! DNS messages (RFC 1035): a query and its response are written from one [`DnsExchange`], so that
//! a repetition is identical.

mod draw;
mod malformed;
mod records;

pub(crate) use draw::draw_exchange;
pub(crate) use malformed::write_malformed;

use super::facts::{EdnsFacts, MessageFacts, MessageTransport};
use super::names::{NameKey, Names};
use super::random::{Rng, mix};

/// Query types with special treatment.
pub(crate) mod qtype {
    pub(crate) const A: u16 = 1;
    pub(crate) const NS: u16 = 2;
    pub(crate) const CNAME: u16 = 5;
    pub(crate) const SOA: u16 = 6;
    pub(crate) const PTR: u16 = 12;
    pub(crate) const MX: u16 = 15;
    pub(crate) const TXT: u16 = 16;
    pub(crate) const AAAA: u16 = 28;
    pub(crate) const SRV: u16 = 33;
    pub(crate) const NAPTR: u16 = 35;
    pub(crate) const OPT: u16 = 41;
    pub(crate) const DS: u16 = 43;
    pub(crate) const RRSIG: u16 = 46;
    pub(crate) const DNSKEY: u16 = 48;
    pub(crate) const NSEC3: u16 = 50;
    pub(crate) const TLSA: u16 = 52;
    pub(crate) const SVCB: u16 = 64;
    pub(crate) const HTTPS: u16 = 65;
    pub(crate) const SPF: u16 = 99;
    pub(crate) const ANY: u16 = 255;
    pub(crate) const CAA: u16 = 257;
}

/// Response codes with special treatment.
pub(crate) mod rcode {
    pub(crate) const NOERROR: u16 = 0;
    pub(crate) const FORMERR: u16 = 1;
    pub(crate) const SERVFAIL: u16 = 2;
    pub(crate) const NXDOMAIN: u16 = 3;
    pub(crate) const NOTIMP: u16 = 4;
    pub(crate) const REFUSED: u16 = 5;
    pub(crate) const DSOTYPENI: u16 = 11;
    pub(crate) const BADVERS: u16 = 16;
    pub(crate) const BADCOOKIE: u16 = 23;
}

/// Operation codes.
pub(crate) mod opcode {
    pub(crate) const QUERY: u8 = 0;
    pub(crate) const NOTIFY: u8 = 4;
    pub(crate) const UPDATE: u8 = 5;
    pub(crate) const DSO: u8 = 6;
}

/// EDNS(0) of a query (RFC 6891).
#[derive(Clone, Copy, Debug)]
pub(crate) struct EdnsOptions {
    pub(crate) udp_size: u16,
    pub(crate) dnssec_ok: bool,
    pub(crate) client_subnet: bool,
    pub(crate) cookie: bool,
}

/// A query and the response to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DnsExchange {
    pub(crate) id: u16,
    pub(crate) opcode: u8,
    /// `None` for DNS Stateful Operations (RFC 8490), which have no question.
    pub(crate) question: Option<(NameKey, u16)>,
    pub(crate) mixed_case: bool,
    pub(crate) recursion: bool,
    pub(crate) edns: Option<EdnsOptions>,
    /// Response code, with the extended bits of EDNS only if the query has EDNS.
    pub(crate) rcode: u16,
    /// Adds text to the answer until the message is at least this long.
    pub(crate) padded_to_bytes: u16,
    /// Seed of the response's records and of the letters' case.
    pub(crate) seed: u64,
}

/// Properties of a written response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Records in the answer section.
    pub(crate) answers: u16,
    /// Whether it was truncated.
    pub(crate) truncated: bool,
}

impl DnsExchange {
    /// The facts of the query, or of the written response.
    pub(crate) fn facts(
        &self,
        transport: MessageTransport,
        ports: (u16, u16),
        written: Option<Written>,
    ) -> MessageFacts {
        let response = written.is_some();
        MessageFacts {
            transport,
            src_port: ports.0,
            dst_port: ports.1,
            id: self.id,
            opcode: self.opcode,
            recursion: self.recursion,
            response,
            bytes: 0,
            rcode: if response { self.rcode } else { 0 },
            question: self.question,
            malformed: false,
            edns: self.edns.map(|edns| EdnsFacts {
                udp_size: if response { RESPONSE_UDP_SIZE } else { edns.udp_size },
                dnssec_ok: edns.dnssec_ok,
                client_subnet: edns.client_subnet.then(|| self.client_subnet()),
                cookie: edns.cookie && !response,
            }),
            answers: written.map_or(0, |written| written.answers),
            authoritative: response && self.is_authoritative(),
            truncated: written.is_some_and(|written| written.truncated),
        }
    }

    /// Appends the query.
    pub(crate) fn write_query(&self, names: &Names, out: &mut Vec<u8>) {
        let flags = u16::from(self.opcode) << 11 | u16::from(self.recursion) << 8;
        self.write_header(out, flags, [u16::from(self.question.is_some()), 0, 0, 0]);
        let start = out.len() - HEADER_LEN;
        self.write_question(names, out);
        if let Some(edns) = self.edns {
            let version = u8::from(self.rcode == rcode::BADVERS);
            let opt = open_opt(out, edns.udp_size, 0, version, edns.dnssec_ok);
            if edns.client_subnet {
                // A /24 of IPv4 (RFC 7871).
                let [a, b, c] = self.client_subnet();
                out.extend_from_slice(&[0, 8, 0, 7, 0, 1, 24, 0, a, b, c]);
            }
            if edns.cookie {
                out.extend_from_slice(&[0, 10, 0, 8]);
                out.extend_from_slice(&mix(self.seed).to_be_bytes());
            }
            records::close_rdata(out, opt);
            count(out, start, MessageSection::Additional, 1);
        }
        if self.opcode == opcode::DSO {
            // Keepalive with two time-outs in milliseconds (RFC 8490 section 7.1).
            out.extend_from_slice(&[0, 1, 0, 8, 0, 0, 0x3a, 0x98, 0, 0, 0x3a, 0x98]);
        }
    }

    /// Appends the response. One longer than `limit_bytes` is truncated
    /// to its question and says so (TC, RFC 2181 section 9).
    pub(crate) fn write_response(&self, names: &Names, limit_bytes: usize, out: &mut Vec<u8>) -> Written {
        let start = out.len();
        let answers = self.write_full_response(names, out);
        if out.len() - start <= limit_bytes {
            return Written { answers, truncated: false };
        }
        out.truncate(start);
        self.write_header(out, self.response_flags() | 0x0200, [1, 0, 0, 0]);
        self.write_question(names, out);
        self.write_response_opt(out, start);
        Written { answers: 0, truncated: true }
    }

    fn write_full_response(&self, names: &Names, out: &mut Vec<u8>) -> u16 {
        let start = out.len();
        self.write_header(out, self.response_flags(), [u16::from(self.question.is_some()), 0, 0, 0]);
        self.write_question(names, out);
        let mut counts = [0; 2];
        if let (Some((key, qtype)), opcode::QUERY) = (self.question, self.opcode) {
            let mut rng = Rng::new(self.seed);
            counts = records::write_sections(self, names, key, qtype, start, &mut rng, out);
        }
        count(out, start, MessageSection::Answer, counts[0]);
        count(out, start, MessageSection::Authority, counts[1]);
        self.write_response_opt(out, start);
        if self.opcode == opcode::DSO {
            // Encryption padding (RFC 8490 section 7.3).
            out.extend_from_slice(&[0, 3, 0, 4, 0, 0, 0, 0]);
        }
        counts[0]
    }

    fn client_subnet(&self) -> [u8; 3] {
        let [a, b, c, ..] = self.seed.to_be_bytes();
        [a | 1, b, c]
    }

    fn is_authoritative(&self) -> bool {
        !self.recursion && self.rcode != rcode::REFUSED
    }

    fn response_flags(&self) -> u16 {
        0x8000
            | u16::from(self.opcode) << 11
            | u16::from(self.is_authoritative()) << 10
            | u16::from(self.recursion) << 8
            | u16::from(self.recursion) << 7
            | (self.rcode & 15)
    }

    fn write_header(&self, out: &mut Vec<u8>, flags: u16, counts: [u16; 4]) {
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&flags.to_be_bytes());
        for count in counts {
            out.extend_from_slice(&count.to_be_bytes());
        }
    }

    fn write_question(&self, names: &Names, out: &mut Vec<u8>) {
        let Some((key, qtype)) = self.question else { return };
        let start = out.len();
        names.wire(key, out);
        if self.mixed_case {
            let mut bits = self.seed;
            for byte in &mut out[start..] {
                if byte.is_ascii_lowercase() {
                    *byte ^= (bits as u8 & 1) << 5;
                    bits = bits.rotate_right(1);
                }
            }
        }
        out.push(0);
        out.extend_from_slice(&qtype.to_be_bytes());
        out.extend_from_slice(&CLASS_IN);
    }

    fn write_response_opt(&self, out: &mut Vec<u8>, start: usize) {
        let Some(edns) = self.edns else { return };
        let opt = open_opt(out, RESPONSE_UDP_SIZE, (self.rcode >> 4) as u8, 0, edns.dnssec_ok);
        if edns.client_subnet {
            let [a, b, c] = self.client_subnet();
            out.extend_from_slice(&[0, 8, 0, 7, 0, 1, 24, 20, a, b, c]);
        }
        records::close_rdata(out, opt);
        count(out, start, MessageSection::Additional, 1);
    }
}

const HEADER_LEN: usize = 12;
const CLASS_IN: [u8; 2] = [0, 1];
/// The UDP size that responses offer (<https://www.dnsflagday.net/2020/>).
const RESPONSE_UDP_SIZE: u16 = 1232;

/// The offset of a section's record count in the header.
#[derive(Clone, Copy, Debug)]
enum MessageSection {
    Answer = 6,
    Authority = 8,
    Additional = 10,
}

fn count(out: &mut [u8], start: usize, section: MessageSection, records: u16) {
    let at = start + section as usize;
    out[at..at + 2].copy_from_slice(&records.to_be_bytes());
}

/// Writes an OPT record up to its options and returns the offset of its length.
fn open_opt(out: &mut Vec<u8>, udp_size: u16, extended_rcode: u8, version: u8, dnssec_ok: bool) -> usize {
    out.push(0);
    out.extend_from_slice(&qtype::OPT.to_be_bytes());
    out.extend_from_slice(&udp_size.to_be_bytes());
    out.extend_from_slice(&[extended_rcode, version, u8::from(dnssec_ok) << 7, 0, 0, 0]);
    out.len() - 2
}
