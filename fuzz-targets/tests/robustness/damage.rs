//! Captures cut off anywhere and with bytes changed anywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fastrand::Rng;
use fuzz_targets::replayed::{ReplayEnd, replay};
use fuzz_targets::setup::Setup;
use fuzz_targets::traffic::HOSTILE;

use crate::corpus::{Sample, samples};

/// Damaged copies of each kind, for every capture.
const ATTEMPTS: usize = 200;

/// A number below a limit, which may be 0.
fn below(random: &mut Rng, limit: usize) -> usize {
    random.usize(..limit.max(1))
}

fn cut_off(sample: &Sample, random: &mut Rng) -> Vec<u8> {
    let len = match below(random, 8) {
        0 => below(random, 64.min(sample.bytes.len())),
        _ => below(random, sample.bytes.len()),
    };
    sample.bytes[..len].to_vec()
}

/// Up to 16 bytes changed: anywhere, in the file's header, and in the headers of records and of the
/// packets in them.
fn flipped(sample: &Sample, random: &mut Rng) -> Vec<u8> {
    let mut bytes = sample.bytes.clone();
    for _ in 0..=below(random, 16) {
        let at = match (below(random, 8), sample.records.len()) {
            (0, _) => below(random, 64),
            (1..4, _) | (_, 0) => below(random, bytes.len()),
            (_, records) => sample.records[below(random, records)] + below(random, 16 + 80),
        };
        if let Some(byte) = bytes.get_mut(at) {
            *byte = match below(random, 4) {
                0 => 0,
                1 => 0xff,
                2 => *byte ^ (1 << below(random, 8)),
                _ => random.u8(..),
            };
        }
    }
    bytes
}

/// The result of one damaged capture. A panic is reported like any other failure.
fn attempt(bytes: Vec<u8>, setup: &Setup) -> Result<ReplayEnd, String> {
    catch_unwind(AssertUnwindSafe(|| replay(bytes, setup))).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

fn damage(sample: &Sample) -> Vec<String> {
    // Far apart for each capture.
    let seed =
        sample.bytes.iter().fold(0u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = Rng::with_seed(seed);
    let mut failures = Vec::new();
    let mut check = |what: &str, number: usize, bytes: Vec<u8>| {
        let setup = Setup::number(number);
        if let Err(failure) = attempt(bytes, &setup) {
            failures.push(format!("{}, {what} {number}, {setup:?}: {failure}", sample.name));
        }
    };
    check("as it is", 0, sample.bytes.clone());
    for number in 0..ATTEMPTS {
        check("cut off", number, cut_off(sample, &mut random));
        check("flipped", number, flipped(sample, &mut random));
    }
    failures
}

#[test]
fn a_damaged_capture_ends_in_a_summary_that_adds_up_or_in_a_clear_error() {
    let samples = samples();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut failures = Vec::new();
        while let Some(sample) = samples.get(next.fetch_add(1, Ordering::Relaxed)) {
            failures.extend(damage(sample));
        }
        failures
    };
    let failures: Vec<String> = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_random_damage_covers_every_kind() {
    let samples = samples();
    let sample = samples.iter().find(|sample| sample.name == "generated.pcap").unwrap();
    let ends: Vec<ReplayEnd> = [&sample.bytes[..], &sample.bytes[..1000], &sample.bytes[..20]]
        .map(|bytes| replay(bytes.to_vec(), &Setup::number(0)).unwrap())
        .into();
    assert_eq!(ends, [ReplayEnd::Summary, ReplayEnd::SummaryWithWarning, ReplayEnd::Error]);
    assert_eq!(sample.records.len() as u64, HOSTILE.packets);
}
