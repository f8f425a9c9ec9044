//! From what is remembered to what the API says: the only place that spells names.

use pktvisor_analysis::ip_address;
use pktvisor_analysis::mnemonics::{qtype_name, rcode_name};
use pktvisor_analysis::name::presentation;
use pktvisor_api as api;
use pktvisor_common::counters::Counters;

use super::codes::CodeCounts;
use super::dns::{CUT, MessageRecord};
use super::frequent::{FrequentItems, Key};
use super::network::PacketRecord;
use super::period::Period;

/// Entries a list shows.
const LISTED: usize = 10;

impl Period {
    /// The document of this period. The same contents give the same bytes.
    pub fn report(&self) -> api::Period {
        let sampling = api::Sampling { rate: self.sampling_rate(), messages: self.messages };
        let context = Context { period: self, sampling_rate: sampling.rate };
        let mut packets = self.packets.report(&context);
        if packets.received + packets.sent == 0 {
            packets.rates = api::PacketRates::default();
        }
        api::Period {
            period: api::PeriodSpan { start_ts: self.start_s as i64, length: self.length_s as i64 },
            packets,
            dns: self.dns.report(&context),
            sampling,
        }
    }

    /// Analysed share of the DNS messages: messages are what the lists count, and what packets completed them
    /// is not known of every packet.
    fn sampling_rate(&self) -> f64 {
        match self.counters.dns.total() {
            0 => 1.0,
            // Frames without a record (`tap`) are cut by time, which may place one before it was counted.
            all => (self.messages as f64 / all as f64).min(1.0),
        }
    }
}

/// What a report needs beyond the record of its group.
pub(super) struct Context<'a> {
    period: &'a Period,
    /// Analysed share of the DNS messages.
    sampling_rate: f64,
}

impl Context<'_> {
    /// What was counted for every packet or message.
    pub(super) fn kernel<T>(&self) -> &T
    where
        Counters: AsRef<T>,
    {
        self.period.counters.as_ref()
    }

    /// A list of everything there was.
    pub(super) fn exact(&self, list: Vec<api::TopEntry>) -> Vec<api::TopEntry> {
        list
    }

    /// A list of what was analysed: with what the counts would be had everything been.
    pub(super) fn analysed(&self, mut list: Vec<api::TopEntry>) -> Vec<api::TopEntry> {
        let rate = self.sampling_rate;
        for entry in &mut list {
            entry.scaled =
                Some(if rate > 0.0 { (entry.estimate as f64 / rate).round() as u64 } else { entry.estimate });
        }
        list
    }
}

/// The rows that are computed from others.
impl PacketRecord {
    pub(super) fn total(context: &Context<'_>) -> u64 {
        context.period.counters.packets.total()
    }

    pub(super) fn deep_samples(context: &Context<'_>) -> u64 {
        let Period { outcomes, .. } = context.period;
        Self::total(context).saturating_sub(context.period.not_chosen() + outcomes.lost)
    }

    pub(super) fn bytes_total(context: &Context<'_>) -> u64 {
        context.period.counters.packets.total_bytes()
    }
}

/// The rows that are computed from others. Rcodes: RFC 1035 section 4.1.1.
impl MessageRecord {
    pub(super) fn total(context: &Context<'_>) -> u64 {
        context.period.counters.dns.total()
    }

    pub(super) fn noerror(context: &Context<'_>) -> u64 {
        context.period.counters.dns.rcodes[0]
    }

    pub(super) fn srvfail(context: &Context<'_>) -> u64 {
        context.period.counters.dns.rcodes[2]
    }

    pub(super) fn nxdomain(context: &Context<'_>) -> u64 {
        context.period.counters.dns.rcodes[3]
    }

    pub(super) fn refused(context: &Context<'_>) -> u64 {
        context.period.counters.dns.rcodes[5]
    }
}

/// How the keys of a list are written.
pub(super) mod spell {
    #![expect(non_snake_case, reason = "named as in the declarations")]

    use super::*;

    pub(crate) fn Address(key: Key<'_>) -> String {
        let mut bytes = [0; 16];
        let len = key.bytes.len().min(bytes.len());
        bytes[..len].copy_from_slice(&key.bytes[..len]);
        ip_address(&bytes, key.tag).to_string()
    }

    pub(crate) fn Name(key: Key<'_>) -> String {
        let dot = if key.tag == CUT { "." } else { "" };
        format!("{dot}{}", presentation(key.bytes))
    }

    pub(crate) fn Text(key: Key<'_>) -> String {
        String::from_utf8_lossy(key.bytes).into_owned()
    }

    pub(crate) fn Rcode(code: u16) -> String {
        rcode_name(code).into_owned()
    }

    pub(crate) fn Qtype(code: u16) -> String {
        qtype_name(code).into_owned()
    }

    pub(crate) fn Port(port: u16) -> String {
        port.to_string()
    }
}

/// Something that can be listed, with keys spelled.
pub(super) trait Listed<F> {
    /// The largest, by count descending, then by name.
    fn listed(&self, spell: F) -> Vec<api::TopEntry>;
}

impl<F: Fn(Key<'_>) -> String> Listed<F> for FrequentItems {
    fn listed(&self, spell: F) -> Vec<api::TopEntry> {
        frequent(self, spell)
    }
}

impl<F: Fn(u16) -> String> Listed<F> for CodeCounts {
    fn listed(&self, spell: F) -> Vec<api::TopEntry> {
        codes(self, spell)
    }
}

fn frequent(items: &FrequentItems, spell: impl Fn(Key<'_>) -> String) -> Vec<api::TopEntry> {
    let entry = |(name, item): (String, super::frequent::Item<'_>)| api::TopEntry {
        name,
        estimate: item.lower,
        lower: Some(item.lower),
        upper: Some(item.upper),
        scaled: None,
    };
    items.top(LISTED, spell).into_iter().map(entry).collect()
}

fn codes(codes: &CodeCounts, spell: impl Fn(u16) -> String) -> Vec<api::TopEntry> {
    let mut counts: Vec<u64> = codes.iter().map(|(_, count)| count).collect();
    let least = match counts.len() {
        0..=LISTED => 0,
        _ => *counts.select_nth_unstable_by(LISTED - 1, |a, b| b.cmp(a)).1,
    };
    // Ports come by the ten thousand: only those that may be listed are spelled.
    let mut all: Vec<_> =
        codes.iter().filter(|(_, count)| *count >= least).map(|(code, count)| (count, spell(code))).collect();
    all.sort_by(|(count_a, name_a), (count_b, name_b)| count_b.cmp(count_a).then_with(|| name_a.cmp(name_b)));
    all.truncate(LISTED);
    let entry = |(count, name): (u64, String)| api::TopEntry {
        name,
        estimate: count,
        lower: Some(count),
        upper: Some(count + codes.bound()),
        scaled: None,
    };
    all.into_iter().map(entry).collect()
}
