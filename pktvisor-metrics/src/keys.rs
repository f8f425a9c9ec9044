//! The keys that a message is listed under: its name in wire form, whole or cut, and the address at
//! the other end than HOST.

use pktvisor_analysis::message::{Message, MessageHead, Question};
use pktvisor_analysis::name::{Name, Suffix};
use pktvisor_analysis::public_suffix::{CutName, NameCut};
use pktvisor_analysis::{ClientSide, ExchangeEnds};
use pktvisor_common::address::Address;
use pktvisor_common::classify::Class;
use pktvisor_common::direction::Direction;

use crate::frequent::Key;

/// Tag of a list entry whose name is complete.
pub(super) const WHOLE: u8 = Name::HASH_KIND;
/// Tag of a list entry from which leading labels were cut off.
pub(super) const CUT: u8 = 1;

/// The key of an address of a packet.
#[inline]
pub fn address_key(address: Address<'_>) -> Key<'_> {
    Key::new(address.version().number(), address.octets())
}

/// The direction of a packet, and the key of its remote end. Computed once, and used before and after
/// the analysis of the packet.
#[derive(Clone, Copy, Debug)]
pub struct PacketKeys<'a> {
    pub(super) direction: Direction,
    /// The address at the other end than HOST; `None` where the direction is unknown.
    pub(super) remote: Option<(Address<'a>, Key<'a>)>,
}

impl<'a> PacketKeys<'a> {
    /// The keys of a packet with this direction.
    #[inline(always)]
    pub fn of(class: &'a Class, direction: Direction) -> Self {
        Self { direction, remote: direction.remote(class).map(|remote| (remote, address_key(remote))) }
    }
}

/// The key of a name that is listed by its end.
fn key<'a>(suffix: Suffix<'a>, question: &Question<'a>) -> Key<'a> {
    if suffix.cut { Key::new(CUT, suffix.wire) } else { whole(question) }
}

/// The key of a name that is listed whole.
pub(super) fn whole<'a>(question: &Question<'a>) -> Key<'a> {
    Key::with_hash(WHOLE, question.name.as_wire(), question.name_hash)
}

/// The key of a zone: the same for its own name and for names below it, unlike that of a cut name.
#[inline]
pub(super) fn zone<'a>(qname2: Key<'a>) -> Key<'a> {
    if qname2.tag == CUT { qname2 } else { Key::new(CUT, qname2.bytes) }
}

/// The key of the end of a name that timed out.
pub(super) fn of_suffix<'a>(suffix: Suffix<'a>, is_cut: bool) -> Key<'a> {
    Key::new(if is_cut || suffix.cut { CUT } else { WHOLE }, suffix.wire)
}

/// The keys of a message: those of its first question, if it has one, and of its ends. Only
/// [`MessageKeys::of`] makes them, so a message cannot be counted without them.
#[derive(Clone, Copy, Debug)]
pub struct MessageKeys<'a> {
    question: Option<QuestionKeys<'a>>,
    party: Option<Party<'a>>,
}

impl<'a> MessageKeys<'a> {
    #[inline]
    pub(super) fn of(party: Option<Party<'a>>, head: &MessageHead<'a>, name_cut: NameCut) -> Self {
        Self { question: head.question().map(|question| QuestionKeys::of(question, name_cut)), party }
    }

    /// The keys of the first question.
    #[inline]
    pub(super) fn question(&self) -> Option<&QuestionKeys<'a>> {
        self.question.as_ref()
    }

    /// The address at the other end than HOST; `None` if neither end is HOST.
    #[inline]
    pub(super) fn party(&self) -> Option<&Party<'a>> {
        self.party.as_ref()
    }
}

/// The address at the other end than HOST.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    pub(super) asked: Asked,
    pub(super) address: Address<'a>,
    pub(super) key: Key<'a>,
}

/// The end that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// HOST is asked: the party is a client.
    Host,
    /// HOST asks: the party is a server.
    Party,
}

impl<'a> Party<'a> {
    #[inline]
    pub(super) fn of(ends: &ExchangeEnds<'a>) -> Option<Self> {
        let (asked, address) = match ends.side {
            ClientSide::Remote => (Asked::Host, ends.client),
            ClientSide::Host => (Asked::Party, ends.server),
            ClientSide::Unknown => return None,
        };
        Some(Self { asked, address, key: address_key(address) })
    }

    /// Whether the party sent this message.
    pub(super) fn is_sender(&self, message: &Message<'_>) -> bool {
        message.is_response() == (self.asked == Asked::Party)
    }
}

/// The keys that a question is listed under.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuestionKeys<'a> {
    pub(super) qname2: Key<'a>,
    pub(super) qname3: Option<Key<'a>>,
}

impl<'a> QuestionKeys<'a> {
    #[inline]
    fn of(question: &Question<'a>, name_cut: NameCut) -> Self {
        let CutName { qname2, qname3 } = name_cut.apply(question.name);
        Self { qname2: key(qname2, question), qname3: qname3.map(|qname3| key(qname3, question)) }
    }
}
