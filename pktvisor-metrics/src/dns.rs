//! What is asked and answered: names, types, codes.

use pktvisor_analysis::ReassemblyEvent;
use pktvisor_analysis::message::{Header, Message, Question};
use pktvisor_analysis::name::{Name, Suffix};
use pktvisor_analysis::public_suffix::{CutName, NameCut};

use super::frequent::{FrequentItems, Key, Limits, Mark};
use super::{CodeCounts, DistinctNames, Quantiles};

/// Tag of a list entry whose name is complete.
pub(super) const WHOLE: u8 = Name::HASH_KIND;
/// Tag of a list entry from which leading labels were cut off.
pub(super) const CUT: u8 = 1;

/// What deep analysis found in the messages of one period.
#[derive(Clone, Debug)]
pub(super) struct DnsMetrics {
    pub messages: u64,
    pub malformed: u64,
    pub qnames: DistinctNames,
    /// Lists by name: keys are wire form, tagged [`WHOLE`] or [`CUT`].
    pub qname2: FrequentItems,
    pub qname3: FrequentItems,
    pub nxdomain: FrequentItems,
    pub refused: FrequentItems,
    pub srvfail: FrequentItems,
    pub rcodes: CodeCounts,
    pub qtypes: CodeCounts,
    pub udp_ports: CodeCounts,
    pub edns: EdnsMetrics,
}

/// EDNS(0) and answer sections.
#[derive(Clone, Debug, Default)]
pub(super) struct EdnsMetrics {
    pub queries: u64,
    pub replies: u64,
    pub dnssec_ok: u64,
    pub client_subnet: u64,
    pub udp_size_bytes: Quantiles,
    pub empty_answers: u64,
    pub answer_records: u64,
}

/// What reassembly gave up or put right.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReassemblyMetrics {
    pub unsynchronised: u64,
    pub gaps: u64,
    pub retransmitted_segments: u64,
    pub streams_evicted: u64,
    pub datagrams_reassembled: u64,
    pub datagrams_incomplete: u64,
    pub datagrams_evicted: u64,
    pub datagrams_unidentified: u64,
    pub fragments_malformed: u64,
}

// RFC 1035 section 4.1.1.
const RCODE_NOERROR: u16 = 0;
const RCODE_SERVFAIL: u16 = 2;
const RCODE_NXDOMAIN: u16 = 3;
const RCODE_REFUSED: u16 = 5;

/// The key of a name that is listed by its end.
fn key<'a>(suffix: Suffix<'a>, question: &Question<'a>) -> Key<'a> {
    if suffix.cut { Key::new(CUT, suffix.wire) } else { whole(question) }
}

/// The key of a name that is listed whole.
pub(super) fn whole<'a>(question: &Question<'a>) -> Key<'a> {
    Key::with_hash(WHOLE, question.name.as_wire(), question.name_hash)
}

/// What a question is listed under.
#[derive(Clone, Copy, Debug)]
pub struct QuestionKeys<'a> {
    qname2: Key<'a>,
    qname3: Option<Key<'a>>,
}

impl<'a> QuestionKeys<'a> {
    #[inline]
    pub(super) fn of(question: &Question<'a>, name_cut: NameCut) -> Self {
        let CutName { qname2, qname3 } = name_cut.apply(question.name);
        Self { qname2: key(qname2, question), qname3: qname3.map(|qname3| key(qname3, question)) }
    }
}

impl DnsMetrics {
    pub(super) fn new() -> Self {
        let items = || FrequentItems::new(Limits::LIVE);
        Self {
            messages: 0,
            malformed: 0,
            qnames: DistinctNames::default(),
            qname2: items(),
            qname3: items(),
            nxdomain: items(),
            refused: items(),
            srvfail: items(),
            rcodes: CodeCounts::default(),
            qtypes: CodeCounts::default(),
            udp_ports: CodeCounts::default(),
            edns: EdnsMetrics::default(),
        }
    }

