//! Nothing is found in captures of ordinary traffic.

use std::fs;
use std::path::{Path, PathBuf};

use capture_file::Capture;
use pktvisor_common::classify::LinkType;

use crate::inspected::{Host, Inspected};

const SUFFIXES: [&str; 5] = [".pcap", ".pcapng", ".cap", ".gz", ".zst"];

#[test]
fn nothing_is_found_in_the_captures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    find_captures(&folder.join("../captures"), &mut paths);
    assert!(!paths.is_empty(), "the bundled captures are missing");
    find_captures(&folder.join("../../shared/captures"), &mut paths);
    let mut wrong = Vec::new();
    for path in paths {
        for host in [Host::Unknown, Host::Known] {
            let Ok(mut capture) = Capture::open(&path) else { continue };
            let mut inspected = Inspected::new(host);
            while let Ok(Some(read)) = capture.next_packet() {
                inspected.packet(read.timestamp_ns, read.data, read.wire_len, LinkType(read.link_type));
            }
            wrong.extend(inspected.finish().into_iter().map(|seen| format!("{}: {seen:?}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn find_captures(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_captures(&path, paths);
        } else if SUFFIXES.iter().any(|suffix| path.to_string_lossy().ends_with(suffix)) {
            paths.push(path);
        }
    }
}
