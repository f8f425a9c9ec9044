//! The real binary in a real terminal, against a real agent: tmux types, and reads the screen back.
//!
//! Without tmux, or without an agent that serves files, the test reports that it was skipped, and
//! passes.

mod agent;
mod capture;
mod terminal;

use std::{path::Path, process::Command, time::Duration};

use agent::{Agent, agent_binary, free_port};
use capture::{capture_of, capture_of_dns};
use terminal::Tmux;

/// Longer than anything here takes; only a failing test waits for it.
const LONG: Duration = Duration::from_secs(40);

/// Why there is nothing to test.
struct Skipped(String);

fn report(test: Result<(), Skipped>) {
    if let Err(Skipped(reason)) = test {
        eprintln!("skipped: {reason}");
    }
}

#[test]
fn keys_change_pages_a_killed_agent_is_stale_a_restarted_one_recovers_and_q_leaves_a_clean_screen() {
    report(watch_an_agent());
}

fn watch_an_agent() -> Result<(), Skipped> {
    let agent_binary = agent_binary()?;
    let tmux = Tmux::start("watch")?;
    let directory = tempfile::tempdir().expect("a directory");
    let capture = directory.path().join("dns.pcap");
    std::fs::write(&capture, capture_of_dns()).expect("it can be written");
    let port = free_port();
    let agent = Agent::start(&agent_binary, &capture, port);

    tmux.keys(&[&format!("echo before; {} -p {port}", env!("CARGO_BIN_EXE_pktvisor")), "Enter"]);
    tmux.wait_for_text("Names, 2 labels");
    tmux.wait_for_text(".example.com");
    for (key, text) in
        [("2", "Unmatched"), ("3", "Clients"), ("6", "IPv4 addresses"), ("7", "Ledger"), ("8", "Answering")]
    {
        tmux.keys(&[key]);
        tmux.wait_for_text(text);
    }
    tmux.keys(&["?"]);
    tmux.wait_for_text("What is what");
    tmux.keys(&["Escape", "1"]);
    tmux.wait_for_text("Names, 2 labels");

    drop(agent);
    // A request that is in flight when the agent dies is reset; the next one is refused.
    let screen = tmux.wait_for("a refused connection", |screen| {
        screen.contains("▲ stale") && screen.contains("connection refused")
    });
    assert!(screen.contains(".example.com"), "the last data is gone:\n{screen}");

    let agent = Agent::start(&agent_binary, &capture, port);
    tmux.wait_for("a live screen", |screen| !screen.contains("stale") && screen.contains(".example.com"));

    tmux.keys(&["q"]);
    let screen = tmux.wait_for("the shell", |screen| !screen.contains("pktvisor  1 Overview"));
    assert!(screen.contains("before"), "what was on the screen is back:\n{screen}");
    tmux.wait_for_clean();
    tmux.keys(&["echo after$((1+1))", "Enter"]);
    tmux.wait_for_text("after2");
    drop(agent);
    Ok(())
}

#[test]
fn two_agents_with_common_clients_are_shown_as_their_union_and_one_of_them_alone_when_the_other_dies() {
    report(watch_a_fleet());
}

