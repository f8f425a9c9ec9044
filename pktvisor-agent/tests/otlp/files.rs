//! A capture file that is only read, and collectors that do not take its result.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::rotel::{self, Ports, Rotel};
use crate::{DEMO, HOST};

pub(crate) fn read(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
    command.args(words).args(["-H", HOST, DEMO]).env_remove("RUST_LOG").output().unwrap()
}

#[test]
fn the_result_of_a_file_is_pushed_at_its_end() {
    let Some(program) = rotel::program() else { return };
    let ports = Ports::free();
    let collector = Rotel::start(&program, ports);
    let output = read(&["--otlp-endpoint", &format!("http://127.0.0.1:{}", ports.grpc)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let [request] = collector.stop().try_into().unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let total = summary["5m"]["packets"]["total"].as_f64().unwrap();
    assert_eq!(request.total("pktvisor.packets.counted"), total);
}

#[test]
fn a_collector_that_is_away_is_reported_after_the_summary_with_exit_code_1() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = read(&["--otlp-endpoint", &format!("http://127.0.0.1:{port}")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with(b"{"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let sentence = format!(
        "pktvisord: the OpenTelemetry collector http://127.0.0.1:{port} (gRPC) did not take the last metrics: it is \
         not running: nothing listens on 127.0.0.1:{port}\n"
    );
    assert_eq!(stderr, sentence);
}

#[test]
fn a_wrong_url_is_wrong_usage() {
    for (url, sentence) in [
        ("collector:4317", "is not the URL of a collector"),
        ("ftp://collector", "ftp:// is not supported"),
        ("http://collector/v1/metrics", "a gRPC endpoint has no path"),
    ] {
        let output = read(&["--otlp-endpoint", url]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("invalid value for '--otlp-endpoint <URL>'"), "{stderr}");
        assert!(stderr.contains(sentence), "{stderr}");
    }
}

#[test]
fn the_other_options_need_an_endpoint() {
    for words in [["--otlp-protocol", "http"], ["--otlp-interval", "15"], ["--otlp-temporality", "delta"]] {
        let output = read(&words);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("--otlp-endpoint <URL>"));
    }
}
