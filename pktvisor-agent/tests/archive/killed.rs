//! Agents that are killed while they write.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use dns_traffic::Config;
use pktvisor_archive::{ArchiveRow, LAYOUT, decode};

use crate::fleet::{Fleet, assert_succeeded};

/// How often the agent is killed.
const KILLS: u64 = 25;

/// All rows that a query finds, which must be in whole files.
fn rows(archive: &Path) -> Vec<ArchiveRow> {
    let mut rows = Vec::new();
    let directories =
        |path: &Path| fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path());
    for agent in directories(archive) {
        for date in directories(&agent) {
            for file in directories(&date).filter(|path| path.extension().is_some_and(|end| end == "parquet"))
            {
                let bytes = fs::read(&file).unwrap();
                rows.push(decode(bytes.into()).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
            }
        }
    }
    rows
}

fn packets(rows: &[ArchiveRow]) -> u64 {
    let place = LAYOUT.counters.iter().position(|column| column.name == "packets_total").unwrap();
    rows.iter().map(|row| row.counters[place]).sum()
}

#[test]
fn a_killed_agent_leaves_whole_files_only_and_another_run_completes_them() {
    // Sixty periods, so that most of the time something is written.
    let fleet =
        Fleet::of(&[("ns1", Config { packets: 36_000, rate: 10.0, names: 500, ..Config::default() })]);
    let (member, archive) = (&fleet.members[0], fleet.path().join("archive"));
    let text = archive.to_str().unwrap();
    let mut seen = Vec::new();
    for round in 0..KILLS {
        let mut agent = member.agent(text);
        let mut agent = agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Later and later, in the middle of the files.
        let wanted = 2 * round as usize;
        while rows(&archive).len() < wanted && agent.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        agent.kill().unwrap();
        agent.wait().unwrap();
        seen.push(rows(&archive).len());
    }
    println!("files after each kill: {seen:?}");
    assert_succeeded(&member.agent(text).output().unwrap());
    let rows = rows(&archive);
    assert_eq!(rows.len(), member.answer.periods.len());
    assert_eq!(packets(&rows), member.answer.total.packets.total);
}
