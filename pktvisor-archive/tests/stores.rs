//! The object stores that are not S3, on loopback: what is written there is read back, rolled up and deleted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use pktvisor_api::SketchDocument;
use pktvisor_archive::{
    ArchiveLocation, ArchiveRow, ArchiveStore, FileKey, Variables, decode, encode_period,
};
use testbed::{StoreServer, StoreServerKind, report_skipped};

const BINARY: &str = env!("CARGO_BIN_EXE_pktvisor-archive");

/// 2026-01-31 00:00:00.
const START_S: i64 = 1_769_817_600;
const MICROSECONDS: i64 = 1_000_000;

/// A period of a minute of that day.
fn period(agent: &str, minute: i64) -> ArchiveRow {
    let mut row = ArchiveRow::from_document(agent, &SketchDocument::default());
    row.start_us = (START_S + 60 * minute) * MICROSECONDS;
    row.end_us = row.start_us + 60 * MICROSECONDS;
    row.length_s = 60.0;
    row.counters.fill(minute.cast_unsigned() + 1);
    row
}

struct Opened {
    server: StoreServer,
    store: ArchiveStore,
    runtime: tokio::runtime::Runtime,
}

/// Starts a server; `None` with the reason printed if it is not installed.
fn open(kind: StoreServerKind, directory: &Path) -> Option<Opened> {
    let target = Path::new(BINARY).ancestors().nth(2).unwrap();
    let server =
        StoreServer::start(kind, target, directory).map_err(|reason| report_skipped(&reason)).ok()?;
    let location: ArchiveLocation = server.url("dns/a b").replace(' ', "%20").parse().unwrap();
    let variables: Variables = server.variables().into_iter().collect();
    let store = ArchiveStore::open_with(&location, &variables).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Some(Opened { server, store, runtime })
}

fn check(kind: StoreServerKind) {
    let directory = tempfile::tempdir().unwrap();
    let Some(Opened { server, store, runtime }) = open(kind, directory.path()) else { return };
    assert_eq!(runtime.block_on(store.keys()).unwrap(), <[String; 0]>::default());
    let mut keys = Vec::new();
    for (agent, minute) in [("ns1", 0), ("ns1", 1), ("ns1", 2), ("ns2.example", 0)] {
        let row = period(agent, minute);
        let key = FileKey::of_period(&row).to_string();
        let file = Bytes::from(encode_period(&row).unwrap());
        // Another attempt replaces the file.
        for contents in [Bytes::from_static(b"not whole"), file.clone()] {
            runtime.block_on(store.put(&key, contents)).unwrap();
        }
        assert_eq!(runtime.block_on(store.get(&key)).unwrap(), file);
        keys.push(key);
    }
    keys.sort();
    assert_eq!(runtime.block_on(store.keys()).unwrap(), keys);

    let mut roll_up = Command::new(BINARY);
    roll_up.args(["roll-up", &server.url("dns/a%20b"), "--by", "day"]).envs(server.variables());
    let output = roll_up.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    let merged = runtime.block_on(store.keys()).unwrap();
    assert_eq!(merged.len(), 2, "{merged:?}");
    let row = decode(runtime.block_on(store.get(&merged[0])).unwrap()).unwrap();
    assert_eq!((row.agent.as_str(), row.counters[0], row.sources.len()), ("ns1", 1 + 2 + 3, 3));

    for key in &merged {
        runtime.block_on(store.delete(key)).unwrap();
        // It may have been deleted before.
        runtime.block_on(store.delete(key)).unwrap();
    }
    assert!(runtime.block_on(store.get(&merged[0])).is_err());
    assert_eq!(runtime.block_on(store.keys()).unwrap(), <[String; 0]>::default());
    if kind == StoreServerKind::WebDav {
        check_nothing_is_left(&server.files());
    }
}

/// No file is there that was sent and not renamed.
fn check_nothing_is_left(directory: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_dir(), "{}", path.display());
        check_nothing_is_left(&path);
    }
}

#[test]
fn google_cloud_storage_keeps_an_archive() {
    check(StoreServerKind::GoogleCloud);
}

#[test]
fn azure_keeps_an_archive() {
    check(StoreServerKind::Azure);
}

#[test]
fn a_web_dav_server_keeps_an_archive() {
    check(StoreServerKind::WebDav);
}

/// The server has the whole file under its temporary name, or a part of it: neither is a file of the archive.
#[test]
fn a_file_that_is_being_sent_to_a_web_dav_server_is_not_one_of_the_archive() {
    let directory = tempfile::tempdir().unwrap();
    let Some(Opened { server, store, runtime }) = open(StoreServerKind::WebDav, directory.path()) else {
        return;
    };
    let row = period("ns1", 0);
    let key = FileKey::of_period(&row).to_string();
    let (day, name) = key.rsplit_once('/').unwrap();
    let day = server.files().join("dns/a b").join(day);
    std::fs::create_dir_all(&day).unwrap();
    std::fs::write(day.join(format!(".{name}.part")), b"PAR1").unwrap();
    assert_eq!(runtime.block_on(store.keys()).unwrap(), <[String; 0]>::default());
    let file = Bytes::from(encode_period(&row).unwrap());
    runtime.block_on(store.put(&key, file.clone())).unwrap();
    assert_eq!(std::fs::read(day.join(name)).unwrap(), file);
    assert_eq!(std::fs::read_dir(day).unwrap().count(), 1);
}

#[test]
fn a_server_that_refuses_the_password_is_reported_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let Some(Opened { server, .. }) = open(StoreServerKind::WebDav, directory.path()) else { return };
    let message = |variables: &[(&str, &str)]| {
        let mut roll_up = Command::new(BINARY);
        roll_up.args(["roll-up", &server.url("dns"), "--by", "day"]).env("WEBDAV_ALLOW_HTTP", "true");
        let output = roll_up.envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.lines().count() == 1 && stderr.len() < 800, "{stderr}");
        stderr
    };
    let wrong = message(&[("WEBDAV_USERNAME", "fleet"), ("WEBDAV_PASSWORD", "wrong")]);
    assert!(wrong.contains("401 Unauthorized"), "{wrong}");
    let none = message(&[]);
    assert!(none.contains("WEBDAV_USERNAME and WEBDAV_PASSWORD are not set"), "{none}");
}

#[test]
fn a_password_in_a_url_is_not_printed() {
    let url = "https://fleet:secret@store.example/dns";
    let output = Command::new(BINARY).args(["roll-up", url, "--by", "day"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("set WEBDAV_USERNAME and WEBDAV_PASSWORD"), "{stderr}");
    assert!(!stderr.contains("secret"), "{stderr}");
}
