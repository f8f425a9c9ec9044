//! A store that is away for five periods.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use dns_traffic::{Config, HOST_PREFIXES};

use crate::engines::python;
use crate::fleet::Fleet;
use crate::object_store::{ObjectStore, free_port, variables};
use crate::support::Served;

/// Longer than any step takes.
const PATIENCE: Duration = Duration::from_secs(120);

fn fleet() -> Fleet {
    // Twelve periods.
    Fleet::of(&[("ns1", Config { packets: 7_200, rate: 10.0, names: 500, ..Config::default() })])
}

/// Starts the agent, which needs two thirds of a second for a period.
fn start(fleet: &Fleet, archive: &str, environment: &[(&str, &str)]) -> Served {
    let capture = fleet.members[0].capture.to_str().unwrap();
    let hosts = HOST_PREFIXES.join(",");
    let words = [
        "-H",
        &hosts,
        "--archive",
        archive,
        "--archive-agent",
        "ns1",
        "--pace",
        "90x",
        "--periods",
        "2",
        capture,
    ];
    Served::start_with(&words, environment)
}

fn archive(agent: &Served) -> serde_json::Value {
    agent.json("/api/v1/metrics/app")["app"]["archive"].take()
}

fn wait_for(agent: &Served, what: &str, condition: impl Fn(&serde_json::Value) -> bool) {
    let started = Instant::now();
    while !condition(&archive(agent)) {
        assert!(started.elapsed() < PATIENCE, "{what}: {} {}", archive(agent), agent.stderr());
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until five periods wait, brings the store back, and ends the agent after its capture.
fn end_after_absence(agent: Served, bring_back: impl FnOnce()) -> String {
    wait_for(&agent, "five periods wait", |archive| archive["waiting"].as_u64() >= Some(5));
    let state = archive(&agent);
    assert!(state["last_failure"].is_string() && state["written"] == 0 && state["given_up"] == 0, "{state}");
    bring_back();
    let mut agent = agent;
    agent.line();
    let (status, _, stderr) = agent.stop("TERM");
    assert!(status.success(), "{stderr}");
    assert_eq!(stderr.matches("cannot write to").count(), 1, "{stderr}");
    stderr
}

#[test]
fn a_directory_that_is_away_for_five_periods_loses_nothing() {
    let fleet = fleet();
    let root = fleet.path().join("archive");
    fs::create_dir(&root).unwrap();
    // A file in place of the agent's directory: no write succeeds, not even root's.
    let obstacle = root.join("agent=ns1");
    fs::write(&obstacle, b"").unwrap();
    let agent = start(&fleet, root.to_str().unwrap(), &[]);
    end_after_absence(agent, || fs::remove_file(&obstacle).unwrap());
    let files: usize = fs::read_dir(&obstacle)
        .unwrap()
        .map(|date| fs::read_dir(date.unwrap().path()).unwrap().count())
        .sum();
    assert_eq!(files, fleet.members[0].answer.periods.len());
}

#[test]
fn an_s3_server_that_is_away_for_five_periods_loses_nothing() {
    let Some(python) = python() else { return };
    let fleet = fleet();
    let port = free_port();
    let variables = variables(port);
    let environment: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let agent = start(&fleet, "s3://fleet", &environment);
    let mut server = None;
    end_after_absence(agent, || server = ObjectStore::start_on(&python, port));
    let Some(server) = server else { return };
    assert_eq!(server.objects("ns1"), fleet.members[0].answer.periods.len());
}
