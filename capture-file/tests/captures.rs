//! Reads real captures and compares their packets with the counts of tshark.
//!
//! They lie in `../shared/captures` beside the repository, with `truth/PATH.json` for each; without
//! them the test prints so and passes.

#![allow(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach the helpers of integration tests"
)]

use std::fs;
use std::path::{Path, PathBuf};

use capture_file::Capture;
use serde_json::Value;

fn captures() -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    if shared.is_dir() {
        return Some(shared);
    }
    println!("skipped: there is no {}", shared.display());
    None
}

/// Every file below `folder`, as paths within it.
fn files(folder: &Path, within: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let within = within.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), &within, found);
        } else {
            found.push(within);
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Counts {
    frames: u64,
    frames_without_ts: u64,
    cap_bytes: u64,
    wire_bytes: u64,
    times: Option<(u64, u64)>,
    link_types: Vec<u64>,
}

fn read(mut capture: Capture) -> (Counts, bool) {
    let mut counts = Counts::default();
    while let Some(packet) = capture.next_packet().unwrap() {
        counts.frames += 1;
        counts.frames_without_ts += u64::from(!packet.has_timestamp);
        counts.cap_bytes += packet.data.len() as u64;
        counts.wire_bytes += u64::from(packet.wire_len);
        let (earliest, latest) = counts.times.unwrap_or((u64::MAX, 0));
        counts.times = Some((earliest.min(packet.timestamp_ns), latest.max(packet.timestamp_ns)));
        counts.link_types.push(u64::from(packet.link_type));
        counts.link_types.sort_unstable();
        counts.link_types.dedup();
    }
    (counts, capture.warning().is_some())
}

/// "1700000000.123456789" in nanoseconds.
fn nanoseconds(text: &str) -> u64 {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    seconds.parse::<u64>().unwrap() * 1_000_000_000 + format!("{fraction:0<9}").parse::<u64>().unwrap()
}

#[test]
fn real_captures_have_the_packets_that_tshark_counts() {
    let Some(folder) = captures() else { return };
    let mut truths = Vec::new();
    files(&folder.join("truth"), Path::new(""), &mut truths);
    let mut compared = 0;
    for truth_path in truths {
        let name = truth_path.with_extension("");
        let path = folder.join(&name);
        if !path.is_file() {
            continue;
        }
        let truth: Value =
            serde_json::from_slice(&fs::read(folder.join("truth").join(&truth_path)).unwrap()).unwrap();
        let Some(frames) = truth["frames"].as_u64() else { continue };
        let (counts, warned) = read(Capture::open(&path).unwrap());
        let name = name.display();
        assert_eq!(counts.frames, frames, "{name}: frames");
        assert_eq!(
            Some(counts.frames_without_ts),
            truth["frames_without_ts"].as_u64(),
            "{name}: without time"
        );
        assert_eq!(Some(counts.cap_bytes), truth["cap_bytes"].as_u64(), "{name}: captured bytes");
        assert_eq!(Some(counts.wire_bytes), truth["wire_bytes"].as_u64(), "{name}: wire bytes");
        if counts.frames_without_ts == 0 {
            let times = ["min_ts", "max_ts"].map(|key| truth[key].as_str().map(nanoseconds));
            assert_eq!(counts.times, times[0].zip(times[1]), "{name}: first and last time");
        }
        assert_eq!(warned, name.to_string().contains("bad-cut"), "{name}: warning");
        let streamed = read(Capture::from_reader(fs::File::open(&path).unwrap()).unwrap());
        assert_eq!(streamed, (counts, warned), "{name}: streamed");
        compared += 1;
    }
    println!("compared {compared} captures");
    assert!(compared > 0, "captures without truth");
}

#[test]
fn the_byte_order_the_unit_and_the_container_make_no_difference() {
    let Some(folder) = captures() else { return };
    let plain = read(Capture::open(folder.join("netboxlabs+pktvisor/ecs.pcap")).unwrap());
    let swapped = read(Capture::open(folder.join("derived/same-be-us.pcap")).unwrap());
    assert_eq!(plain, swapped);
}
