//! Questions and responses: names, types, codes.

mod rows;

use pktvisor_analysis::message::{ClientSubnet, Message, MessageHead, Question};
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::transactions::TransactionCounts;
use pktvisor_analysis::{ClientSide, Flow, ReassemblyEvent, TimedOutName, TimedOutQuery, Transaction};
use pktvisor_common::address::IpVersion;

use crate::codes_by_side::MessageCodes;
use crate::frequent::{Frequent, Key, Mark};
use crate::keys::{Asked, MessageKeys, Party, QuestionKeys, WHOLE, of_suffix, whole, zone};
use crate::listed::OTHER_FAMILY;
use crate::record::record;
use crate::response::ResponseKind;
use crate::settings::{ClientPrefix, NetworkKey};
use crate::sides::{DnsInRecord, DnsOutRecord, SideRecord};
use crate::transactions::TransactionRecord;

macro_rules! dns_record {
    ($($all:tt)*) => {
        record! {
            @with {
                [{/** Names by their last two labels: messages, NOERROR, bytes. */} qname2 Own (Frequent<3>)]
                [{/** Names by their last three labels, alike. */} qname3 Own (Frequent<3>)]
                [{/** Messages of unknown direction. */} elsewhere Own (MessageCodes)]
            }
            $($all)*
        }
    };
}

pktvisor_definitions::dns!(dns_record);
pktvisor_definitions::dns_messages!(record);
pktvisor_definitions::dns_cardinality!(record);
pktvisor_definitions::dns_flags!(record);
pktvisor_definitions::edns!(record);
pktvisor_definitions::reassembly!(record);

// The lists that share the tables of names. The answers of a name count in one of the tables only:
// by three labels if it has so many.
const MESSAGES: usize = 0;
const NOERROR: usize = 1;
const ANSWER_BYTES: usize = 2;

impl DnsRecord {
    /// Counts one message.
    pub(super) fn message(&mut self, flow: &Flow, message: &Message<'_>, keys: &MessageKeys<'_>) {
        let kind = ResponseKind::of(message);
        let subnet = self.edns(message);
        match keys.party() {
            Some(party) => self.side_mut(party.asked).message(flow, message, kind, party),
            None => self.elsewhere.message(message),
        }
        // Last, because the memory of the names was prefetched last.
        if let (Some(question), Some(keys)) = (&message.question, keys.question()) {
            let weights = match message.is_response() {
                false => [1, 0, 0],
                true => [1, u64::from(kind.is_noerror()), message.len_bytes() as u64],
            };
            self.question(question, keys, weights);
            self.outcome(kind, question, keys);
        }
        for name in message.further_question_names() {
            self.cardinality.qname.add(name.as_wire());
        }
        if let Some(subnet) = subnet {
            self.top_ecs_subnets.add(subnet.key(), 1);
        }
    }

    /// Prefetches the memory where a message of this party will be counted.
    #[inline]
    pub(super) fn prefetch_party(&self, party: &Party<'_>) {
        self.side(party.asked).prefetch(party.key);
    }

    /// Prefetches the memory where a message will be counted.
    #[inline]
    pub(super) fn prefetch(&self, head: &MessageHead<'_>, keys: &MessageKeys<'_>) {
        let (Some(question), Some(keys)) = (head.question(), keys.question()) else { return };
        self.qname2.prefetch(keys.qname2);
        if let Some(qname3) = keys.qname3 {
            self.qname3.prefetch(qname3);
        }
        if head.header().qr() {
            let name = whole(question);
            match ResponseKind::of_failure(head.header().rcode().to_int().into()) {
                ResponseKind::ServFail => {
                    self.top_srvfail.prefetch(name);
                    self.top_zones_srvfail.prefetch(zone(keys.qname2));
                }
                ResponseKind::NxDomain => {
                    self.top_nxdomain.prefetch(name);
                    self.top_zones_nxdomain.prefetch(zone(keys.qname2));
                }
                ResponseKind::Refused => self.top_refused.prefetch(name),
                _ if head.counts().ancount() == 0 => self.top_nodata.prefetch(name),
                _ => {}
            }
        }
    }

