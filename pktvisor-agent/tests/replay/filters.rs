//! `-b`: files of other systems, tags, long expressions; and arguments that messages quote.

use std::fs;
use std::path::Path;

use crate::shell::{Run, Shell};

fn fault(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/faults").join(name)).unwrap()
}

fn total(run: &Run) -> u64 {
    run.document("1m")["packets"]["total"].as_u64().unwrap()
}

#[test]
fn packets_of_other_systems_pass_from_a_file_and_from_stdin() {
    for (name, expression, passed) in [
        ("null-le-af30.pcap", "port 53", 4),
        ("null-le-af30.pcap", "ip6", 2),
        ("null-le-af30.pcap", "not port 53", 0),
        ("null-be-file.pcap", "port 53", 4),
        ("null-be-file.pcap", "not port 53", 0),
    ] {
        let shell = Shell::with("t.pcap", &fault(name));
        let from_file = shell.run(&["--summary", "-b", expression, "t.pcap"]);
        assert_eq!(total(&from_file), passed, "{name}, {expression}");
        let from_stdin = shell.run_with_input(&["--summary", "-b", expression, "-"], &fault(name));
        assert_eq!(total(&from_stdin), passed, "{name}, {expression}");
    }
}

#[test]
fn joined_and_padded_captures_are_read_without_a_warning() {
    for name in ["cat-two.pcap", "gzzeros.pcap.gz"] {
        let run = Shell::with(name, &fault(name)).run(&["--summary", name]);
        assert!(total(&run) > 0 && run.stderr.is_empty(), "{name}: {run:?}");
        let run = Shell::new().run_with_input(&["--summary", "-"], &fault(name));
        assert!(total(&run) > 0 && run.stderr.is_empty(), "{name}: {run:?}");
    }
    let run = Shell::with("t.pcap", &fault("cat-two.pcap")).run(&["--summary", "t.pcap"]);
    assert_eq!((total(&run), run.document("1m")["period"]["length"].as_u64()), (4, Some(1)));
}

/// A capture of one UDP packet to port 53, with these bytes between the MAC addresses and the
/// EtherType.
fn ethernet(tags: &[u8]) -> Vec<u8> {
    let mut frame = [&[2; 12], tags, &[8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0]].concat();
    frame.extend([192, 0, 2, 1, 192, 0, 2, 2, 0x80, 0, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4]);
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for field in [1, 0, frame.len() as u32, frame.len() as u32] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(frame);
    bytes
}

#[test]
fn the_agent_warns_once_of_tagged_packets_that_a_filter_without_vlan_takes_out() {
    let (tagged, plain) = (ethernet(&[0x81, 0, 0, 7]), ethernet(&[]));
    for (capture, expression, is_warned) in [
        (&tagged, "port 53", true),
        (&tagged, "vlan 8", false),
        (&tagged, "(port 53) or (vlan and (port 53))", false),
        (&tagged, "ether src 2:2:2:2:2:2", false),
        (&plain, "port 54", false),
    ] {
        let run = Shell::new().run_with_input(&["--summary", "-b", expression, "-"], capture);
        run.document("1m");
        let warnings = run.stderr.matches("packets with a VLAN tag were filtered").count();
        assert_eq!(warnings, usize::from(is_warned), "{expression}: {}", run.stderr);
    }
}

#[test]
fn thousands_of_hosts_filter_a_file() {
    let hosts: Vec<String> = (0..5000).map(|n| format!("host 10.0.{}.{}", n >> 8, n & 255)).collect();
    let expression = format!("{} or host 192.0.2.1", hosts.join(" or "));
    let run = Shell::with("t.pcap", &ethernet(&[])).run(&["--summary", "-b", &expression, "t.pcap"]);
    assert_eq!(total(&run), 1);
}

#[test]
fn arguments_in_messages_cannot_control_a_terminal() {
    let escape = "\x1b[31mx\u{9b}2J\u{202e}\n";
    let name = format!("{escape}.pcap");
    let shell = Shell::with(&name, b"no capture");
    fs::create_dir(shell.path().join(format!("{escape}.cap"))).unwrap();
    fs::write(shell.path().join("good.pcap"), ethernet(&[])).unwrap();
    let mut cut = ethernet(&[]);
    cut.pop();
    let cut_name = format!("{escape}cut.pcap");
    fs::write(shell.path().join(&cut_name), cut).unwrap();
    let commands: &[&[&str]] = &[
        &[&name],
        &[&format!("{escape}missing.pcap")],
        &[&format!("{escape}.cap")],
        &[&cut_name],
        &["--log-format", "json", &cut_name],
        &[&format!("{escape}eth0")],
        &["-b", escape, "good.pcap"],
        &["--geo-city", escape, "good.pcap"],
        &["--geo-city", &name, "good.pcap"],
        &["--geo-asn", escape, "good.pcap"],
        &["-H", escape, "good.pcap"],
        &["-l", escape, "--serve", "good.pcap"],
        &["--periods", escape, "good.pcap"],
        &["--pace", escape, "good.pcap"],
        &["--mode", escape, "good.pcap"],
        &[&format!("--{escape}")],
        &["good.pcap", escape],
    ];
    for words in commands {
        let run = shell.run(words);
        let odd = |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
        assert!(!run.stderr.is_empty() && !run.stderr.contains(odd), "{words:?}: {run:?}");
        // clap removes terminal sequences.
        assert!(
            run.code == Some(2) || run.stderr.contains("u{1b}[31mx") || run.stderr.contains("u001b"),
            "{words:?}: {run:?}"
        );
    }
}
