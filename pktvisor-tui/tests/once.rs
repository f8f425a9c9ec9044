//! The binary without a terminal: snapshots, exit codes, wrong usage.

mod support;

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

use pktvisor_api::{PeriodDocument, Rates};
use pktvisor_tui::model::SavedAgent;
use support::{
    fake_agent::{FakeAgent, Reply},
    sample,
};

fn pktvisor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pktvisor")).args(arguments).output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are UTF-8")
}

fn busy_agent() -> FakeAgent {
    let agent = FakeAgent::start();
    let answer = sample::answer(7);
    let live = PeriodDocument::from([("1m".to_owned(), answer.live.expect("there is one"))]);
    let window = PeriodDocument::from([("5m".to_owned(), answer.window)]);
    agent
        .on("app", Reply::json(serde_json::to_vec(&sample::app()).expect("it serialises")))
        .on(
            "rates",
            Reply::json(serde_json::to_vec(&Rates { packets: sample::rates(7) }).expect("it serialises")),
        )
        .on("bucket/0", Reply::json(serde_json::to_vec(&live).expect("it serialises")))
        .on("window/5", Reply::json(serde_json::to_vec(&window).expect("it serialises")));
    agent
}

#[test]
fn a_snapshot_as_text_has_every_number_with_all_its_digits() {
    let agent = busy_agent();
    let output = pktvisor(&["--once", "-H", &agent.address.to_string()]);
    assert!(output.status.success(), "{output:?}");
    let text = stdout(&output).replace(&agent.address.to_string(), "ADDRESS");
    insta::assert_snapshot!("once_text", text);
}

#[test]
fn several_agents_are_followed_by_their_union() {
    let agents = [0..1000, 500..1500].map(|clients| {
        let agent = busy_agent();
        let sketches = sample::sketches(sample::answer(7).window, clients);
        let document = serde_json::to_vec(&sketches).expect("it serialises");
        agent.on("/api/v1/sketches/window/5?top=100", Reply::json(document));
        agent
    });
    let [first, second] = agents.each_ref().map(|agent| agent.address.to_string());
    let text = stdout(&pktvisor(&["--once", "-H", &first, "-H", &second]));
    let start =
        "fleet      2 of 2 agents, 0 more in the counters alone, 0 missing\nagent      the whole fleet\n";
    let (agents, union) = text.split_once(start).unwrap_or_else(|| panic!("{text}"));
    let total = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("  total "))?;
        line.split_whitespace().nth(1)?.replace(',', "").parse::<u64>().ok()
    };
    assert!(total(union).is_some() && total(union) == total(agents).map(|one| 2 * one), "{text}");
    let lines = stdout(&pktvisor(&["--once", "--format", "json", "-H", &first, "-H", &second]));
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[test]
fn a_reader_that_closes_the_pipe_early_is_not_a_failure() {
    let agent = busy_agent();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_pktvisor"))
        .args(["--once", "-H", &agent.address.to_string()])
        .stdout(writer)
        .output()
        .expect("the binary runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_snapshot_as_json_can_be_opened_again() {
    let agent = busy_agent();
    let output = pktvisor(&["--once", "--format", "json", "-H", &agent.address.to_string()]);
    assert!(output.status.success(), "{output:?}");
    let saved: SavedAgent = serde_json::from_str(&stdout(&output)).expect("one object");
    assert_eq!(saved.metrics["5m"], sample::answer(7).window);
    assert_eq!((saved.app, saved.rates), (Some(sample::app()), Some(sample::rates(7))));

    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), &output.stdout).expect("it can be written");
    let path = file.path().to_str().expect("UTF-8");
    let live = stdout(&pktvisor(&["--once", "-H", &agent.address.to_string()]));
    let reopened = stdout(&pktvisor(&["--once", "--snapshot", path]));
    // What moves on in a live agent stands still in a file: the rates are those of the window.
    let stable = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.contains("/s  ")).map(str::to_owned).collect()
    };
    assert_eq!(stable(&live), stable(&reopened));
}

