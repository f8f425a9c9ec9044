//! `--host-auto`, and the `-H` that the agent suggests.

use crate::captures::{DEMO_PACKETS, demo, demo_path};
use crate::shell::Shell;
use crate::support::Served;

#[test]
fn without_host_the_agent_suggests_one() {
    let path = demo_path();
    let run = Shell::new().run(&["--summary", path.to_str().unwrap()]);
    let document = run.document("1m");
    assert_eq!(document["packets"]["unknown"], DEMO_PACKETS);
    let xact = &document["dns"]["xact"];
    assert!(xact["counts"]["total"].as_u64() > Some(0) && xact["in"]["total"] == 0);
    assert_eq!(xact["unknown"]["total"], xact["counts"]["total"]);
    assert!(xact["unknown"]["quantiles_us"]["p95"].as_u64() > Some(0));
    let (_, host) = run.suggestion.as_deref().unwrap().split_once("give -H ").unwrap();
    let (host, rest) = host.split_once(", or ").unwrap();
    assert_eq!(rest, "--host-auto");
    let with_host = Shell::new().run(&["--summary", "-H", host, path.to_str().unwrap()]);
    assert_eq!(with_host.suggestion, None);
    let with_auto = Shell::new().run(&["--summary", "--host-auto", path.to_str().unwrap()]);
    assert_eq!(with_host.document("1m"), with_auto.document("1m"));
    assert_eq!(with_auto.suggestion, None);
    assert!(with_auto.stderr.contains(&format!("HOST is {host} by --host-auto")), "{}", with_auto.stderr);
}

#[test]
fn most_packets_of_a_server_have_a_direction_with_host_auto() {
    let path = demo_path();
    let document = Shell::new().run(&["--summary", "--host-auto", path.to_str().unwrap()]).document("1m");
    let number = |key: &str| document["packets"][key].as_u64().unwrap();
    assert!(number("in") + number("out") > number("unknown"), "{}", document["packets"]);
    assert!(document["dns"]["xact"]["in"]["total"].as_u64() > Some(0));
}

#[test]
fn the_suggestion_is_served_too() {
    let path = demo_path();
    let mut served = Served::start(&[path.to_str().unwrap()]);
    served.line();
    let likely = served.json("/api/v1/metrics/app")["app"]["capture"]["likely_host"].take();
    assert!(!likely.as_array().unwrap().is_empty());
}

#[test]
fn a_pipe_cannot_be_read_twice() {
    let run = Shell::new().run_with_input(&["--host-auto", "-"], &demo());
    assert!(run.sentence().starts_with("--host-auto reads a capture twice"), "{run:?}");
}

#[test]
fn host_is_given_or_found_not_both() {
    let path = demo_path();
    let run = Shell::new().run(&["--host-auto", "-H", "192.0.2.1", path.to_str().unwrap()]);
    assert_eq!(run.code, Some(2));
}
