//! `--serve`: the summary, then HTTP until a signal.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::captures::{DEMO_HOST, DEMO_PACKETS, demo, demo_path};
use crate::shell::Shell;
use crate::support::Served;

fn served(options: &[&str]) -> Served {
    let path = demo_path();
    Served::start(&[options, &[path.to_str().unwrap()]].concat())
}

#[test]
fn a_served_capture_is_printed_and_answers_on_every_path() {
    let mut served = served(&["-H", DEMO_HOST]);
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    assert_eq!(served.json("/api/v1/metrics/window/5"), line);
    let buckets: u64 = (0..3)
        .map(|n| {
            let bucket = served.json(&format!("/api/v1/metrics/bucket/{n}"));
            bucket["1m"]["packets"]["total"].as_u64().unwrap()
        })
        .sum();
    assert_eq!(buckets, DEMO_PACKETS);
    let app = served.json("/api/v1/metrics/app");
    assert_eq!(app["app"]["capture"]["finished"], true);
    assert_eq!(app["app"]["periods"], 5);
    assert!(served.json("/api/v1/metrics/rates")["packets"]["in"].is_u64());
    assert_eq!(served.json("/api/v1/openapi.json")["info"]["version"], "4.0.0");
    let (status, metrics) = served.get("/metrics");
    assert!(status == 200 && metrics.contains("# TYPE"), "{metrics}");
    assert_eq!(served.get("/healthz").0, 200);
    for (path, expected) in [
        ("/api/v1/metrics/bucket/4", 425),
        ("/api/v1/metrics/bucket/5", 404),
        ("/api/v1/metrics/window/6", 404),
        ("/nothing", 404),
    ] {
        let (status, body) = served.get(path);
        assert_eq!(status, expected, "{path}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["error"].is_string(), "{path}: {body}");
    }
    let (status, stdout, stderr) = served.stop("TERM");
    assert_eq!((status.code(), stdout.as_str()), (Some(0), ""));
    assert!(stderr.lines().all(|line| line.contains("INFO sandbox: files ")), "{stderr}");
}

#[test]
fn filtered_packets_are_in_the_ledger() {
    let mut served = served(&["-b", "udp port 53"]);
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    let ledger = served.json("/api/v1/metrics/app")["app"]["ledger"].take();
    let [seen, filtered, counted] =
        ["seen", "filtered", "counted"].map(|term| ledger[term].as_u64().unwrap());
    assert_eq!((seen, counted), (DEMO_PACKETS, line["5m"]["packets"]["total"].as_u64().unwrap()));
    assert!(filtered > 0 && seen == filtered + counted, "{ledger}");
}

#[test]
fn a_warning_of_the_reader_becomes_a_note() {
    let bytes = demo();
    let shell = Shell::with("cut.pcap", &bytes[..bytes.len() - 1]);
    let path = shell.path().join("cut.pcap");
    let mut served = Served::start(&[path.to_str().unwrap()]);
    served.line();
    let notes = served.json("/api/v1/metrics/app")["app"]["capture"]["notes"].take();
    assert!(notes[0].as_str().unwrap().contains("cut off"), "{notes}");
}

#[test]
fn a_summary_is_served_as_the_window_that_old_clients_ask_for() {
    let mut served = served(&["--summary"]);
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    assert_eq!(served.json("/api/v1/metrics/window/5")["5m"], line["1m"]);
    assert_eq!(served.stop("INT").0.code(), Some(0));
}

#[test]
fn a_paced_replay_is_served_while_it_runs_and_ends_on_a_signal() {
    let mut served = served(&["--pace", "0.001x"]);
    let app = served.json("/api/v1/metrics/app");
    assert_eq!(app["app"]["capture"]["finished"], false);
    assert!(
        served.json("/api/v1/metrics/bucket/0")["1m"]["packets"]["total"].as_u64().unwrap() < DEMO_PACKETS
    );
    served.signal("TERM");
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    assert!(line["5m"]["packets"]["total"].as_u64().unwrap() < DEMO_PACKETS);
}

#[test]
fn a_pipe_without_data_delays_no_answer() {
    let mut served = Served::start(&["-"]);
    let mut stdin = served.stdin();
    assert_eq!(served.get("/healthz").0, 200);
    // The file header, a hundred packets, and the beginning of one more.
    let bytes = demo();
    let end = (0..100).fold(24, |at, _| {
        let len = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap());
        at + 16 + len as usize
    });
    stdin.write_all(&bytes[..end + 20]).unwrap();
    // The server makes answers again after at most a second, so this ends.
    while served.json("/api/v1/metrics/bucket/0")["1m"]["packets"]["total"] != 100 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(served.json("/api/v1/metrics/app")["app"]["ledger"]["counted"], 100);
    let (status, stdout, _) = served.stop("TERM");
    assert_eq!(status.code(), Some(0));
    let line: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(line["5m"]["packets"]["total"], 100);
    drop(stdin);
}

#[test]
fn a_name_of_another_site_is_answered_only_if_it_is_allowed() {
    let status = |served: &Served, host: &str| {
        let mut stream = TcpStream::connect(served.address()).unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    let by_default = served(&[]);
    assert_eq!(status(&by_default, "metrics.example"), 403);
    assert_eq!(status(&by_default, &by_default.address().to_string()), 200);
    let allowing = served(&["--allow-host", "other.example,Metrics.Example"]);
    assert_eq!(status(&allowing, "metrics.example:10853"), 200);
    assert_eq!(status(&allowing, "rebound.example"), 403);
}

#[test]
fn a_busy_port_ends_the_agent_before_it_reads_anything() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let path = demo_path();
    let run = Shell::new().run(&["--serve", "-l", "127.0.0.1", "-p", &port, path.to_str().unwrap()]);
    let expected = format!("cannot serve HTTP on 127.0.0.1:{port}: the port is in use");
    assert!(run.sentence().starts_with(&expected), "{run:?}");
}

#[test]
fn a_missing_capture_ends_the_agent() {
    let run = Shell::new().run(&["--serve", "-l", "127.0.0.1", "-p", "0", "no-such.pcap"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    let last = run.stderr.lines().last().unwrap();
    assert_eq!(last, "pktvisord: cannot open no-such.pcap: No such file or directory (os error 2)");
}
