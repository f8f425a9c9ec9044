//! Agents that archive to Google Cloud Storage, Azure and a WebDAV server, restricted by their sandbox.

use std::path::Path;
use std::process::Command;

use dns_traffic::Config;
use pktvisor_archive::{ArchiveLocation, ArchiveStore, Variables, decode};
use testbed::{StoreServer, StoreServerKind};

use crate::fleet::Fleet;

fn check(kind: StoreServerKind) {
    let directory = tempfile::tempdir().unwrap();
    let target = Path::new(env!("CARGO_BIN_EXE_pktvisord")).ancestors().nth(2).unwrap();
    let server = match StoreServer::start(kind, target, directory.path()) {
        Ok(server) => server,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let fleet = Fleet::of(&[("ns1", Config { packets: 3_600, rate: 20.0, names: 500, ..Config::default() })]);
    let url = server.url("dns");
    let variables = server.variables();
    let environment: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let periods = fleet.archive_to(&url, &environment);

    let location: ArchiveLocation = url.parse().unwrap();
    let store = ArchiveStore::open_with(&location, &variables.into_iter().collect::<Variables>()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keys = runtime.block_on(store.keys()).unwrap();
    assert_eq!(keys.len(), periods);
    for key in keys {
        let row = decode(runtime.block_on(store.get(&key)).unwrap()).unwrap();
        assert_eq!(row.agent, "ns1", "{key}");
    }
}

#[test]
fn an_agent_archives_to_google_cloud_storage() {
    check(StoreServerKind::GoogleCloud);
}

#[test]
fn an_agent_archives_to_azure() {
    check(StoreServerKind::Azure);
}

#[test]
fn an_agent_archives_to_a_web_dav_server() {
    check(StoreServerKind::WebDav);
}

#[test]
fn a_store_that_cannot_be_used_is_explained_once() {
    let mut agent = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
    agent.args([
        "--archive",
        "az://container/dns",
        concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/demo.pcap"),
    ]);
    let output = agent.env_remove("AZURE_STORAGE_ACCOUNT_NAME").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.matches("set AZURE_STORAGE_ACCOUNT_NAME").count(), 1, "{stderr}");
}
