//! The kind of a response, decided once for all lists.

use pktvisor_analysis::message::Message;

// RFC 1035 section 4.1.1.
const RCODE_NOERROR: u16 = 0;
const RCODE_SERVFAIL: u16 = 2;
const RCODE_NXDOMAIN: u16 = 3;
const RCODE_REFUSED: u16 = 5;

/// RFC 1035 section 3.2.2.
const TYPE_NS: u16 = 2;

/// What a response says. Of a query it is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseKind {
    /// NOERROR with answer records.
    Answer,
    /// NOERROR without an answer record, and no referral (RFC 2308 section 2.2).
    NoData,
    /// NOERROR without an answer record and without AA; the authority section begins with NS.
    Referral,
    NxDomain,
    ServFail,
    Refused,
    /// Any other response code.
    Other,
}

impl ResponseKind {
    #[inline]
    pub(super) fn of(message: &Message<'_>) -> Self {
        if !message.is_response() {
            return Self::Other;
        }
        match message.rcode() {
            // Decided by the header: a response with unreadable records is not empty.
            RCODE_NOERROR if message.counts().ancount() > 0 => Self::Answer,
            RCODE_NOERROR if message.authority_type == Some(TYPE_NS) && !message.header().aa() => {
                Self::Referral
            }
            RCODE_NOERROR => Self::NoData,
            rcode => Self::of_failure(rcode),
        }
    }

    /// The kind by the response code of a failure.
    #[inline]
    pub(super) fn of_failure(rcode: u16) -> Self {
        match rcode {
            RCODE_SERVFAIL => Self::ServFail,
            RCODE_NXDOMAIN => Self::NxDomain,
            RCODE_REFUSED => Self::Refused,
            _ => Self::Other,
        }
    }
}
