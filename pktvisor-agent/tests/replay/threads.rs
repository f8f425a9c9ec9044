//! The number of threads changes no byte of the result.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::captures::{DEMO_HOST, demo, gzip, hostile, zstd};
use crate::shell::{Run, Shell};

const THREADS: [&str; 3] = ["2", "3", "8"];

/// The exit code, what is printed, and the messages without their times.
fn outcome(run: &Run) -> (Option<i32>, &str, Vec<&str>) {
    let lines = run.stderr.lines().chain(run.suggestion.as_deref());
    let messages = lines.map(|line| line.split_once(' ').map_or(line, |(_, message)| message));
    (run.code, &run.stdout, messages.collect())
}

fn assert_same(name: &str, capture: &[u8], options: &[&str]) {
    let shell = Shell::with(name, capture);
    let run = |threads| shell.run(&[&["--threads", threads][..], options, &[name]].concat());
    let one = run("1");
    assert!(!one.stdout.is_empty(), "{name}, {options:?}: {one:?}");
    for threads in THREADS {
        assert_eq!(outcome(&run(threads)), outcome(&one), "{name}, {options:?}, {threads} threads");
    }
}

#[test]
fn any_number_of_threads_prints_the_same_bytes() {
    let hostile = hostile();
    for (name, capture) in [("demo.pcap", &demo()), ("hostile.pcap", &hostile)] {
        for options in [
            &["-H", DEMO_HOST][..],
            &["-H", DEMO_HOST, "--summary", "--max-deep-sample", "30", "--public-suffix"],
            &["-b", "udp", "--periods", "2"],
            &["--host-auto", "--client-prefix", "24,56"],
        ] {
            assert_same(name, capture, options);
        }
    }
    // A busy second, so that the work is divided from its first packets on.
    let mut quick = hostile;
    let mut at = 24;
    while let Some(header) = quick.get_mut(at..at + 16) {
        let second = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        header[..4].copy_from_slice(&(1_700_000_000 + (second - 1_700_000_000) / 20).to_le_bytes());
        at += 16 + u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
    }
    assert_same("quick.pcap", &quick, &["-H", DEMO_HOST]);
    assert_same("quick.pcap.gz", &gzip(&quick), &["-H", DEMO_HOST]);
    assert_same("quick.pcap.zst", &zstd(&quick), &["-H", DEMO_HOST]);
    let cut = quick.len() - 700_000;
    assert_same("cut.pcap", &quick[..cut], &["-H", DEMO_HOST]);
    let damaged = gzip(&quick);
    assert_same("cut.pcap.gz", &damaged[..damaged.len() / 2], &["-H", DEMO_HOST]);
}

fn archived(capture: &[u8], threads: &str) -> BTreeMap<String, Vec<u8>> {
    fn files(directory: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => files(&path, into),
                false => drop(
                    into.insert(path.file_name().unwrap().to_string_lossy().into(), fs::read(path).unwrap()),
                ),
            }
        }
    }
    let shell = Shell::with("t.pcap", capture);
    let words =
        ["--threads", threads, "--archive", "archive", "--archive-agent", "a", "-H", DEMO_HOST, "t.pcap"];
    assert_eq!(shell.run(&words).code, Some(0));
    let mut found = BTreeMap::new();
    files(&shell.path().join("archive"), &mut found);
    found
}

#[test]
fn any_number_of_threads_writes_the_same_archive() {
    let one = archived(&hostile(), "1");
    assert!(one.len() > 4, "{:?}", one.keys());
    for threads in THREADS {
        let more = archived(&hostile(), threads);
        assert_eq!(more.keys().collect::<Vec<_>>(), one.keys().collect::<Vec<_>>());
        assert!(more == one, "{threads} threads: a file differs");
    }
}

#[test]
fn a_number_of_threads_that_cannot_be_is_refused_in_one_sentence() {
    for number in ["0", "65", "two"] {
        let run = Shell::with("t.pcap", &demo()).run(&["--threads", number, "t.pcap"]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains("--threads"), "{run:?}");
    }
}
