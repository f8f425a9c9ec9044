//! Agents that speak TLS and need a token.

mod support;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Command, Output},
};

use rustls::{ServerConnection, StreamOwned};
use support::{
    fake_agent::{FakeAgent, Reply},
    sample,
};
use tempfile::TempDir;
use testbed::TestCertificate;

/// A free port of loopback.
const ANY: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
const TOKEN: &str = "correct-horse-battery";

/// An agent that speaks TLS, and files about it.
struct SecureAgent {
    agent: FakeAgent,
    files: TempDir,
}

impl SecureAgent {
    fn start() -> Self {
        Self::with(TestCertificate::LOCAL)
    }

    fn with(certificate: TestCertificate) -> Self {
        let files = tempfile::tempdir().expect("a directory");
        std::fs::write(files.path().join("ca.pem"), certificate.certificate).expect("a file");
        std::fs::write(files.path().join("token"), format!("{TOKEN}\n")).expect("a file");
        let config = certificate.server_config(&[]);
        let agent = FakeAgent::start_speaking(SocketAddr::from(ANY), move |stream: TcpStream| {
            Some(StreamOwned::new(ServerConnection::new(config.clone()).ok()?, stream))
        });
        describe(&agent);
        Self { agent, files }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Asks it once, with these options; a word that begins with `@` is one of its files.
    fn ask(&self, options: &[&str]) -> Output {
        let url = format!("https://{}", self.agent.address);
        let options = options.iter().map(|word| match word.strip_prefix('@') {
            Some(name) => self.file(name).into_os_string(),
            None => word.into(),
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisor"));
        command.args(["--once", "--timeout-ms", "20000", "-H", &url]).args(options);
        command.output().expect("it runs")
    }

    /// The sentence with which it refuses.
    fn refusal(&self, options: &[&str]) -> String {
        refusal(&self.ask(options))
    }
}

fn describe(agent: &FakeAgent) {
    let json = |value: serde_json::Value| Reply::json(value.to_string());
    agent.on("app", Reply::json(serde_json::to_vec(&sample::app()).expect("it serialises")));
    for page in ["bucket/0", "window/5"] {
        agent.on(page, json(serde_json::json!({ "5m": {} })));
    }
}

fn refusal(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{stderr}");
    assert!(stderr.ends_with('\n') && stderr.lines().count() == 1, "{stderr}");
    stderr
}

#[test]
fn an_agent_with_a_certificate_of_a_given_authority_is_shown() {
    let secure = SecureAgent::start();
    let output = secure.ask(&["--tls-ca", "@ca.pem"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("agent "), "{output:?}");
}

#[test]
fn a_certificate_that_proves_nothing_is_refused_with_the_reason() {
    let secure = SecureAgent::start();
    let sentence = secure.refusal(&[]);
    assert!(sentence.contains("no authority that is trusted here issued its certificate"), "{sentence}");
    assert!(sentence.contains("--tls-ca"), "{sentence}");
    std::fs::write(secure.file("other.pem"), TestCertificate::STRANGER.certificate).expect("a file");
    let sentence = secure.refusal(&["--tls-ca", "@other.pem"]);
    assert!(sentence.contains("no authority that is trusted here"), "{sentence}");

    let elsewhere = SecureAgent::with(TestCertificate::ELSEWHERE);
    let sentence = elsewhere.refusal(&["--tls-ca", "@ca.pem"]);
    assert!(sentence.contains("its certificate is for another name than that after -H"), "{sentence}");
    let old = SecureAgent::with(TestCertificate::EXPIRED);
    assert!(old.refusal(&["--tls-ca", "@ca.pem"]).contains("its certificate has expired"));
    let authority = SecureAgent::with(TestCertificate::AUTHORITY);
    let sentence = authority.refusal(&["--tls-ca", "@ca.pem"]);
    assert!(sentence.contains("make one with -addext basicConstraints=critical,CA:FALSE"), "{sentence}");
    let new = SecureAgent::with(TestCertificate::FUTURE);
    assert!(new.refusal(&["--tls-ca", "@ca.pem"]).contains("its certificate is not valid yet"));
}

#[test]
fn an_agent_without_tls_is_named_as_one() {
    // As a server does that takes the handshake for a malformed request.
    let plain = FakeAgent::start_speaking(SocketAddr::from(ANY), |mut stream: TcpStream| {
        let _length = stream.read(&mut [0; 4096]).ok()?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").ok()?;
        None::<TcpStream>
    });
    let secure = SecureAgent { agent: plain, files: SecureAgent::start().files };
    let sentence = secure.refusal(&["--tls-ca", "@ca.pem"]);
    assert!(sentence.contains("it does not speak TLS; try http:// instead of https://"), "{sentence}");
}

#[test]
fn the_token_is_shown_and_a_wrong_or_missing_one_is_named() {
    let secure = SecureAgent::start();
    secure.agent.require(&format!("Bearer {TOKEN}"));
    let output = secure.ask(&["--tls-ca", "@ca.pem", "--auth-token-file", "@token"]);
    assert!(output.status.success(), "{output:?}");
    let sentence = secure.refusal(&["--tls-ca", "@ca.pem"]);
    assert!(sentence.contains("the agent needs its token: give --auth-token-file"), "{sentence}");
    std::fs::write(secure.file("wrong"), "wrong-horse-battery").expect("a file");
    let sentence = secure.refusal(&["--tls-ca", "@ca.pem", "--auth-token-file", "@wrong"]);
    assert!(sentence.contains("the agent does not accept the token of --auth-token-file"), "{sentence}");
    assert!(!sentence.contains("wrong-horse"), "{sentence}");
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_the_reason() {
    let secure = SecureAgent::start();
    for (name, content, ca, token) in [
        ("empty", &b""[..], "has no certificate", "the first line is empty"),
        ("words", b"two words\n", "has no certificate", "other characters than ASCII letters"),
        ("damaged", b"-----BEGIN CERTIFICATE-----\n!\n", "damaged", "other characters than ASCII letters"),
    ] {
        std::fs::write(secure.file(name), content).expect("a file");
        let file = format!("@{name}");
        let sentence = secure.refusal(&["--tls-ca", &file]);
        assert!(sentence.starts_with("pktvisor: --tls-ca ") && sentence.contains(ca), "{sentence}");
        let sentence = secure.refusal(&["--auth-token-file", &file]);
        assert!(
            sentence.starts_with("pktvisor: --auth-token-file ") && sentence.contains(token),
            "{sentence}"
        );
    }
    for (option, file) in [("--tls-ca", "@missing"), ("--auth-token-file", "@missing")] {
        let sentence = secure.refusal(&[option, file]);
        assert!(sentence.starts_with(&format!("pktvisor: cannot read {option} ")), "{sentence}");
        assert!(sentence.ends_with("No such file or directory\n"), "{sentence}");
    }
    assert!(secure.refusal(&["--tls-ca", "/dev/zero"]).contains("larger than 4 MiB"));
}
