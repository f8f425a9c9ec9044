//! Packets of an agent, saved as a file.

use std::sync::mpsc;

use pktvisor_tui::client::{FilterKey, PacketsUpdate, TrafficFilter, save_packets};

use crate::{
    LONG, http,
    support::fake_agent::{FakeAgent, Reply},
};

/// What becomes of saving packets into a directory of its own, and the files in it.
fn saved_from(reply: Reply) -> (PacketsUpdate, Vec<Vec<u8>>) {
    let agent = FakeAgent::start();
    agent.on("/api/v1/packets?client=192.0.2.1&limit=10000&seconds=30", reply);
    let directory = tempfile::tempdir().expect("a directory");
    let filter = TrafficFilter::default().with(FilterKey::Client, "192.0.2.1");
    let (sender, updates) = mpsc::channel();
    save_packets(http(&agent, LONG), filter, directory.path().to_owned(), move |update| {
        let _over = sender.send(update);
    })
    .expect("a thread");
    let last = updates.iter().last().expect("an update");
    let files = std::fs::read_dir(directory.path()).expect("it exists").flatten();
    (last, files.map(|file| std::fs::read(file.path()).expect("it can be read")).collect())
}

#[test]
fn packets_are_saved_as_they_are_streamed() {
    let packets = vec![7; 200_000];
    let (last, files) = saved_from(Reply::json(packets.clone()).content_type("application/x-pcapng"));
    let PacketsUpdate::Saved { file, bytes } = last else { panic!("{last:?}") };
    assert!(file.starts_with("pktvisor-192.0.2.1-") && file.ends_with(".pcapng"), "{file}");
    assert_eq!((bytes, files), (200_000, vec![packets]));
}

#[test]
fn an_agent_that_gives_no_packets_away_says_so_and_leaves_no_file() {
    let sentence = r#"{"error":"packets are given away only with --allow-packets"}"#;
    for (reply, why) in [
        (Reply::json(sentence).status(403), "packets are given away only with --allow-packets"),
        (Reply::json("no").status(404), "this agent cannot save packets"),
        (Reply::json("no").status(502), "HTTP status 502 for /api/v1/packets"),
    ] {
        let (last, files) = saved_from(reply);
        let PacketsUpdate::Failed(text) = last else { panic!("{last:?}") };
        assert!(text.starts_with(why), "{text}");
        assert!(files.is_empty());
    }
}
