//! The captures to damage: available real ones, the bundled one, and generated hostile ones, plain
//! and compressed.

use std::fs;
use std::io::Write;
use std::path::Path;

use capture_file::Capture;
use capture_file::write::PcapWriter;
use dns_traffic::Generator;
use fuzz_targets::traffic::HOSTILE;

use crate::captures::captures;

/// A capture, and the known offsets of its records.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: Vec<usize>,
}

/// All captures to try.
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples: Vec<Sample> = captures().iter().map(|path| Sample::at(path)).collect();
    let generated = generated();
    samples.push(Sample::of("generated.pcap.gz", gzip(&generated)));
    samples.push(Sample::of("generated.pcap.zst", zstd::encode_all(generated.as_slice(), 0).unwrap()));
    samples.push(Sample::of("generated.pcap", generated));
    samples
}

impl Sample {
    fn at(path: &Path) -> Self {
        Self {
            name: path.display().to_string(),
            bytes: fs::read(path).unwrap(),
            records: record_starts(path),
        }
    }

    fn of(name: &str, bytes: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        Self { name: name.to_owned(), records: record_starts(&path), bytes }
    }
}

/// The offsets of records in a plain file: each record begins where the one before ends.
fn record_starts(path: &Path) -> Vec<usize> {
    let Ok(mut capture) = Capture::open(path) else { return Vec::new() };
    let mut starts = Vec::new();
    while capture.compression().is_none() && matches!(capture.next_packet(), Ok(Some(_))) {
        starts.push(capture.position_bytes() as usize);
    }
    starts
}

fn generated() -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), 1).unwrap();
    for packet in Generator::new(HOSTILE).unwrap() {
        writer.write(packet.timestamp_ns, packet.data.len() as u32, &packet.data).unwrap();
    }
    writer.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
