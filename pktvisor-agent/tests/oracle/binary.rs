//! The program itself, with a capture file.

use std::fs;
use std::process::Command;

use dns_traffic::Config;
use pktvisor_api::{Period, PeriodDocument};

use super::compare::{Lists, assert_agrees};
use super::traffic::{self, Traffic};

/// The document that the program prints for a capture under a key.
fn printed(traffic: &Traffic, options: &[&str], key: &str) -> Period {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("traffic.pcap");
    fs::write(&capture, &traffic.pcap).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_pktvisord"))
        .args(["-H", &traffic.answer.host.join(",")])
        .args(options)
        .arg(&capture)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut document: PeriodDocument = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document.keys().collect::<Vec<_>>(), [key]);
    document.remove(key).unwrap()
}

#[test]
fn the_program_prints_the_right_answer_for_a_file() {
    let traffic = Traffic::of(Config { packets: 10_000, rate: 50.0, ..traffic::hostile() });
    assert_agrees("--summary", &printed(&traffic, &["--summary"], "1m"), &traffic.answer.total, Lists::Exact);
    let periods = printed(&traffic, &["--periods", "9"], "9m");
    assert_agrees("--periods 9", &periods, &traffic.answer.total, Lists::Exact);
}

#[test]
fn with_one_period_the_program_prints_the_last_one() {
    let traffic = Traffic::of(Config { packets: 5_000, rate: 50.0, ..traffic::ordinary() });
    let last = traffic.answer.periods.last().unwrap();
    assert_agrees("--periods 1", &printed(&traffic, &["--periods", "1"], "1m"), last, Lists::Exact);
}
