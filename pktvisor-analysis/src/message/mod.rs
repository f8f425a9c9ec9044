//! What a DNS message says about itself: header, questions, EDNS(0), how much of it can be read.
//!
//! A message (RFC 1035 section 4) is a header of 12 octets and four sections: questions, and resource records as
//! answer, authority and additional. [`Message::parse`] walks all of them once, allocates nothing and keeps what
//! stands before the first fault: a message that is malformed in its answer still has its question.
//!
//! The header is read with `domain`. The walk over records is ours: it needs no more than each record's bounds, its
//! type and a check of its owner name, and as nearly all owners point to the question, remembering the last target of a
//! pointer makes it several times faster than parsing each record. Tests hold it against `domain`.

mod edns;

pub use domain::base::header::Header;
use domain::base::header::{HeaderCounts, HeaderSection};
use domain::base::iana::Rtype;

use super::name::{Name, NameError, NameSkipper};
pub use edns::{ClientSubnet, Edns};

/// Octets of the header, RFC 1035 section 4.1.1.
pub const HEADER_BYTES: usize = 12;

/// QNAME, QTYPE and QCLASS, RFC 1035 section 4.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// QNAME, lower-cased.
    pub name: &'a Name,
    /// Its [hash](Name::hash).
    pub name_hash: u64,
    /// QTYPE; [`qtype_name`](super::mnemonics::qtype_name) spells it.
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
    /// Where the second question begins, and how many follow the first one and can be read.
    further_questions: (usize, u16),
    /// EDNS(0), when the additional section has an OPT record (the first one counts).
    pub edns: Option<Edns>,
    /// Answer records: those that can be read, or what the header says when the capture holds only part of a message.
    pub answer_records: u16,
    /// Something after the header cannot be parsed: a name with a bad label, a bad pointer or over 255 octets; a
    /// record or an EDNS option that reaches beyond its end; a count that promises more than there is. Octets after
    /// the last record are no fault, nor is the early end of a message of which the capture holds only a part.
    /// RDATA other than that of OPT is not looked into.
    pub malformed: bool,
}

/// Why the walk over a message stopped before its end.
enum Stop {
    EndsEarly,
    Malformed,
}

impl From<NameError> for Stop {
    fn from(error: NameError) -> Self {
        match error {
            NameError::EndsEarly => Self::EndsEarly,
            NameError::Malformed => Self::Malformed,
        }
    }
}

impl<'a> Message<'a> {
    /// Parses a message; `snapped` says that the capture holds only its beginning. None below 12 octets. The QNAME goes to
    /// `name`: it is costly to move.
    #[inline]
    pub fn parse(octets: &'a [u8], snapped: bool, name: &'a mut Name) -> Option<Self> {
        Self::parse_telling(octets, snapped, name, |_, _| {})
    }