#[test]
fn an_agent_of_3_0_stays_one_when_saved() {
    let agent = FakeAgent::start();
    agent
        .on("app", Reply::json(r#"{"app":{"version":"3.0.7","periods":5}}"#))
        .on("rates", Reply::json(r#"{"packets":{"in":412,"out":390}}"#))
        .on("window/5", Reply::json(sample::OLDER_WINDOW));
    let output = pktvisor(&["--once", "--format", "json", "-H", &agent.address.to_string()]);
    let saved: SavedAgent = serde_json::from_str(&stdout(&output)).expect("one object");
    assert!(saved.older && !saved.to_agent().is_ours());
}

#[test]
fn an_agent_that_does_not_answer_is_named_and_fails_the_command() {
    let agent = busy_agent();
    let gone = FakeAgent::start();
    let (here, there) = (agent.address.to_string(), gone.address.to_string());
    drop(gone);
    let output = pktvisor(&["--once", "-H", &here, "-H", &there]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), format!("pktvisor: {there}: cannot connect: connection refused\n"));
    let text = stdout(&output);
    assert!(text.starts_with(&format!("agent      {here}\nversion    4.0.0")), "{text}");
    assert!(!text.contains(&there), "{text}");
}

#[test]
fn stdout_gets_answers_and_stderr_gets_errors() {
    let gone = FakeAgent::start();
    let address = gone.address.to_string();
    drop(gone);
    for form in ["text", "json"] {
        let output = pktvisor(&["--once", "--format", form, "-H", &address]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{form}");
        assert_eq!(stderr(&output), format!("pktvisor: {address}: cannot connect: connection refused\n"));
    }
    let refusing = FakeAgent::start();
    refusing.on("app", Reply::json(r#"{"error":"all interfaces are \u001b[2Jdown"}"#).status(503));
    let address = refusing.address.to_string();
    let output = pktvisor(&["--once", "-H", &address]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let expected = format!("pktvisor: {address}: the agent answers: all interfaces are \\u{{1b}}[2Jdown\n");
    assert_eq!(stderr(&output), expected);
}

#[test]
fn arguments_repeated_on_stderr_cannot_control_the_terminal() {
    for arguments in [
        &["--\u{1b}[2J\n"][..],
        &["--theme", "\u{9b}31m"],
        &["\u{1b}[2J"],
        &["--once", "-H", "ns\u{1b}[2J"],
        &["--once", "-H", "ht\u{7}tp://x"],
        &["--once", "--snapshot", "/nonexistent\u{1b}[2J\r"],
    ] {
        let output = pktvisor(arguments);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        let error = stderr(&output);
        assert!(error.contains("\\u{"), "{error:?}");
        assert!(error.chars().all(|c| c == '\n' || !c.is_control()), "{error:?}");
    }
}

#[test]
fn an_endless_snapshot_is_refused_in_one_sentence() {
    let output = pktvisor(&["--once", "--snapshot", "/dev/zero"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let error = stderr(&output);
    assert!(
        error.starts_with("pktvisor: /dev/zero is no saved metrics: it is longer than 32 MiB"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_snapshot_may_come_out_of_a_pipe() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pktvisor"))
        .args(["--once", "--snapshot", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut pipe = child.stdin.take().expect("it is piped");
    pipe.write_all(br#"{"5m":{"packets":{"total":4711}}}"#).expect("it reads");
    drop(pipe);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && stdout(&output).contains("4,711"), "{output:?}");
}

#[test]
fn a_link_local_address_without_its_interface_is_refused_with_an_example() {
    let output = pktvisor(&["--once", "-H", "fe80::1"]);
    assert!(stderr(&output).contains("as in fe80::1%eth0") && output.stdout.is_empty(), "{output:?}");
    let output = pktvisor(&["--once", "-H", "[fe80::1%no-such-if]:10853"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "pktvisor: [fe80::1%no-such-if]: cannot connect: \
                    this machine has no interface no-such-if; `ip link` lists them\n";
    assert_eq!(stderr(&output), expected);
    let output = pktvisor(&["--once", "-H", "fe80::1%999999"]);
    let expected = "pktvisor: [fe80::1%999999]: cannot connect: interface 999999 does not exist, is down, or has no \
                    IPv6 address; `ip -6 address` lists them\n";
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), expected));
}

#[test]
fn names_in_a_snapshot_cannot_control_the_terminal() {
    let agent = busy_agent();
    let mut window = sample::answer(7).window;
    window.dns.top_qname2[0].name = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}x".to_owned();
    let window = PeriodDocument::from([("5m".to_owned(), window)]);
    agent.on("window/5", Reply::json(serde_json::to_vec(&window).expect("it serialises")));
    for format in ["text", "json"] {
        let output = pktvisor(&["--once", "--format", format, "-H", &agent.address.to_string()]);
        let text = stdout(&output);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'), "{text}");
    }
}

#[test]
fn without_a_terminal_the_error_names_once() {
    let output = pktvisor(&[]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("use --once"), "{error}");
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_usage_is_exit_code_2_and_a_wrong_host_is_explained() {
    assert_eq!(pktvisor(&["--format", "json"]).status.code(), Some(2));
    let output = pktvisor(&["--once", "-H", "ftp://ns1"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("only http:// and https:// are spoken"), "{error}");
}

#[test]
fn a_file_that_is_no_snapshot_is_named_with_what_is_expected() {
    let output = pktvisor(&["--once", "--snapshot", "/nonexistent.json"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("cannot read /nonexistent.json"), "{error}");
}
