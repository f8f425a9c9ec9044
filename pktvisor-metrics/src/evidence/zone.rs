//! What is counted of a zone: a registrable domain, with its own name and all names below it.

use pktvisor_analysis::message::Question;
use pktvisor_analysis::name::presentation;
use pktvisor_analysis::{InspectedMessage, Transport};

use super::distinct::Distinct;
use super::heavy::HeavyClients;
use super::label::EntropyTable;
use super::named::HasName;
use super::rcode;
use super::table::EvidenceCounts;
use crate::keys::MessageKeys;

/// Bytes of a zone's name that are kept.
const NAME_BYTES: usize = 64;

/// The name of a zone in wire form.
#[derive(Clone, Copy, Debug)]
pub(super) struct ZoneName {
    bytes: [u8; NAME_BYTES],
    len: u8,
}

impl Default for ZoneName {
    fn default() -> Self {
        Self { bytes: [0; NAME_BYTES], len: 1 }
    }
}

impl ZoneName {
    /// The name, or as many of its last labels as there is room for.
    pub(super) fn of(mut wire: &[u8]) -> Self {
        while wire.len() > NAME_BYTES
            && let Some((&label, rest)) = wire.split_first()
        {
            wire = rest.get(usize::from(label)..).unwrap_or(&[0]);
        }
        let mut bytes = [0; NAME_BYTES];
        bytes[..wire.len()].copy_from_slice(wire);
        Self { bytes, len: wire.len() as u8 }
    }
}

impl HasName for ZoneName {
    fn text(&self) -> String {
        presentation(&self.bytes[..usize::from(self.len)]).to_string()
    }
}

/// The numbers of a zone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ZoneCounts {
    pub(super) queries: u32,
    pub(super) responses: u32,
    pub(super) nxdomain: u32,
    pub(super) servfail: u32,
    pub(super) refused: u32,
    pub(super) truncated: u32,
    pub(super) tcp_queries: u32,
    /// Queries for types that carry many octets of free content.
    pub(super) data_queries: u32,
    /// Octets of responses.
    pub(super) response_bytes: u32,
    /// Queries for names below the zone, and the lengths and entropies of their first labels.
    pub(super) labels: u32,
    pub(super) label_bytes: u32,
    /// In 1/256 bits.
    pub(super) label_entropy: u32,
    /// Octets of all names.
    pub(super) name_bytes: u32,
    /// The names that are asked for.
    pub(super) names: Distinct<64>,
    /// The clients that ask HOST, or all clients if HOST is unknown.
    pub(super) clients: Distinct<16>,
    pub(super) heavy_clients: HeavyClients,
}

impl ZoneCounts {
    /// Counts a message. `zone_bytes` is the length of the zone's name, `client` the hash of the
    /// client unless that is HOST.
    pub(super) fn message(
        &mut self,
        inspected: &InspectedMessage<'_, MessageKeys<'_>>,
        question: &Question<'_>,
        zone_bytes: usize,
        client: Option<u64>,
        entropy: &EntropyTable,
    ) {
        if inspected.message.is_response() {
            self.responses += 1;
            self.response_bytes = self.response_bytes.saturating_add(inspected.bytes as u32);
            self.truncated += u32::from(inspected.message.header().tc());
            match inspected.message.header_rcode() {
                rcode::NXDOMAIN => self.nxdomain += 1,
                rcode::SERVFAIL => self.servfail += 1,
                rcode::REFUSED => self.refused += 1,
                _ => {}
            }
            return;
        }
        self.queries += 1;
        self.tcp_queries += u32::from(inspected.flow.transport == Transport::Tcp);
        self.data_queries += u32::from(carries_data(question.qtype));
        self.names.add(question.name_hash);
        let wire = question.name.as_wire();
        self.name_bytes += wire.len() as u32;
        if wire.len() > zone_bytes
            && let Some(label) = question.name.labels().next()
        {
            self.labels += 1;
            self.label_bytes += label.len() as u32;
            self.label_entropy += entropy.of(label);
        }
        if let Some(client) = client {
            self.clients.add(client);
            self.heavy_clients.add(client as u32, 1);
        }
    }
}

impl EvidenceCounts for ZoneCounts {
    fn merge(&mut self, other: &Self) {
        self.queries += other.queries;
        self.responses += other.responses;
        self.nxdomain += other.nxdomain;
        self.servfail += other.servfail;
        self.refused += other.refused;
        self.truncated += other.truncated;
        self.tcp_queries += other.tcp_queries;
        self.data_queries += other.data_queries;
        self.response_bytes = self.response_bytes.saturating_add(other.response_bytes);
        self.labels += other.labels;
        self.label_bytes += other.label_bytes;
        self.label_entropy += other.label_entropy;
        self.name_bytes += other.name_bytes;
        self.names.merge(&other.names);
        self.clients.merge(&other.clients);
        self.heavy_clients.merge(&other.heavy_clients);
    }
}

/// Types whose data a sender chooses freely, which tunnels use: CNAME, NULL, MX, TXT, KEY, SRV, and
/// a private type (<https://www.iana.org/assignments/dns-parameters>).
fn carries_data(qtype: u16) -> bool {
    matches!(qtype, 5 | 10 | 15 | 16 | 25 | 33 | 65_399)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_last_labels() {
        let mut wire = vec![60];
        wire.extend([b'a'; 60]);
        wire.extend(b"\x07example\x03com\x00");
        assert_eq!(ZoneName::of(&wire).text(), "example.com");
        assert_eq!(ZoneName::of(b"\x07example\x03com\x00").text(), "example.com");
        assert_eq!(ZoneName::default().text(), ".");
    }
}