    /// As [`parse`](Self::parse), and tells header and first question before it walks on.
    #[inline]
    pub fn parse_telling(
        octets: &'a [u8],
        snapped: bool,
        name: &'a mut Name,
        asked: impl FnOnce(Header, &Question<'a>),
    ) -> Option<Self> {
        if octets.len() < HEADER_BYTES {
            return None;
        }
        let section = HeaderSection::for_message_slice(octets);
        let mut message = Self {
            octets,
            header: *section.header(),
            counts: *section.counts(),
            question: None,
            further_questions: (0, 0),
            edns: None,
            answer_records: 0,
            malformed: false,
        };
        match message.walk(name, asked) {
            Ok(()) => {}
            Err(Stop::EndsEarly) if snapped => message.answer_records = message.counts.ancount(),
            Err(_) => message.malformed = true,
        }
        Some(message)
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

    /// The response code of 12 bits where EDNS(0) extends it (RFC 6891 section 6.1.3), else the header's.
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

    fn walk(&mut self, name: &'a mut Name, asked: impl FnOnce(Header, &Question<'a>)) -> Result<(), Stop> {
        let mut walk = Walk { octets: self.octets, offset: HEADER_BYTES, names: NameSkipper::default() };
        self.walk_questions(&mut walk, name, asked)?;
        for _ in 0..self.counts.ancount() {
            walk.skip_record()?;
            self.answer_records += 1;
        }
        for _ in 0..self.counts.nscount() {
            walk.skip_record()?;
        }
        for _ in 0..self.counts.arcount() {
            let record = walk.skip_record_but_opt()?;
            if let Some(opt) = record
                && self.edns.is_none()
            {
                let (edns, well_formed) = Edns::read(opt.class, opt.ttl, opt.rdata);
                self.edns = Some(edns);
                if opt.ends_early {
                    return Err(Stop::EndsEarly);
                }
                if !well_formed {
                    return Err(Stop::Malformed);
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn walk_questions(
        &mut self,
        walk: &mut Walk<'_>,
        name: &'a mut Name,
        asked: impl FnOnce(Header, &Question<'a>),
    ) -> Result<(), Stop> {
        let count = self.counts.qdcount();
        if count == 0 {
            return Ok(());
        }
        asked(self.header, self.question.insert(walk.first_question(name)?));
        let second = walk.offset;
        for questions in 1..count {
            walk.skip_question()?;
            self.further_questions = (second, questions);
        }
        Ok(())
    }
}

/// Names of questions, decompressed one after the other.
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

/// A position in a message, moved from one question or record to the next.
struct Walk<'a> {
    octets: &'a [u8],
    offset: usize,
    names: NameSkipper,
}

/// What an OPT record says where other records have class, TTL and RDATA.
struct OptRecord<'a> {
    class: u16,
    ttl: u32,
    rdata: &'a [u8],
    /// The octets end within the RDATA.
    ends_early: bool,
}

impl<'a> Walk<'a> {
    #[inline]
    fn first_question<'n>(&mut self, name: &'n mut Name) -> Result<Question<'n>, Stop> {
        let start = self.offset;
        let end = name.read(self.octets, start)?;
        self.names = NameSkipper::knowing(start, name.as_wire().len());
        let &[type_high, type_low, class_high, class_low] = self.array(end)?;
        self.offset = end + 4;
        Ok(Question {
            name_hash: name.hash(),
            name,
            qtype: u16::from_be_bytes([type_high, type_low]),
            qclass: u16::from_be_bytes([class_high, class_low]),
        })
    }

    fn skip_question(&mut self) -> Result<(), Stop> {
        let end = self.names.skip(self.octets, self.offset)?;
        self.array::<4>(end)?;
        self.offset = end + 4;
        Ok(())
    }

    #[inline]
    fn skip_record(&mut self) -> Result<(), Stop> {
        let fixed = self.names.skip(self.octets, self.offset)?;
        let &[.., len_high, len_low] = self.array::<10>(fixed)?;
        let end = fixed + 10 + usize::from(u16::from_be_bytes([len_high, len_low]));
        if end > self.octets.len() {
            return Err(Stop::EndsEarly);
        }
        self.offset = end;
        Ok(())
    }

    /// As `skip_record`, but hands out an OPT record, also one that the capture has cut.
    #[inline]
    fn skip_record_but_opt(&mut self) -> Result<Option<OptRecord<'a>>, Stop> {
        let fixed = self.names.skip(self.octets, self.offset)?;
        let &[type_high, type_low, class_high, class_low, ref ttl @ .., _, _] = self.array::<10>(fixed)?;
        let skipped = self.skip_record();
        if u16::from_be_bytes([type_high, type_low]) != Rtype::OPT.to_int() {
            return skipped.map(|()| None);
        }
        let end = if skipped.is_ok() { self.offset } else { self.octets.len() };
        Ok(Some(OptRecord {
            class: u16::from_be_bytes([class_high, class_low]),
            ttl: u32::from_be_bytes(*ttl),
            rdata: self.octets.get(fixed + 10..end).unwrap_or_default(),
            ends_early: skipped.is_err(),
        }))
    }

    #[inline]
    fn array<const N: usize>(&self, offset: usize) -> Result<&'a [u8; N], Stop> {
        self.octets.get(offset..).and_then(<[u8]>::first_chunk).ok_or(Stop::EndsEarly)
    }
}

#[cfg(test)]
mod tests;
