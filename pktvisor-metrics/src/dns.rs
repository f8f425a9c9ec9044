//! Questions and responses: names, types, codes.

use pktvisor_analysis::ReassemblyEvent;
use pktvisor_analysis::message::{Message, MessageHead, Question};

use crate::context::Context;
use crate::frequent::{FrequentItems, Mark};
use crate::keys::{MessageKeys, QuestionKeys, WHOLE, whole};
use crate::record::record;
use crate::transactions::TransactionRecord;

pktvisor_definitions::dns!(record);
pktvisor_definitions::dns_messages!(record);
pktvisor_definitions::dns_cardinality!(record);
pktvisor_definitions::dns_flags!(record);
pktvisor_definitions::edns!(record);
pktvisor_definitions::reassembly!(record);

// RFC 1035 section 4.1.1.
const RCODE_NOERROR: u16 = 0;
const RCODE_SERVFAIL: u16 = 2;
const RCODE_NXDOMAIN: u16 = 3;
const RCODE_REFUSED: u16 = 5;

impl DnsRecord {
    /// Counts one message.
    pub(super) fn message(&mut self, message: &Message<'_>, keys: MessageKeys<'_>) {
        if let (Some(question), Some(keys)) = (&message.question, keys.question()) {
            self.question(question, keys);
        }
        for name in message.further_question_names() {
            self.cardinality.qname.add(name.as_wire());
        }
        self.edns.message(message);
        if message.is_response() {
            self.response(message);
        }
    }

    /// Prefetches the memory where a message will be counted.
    #[inline]
    pub(super) fn prefetch(&self, head: &MessageHead<'_>, keys: &MessageKeys<'_>) {
        let (Some(question), Some(keys)) = (head.question(), keys.question()) else { return };
        self.top_qname2.prefetch(keys.qname2);
        if let Some(qname3) = keys.qname3 {
            self.top_qname3.prefetch(qname3);
        }
        if head.header().qr()
            && let Some(failed) = self.failed(head.header().rcode().to_int().into())
        {
            failed.prefetch(whole(question));
        }
    }

    /// The list of the questions with this response code.
    fn failed(&self, rcode: u16) -> Option<&FrequentItems> {
        match rcode {
            RCODE_SERVFAIL => Some(&self.top_srvfail),
            RCODE_NXDOMAIN => Some(&self.top_nxdomain),
            RCODE_REFUSED => Some(&self.top_refused),
            _ => None,
        }
    }

    fn question(&mut self, question: &Question<'_>, keys: &QuestionKeys<'_>) {
        self.top_qtype.add(question.qtype, 1);
        let mut is_marked = self.top_qname2.add_and_mark(keys.qname2, Mark::First);
        if let Some(qname3) = keys.qname3 {
            is_marked = self.top_qname3.add_and_mark(qname3, Mark::First);
        }
        // A name that is listed whole and has the mark has been counted.
        if !is_marked || keys.qname3.unwrap_or(keys.qname2).tag != WHOLE {
            self.cardinality.qname.add_hashed(question.name.as_wire(), question.name_hash);
        }
    }

    fn response(&mut self, message: &Message<'_>) {
        let rcode = message.rcode();
        self.top_rcode.add(rcode, 1);
        self.flags.aa += u64::from(message.header().aa());
        self.flags.ad += u64::from(message.header().ad());
        self.flags.tc += u64::from(message.header().tc());
        let answers = u64::from(message.answer_records);
        self.edns.answer_records += answers;
        // Decided by the header: a response with unreadable records is not empty.
        self.edns.empty_answers += u64::from(rcode == RCODE_NOERROR && message.counts().ancount() == 0);
        let failed = match rcode {
            RCODE_SERVFAIL => &mut self.top_srvfail,
            RCODE_NXDOMAIN => &mut self.top_nxdomain,
            RCODE_REFUSED => &mut self.top_refused,
            _ => return,
        };
        if let Some(question) = &message.question {
            failed.add(whole(question), 1);
        }
    }
}

impl EdnsRecord {
    /// Counts one message.
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
}

impl ReassemblyRecord {
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
}

/// The rows that are computed from others. Rcodes: RFC 1035 section 4.1.1.
impl MessageRecord {
    pub(super) fn total(context: &Context<'_>) -> u64 {
        context.counters.dns.total()
    }

    pub(super) fn noerror(context: &Context<'_>) -> u64 {
        context.counters.dns.rcodes[0]
    }

    pub(super) fn srvfail(context: &Context<'_>) -> u64 {
        context.counters.dns.rcodes[2]
    }

    pub(super) fn nxdomain(context: &Context<'_>) -> u64 {
        context.counters.dns.rcodes[3]
    }

    pub(super) fn refused(context: &Context<'_>) -> u64 {
        context.counters.dns.rcodes[5]
    }
}

#[cfg(test)]
mod tests {
    use pktvisor_analysis::name::Name;
    use pktvisor_analysis::public_suffix::NameCut;
    use pktvisor_common::classify::Captured;

    use super::*;
    use crate::record::Remember;

    /// A message of a header alone, with these flags.
    fn count(record: &mut DnsRecord, flags: u16) {
        let mut octets = [0; 12];
        octets[2..4].copy_from_slice(&flags.to_be_bytes());
        let mut name = Name::default();
        let mut head = MessageHead::new(&octets);
        head.parse(&mut name).unwrap();
        let keys = MessageKeys::of(&head, NameCut::Labels);
        record.message(head.parse_rest(Captured::Whole), keys);
    }

    #[test]
    fn flags_are_counted_of_replies_alone() {
        let mut record = DnsRecord::begin();
        // AA 0x0400, TC 0x0200, AD 0x0020; QR 0x8000 makes a reply (RFC 1035 section 4.1.1, RFC
        // 4035 section 3.2.3).
        for flags in [0x8400, 0x8600, 0x8020, 0x8000, 0x0620] {
            count(&mut record, flags);
        }
        assert_eq!((record.flags.aa, record.flags.tc, record.flags.ad), (2, 1, 1));
    }
}
