//! The agent on a mirror port.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use capture_file::Capture;
use pktvisor_capture::kernel::object;
use serde_json::{Value, json};
use testbed::{FrameSocket, Namespace, Need, Process, Veth, VethPair, http};

fn server() -> SocketAddr {
    "127.0.0.1:10853".parse().unwrap()
}

/// A mirror port in a namespace of its own, and the interface that feeds it.
struct MirrorPort {
    _pair: VethPair,
    watched: Namespace,
    sender: FrameSocket,
}

impl MirrorPort {
    fn new(queues: u32) -> Self {
        let (source, watched) = (Namespace::new(), Namespace::new());
        let pair = Veth::new(&source, &watched).names("pkvsource", "pkvmirror").queues(queues).create();
        let sender = FrameSocket::open(&source, "pkvsource");
        Self { _pair: pair, watched, sender }
    }

    /// Starts the agent and waits until it captures.
    fn agent(&self, words: &[&str]) -> Process {
        let mut command = self.watched.command(env!("CARGO_BIN_EXE_pktvisord"));
        command.args(["pkvmirror", "--mode", "tap", "--periods", "5"]).args(words).env_remove("RUST_LOG");
        let agent = Process::spawn(&mut command);
        http::wait_until_ok(&self.watched, server(), "/healthz", Duration::from_secs(30));
        self.wait_for(|app| app["capture"]["interfaces"][0]["name"] == "pkvmirror");
        agent
    }

    /// The `app` document, as soon as it meets the condition.
    fn wait_for(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let app = http::json(&self.watched, server(), "/api/v1/metrics/app")["app"].clone();
            if is_so(&app) {
                return app;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{app}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends a whole capture and returns the number of its packets.
    fn send(&self, capture: &PathBuf) -> u64 {
        let mut capture = Capture::open(capture).unwrap();
        let mut count = 0;
        while let Some(packet) = capture.next_packet().unwrap() {
            self.sender.send(packet.data);
            count += 1;
        }
        count
    }
}

fn demo() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../captures/demo.pcap")
}

/// The summary that a replay of the capture prints.
fn replayed(words: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
    command.arg("--summary").arg(demo()).args(words);
    let output = command.env_remove("RUST_LOG").output().unwrap();
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["1m"].clone()
}

/// The numbers that do not depend on the arrival times of packets.
fn timeless(mut period: Value) -> Value {
    let timed: [(&str, &[&str]); 4] = [
        ("/packets", &["rates", "out_of_order", "time_jumps"]),
        ("/dns", &["xact", "top_timed_out", "top_zones_timed_out"]),
        (
            "/dns/in",
            &[
                "timed_out",
                "orphans",
                "size_ratio_pct",
                "top_clients_slow",
                "top_clients_timed_out",
                "top_clients_amplified",
            ],
        ),
        (
            "/dns/out",
            &["timed_out", "orphans", "size_ratio_pct", "top_servers_slow", "top_servers_timed_out"],
        ),
    ];
    for (part, names) in timed {
        let part = period.pointer_mut(part).unwrap().as_object_mut().unwrap();
        names.iter().for_each(|name| drop(part.remove(*name)));
    }
    json!({ "packets": period["packets"], "dns": period["dns"], "sampling": period["sampling"] })
}

#[test]
fn a_mirror_port_counts_the_same_as_a_replay_of_the_same_packets() {
    testbed::require!(Need::Namespaces);
    if object::embedded().is_none() {
        return testbed::report_skipped("this build has no kernel programs");
    }
    let hosts = ["-H", "0.0.0.0/1,2001:db8::/33"];
    let expected = timeless(replayed(&hosts));
    let mut transactions = Vec::new();
    for (queues, threads) in [(1, "1"), (4, "1"), (1, "3"), (4, "4")] {
        let port = MirrorPort::new(queues);
        let mut agent = port.agent(&[&hosts[..], &["--threads", threads]].concat());
        let app = port.wait_for(|_| true);
        assert_eq!((&app["capture"]["mode"], &app["capture"]["zero_copy"]), (&json!("tap"), &json!(false)));
        let sent = port.send(&demo());
        let app = port.wait_for(|app| app["ledger"]["seen"] == sent && app["ledger"]["pending"] == 0);
        let ledger = &app["ledger"];
        assert_eq!((&ledger["lost"], &ledger["not_chosen"]), (&json!(0), &json!(0)), "{ledger}");
        assert_eq!(ledger["delivered"], ledger["dns_packets"]);
        // Two periods, in case one ended during the test.
        let window = http::json(&port.watched, server(), "/api/v1/metrics/window/5");
        let period = window.as_object().unwrap().values().next().unwrap().clone();
        transactions.push(period["dns"]["xact"]["counts"]["total"].clone());
        assert_eq!(timeless(period), expected, "{queues} queues, {threads} threads");
        agent.signal(libc::SIGTERM);
        assert!(agent.wait(Duration::from_secs(10)).success());
    }
    // Queries meet their responses, whichever thread takes them.
    assert!(transactions.iter().all(|total| total == &transactions[0]), "{transactions:?}");
    assert!(transactions[0].as_u64().unwrap() > 1000);
}

#[test]
fn packets_that_a_filter_takes_out_on_a_mirror_port_count_as_filtered() {
    testbed::require!(Need::Namespaces);
    if object::embedded().is_none() {
        return testbed::report_skipped("this build has no kernel programs");
    }
    let words = ["-b", "udp and not port 4000"];
    let expected = timeless(replayed(&words));
    let port = MirrorPort::new(1);
    let mut agent = port.agent(&words);
    let sent = port.send(&demo());
    let app = port.wait_for(|app| app["ledger"]["seen"] == sent && app["ledger"]["pending"] == 0);
    assert_eq!(app["ledger"]["counted"], expected["packets"]["total"]);
    assert!(app["ledger"]["filtered"].as_u64().unwrap() > 0);
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(Duration::from_secs(10)).success());
}