fn watch_a_fleet() -> Result<(), Skipped> {
    let agent_binary = agent_binary()?;
    let tmux = Tmux::start("fleet")?;
    let directory = tempfile::tempdir().expect("a directory");
    let start = |name: &str, clients: std::ops::RangeInclusive<u8>, port: u16| {
        let capture = directory.path().join(name);
        std::fs::write(&capture, capture_of(clients)).expect("it can be written");
        Agent::with(&["-H", "192.0.2.53"], &agent_binary, &capture, port)
    };
    let ports = [free_port(), free_port()];
    // Of 50 clients, 10 ask both.
    let first = start("first.pcap", 1..=30, ports[0]);
    let second = start("second.pcap", 21..=50, ports[1]);
    let hosts = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
    tmux.keys(&[&format!("{} -H {hosts}", env!("CARGO_BIN_EXE_pktvisor")), "Enter"]);
    let screen = tmux.wait_for_text("Union of 2 of 2 agents");
    assert!(["clients    50", "clients    49"].iter().any(|text| screen.contains(text)), "{screen}");
    // Every response takes 400 µs; its bucket has a middle of 401.
    let times = "in  p50  401µs · p90  401µs · p95  401µs · p99  401µs · ±0.5%";
    assert!(screen.contains(times), "{screen}");
    let name = screen.lines().find(|line| line.contains("example.com")).unwrap_or_default();
    // 60 queries and 60 replies, at least and at most.
    assert_eq!(name.matches(" 120").count(), 3, "{screen}");
    // The union opens like an agent.
    tmux.keys(&["Home", "Enter"]);
    let screen = tmux.wait_for_text("the whole fleet");
    assert!(screen.contains("1 Overview"), "{screen}");
    tmux.keys(&["3", "Enter"]);
    tmux.wait_for_text("at most");
    tmux.keys(&["8"]);
    drop(second);
    let screen = tmux.wait_for_text("Union of 1 of 2 agents");
    assert!(screen.contains("no answer of 1") && screen.contains("clients    30"), "{screen}");
    tmux.keys(&["q"]);
    tmux.wait_for_clean();
    drop(first);
    Ok(())
}

#[test]
fn signals_leave_a_clean_screen() {
    report(signals());
}

fn signals() -> Result<(), Skipped> {
    let tmux = Tmux::start("signals")?;
    let directory = tempfile::tempdir().expect("a directory");
    let pid_file = directory.path().join("pid");
    for signal in ["TERM", "INT", "QUIT", "HUP"] {
        // Nobody listens there: the screen of an agent that is not there.
        let run = format!(
            "clear; sh -c 'echo $$ > {}; exec {} --mouse -p 1'; echo left with $?",
            pid_file.display(),
            env!("CARGO_BIN_EXE_pktvisor"),
        );
        tmux.keys(&[&run, "Enter"]);
        tmux.wait_for_text("✕ no agent");
        let pid = std::fs::read_to_string(&pid_file).expect("the shell wrote it");
        // The shell's own: a small system has no program of that name.
        let line = format!("kill -s {signal} {}", pid.trim());
        let status = Command::new("sh").args(["-c", &line]).status().expect("sh runs");
        assert!(status.success());
        tmux.wait_for_text("left with 0");
        tmux.wait_for_clean();
    }
    Ok(())
}

#[test]
fn a_suspended_screen_is_given_back_to_the_shell_and_comes_back() {
    report(suspend());
}

fn suspend() -> Result<(), Skipped> {
    let tmux = Tmux::start("suspend")?;
    tmux.keys(&[&format!("{} -p 1", env!("CARGO_BIN_EXE_pktvisor")), "Enter"]);
    tmux.wait_for_text("✕ no agent");
    tmux.keys(&["C-z"]);
    tmux.wait_for("the shell", |screen| !screen.contains("no agent") && tmux.is_clean());
    tmux.keys(&["fg", "Enter"]);
    tmux.wait_for_text("✕ no agent");
    tmux.keys(&["q"]);
    tmux.wait_for_clean();
    Ok(())
}

#[test]
fn a_panic_leaves_its_message_on_a_clean_screen() {
    report(panicking());
}

fn panicking() -> Result<(), Skipped> {
    let binary = Path::new(env!("CARGO_BIN_EXE_pktvisor")).with_file_name("examples/panicking_screen");
    if !binary.exists() {
        return Err(Skipped(format!("{} is not built", binary.display())));
    }
    let tmux = Tmux::start("panic")?;
    tmux.keys(&[&format!("clear; {}; echo left with $?", binary.display()), "Enter"]);
    let screen = tmux.wait_for_text("left with 101");
    assert!(screen.contains("a thread panics") && !screen.contains("a screen"), "{screen}");
    tmux.wait_for_clean();
    Ok(())
}
