//! The keys that names are listed under: their wire form, whole or cut.

use pktvisor_analysis::message::{MessageHead, Question};
use pktvisor_analysis::name::{Name, Suffix};
use pktvisor_analysis::public_suffix::{CutName, NameCut};

use crate::frequent::Key;

/// Tag of a list entry whose name is complete.
pub(super) const WHOLE: u8 = Name::HASH_KIND;
/// Tag of a list entry from which leading labels were cut off.
pub(super) const CUT: u8 = 1;

/// The key of a name that is listed by its end.
fn key<'a>(suffix: Suffix<'a>, question: &Question<'a>) -> Key<'a> {
    if suffix.cut { Key::new(CUT, suffix.wire) } else { whole(question) }
}

/// The key of a name that is listed whole.
pub(super) fn whole<'a>(question: &Question<'a>) -> Key<'a> {
    Key::with_hash(WHOLE, question.name.as_wire(), question.name_hash)
}

/// The keys of a message: those of its first question, if it has one. Only [`MessageKeys::of`]
/// makes them, so a message cannot be counted without them.
#[derive(Clone, Copy, Debug)]
pub struct MessageKeys<'a> {
    question: Option<QuestionKeys<'a>>,
}

impl<'a> MessageKeys<'a> {
    #[inline]
    pub(super) fn of(head: &MessageHead<'a>, name_cut: NameCut) -> Self {
        Self { question: head.question().map(|question| QuestionKeys::of(question, name_cut)) }
    }

    /// The keys of the first question.
    #[inline]
    pub(super) fn question(&self) -> Option<&QuestionKeys<'a>> {
        self.question.as_ref()
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