    #[inline]
    fn side(&self, asked: Asked) -> &SideRecord {
        match asked {
            Asked::Host => &self.inbound,
            Asked::Party => &self.outbound,
        }
    }

    #[inline]
    fn side_mut(&mut self, asked: Asked) -> &mut SideRecord {
        match asked {
            Asked::Host => &mut self.inbound,
            Asked::Party => &mut self.outbound,
        }
    }

    fn question(&mut self, question: &Question<'_>, keys: &QuestionKeys<'_>, weights: [u64; 3]) {
        let is_marked = match keys.qname3 {
            Some(qname3) => {
                self.qname2.add_weights_and_mark(keys.qname2, [1, 0, 0], Mark::First);
                self.qname3.add_weights_and_mark(qname3, weights, Mark::First)
            }
            None => self.qname2.add_weights_and_mark(keys.qname2, weights, Mark::First),
        };
        // A name that is listed whole and has the mark has been counted.
        if !is_marked || keys.qname3.unwrap_or(keys.qname2).tag != WHOLE {
            self.cardinality.qname.add_hashed(question.name.as_wire(), question.name_hash);
        }
    }

    #[inline]
    fn outcome(&mut self, kind: ResponseKind, question: &Question<'_>, keys: &QuestionKeys<'_>) {
        match kind {
            ResponseKind::NoData => self.top_nodata.add(whole(question), 1),
            ResponseKind::ServFail => {
                self.top_srvfail.add(whole(question), 1);
                self.top_zones_srvfail.add(zone(keys.qname2), 1);
            }
            ResponseKind::NxDomain => {
                self.top_nxdomain.add(whole(question), 1);
                self.top_zones_nxdomain.add(zone(keys.qname2), 1);
            }
            ResponseKind::Refused => self.top_refused.add(whole(question), 1),
            ResponseKind::Answer | ResponseKind::Referral | ResponseKind::Other => {}
        }
    }

    /// Counts the EDNS data. Prefetches the memory where the client's subnet will be counted, and
    /// returns it.
    #[inline]
    fn edns(&mut self, message: &Message<'_>) -> Option<Subnet> {
        self.edns.message(message);
        let edns = message.edns.as_ref()?;
        if message.is_response() {
            if let Some(code) = edns.extended_error {
                self.top_ede.add(code, 1);
            }
            return None;
        }
        let subnet = Subnet::of(edns.client_subnet.as_ref()?);
        self.top_ecs_subnets.prefetch(subnet.key());
        Some(subnet)
    }

    /// Counts the network of the client that sent a query to HOST.
    pub(super) fn client_prefix(&mut self, party: &Party<'_>, prefix: ClientPrefix) {
        self.inbound.count_prefix(party.address, prefix);
    }

    /// Counts a transaction, and returns whether it was slow; then its name is counted as such
    /// [later](Self::slow_name), because the memory for that was prefetched only now.
    #[inline]
    pub(super) fn transaction(&mut self, transaction: &Transaction<'_>, keys: &MessageKeys<'_>) -> bool {
        let is_slow = self.xact.add(transaction);
        if let Some(party) = keys.party() {
            self.side_mut(party.asked).transaction(transaction, is_slow, party);
        }
        is_slow
    }

    /// Counts the name of a slow transaction.
    #[inline]
    pub(super) fn slow_name(&mut self, client: ClientSide, question: &Question<'_>) {
        self.xact.side_mut(client).top_slow.add(whole(question), 1);
    }

    /// Counts transactions and messages outside them.
    pub(super) fn transaction_counts(&mut self, counts: &TransactionCounts) {
        self.xact.counts.add(counts);
    }

    /// Counts a response without a query.
    pub(super) fn orphan(&mut self, side: ClientSide) {
        match side {
            ClientSide::Remote => self.inbound.count_orphan(),
            ClientSide::Host => self.outbound.count_orphan(),
            ClientSide::Unknown => {}
        }
    }

