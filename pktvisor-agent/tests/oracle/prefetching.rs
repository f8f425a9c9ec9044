//! Prefetches have no effect but on speed.
//!
//! These tests save the JSON of a build with prefetches. With the feature `no-prefetch`, which
//! compiles all of them out, they compare it with the saved JSON. `cargo xtask test` runs both
//! builds, one after the other.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use capture_file::Capture;
use pktvisor_agent::replay::Replay;
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_metrics::{self as metrics, Store};

use super::replay::pipeline;
use super::traffic::{self, Traffic};

/// The JSON after a replay: the window, and each period.
fn json(pcap: &Arc<[u8]>, host: &[String], name_cut: NameCut) -> serde_json::Value {
    let store = Store::new(metrics::StoreSettings {
        periods: 60,
        summary: false,
        name_cut,
        clock: metrics::Clock::Packets,
    });
    let mut replay = Replay {
        capture: Capture::from_reader(Cursor::new(Arc::clone(pcap))).unwrap(),
        pacer: None,
        pipeline: pipeline(host, 100, None),
    };
    replay.run(&store, |_| true).unwrap();
    let periods: Vec<_> = (0..store.filled()).map(|n| store.bucket(n).unwrap()).collect();
    assert!(periods.len() > 1, "the replay fills several periods");
    serde_json::json!({ "window": store.document(), "periods": periods })
}

/// Saves the JSON of a replay, or compares it.
fn save_or_compare(name: &str, pcap: &Arc<[u8]>, host: &[String]) {
    for name_cut in [NameCut::Labels, NameCut::PublicSuffix] {
        let found = json(pcap, host, name_cut);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("with-prefetch-{name}-{name_cut:?}.json"));
        if !cfg!(feature = "no-prefetch") {
            fs::write(path, found.to_string()).unwrap();
            continue;
        }
        let Ok(saved) = fs::read(&path) else {
            println!("skipped: run the tests without the feature no-prefetch first");
            return;
        };
        let saved: serde_json::Value = serde_json::from_slice(&saved).unwrap();
        assert!(found == saved, "{name}, {name_cut:?}: the JSON differs from {}", path.display());
    }
}

#[test]
fn the_demo_capture_counts_the_same_without_prefetches() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/demo.pcap");
    let host = ["192.0.2.0/28", "2001:db8:53::/64"].map(str::to_owned);
    save_or_compare("demo", &fs::read(path).unwrap().into(), &host);
}

#[test]
fn hostile_traffic_counts_the_same_without_prefetches() {
    let traffic = Traffic::of(traffic::hostile());
    save_or_compare("hostile", &traffic.pcap, &traffic.answer.host);
}

#[test]
fn an_overflow_of_every_list_counts_the_same_without_prefetches() {
    let traffic = Traffic::of(traffic::plentiful());
    save_or_compare("plentiful", &traffic.pcap, &traffic.answer.host);
}