    /// Counts one message.
    pub(super) fn message<'m>(&mut self, message: &Message<'m>, keys: Option<QuestionKeys<'m>>) {
        self.messages += 1;
        if let (Some(question), Some(keys)) = (&message.question, keys) {
            self.question(question, keys);
        }
        for name in message.further_question_names() {
            self.qnames.add(name.as_wire());
        }
        self.edns.message(message);
        if message.is_response() {
            self.response(message);
        }
    }

    /// Asks for the memory where a message with a question will be counted.
    #[inline]
    pub(super) fn expect<'m>(&self, header: Header, question: &Question<'m>, keys: &QuestionKeys<'m>) {
        self.qname2.expect(keys.qname2);
        if let Some(qname3) = keys.qname3 {
            self.qname3.expect(qname3);
        }
        if header.qr()
            && let Some(failed) = self.failed(header.rcode().to_int().into())
        {
            failed.expect(whole(question));
        }
    }

    /// The list of the questions that were answered so.
    fn failed(&self, rcode: u16) -> Option<&FrequentItems> {
        match rcode {
            RCODE_SERVFAIL => Some(&self.srvfail),
            RCODE_NXDOMAIN => Some(&self.nxdomain),
            RCODE_REFUSED => Some(&self.refused),
            _ => None,
        }
    }

    fn question(&mut self, question: &Question<'_>, keys: QuestionKeys<'_>) {
        self.qtypes.add(question.qtype, 1);
        let mut is_marked = self.qname2.add_and_mark(keys.qname2, Mark::First);
        if let Some(qname3) = keys.qname3 {
            is_marked = self.qname3.add_and_mark(qname3, Mark::First);
        }
        // Whoever is listed whole and has the mark has been counted.
        if !is_marked || keys.qname3.unwrap_or(keys.qname2).tag != WHOLE {
            self.qnames.add_hashed(question.name.as_wire(), question.name_hash);
        }
    }

    fn response(&mut self, message: &Message<'_>) {
        let rcode = message.rcode();
        self.rcodes.add(rcode, 1);
        let answers = u64::from(message.answer_records);
        self.edns.answer_records += answers;
        // By the header: records that cannot be read are no empty answer.
        self.edns.empty_answers += u64::from(rcode == RCODE_NOERROR && message.counts().ancount() == 0);
        let failed = match rcode {
            RCODE_SERVFAIL => &mut self.srvfail,
            RCODE_NXDOMAIN => &mut self.nxdomain,
            RCODE_REFUSED => &mut self.refused,
            _ => return,
        };
        if let Some(question) = &message.question {
            failed.add(whole(question), 1);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.messages += other.messages;
        self.malformed += other.malformed;
        self.qnames.merge(&other.qnames);
        self.qname2.merge(&other.qname2);
        self.qname3.merge(&other.qname3);
        self.nxdomain.merge(&other.nxdomain);
        self.refused.merge(&other.refused);
        self.srvfail.merge(&other.srvfail);
        self.rcodes.merge(&other.rcodes);
        self.qtypes.merge(&other.qtypes);
        self.udp_ports.merge(&other.udp_ports);
        self.edns.merge(&other.edns);
    }

    pub(super) fn shrink(&mut self, limits: Limits) {
        for items in
            [&mut self.qname2, &mut self.qname3, &mut self.nxdomain, &mut self.refused, &mut self.srvfail]
        {
            items.shrink(limits);
        }
        // Thousands of codes that are spread over all pages take as much memory as all of them.
        if limits.entries <= CodeCounts::FEW {
            for codes in [&mut self.rcodes, &mut self.qtypes, &mut self.udp_ports] {
                codes.shrink(limits.entries);
            }
        }
    }
}

impl EdnsMetrics {
    /// Counts what one message says.
    fn message(&mut self, message: &Message<'_>) {
        let Some(edns) = &message.edns else { return };
        if message.is_response() {
            self.replies += 1;
            return;
        }
        self.queries += 1;
        self.dnssec_ok += u64::from(edns.dnssec_ok);
        self.client_subnet += u64::from(edns.client_subnet.is_some());
        self.udp_size_bytes.record(u64::from(edns.udp_payload_bytes));
    }

    fn merge(&mut self, other: &Self) {
        self.queries += other.queries;
        self.replies += other.replies;
        self.dnssec_ok += other.dnssec_ok;
        self.client_subnet += other.client_subnet;
        self.udp_size_bytes.merge(&other.udp_size_bytes);
        self.empty_answers += other.empty_answers;
        self.answer_records += other.answer_records;
    }
}

impl ReassemblyMetrics {
    pub(super) fn add(&mut self, event: ReassemblyEvent) {
        let counter = match event {
            ReassemblyEvent::Unsynchronised => &mut self.unsynchronised,
            ReassemblyEvent::Gap => &mut self.gaps,
            ReassemblyEvent::RetransmittedSegment => &mut self.retransmitted_segments,
            ReassemblyEvent::StreamEvicted => &mut self.streams_evicted,
            ReassemblyEvent::DatagramReassembled => &mut self.datagrams_reassembled,
            ReassemblyEvent::DatagramIncomplete => &mut self.datagrams_incomplete,
            ReassemblyEvent::DatagramEvicted => &mut self.datagrams_evicted,
            ReassemblyEvent::DatagramUnidentified => &mut self.datagrams_unidentified,
            ReassemblyEvent::FragmentMalformed => &mut self.fragments_malformed,
        };
        *counter += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.unsynchronised += other.unsynchronised;
        self.gaps += other.gaps;
        self.retransmitted_segments += other.retransmitted_segments;
        self.streams_evicted += other.streams_evicted;
        self.datagrams_reassembled += other.datagrams_reassembled;
        self.datagrams_incomplete += other.datagrams_incomplete;
        self.datagrams_evicted += other.datagrams_evicted;
        self.datagrams_unidentified += other.datagrams_unidentified;
        self.fragments_malformed += other.fragments_malformed;
    }
}
