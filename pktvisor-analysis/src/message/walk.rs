//! The walk over questions and records, which finds the end of each.

use domain::base::iana::Rtype;

use super::{HEADER_BYTES, Question};
use crate::name::{Name, NameError, NameSkipper};

/// Why the walk over a message stopped before its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
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

/// Octets of TYPE, CLASS, TTL and RDLENGTH, RFC 1035 section 4.1.3.
const FIELDS_BYTES: usize = 10;

/// A position in a message, moved from one question or record to the next.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    octets: &'a [u8],
    pub(super) offset: usize,
    names: NameSkipper,
}

/// The fields of an OPT record, where other records have class, TTL and RDATA.
pub(super) struct OptRecord<'a> {
    pub(super) class: u16,
    pub(super) ttl: u32,
    pub(super) rdata: &'a [u8],
    /// The octets end within the RDATA.
    pub(super) ends_early: bool,
}

impl<'a> Walk<'a> {
    /// The position behind the header.
    #[inline]
    pub(super) fn behind_header(octets: &'a [u8]) -> Self {
        Self { octets, offset: HEADER_BYTES, names: NameSkipper::default() }
    }

    /// Reads the first question into its place, because a processor stalls when it moves a question
    /// that it has just written.
    #[inline]
    pub(super) fn first_question<'n>(
        &mut self,
        name: &'n mut Name,
        question: &mut Option<Question<'n>>,
    ) -> Result<(), Stop> {
        let start = self.offset;
        let end = name.read(self.octets, start)?;
        self.names = NameSkipper::knowing(start, name.as_wire().len());
        let &[type_high, type_low, class_high, class_low] = self.array(end)?;
        self.offset = end + 4;
        *question = Some(Question {
            name_hash: name.hash(),
            name,
            qtype: u16::from_be_bytes([type_high, type_low]),
            qclass: u16::from_be_bytes([class_high, class_low]),
        });
        Ok(())
    }

    pub(super) fn skip_question(&mut self) -> Result<(), Stop> {
        let end = self.names.skip(self.octets, self.offset)?;
        self.array::<4>(end)?;
        self.offset = end + 4;
        Ok(())
    }

    #[inline]
    pub(super) fn skip_record(&mut self) -> Result<(), Stop> {
        self.skip_record_of_type().map(|_| ())
    }

    /// As `skip_record`, but returns the type.
    #[inline]
    pub(super) fn skip_record_of_type(&mut self) -> Result<u16, Stop> {
        let fields = self.skip_owner()?;
        self.skip_fields(fields)?;
        Ok(record_type(fields))
    }

    /// As `skip_record`, but returns an OPT record, also one that the capture has cut.
    #[inline]
    pub(super) fn skip_record_but_opt(&mut self) -> Result<Option<OptRecord<'a>>, Stop> {
        let fields = self.skip_owner()?;
        let rdata_start = self.offset + FIELDS_BYTES;
        let skipped = self.skip_fields(fields);
        if record_type(fields) != Rtype::OPT.to_int() {
            return skipped.map(|()| None);
        }
        let &[_, _, class_high, class_low, ref ttl @ .., _, _] = fields;
        let end = if skipped.is_ok() { self.offset } else { self.octets.len() };
        Ok(Some(OptRecord {
            class: u16::from_be_bytes([class_high, class_low]),
            ttl: u32::from_be_bytes(*ttl),
            rdata: self.octets.get(rdata_start..end).unwrap_or_default(),
            ends_early: skipped.is_err(),
        }))
    }

    /// Goes on to the fields behind a record's owner name, and returns them.
    #[inline(always)]
    fn skip_owner(&mut self) -> Result<&'a [u8; FIELDS_BYTES], Stop> {
        self.offset = self.names.skip(self.octets, self.offset)?;
        self.array(self.offset)
    }

    /// Goes on to the end of a record that has these fields. If the octets end before it, the
    /// position stays.
    #[inline(always)]
    fn skip_fields(&mut self, fields: &[u8; FIELDS_BYTES]) -> Result<(), Stop> {
        let &[.., len_high, len_low] = fields;
        let end = self.offset + FIELDS_BYTES + usize::from(u16::from_be_bytes([len_high, len_low]));
        if end > self.octets.len() {
            return Err(Stop::EndsEarly);
        }
        self.offset = end;
        Ok(())
    }

    #[inline]
    fn array<const N: usize>(&self, offset: usize) -> Result<&'a [u8; N], Stop> {
        self.octets.get(offset..).and_then(<[u8]>::first_chunk).ok_or(Stop::EndsEarly)
    }
}

#[inline(always)]
fn record_type(&[high, low, ..]: &[u8; FIELDS_BYTES]) -> u16 {
    u16::from_be_bytes([high, low])
}
