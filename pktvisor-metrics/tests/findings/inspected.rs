//! A capture that is inspected as by the agent.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::transactions::TIMEOUT_NS_DEFAULT;
use pktvisor_analysis::{Analysis, AnalysisSettings};
use pktvisor_api::{Finding, FindingsDocument};
use pktvisor_common::address::Address;
use pktvisor_common::classify::{Class, DnsPorts, LinkType, classify};
use pktvisor_common::direction::{HostNetworks, direction};
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::PacketKeys;
use pktvisor_metrics::{Clock, Store, StoreSettings};

/// Whether the capture has a HOST: 192.0.2.0/28 and 2001:db8:53::/64, as in generated traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Known,
    Unknown,
}

impl HostNetworks for Host {
    fn contains(&self, address: Address<'_>) -> bool {
        let is_host = match address.octets() {
            [192, 0, 2, last] => *last < 16,
            octets => octets.starts_with(&[0x20, 0x01, 0x0d, 0xb8, 0, 0x53, 0, 0]),
        };
        *self == Self::Known && is_host
    }
}

/// Whether findings are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looking {
    On,
    Off,
}

/// A finding, and when it was there.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) finding: Finding,
    /// The first and the last second with it.
    pub(crate) first_s: i64,
    pub(crate) last_s: i64,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { kind, since_ts, text, measures, .. } = &self.finding;
        let measures: Vec<_> = measures.iter().map(|m| format!("{} {:.2}", m.name, m.value)).collect();
        let (after_s, for_s) = (self.first_s - since_ts, self.last_s - self.first_s);
        write!(f, "{kind}: {text} ({}), at {since_ts}, after {after_s} s, for {for_s} s", measures.join(", "))
    }
}

/// All findings of a capture, looked at after every second of it.
pub(crate) struct Inspected {
    store: Store,
    analysis: Analysis<Host>,
    host: Host,
    pub(crate) seen: Vec<Seen>,
}

impl Inspected {
    pub(crate) fn new(host: Host) -> Self {
        Self::with(host, Looking::On)
    }

    pub(crate) fn with(host: Host, looking: Looking) -> Self {
        let name_cut = NameCut::default();
        let settings = StoreSettings { periods: 2, summary: false, name_cut, clock: Clock::Packets };
        let analysis = AnalysisSettings {
            dns_ports: DnsPorts::default(),
            sample_rate: SampleRate::ALL,
            transaction_timeout_ns: TIMEOUT_NS_DEFAULT,
            host,
        };
        let mut store = Store::new(settings);
        if looking == Looking::On {
            store = store.with_findings(Box::new(Default::default));
        }
        Self { store, analysis: Analysis::new(analysis), host, seen: Vec::new() }
    }

    pub(crate) fn packet(&mut self, timestamp_ns: u64, data: &[u8], wire_len: u32, link_type: LinkType) {
        let packet = Packet { timestamp_ns, stamp: Stamp::Own, data, wire_len, link_type, segments: 1 };
        let Self { analysis, store, host, .. } = self;
        let seconds = Rc::new(Cell::new(0));
        {
            let mut batch = store.batch();
            batch.advance(timestamp_ns, |end_ns, recorder| {
                analysis.advance(end_ns, recorder);
                seconds.set(seconds.get() + 1);
            });
            let mut class = Class::default();
            classify(data, link_type, &DnsPorts::default(), &mut class);
            analysis.packet(&packet, &class, batch.recorder());
            batch.packet(&class, &PacketKeys::of(&class, direction(&class, host)), wire_len);
        }
        if seconds.get() > 0 {
            self.look();
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Seen> {
        {
            let mut batch = self.store.batch();
            self.analysis.advance(batch.now_ns(), batch.recorder());
            batch.finish();
        }
        self.look();
        self.seen
    }

    fn look(&mut self) {
        let FindingsDocument { at_ts, findings } = self.store.findings();
        for finding in findings {
            let known = self.seen.iter_mut().find(|seen| {
                (&seen.finding.kind, &seen.finding.subject, seen.finding.since_ts)
                    == (&finding.kind, &finding.subject, finding.since_ts)
            });
            match known {
                Some(seen) => (seen.finding, seen.last_s) = (finding, at_ts),
                None => self.seen.push(Seen { finding, first_s: at_ts, last_s: at_ts }),
            }
        }
    }
}
