//! Each failure is reported in one sentence.

use std::fs;
use std::process::{Command, Stdio};

use crate::captures::{demo, demo_path, raw_ip};
use crate::shell::{Run, Shell};

#[test]
fn a_missing_file_is_named_with_the_reason() {
    let run = Shell::new().run(&["no-such.pcap"]);
    assert_eq!(run.sentence(), "cannot open no-such.pcap: No such file or directory (os error 2)");
}

#[test]
fn a_file_that_is_not_a_capture_is_named() {
    let shell = Shell::with("notes.pcap", b"remember the milk");
    assert_eq!(
        shell.run(&["notes.pcap"]).sentence(),
        "notes.pcap: not a pcap or pcapng capture: it begins with the bytes 72 65 6d 65 6d 62 65 72"
    );
    let run = shell.run_with_input(&["-"], b"remember the milk");
    assert!(run.sentence().starts_with("stdin: not a pcap or pcapng capture: "), "{run:?}");
}

#[test]
fn an_empty_file_is_not_a_capture() {
    let run = Shell::with("empty.pcap", b"").run(&["empty.pcap"]);
    assert!(run.sentence().starts_with("empty.pcap: the capture is empty"), "{run:?}");
    assert!(Shell::new().run_with_input(&["-"], b"").sentence().starts_with("stdin: the capture is empty"));
}

#[test]
fn an_unsupported_header_is_refused() {
    let mut version = demo();
    version[4] = 9;
    let run = Shell::with("new.pcap", &version).run(&["new.pcap"]);
    assert!(run.sentence().starts_with("new.pcap: pcap version 9.4 at byte 0 is not understood"), "{run:?}");
    let run = Shell::with("short.pcap", &demo()[..20]).run(&["short.pcap"]);
    assert!(run.sentence().contains("after 20 bytes"), "{run:?}");
}

#[test]
fn a_directory_is_refused() {
    let shell = Shell::new();
    fs::create_dir(shell.path().join("captures.pcap")).unwrap();
    for word in ["captures.pcap", "./captures.pcap", "captures.pcap/"] {
        let run = shell.run(&[word]);
        let expected = format!("cannot read {word}: it is a directory; give a capture file in it");
        assert_eq!(run.sentence(), expected);
    }
}

fn filtered(expression: &str, capture: &[u8]) -> Run {
    Shell::with("t.pcap", capture).run(&["-b", expression, "t.pcap"])
}

#[test]
fn a_bad_filter_is_refused_in_the_words_of_libpcap() {
    let run = filtered("udp prt 53", &demo());
    let sentence = run.sentence();
    assert!(sentence.contains("'udp prt 53'") && sentence.contains("syntax error"), "{sentence}");
}

#[test]
fn a_bad_filter_is_refused_even_without_packets() {
    let run = filtered("udp prt 53", &demo()[..24]);
    assert!(run.sentence().contains("syntax error"), "{run:?}");
}

#[test]
fn a_filter_that_does_not_fit_the_link_type_names_it() {
    let run = filtered("ether src 1:2:3:4:5:6", &raw_ip());
    assert!(run.sentence().contains("for link type 101"), "{run:?}");
    let fits = filtered("udp", &raw_ip());
    assert_eq!(fits.document("5m")["packets"]["udp"], 1);
}

#[test]
fn wrong_options_are_wrong_usage() {
    let path = demo_path();
    let path = path.to_str().unwrap();
    for options in [
        &["--periods", "1441"][..],
        &["--periods", "x"],
        &["--pace", "0x"],
        &["--dns-ports", "0"],
        &["--max-deep-sample", "many"],
        &["-p", "65536"],
        &["-H", "192.0.2.0/33"],
        &["--dns-timeout-ms", "0"],
        &["--log-format", "xml"],
    ] {
        let run = Shell::new().run(&[options, &[path]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{options:?}");
        assert!(run.stderr.starts_with("error: "), "{options:?}: {}", run.stderr);
    }
}

#[test]
fn a_geo_database_that_cannot_be_read_is_named() {
    let shell = Shell::with("t.pcap", &demo());
    let run = shell.run(&["--geo-city", "no.mmdb", "t.pcap"]);
    assert!(run.sentence().starts_with("cannot read the geo database no.mmdb: No such file"), "{run:?}");
    fs::write(shell.path().join("bad.mmdb"), b"nothing of the kind").unwrap();
    let run = shell.run(&["--geo-asn", "bad.mmdb", "t.pcap"]);
    assert!(run.sentence().starts_with("bad.mmdb is not a usable MaxMind database: "), "{run:?}");
}

#[test]
fn a_summary_that_nobody_reads_is_a_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
    command.arg(demo_path()).stdin(Stdio::null()).stdout(writer).env_remove("RUST_LOG");
    let run: Run = command.output().unwrap().into();
    assert_eq!(run.sentence(), "cannot write the summary to stdout: Broken pipe (os error 32)");
}
