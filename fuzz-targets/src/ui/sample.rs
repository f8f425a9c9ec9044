//! What a well-behaved agent answers.

use std::sync::LazyLock;

use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::{Analysis, AnalysisSettings};
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::{Class, DnsPorts, LinkType, classify};
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::{Clock, ListLength, PacketKeys, RollingSpan, Store, StoreSettings};
use serde_json::{Value, json};

use crate::traffic::{FRAMES, LIMITS, packet};

/// The documents that an agent answers with, by name.
pub(super) static SAMPLE: LazyLock<Value> = LazyLock::new(|| {
    let store = sample_store();
    let period = store.window_listing(ListLength::DEFAULT, 5).unwrap_or_default();
    let rolling = RollingSpan::new(10).map(|span| store.rolling(ListLength::DEFAULT, span));
    let entry = json!({"name": "www.example.com", "estimate": 5, "lower": 4, "upper": 6, "scaled": 50});
    let text = |value: serde_json::Result<Value>| value.unwrap_or_default();
    json!({
        "app": {"app": {"version": "4.0.0", "deep_sample_rate_pct": 100, "periods": 5, "single_summary": false,
            "up_time_min": 1.5, "capture": {"target": "eth0", "mode": "inline", "hook": "xdp", "finished": false,
            "interfaces": [{"name": "eth0", "ingress": "xdp", "egress": "tcx", "state": "up"}],
            "link_types": [1], "likely_host": ["192.0.2.53"], "notes": ["a note"]},
            "ledger": {"seen": 10, "counted": 9, "filtered": 1}, "losses": {"ring_full": 2},
            "labels": {"site": "one"}}, "dns": {"xact": {"open": 3, "waiting": 2}}},
        "rates": text(serde_json::to_value(store.rates())),
        "series": text(serde_json::to_value(store.series())),
        "findings": {"at_ts": 1_600_000_020, "findings": [{"kind": "random_subdomains", "severity": "warning",
            "subject": {"kind": "zone", "name": "example.com"}, "since_ts": 1_600_000_010, "text": "much",
            "measures": [{"name": "queries_per_second", "value": 500.5}], "who": [entry]}]},
        "window": {"5m": text(serde_json::to_value(&period))},
        "rolling": {"10s": text(serde_json::to_value(rolling))},
        "sketches": text(serde_json::to_value(store.sketches(5, ListLength::DEFAULT).unwrap_or_default())),
    })
});

/// The names of these documents.
pub(super) const NAMES: [&str; 7] = ["app", "rates", "series", "findings", "window", "rolling", "sketches"];

/// A store with some of everything.
fn sample_store() -> Store {
    const SECOND_NS: u64 = 1_000_000_000;
    let settings =
        StoreSettings { periods: 5, summary: false, name_cut: NameCut::Labels, clock: Clock::Packets };
    let store = Store::new(settings).with_series();
    let settings = AnalysisSettings {
        dns_ports: DnsPorts::default(),
        sample_rate: SampleRate::ALL,
        transaction_timeout_ns: 5 * SECOND_NS,
        host: ["192.0.2.0/28"].iter().filter_map(|network| network.parse().ok()).collect::<HostSet>(),
    };
    let mut analysis = Analysis::with_limits(settings, LIMITS);
    let mut batch = store.batch();
    for (place, data) in (0_u64..).zip(FRAMES.iter()) {
        let packet = packet(data, 1_700_000_000 * SECOND_NS + place * SECOND_NS / 8, 0, LinkType::ETHERNET);
        batch.advance(packet.timestamp_ns, |end_ns, recorder| analysis.advance(end_ns, recorder));
        let mut class = Class::default();
        classify(data.as_slice(), packet.link_type, &DnsPorts::default(), &mut class);
        analysis.packet(&packet, &class, batch.recorder());
        let direction = analysis.direction(&class);
        batch.packet(&class, &PacketKeys::of(&class, direction), packet.wire_len);
    }
    drop(batch);
    store
}
