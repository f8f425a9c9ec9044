//! DNS messages: header, questions, EDNS(0), and how much of a message can be read.
//!
//! A message (RFC 1035 section 4) is a header of 12 octets and four sections: questions, and
//! resource records as answer, authority and additional. [`Message::parse`] walks all of them once,
//! allocates nothing, and keeps everything before the first fault: a message that is malformed in
//! its answer still has its question. A caller that needs the question before the records are
//! parsed starts with the [head](MessageHead).
//!
//! `domain` reads the header. The walk over records is ours: it needs only each record's bounds,
//! its type and a check of its owner name. Nearly all owners point to the question, so remembering
//! the last target of a pointer makes the walk several times faster than parsing each record. Tests
//! compare it with `domain`.

mod edns;
mod head;
mod walk;

pub use domain::base::header::Header;
use domain::base::header::HeaderCounts;

pub use edns::{ClientSubnet, Edns};
pub use head::MessageHead;
use pktvisor_common::classify::Captured;

use crate::name::Name;

/// Octets of the header, RFC 1035 section 4.1.1.
pub const HEADER_BYTES: usize = 12;

/// QNAME, QTYPE and QCLASS, RFC 1035 section 4.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// QNAME, lower-cased.
    pub name: &'a Name,
    /// Its [hash](Name::hash).
    pub name_hash: u64,
    /// QTYPE; [`qtype_name`](super::mnemonics::qtype_name) returns its name.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
}

/// One parsed DNS message.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
    header: Header,
    counts: HeaderCounts,
    /// The first question, if there is one that can be read.
    pub question: Option<Question<'a>>,
    /// The offset of the second question, and the number of readable questions after the first.
    further_questions: (usize, u16),
    /// EDNS(0), if the additional section has an OPT record (the first one counts).
    pub edns: Option<Edns>,
    /// Number of answer records: the readable ones, or the header's count if the capture holds only
    /// part of the message.
    pub answer_records: u16,
    /// The type of the first authority record of a message without answer records: SOA in a negative
    /// response, NS in a referral (RFC 2308 section 2).
    pub authority_type: Option<u16>,
    /// Something after the header cannot be parsed: a name with a bad label, a bad pointer or over
    /// 255 octets; a record or an EDNS option that reaches beyond its end; a count that promises
    /// too much. Octets after the last record are no fault, and neither is the early end of a
    /// message that the capture holds only in part. Only the RDATA of OPT is checked.
    pub malformed: bool,
}

impl<'a> Message<'a> {
    /// Parses a message. Returns `None` for fewer than 12 octets. Writes the QNAME to `name`,
    /// because moving a name is expensive.
    #[inline]
    pub fn parse(octets: &'a [u8], captured: Captured, name: &'a mut Name) -> Option<Self> {
        let mut head = MessageHead::new(octets);
        head.parse(name)?;
        head.parse_rest(captured);
        Some(head.into_message())
    }

    /// Number of octets, as captured.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.octets.len()
    }

    /// Transaction id.
    #[inline]
    pub fn id(&self) -> u16 {
        self.header.id()
    }

    /// QR bit: a response.
    #[inline]
    pub fn is_response(&self) -> bool {
        self.header.qr()
    }

    /// Opcode, 0 to 15.
    #[inline]
    pub fn opcode(&self) -> u8 {
        self.header.opcode().to_int()
    }

    /// The 4 bits of the header's RCODE.
    #[inline]
    pub fn header_rcode(&self) -> u8 {
        self.header.rcode().to_int()
    }

    /// The response code: 12 bits if EDNS(0) extends it (RFC 6891 section 6.1.3), else that of the
    /// header.
    #[inline]
    pub fn rcode(&self) -> u16 {
        let extension = self.edns.as_ref().map_or(0, |edns| edns.extended_rcode);
        u16::from(extension) << 4 | u16::from(self.header_rcode())
    }

    /// The header's first four octets: id, opcode, rcode and the bits AA, TC, RD, RA, AD, CD.
    #[inline]
    pub fn header(&self) -> Header {
        self.header
    }

    /// The header's third and fourth octet: QR, opcode, AA, TC, RD; RA, Z, AD, CD, rcode.
    #[inline]
    pub fn header_flags(&self) -> [u8; 2] {
        match self.octets {
            [_, _, high, low, ..] => [*high, *low],
            _ => [0; 2],
        }
    }

    /// The header's counts of questions and records, as claimed.
    #[inline]
    pub fn counts(&self) -> HeaderCounts {
        self.counts
    }

    /// The names of the questions after the first one, in order.
    #[inline]
    pub fn further_question_names(&self) -> QuestionNames<'a> {
        let (offset, left) = self.further_questions;
        QuestionNames { octets: self.octets, offset, left }
    }
}

/// Iterator over names of questions, which it decompresses.
#[derive(Clone, Debug)]
pub struct QuestionNames<'a> {
    octets: &'a [u8],
    offset: usize,
    left: u16,
}

impl Iterator for QuestionNames<'_> {
    type Item = Name;

    #[inline]
    fn next(&mut self) -> Option<Name> {
        self.left = self.left.checked_sub(1)?;
        let mut name = Name::default();
        self.offset = name.read(self.octets, self.offset).ok()? + 4;
        Some(name)
    }
}

#[cfg(test)]
mod tests;
