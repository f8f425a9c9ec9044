//! Sending that is impossible gives an error of one sentence; packets that do not fit are counted.

use std::fs::File;
use std::process::{Command, Output};

use pcap_replay::send::{NotSent, SendOptions, Via};
use testbed::{Namespace, Need, Process, Veth, require};

use super::{BOTH, Trace, options, send_from};

fn frame(length: usize) -> Vec<u8> {
    let mut frame = vec![2; length];
    if let Some(ether_type) = frame.get_mut(12..14) {
        ether_type.copy_from_slice(&[0x88, 0xb5]);
    }
    frame
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_pcap-replay"))
}

fn error_of(output: &Output) -> String {
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn packets_that_do_not_fit_are_left_out_and_counted() {
    require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let trace = Trace::of(vec![frame(60), frame(1514), frame(1515), frame(13), frame(0), frame(9000)], 1);
    for via in BOTH {
        let report =
            send_from(&left, &trace, &SendOptions { via: Some(via), ..options(pair.left.name()) }).unwrap();
        assert_eq!(report.packets, 2);
        assert_eq!(report.not_sent, NotSent { too_long: 2, too_short: 2, not_ethernet: 0 }, "{via}");
    }
    assert_eq!(pair.right.statistics().rx_packets, 4);
}

#[test]
fn packets_without_an_ethernet_header_are_left_out_and_counted() {
    require!(Need::Namespaces);
    let namespace = Namespace::new();
    let pair = Veth::new(&namespace, &namespace).create();
    let trace = Trace::of(vec![vec![0x45; 40]; 3], 101);
    // Repeated until interrupted, but there is nothing to send.
    let report =
        send_from(&namespace, &trace, &SendOptions { rounds: None, ..options(pair.left.name()) }).unwrap();
    assert_eq!((report.packets, report.not_sent.not_ethernet), (0, 3));
}

#[test]
fn longer_frames_than_af_xdp_takes_go_by_af_packet() {
    require!(Need::Namespaces);
    let namespace = Namespace::new();
    let pair = Veth::new(&namespace, &namespace).mtu(9000).create();
    let trace = Trace::of(vec![frame(9014)], 1);
    let report = send_from(&namespace, &trace, &options(pair.left.name())).unwrap();
    assert_eq!((report.packets, report.via), (1, Via::AfPacket));
    let options = SendOptions { via: Some(Via::AfXdp), ..options(pair.left.name()) };
    let error = send_from(&namespace, &trace, &options).unwrap_err().to_string();
    assert!(error.contains("3840 bytes") && error.contains("--via af-packet"), "{error}");
}

#[test]
fn an_interface_that_is_down_missing_or_no_ethernet_is_named() {
    require!(Need::Namespaces);
    let namespace = Namespace::new();
    let pair = Veth::new(&namespace, &namespace).create();
    namespace.ip(&["link", "set", pair.left.name(), "down"]);
    namespace.ip(&["tuntap", "add", "pkvtun", "mode", "tun"]);
    namespace.ip(&["link", "set", "pkvtun", "up"]);
    let trace = Trace::of(vec![frame(60)], 1);
    for (interface, words) in
        [(pair.left.name(), "is down"), ("pkvmissing", "no interface"), ("pkvtun", "no Ethernet header")]
    {
        let error = send_from(&namespace, &trace, &options(interface)).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(interface), "{error}");
    }
}

#[test]
fn a_queue_that_the_interface_does_not_have_is_named() {
    require!(Need::Namespaces);
    let namespace = Namespace::new();
    let pair = Veth::new(&namespace, &namespace).queues(2).create();
    let trace = Trace::of(vec![frame(60)], 1);
    let error =
        send_from(&namespace, &trace, &SendOptions { queues: 3, ..options(pair.left.name()) }).unwrap_err();
    assert!(error.to_string().contains("transmit queue 2"), "{error}");
    let options = SendOptions { queues: 2, via: Some(Via::AfPacket), ..options(pair.left.name()) };
    let error = send_from(&namespace, &trace, &options).unwrap_err();
    assert!(error.to_string().contains("af-xdp"), "{error}");
}

#[test]
fn a_user_without_the_privilege_is_told_which_one() {
    require!(Need::Namespaces, Need::Program("setpriv"));
    let namespace = Namespace::new();
    let pair = Veth::new(&namespace, &namespace).create();
    let trace = Trace::of(vec![frame(60)], 1);
    let output = namespace
        .command("setpriv")
        .args(["--bounding-set=-all", "--inh-caps=-all", "--", env!("CARGO_BIN_EXE_pcap-replay")])
        .args(["--interface", pair.left.name()])
        .arg(&trace.path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = error_of(&output);
    assert!(error.contains("CAP_NET_RAW") && error.lines().count() == 1, "{error}");
}

#[test]
fn a_capture_that_cannot_be_read_is_named_before_the_interface() {
    for file in ["/nonexistent/trace.pcap", "/dev/null"] {
        let output = program().args(["--interface", "pkvmissing", file]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = error_of(&output);
        assert!(error.contains(file) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn wrong_options_are_wrong_usage() {
    for words in [
        &["--interface", "pkv", "--pps", "fast", "x.pcap"][..],
        &["--interface", "pkv", "--pps", "5", "--pace", "max", "x.pcap"],
        &["--interface", "pkv", "--queues", "0", "x.pcap"],
        &["--interface", "pkv", "--via", "pigeon", "x.pcap"],
        &["--interface", "pkv"],
        &["x.pcap"],
    ] {
        assert_eq!(program().args(words).output().unwrap().status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn an_endless_loop_reports_when_it_is_interrupted() {
    require!(Need::Namespaces);
    let namespace = Namespace::new();
    let pair = Veth::new(&namespace, &namespace).create();
    let trace = Trace::of(vec![frame(60); 100], 1);
    let report = tempfile::NamedTempFile::new().unwrap();
    let mut command = namespace.command(env!("CARGO_BIN_EXE_pcap-replay"));
    command.args(["--interface", pair.left.name(), "--loop", "0", "--pps", "10k"]).arg(&trace.path);
    let mut sending = Process::spawn(command.stdout(File::create(report.path()).unwrap()));
    while pair.right.statistics().rx_packets < 1000 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    sending.signal(libc::SIGINT);
    assert!(sending.wait(std::time::Duration::from_secs(10)).success());
    let line = std::fs::read_to_string(report.path()).unwrap();
    assert!(line.starts_with("sent ") && line.lines().count() == 1, "{line}");
}
