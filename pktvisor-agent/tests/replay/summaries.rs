//! The summary that is printed for a capture.

use serde_json::Value;

use crate::captures::{DEMO_HOST, DEMO_PACKETS, demo, demo_path, gzip, hostile, zstd};
use crate::shell::{Run, Shell};

fn demo_run(options: &[&str]) -> Run {
    let path = demo_path();
    Shell::new().run(&[options, &[path.to_str().unwrap()]].concat())
}

fn total(document: &Value) -> u64 {
    document["packets"]["total"].as_u64().unwrap()
}

#[test]
fn a_capture_is_summarised_as_one_line_and_nothing_else() {
    let run = demo_run(&[]);
    assert_eq!(total(&run.document("5m")), DEMO_PACKETS);
    assert_eq!(run.stderr, "");
}

#[test]
fn the_key_is_the_number_of_merged_periods() {
    for (options, key) in [
        (&["--summary"][..], "1m"),
        (&["--periods", "3"], "3m"),
        (&["--periods", "1440"], "1440m"),
        (&["--periods", "1440", "--summary"], "1m"),
    ] {
        assert_eq!(total(&demo_run(options).document(key)), DEMO_PACKETS, "{options:?}");
    }
    let last = demo_run(&["--periods", "1"]).document("1m");
    assert!(total(&last) < DEMO_PACKETS);
    assert!(last["period"]["length"].as_u64().unwrap() <= 60);
}

#[test]
fn a_capture_gives_the_same_summary_plain_compressed_and_from_stdin() {
    let expected = demo_run(&["-H", DEMO_HOST]).stdout;
    for (name, bytes) in
        [("t.pcap", demo()), ("t.pcap.gz", gzip(&demo())), ("t.pcap.zst", zstd(&demo())), ("plain", demo())]
    {
        let shell = Shell::with(name, &bytes);
        let run = shell.run(&["-H", DEMO_HOST, name]);
        assert_eq!((run.code, &run.stdout), (Some(0), &expected), "{name}");
        let run = shell.run_with_input(&["-H", DEMO_HOST, "-"], &bytes);
        assert_eq!((run.code, &run.stdout), (Some(0), &expected), "{name} on stdin");
    }
}

#[test]
fn the_same_capture_and_options_give_the_same_bytes() {
    let shell = Shell::with("hostile.pcap", &hostile());
    for options in [
        &["-H", "192.0.2.0/24,2001:db8::/32"][..],
        &["-H", "192.0.2.0/24", "--periods", "2"],
        &["-H", "192.0.2.0/24", "--summary", "--public-suffix"],
        &["-H", "192.0.2.0/24", "--max-deep-sample", "20", "-b", "udp"],
    ] {
        let words = [options, &["hostile.pcap"]].concat();
        let (first, second) = (shell.run(&words), shell.run(&words));
        assert_eq!(first.code, Some(0), "{options:?}");
        assert!(first.stdout == second.stdout, "{options:?}: the documents differ");
    }
}

#[test]
fn host_decides_the_direction() {
    let count = |run: &Run| {
        let packets = run.document("5m")["packets"].take();
        ["in", "out", "unknown", "non_ip"].map(|kind| packets[kind].as_u64().unwrap())
    };
    let [received, sent, unknown, non_ip] = count(&demo_run(&[]));
    assert_eq!((received, sent, unknown), (0, 0, DEMO_PACKETS));
    let everybody = count(&demo_run(&["-H", "0.0.0.0/0,::/0"]));
    assert_eq!(everybody, [DEMO_PACKETS - non_ip, 0, non_ip, non_ip]);
    let [received, sent, unknown, _] = count(&demo_run(&["-H", DEMO_HOST]));
    assert!(received > 1000 && sent > 1000, "{received} {sent} {unknown}");
    assert_eq!(received + sent + unknown, DEMO_PACKETS);
}

#[test]
fn a_filter_counts_only_packets_that_match() {
    let udp = demo_run(&["-b", "udp"]).document("5m");
    assert_eq!(udp["packets"]["udp"], udp["packets"]["total"]);
    assert_eq!(udp["packets"]["udp"], demo_run(&[]).document("5m")["packets"]["udp"]);
}

#[test]
fn sampling_leaves_the_counters_exact() {
    let (all, few) = (demo_run(&[]).document("5m"), demo_run(&["--max-deep-sample", "10"]).document("5m"));
    assert_eq!(few["dns"]["wire_packets"], all["dns"]["wire_packets"]);
    assert_eq!(few["packets"]["total"], all["packets"]["total"]);
    assert!(few["sampling"]["messages"].as_u64() < all["sampling"]["messages"].as_u64());
}

#[test]
fn a_sampling_rate_above_100_is_clamped_with_a_warning() {
    let run = demo_run(&["--max-deep-sample", "250"]);
    assert_eq!(run.document("5m"), demo_run(&[]).document("5m"));
    assert!(run.stderr.contains("--max-deep-sample") && run.stderr.contains("using 100"), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

#[test]
fn a_capture_cut_off_in_a_packet_is_summarised_with_a_warning_that_names_the_byte() {
    let mut bytes = demo();
    let end = bytes.len() - 10;
    bytes.truncate(end);
    let shell = Shell::with("cut.pcap", &bytes);
    for run in [shell.run(&["cut.pcap"]), shell.run_with_input(&["-"], &bytes)] {
        assert_eq!(total(&run.document("5m")), DEMO_PACKETS - 1);
        assert!(run.stderr.contains("WARN") && run.stderr.contains(&format!("byte {end}")), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
}

#[test]
fn an_unknown_link_type_counts_as_non_ip_with_a_warning_that_names_it() {
    let mut bytes = demo();
    bytes[20] = 147;
    let run = Shell::with("user0.pcap", &bytes).run(&["user0.pcap"]);
    let document = run.document("5m");
    assert_eq!(document["packets"]["non_ip"], DEMO_PACKETS);
    assert_eq!(document["dns"]["wire_packets"]["total"], 0);
    assert!(run.stderr.contains("link type 147"), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

#[test]
fn a_paced_replay_counts_the_same() {
    // Three minutes of packets at a thousand times their speed.
    assert_eq!(demo_run(&["--pace", "1000x"]).stdout, demo_run(&[]).stdout);
}

#[test]
fn a_capture_without_packets_has_a_summary_with_every_key() {
    let run = Shell::with("none.pcap", &demo()[..24]).run(&["none.pcap"]);
    let document = run.document("5m");
    assert_eq!(total(&document), 0);
    assert_eq!(document["dns"]["top_qname2"], Value::Array(Vec::new()));
}
