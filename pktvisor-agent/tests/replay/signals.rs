//! Signals while a capture is served, and geo databases that are replaced while they are used.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::captures::demo;
use crate::shell::Shell;
use crate::support::Served;

/// A database from `captures/faults`.
pub(crate) fn database(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/faults").join(name)
}

pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{what}: waited for too long");
}

/// A capture of one UDP packet from 198.51.100.7 to 192.0.2.10: file header, then record header and
/// packet.
fn one_packet() -> (Vec<u8>, Vec<u8>) {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        file.extend(word.to_le_bytes());
    }
    let mut record = Vec::new();
    for word in [1_700_000_000_u32, 0, 28, 28] {
        record.extend(word.to_le_bytes());
    }
    record.extend([0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 198, 51, 100, 7, 192, 0, 2, 10]);
    record.extend([0x03, 0xe8, 0x07, 0xd0, 0, 8, 0, 0]);
    (file, record)
}

#[test]
fn sighup_opens_the_geo_databases_again_and_the_agent_goes_on() {
    let shell = Shell::with("asn.mmdb", &fs::read(database("asn-u16.mmdb")).unwrap());
    let path = shell.path().join("asn.mmdb");
    let mut served = Served::start(&["-H", "192.0.2.10", "--geo-asn", path.to_str().unwrap(), "-"]);
    let mut stdin = served.stdin();
    let (file, record) = one_packet();
    stdin.write_all(&[file, record.clone()].concat()).unwrap();
    let packets = |served: &Served| served.json("/api/v1/metrics/bucket/0")["1m"]["packets"]["total"].clone();
    wait_for("the first packet", || served.get("/api/v1/metrics/bucket/0").0 == 200 && packets(&served) == 1);
    served.signal("HUP");
    wait_for("SIGHUP", || served.stderr().contains("SIGHUP: opening the geo databases again"));
    stdin.write_all(&record).unwrap();
    wait_for("the second packet", || packets(&served) == 2);
    drop(stdin);
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    assert_eq!(line["5m"]["packets"]["top_ASN"][0]["name"], "64500/Example Net");
    served.signal("HUP");
    wait_for("the second SIGHUP", || served.stderr().contains("SIGHUP: the capture was read to its end"));
    let (status, _, stderr) = served.stop("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert_eq!(stderr.matches("geo database opened again").count(), 1, "{stderr}");
}

#[test]
fn signals_without_a_meaning_do_not_end_a_serving_agent() {
    let shell = Shell::with("t.pcap", &demo());
    let path = shell.path().join("t.pcap");
    let mut served = Served::start(&[path.to_str().unwrap()]);
    served.line();
    for signal in ["HUP", "USR1", "USR2"] {
        served.signal(signal);
        wait_for(signal, || served.stderr().contains(&format!("SIG{signal}")));
    }
    served.signal("PIPE");
    assert_eq!(served.get("/healthz").0, 200);
    let (status, _, stderr) = served.stop("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("SIGHUP: there are no geo databases to open again"), "{stderr}");
}

#[test]
fn records_that_cannot_be_decoded_are_noted_and_logged_once() {
    // An invalid pointer in place of the text.
    let mut octets = fs::read(database("asn-u16.mmdb")).unwrap();
    let at = octets.windows(11).position(|window| window == b"Example Net").unwrap();
    octets[at - 1..at + 1].copy_from_slice(&[0x2f, 0xff]);
    let shell = Shell::with("asn.mmdb", &octets);
    let (file, record) = one_packet();
    fs::write(shell.path().join("t.pcap"), [&file[..], &record, &record].concat()).unwrap();
    let [database, capture] = ["asn.mmdb", "t.pcap"].map(|name| shell.path().join(name));
    let [database, capture] = [&database, &capture].map(|path| path.to_str().unwrap());
    let mut served = Served::start(&["-H", "192.0.2.10", "--geo-asn", database, capture]);
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    assert_eq!(line["5m"]["packets"]["top_ASN"][0]["name"], "Undecodable");
    let notes = served.json("/api/v1/metrics/app")["app"]["capture"]["notes"].take();
    let note = notes[0].as_str().unwrap();
    let expected = format!("1 record of the geo database {database} cannot be decoded (the first: ");
    assert!(note.starts_with(&expected) && notes[1].is_null(), "{notes}");
    let (_, _, stderr) = served.stop("TERM");
    assert_eq!(stderr.matches("cannot be decoded").count(), 1, "{stderr}");
}
