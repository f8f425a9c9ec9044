//! Parsing in two steps: the head of a message, then the rest.

use domain::base::header::{Header, HeaderCounts, HeaderSection};

use super::walk::{Stop, Walk};
use super::{Edns, HEADER_BYTES, Message, Question};
use crate::name::Name;

/// The header and the first question of a message whose records are not parsed yet.
#[derive(Clone, Debug)]
pub struct MessageHead<'a> {
    header: Header,
    counts: HeaderCounts,
    question: Option<Question<'a>>,
    /// Stands behind the first question.
    walk: Walk<'a>,
    /// An error if the header promises a question that cannot be read.
    first_question: Result<(), Stop>,
}

impl<'a> MessageHead<'a> {
    /// Parses the header and the first question. Returns `None` for fewer than 12 octets. Writes the QNAME to `name`, because
    /// moving a name is expensive.
    #[inline]
    pub fn parse(octets: &'a [u8], name: &'a mut Name) -> Option<Self> {
        if octets.len() < HEADER_BYTES {
            return None;
        }
        let section = HeaderSection::for_message_slice(octets);
        let (header, counts) = (*section.header(), *section.counts());
        let mut walk = Walk::behind_header(octets);
        let (question, first_question) = match counts.qdcount() {
            0 => (None, Ok(())),
            _ => match walk.first_question(name) {
                Ok(question) => (Some(question), Ok(())),
                Err(stop) => (None, Err(stop)),
            },
        };
        Some(Self { header, counts, question, walk, first_question })
    }

    /// The header's first four octets.
    #[inline]
    pub fn header(&self) -> Header {
        self.header
    }

    /// The first question, if there is one that can be read.
    #[inline]
    pub fn question(&self) -> Option<&Question<'a>> {
        self.question.as_ref()
    }

    /// Parses the rest; `snapped` says that the capture holds only the beginning of the message.
    #[inline]
    pub fn parse_rest(self, snapped: bool) -> Message<'a> {
        let Self { header, counts, question, walk, first_question } = self;
        let mut message = Message {
            octets: walk.octets(),
            header,
            counts,
            question,
            further_questions: (0, 0),
            edns: None,
            answer_records: 0,
            malformed: false,
        };
        match first_question.and_then(|()| message.walk_rest(walk)) {
            Ok(()) => {}
            Err(Stop::EndsEarly) if snapped => message.answer_records = message.counts.ancount(),
            Err(_) => message.malformed = true,
        }
        message
    }
}

impl<'a> Message<'a> {
    /// Walks from the second question to the end.
    #[inline]
    fn walk_rest(&mut self, mut walk: Walk<'a>) -> Result<(), Stop> {
        let second = walk.offset;
        for questions in 1..self.counts.qdcount() {
            walk.skip_question()?;
            self.further_questions = (second, questions);
        }
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
}