    /// Counts a query that timed out.
    pub(super) fn timed_out(&mut self, query: &TimedOutQuery<'_>, name_cut: NameCut) {
        let names = query.name.map(|TimedOutName { name, is_cut }| {
            let whole = of_suffix(name.suffix(usize::MAX), is_cut);
            self.top_timed_out.prefetch(whole);
            let zone = zone(of_suffix(name_cut.apply(name).qname2, is_cut));
            self.top_zones_timed_out.prefetch(zone);
            (whole, zone)
        });
        if let Some(party) = Party::of(&query.ends) {
            self.side_mut(party.asked).count_timed_out(party.key);
        }
        let Some((whole, zone)) = names else { return };
        self.top_timed_out.add(whole, 1);
        self.top_zones_timed_out.add(zone, 1);
    }
}

/// The key of a client's subnet (RFC 7871).
struct Subnet {
    version: u8,
    network: NetworkKey,
}

impl Subnet {
    #[cold]
    fn of(subnet: &ClientSubnet) -> Self {
        let version = match subnet.family {
            1 => IpVersion::V4.number(),
            2 => IpVersion::V6.number(),
            _ => OTHER_FAMILY,
        };
        Self { version, network: NetworkKey::new(subnet.octets(), subnet.source_prefix_bits) }
    }

    #[inline]
    fn key(&self) -> Key<'_> {
        Key::new(self.version, self.network.as_key())
    }
}

impl EdnsRecord {
    /// Counts one message.
    fn message(&mut self, message: &Message<'_>) {
        if message.is_response() {
            self.response(message);
            return;
        }
        let Some(edns) = &message.edns else { return };
        self.udp_size_bytes.record(u64::from(edns.udp_payload_bytes));
    }

    #[inline]
    fn response(&mut self, message: &Message<'_>) {
        self.answer_records += u64::from(message.answer_records);
        // Decided by the header: a response with unreadable records is not empty.
        let is_empty = message.rcode() == 0 && message.counts().ancount() == 0;
        self.empty_answers += u64::from(is_empty);
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

#[cfg(test)]
mod tests {
    use pktvisor_analysis::name::Name;
    use pktvisor_analysis::{ExchangeEnds, Transport};
    use pktvisor_common::address::AddressPair;
    use pktvisor_common::classify::Captured;

    use super::*;
    use crate::remember::Remember;

    /// A message of a header alone, with these flags.
    fn count(record: &mut DnsRecord, flags: u16) {
        let mut octets = [0; 12];
        octets[2..4].copy_from_slice(&flags.to_be_bytes());
        let mut name = Name::default();
        let mut head = MessageHead::new(&octets);
        head.parse(&mut name).unwrap();
        let addresses = AddressPair::v4([192, 0, 2, 1], [192, 0, 2, 2]);
        let (client, server) = (addresses.source(), addresses.destination());
        let ends = ExchangeEnds { client, server, side: ClientSide::Unknown };
        let keys = MessageKeys::of(Party::of(&ends), &head, NameCut::Labels);
        let flow = Flow { addresses, source_port: 53, destination_port: 53, transport: Transport::Udp };
        record.message(&flow, head.parse_rest(Captured::Whole), &keys);
    }

    #[test]
    fn flags_are_counted_of_replies_alone() {
        let mut record = DnsRecord::begin();
        // AA 0x0400, TC 0x0200, AD 0x0020; QR 0x8000 makes a reply (RFC 1035 section 4.1.1, RFC
        // 4035 section 3.2.3).
        for flags in [0x8400, 0x8600, 0x8020, 0x8000, 0x0620] {
            count(&mut record, flags);
        }
        let counts = [MessageCodes::aa_replies, MessageCodes::tc_replies, MessageCodes::ad_replies];
        assert_eq!(counts.map(|count| record.codes_of_all(count)), [2, 1, 1]);
    }
}