#[test]
fn an_interface_with_an_address_is_tapped_by_force_only() {
    testbed::require!(Need::Namespaces);
    if object::embedded().is_none() {
        return testbed::report_skipped("this build has no kernel programs");
    }
    let port = MirrorPort::new(1);
    port.watched.ip(&["address", "add", "192.0.2.1/24", "dev", "pkvmirror"]);
    let mut command = port.watched.command(env!("CARGO_BIN_EXE_pktvisord"));
    let output = command.args(["pkvmirror", "--mode", "tap"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("pkvmirror has the address 192.0.2.1") && text.contains("--force"), "{text}");
    let mut agent = port.agent(&["--force"]);
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(Duration::from_secs(10)).success());
}

/// How often the worker thread has slept.
fn sleeps(agent: &Process) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", agent.id())).unwrap();
    let mut statuses =
        tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default());
    let worker = statuses.find(|status| status.starts_with("Name:\tworker 0\n")).unwrap();
    let count = worker.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.unwrap().trim().parse().unwrap()
}

#[test]
fn busy_polling_analyses_every_packet_and_never_sleeps() {
    testbed::require!(Need::Namespaces);
    if object::embedded().is_none() {
        return testbed::report_skipped("this build has no kernel programs");
    }
    let port = MirrorPort::new(1);
    let mut agent = port.agent(&["--busy-drain"]);
    let sent = port.send(&demo());
    let app = port.wait_for(|app| app["ledger"]["seen"] == sent && app["ledger"]["pending"] == 0);
    let ledger = &app["ledger"];
    assert_eq!((&ledger["delivered"], &ledger["lost"]), (&ledger["dns_packets"], &json!(0)), "{ledger}");
    let before = sleeps(&agent);
    thread::sleep(Duration::from_millis(500));
    let sleeps = sleeps(&agent) - before;
    assert!(sleeps < 10, "{sleeps}");
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(Duration::from_secs(10)).success());
}
