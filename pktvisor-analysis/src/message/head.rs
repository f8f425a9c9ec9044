//! Parsing in two steps: the head of a message, then the rest.

use std::mem;

use domain::base::header::{Header, HeaderCounts, HeaderSection};
use pktvisor_common::classify::Captured;

use super::walk::{Stop, Walk};
use super::{HEADER_BYTES, Message, Question};
use crate::message::edns::Edns;
use crate::name::Name;

/// A message of which the header and the first question are parsed, and then the rest.
///
/// Both steps work in place: a processor stalls when it moves a message that it has just written.
#[derive(Clone, Debug)]
pub struct MessageHead<'a> {
    message: Message<'a>,
    /// The position behind the first question.
    walk: Walk<'a>,
    rest: Rest,
}

/// The state of the part of a message behind its head.
#[derive(Clone, Copy, Debug)]
enum Rest {
    Unparsed,
    /// The header promises a question that cannot be read, so nothing behind it can be found.
    Unreadable(Stop),
    Parsed,
}

impl<'a> MessageHead<'a> {
    /// A message of which nothing is parsed yet.
    #[inline(always)]
    pub fn new(octets: &'a [u8]) -> Self {
        Self {
            message: Message {
                octets,
                header: Header::new(),
                counts: HeaderCounts::new(),
                question: None,
                further_questions: (0, 0),
                edns: None,
                answer_records: 0,
                authority_type: None,
                malformed: false,
            },
            walk: Walk::behind_header(octets),
            rest: Rest::Unparsed,
        }
    }

    /// Parses the header and the first question. Returns `None` for fewer than 12 octets. Writes
    /// the QNAME to `name`, because moving a name is expensive.
    #[inline(always)]
    pub fn parse(&mut self, name: &'a mut Name) -> Option<()> {
        let octets = self.message.octets;
        if octets.len() < HEADER_BYTES {
            return None;
        }
        let section = HeaderSection::for_message_slice(octets);
        self.message.header = *section.header();
        self.message.counts = *section.counts();
        if self.message.counts.qdcount() > 0
            && let Err(stop) = self.walk.first_question(name, &mut self.message.question)
        {
            self.rest = Rest::Unreadable(stop);
        }
        Some(())
    }

    /// The header's first four octets.
    #[inline]
    pub fn header(&self) -> Header {
        self.message.header
    }

    /// The first question, if there is one that can be read.
    #[inline]
    pub fn question(&self) -> Option<&Question<'a>> {
        self.message.question.as_ref()
    }

    /// Parses the rest, if this is the first call. A message that the capture holds only in part
    /// may end early.
    #[inline(always)]
    pub fn parse_rest(&mut self, captured: Captured) -> &Message<'a> {
        let message = &mut self.message;
        let result = match mem::replace(&mut self.rest, Rest::Parsed) {
            Rest::Unparsed => message.walk_rest(&mut self.walk),
            Rest::Unreadable(stop) => Err(stop),
            Rest::Parsed => Ok(()),
        };
        match result {
            Ok(()) => {}
            Err(Stop::EndsEarly) if captured == Captured::Part => {
                message.answer_records = message.counts.ancount()
            }
            Err(_) => message.malformed = true,
        }
        message
    }

    /// The message as far as it is parsed.
    #[inline]
    pub(super) fn into_message(self) -> Message<'a> {
        self.message
    }
}

impl<'a> Message<'a> {
    /// Walks from the second question to the end.
    #[inline(always)]
    fn walk_rest(&mut self, walk: &mut Walk<'a>) -> Result<(), Stop> {
        let second = walk.offset;
        for questions in 1..self.counts.qdcount() {
            walk.skip_question()?;
            self.further_questions = (second, questions);
        }
        for _ in 0..self.counts.ancount() {
            walk.skip_record()?;
            self.answer_records += 1;
        }
        let mut authority = self.counts.nscount();
        if self.answer_records == 0 && authority > 0 {
            self.authority_type = Some(walk.skip_record_of_type()?);
            authority -= 1;
        }
        for _ in 0..authority {
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
}
