//! The available captures.

use std::fs;
use std::path::{Path, PathBuf};

/// Endings of the names of captures.
const SUFFIXES: [&str; 5] = [".pcap", ".pcapng", ".cap", ".gz", ".zst"];

/// The bundled captures, and the real ones if available. Some are damaged on purpose.
pub(crate) fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    find_captures(&folder.join("../captures"), &mut paths);
    assert!(!paths.is_empty(), "the bundled captures are missing");
    let bundled = paths.len();
    find_captures(&folder.join("../../shared/captures"), &mut paths);
    if paths.len() == bundled {
        println!("no captures in ../shared/captures: only the bundled and generated ones are tried");
    }
    paths.sort();
    paths
}

fn find_captures(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_captures(&path, paths);
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
                paths.push(path);
            }
        }
    }
}
