use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use pktvisor_api::{Period, PeriodSpan};

use super::*;
use crate::read::decode;

/// A period with one packet that begins at this minute.
fn period(minute: i64) -> SketchDocument {
    let mut period = Period { period: PeriodSpan { start_ts: minute * 60, length: 60 }, ..Period::default() };
    period.packets.total = 1;
    SketchDocument { period, ..SketchDocument::default() }
}

fn settings(root: &Path, overflow: Overflow) -> ArchiverSettings {
    ArchiverSettings {
        location: ArchiveLocation::Directory(root.to_owned()),
        agent: AgentName::sanitised("a"),
        keep_days: None,
        overflow,
        empty_periods: EmptyPeriods::LeftOut,
    }
}

fn source(periods: impl IntoIterator<Item = SketchDocument>) -> PeriodSource {
    let mut periods: VecDeque<_> = periods.into_iter().collect();
    Box::new(move || periods.pop_front())
}

/// Starts of the archived periods, in minutes.
fn minutes(root: &Path) -> Vec<i64> {
    let store = ArchiveStore::open(&ArchiveLocation::Directory(root.to_owned())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut minutes = Vec::new();
        for key in store.keys().await.unwrap() {
            minutes.push(decode(store.get(&key).await.unwrap()).unwrap().start_us / 60_000_000);
        }
        minutes.sort_unstable();
        minutes
    })
}

const SOON: Duration = Duration::from_secs(60);

#[test]
fn all_periods_are_written_and_the_last_one_is_not_forgotten() {
    for _ in 0..5 {
        let root = tempfile::tempdir().unwrap();
        let archiver =
            Archiver::start(settings(root.path(), Overflow::Wait(SOON)), source((0..20).map(period)))
                .unwrap();
        archiver.submit(period(20));
        let status = archiver.finish(SOON);
        assert_eq!((status.written, status.given_up, status.waiting), (21, 0, 0));
        assert_eq!(minutes(root.path()), (0..=20).collect::<Vec<_>>());
    }
}

#[test]
fn periods_without_packets_are_left_out_only_if_wanted() {
    for (empty_periods, written) in [(EmptyPeriods::LeftOut, 1), (EmptyPeriods::Kept, 2)] {
        let root = tempfile::tempdir().unwrap();
        let mut empty = period(1);
        empty.period.packets.total = 0;
        let settings = ArchiverSettings { empty_periods, ..settings(root.path(), Overflow::GiveUpOldest) };
        let archiver = Archiver::start(settings, source([period(0), empty])).unwrap();
        assert_eq!(archiver.finish(SOON).written, written);
    }
}

/// A file in place of the agent's directory, on which every attempt fails, even root's.
fn block(root: &Path) -> std::path::PathBuf {
    let file = root.join("agent=a");
    fs::write(&file, b"").unwrap();
    file
}

#[test]
fn while_the_store_is_away_periods_wait() {
    let root = tempfile::tempdir().unwrap();
    let obstacle = block(root.path());
    let archiver =
        Archiver::start(settings(root.path(), Overflow::GiveUpOldest), source((0..5).map(period))).unwrap();
    let started = Instant::now();
    while archiver.status().failures == 0 {
        assert!(started.elapsed() < SOON);
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(archiver.status().waiting, 5);
    assert!(archiver.status().last_failure.is_some_and(|reason| reason.contains("agent=a")));
    fs::remove_file(obstacle).unwrap();
    let status = archiver.finish(SOON);
    assert_eq!((status.written, status.given_up, status.last_failure), (5, 0, None));
    assert_eq!(minutes(root.path()), [0, 1, 2, 3, 4]);
}

#[test]
fn beyond_the_limit_the_oldest_are_given_up_and_counted() {
    let root = tempfile::tempdir().unwrap();
    let obstacle = block(root.path());
    let archiver =
        Archiver::start(settings(root.path(), Overflow::GiveUpOldest), source((0..150).map(period))).unwrap();
    let started = Instant::now();
    while archiver.status().waiting < 120 || archiver.status().given_up < 30 {
        assert!(started.elapsed() < SOON, "{:?}", archiver.status());
        thread::sleep(Duration::from_millis(10));
    }
    fs::remove_file(obstacle).unwrap();
    let status = archiver.finish(SOON);
    assert_eq!((status.written, status.given_up), (120, 30));
    assert_eq!(minutes(root.path()), (30..150).collect::<Vec<_>>());
}

#[test]
fn a_store_that_stays_away_ends_the_agent_in_time_and_all_is_counted() {
    let root = tempfile::tempdir().unwrap();
    block(root.path());
    for overflow in [Overflow::GiveUpOldest, Overflow::Wait(SOON)] {
        let archiver =
            Archiver::start(settings(root.path(), overflow), source((0..150).map(period))).unwrap();
        archiver.submit(period(150));
        let started = Instant::now();
        let status = archiver.finish(Duration::from_millis(300));
        assert!(started.elapsed() < SOON);
        assert_eq!((status.written, status.given_up, status.waiting), (0, 151, 0));
    }
}

#[test]
fn days_that_are_too_old_are_deleted() {
    let root = tempfile::tempdir().unwrap();
    let old = Archiver::start(settings(root.path(), Overflow::Wait(SOON)), source([period(0)])).unwrap();
    assert_eq!(old.finish(SOON).written, 1);
    let settings = ArchiverSettings { keep_days: Some(1), ..settings(root.path(), Overflow::Wait(SOON)) };
    Archiver::start(settings, source([])).unwrap().finish(SOON);
    assert!(minutes(root.path()).is_empty());
}
