use std::collections::BTreeSet;

use super::*;
use crate::location::ArchiveLocation;
use crate::testing::filled;

const DAY_S: i64 = 86_400;
/// Long after all periods.
const LATER: i64 = 10 * DAY_S;

/// An archive with a period for each start, and the row that one long period would have had.
struct Archive {
    root: tempfile::TempDir,
    store: ArchiveStore,
    rows: Vec<ArchiveRow>,
}

impl Archive {
    fn with(starts: &[u64]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = ArchiveStore::open(&ArchiveLocation::Directory(root.path().to_owned())).unwrap();
        let mut archive = Self { root, store, rows: Vec::new() };
        starts.iter().for_each(|start| archive.add(*start));
        archive
    }

    fn add(&mut self, start_s: u64) {
        let row = filled(start_s / 60, start_s);
        self.put(&FileKey::of_period(&row), &row);
        self.rows.push(row);
    }

    fn put(&self, key: &FileKey, row: &ArchiveRow) {
        block(self.store.put(&key.to_string(), encode(row).unwrap().into())).unwrap();
    }

    fn roll_up(&self, unit: RollUpUnit) -> RollUpReport {
        block(roll_up(&self.store, unit, LATER)).unwrap()
    }

    fn files(&self) -> Vec<FileKey> {
        block(self.store.keys()).unwrap().iter().map(|key| FileKey::parse(key).unwrap()).collect()
    }

    /// What queries see: all rows, without those that others were merged from.
    fn visible(&self) -> Vec<ArchiveRow> {
        let rows: Vec<ArchiveRow> = self
            .files()
            .iter()
            .map(|key| decode(block(self.store.get(&key.to_string())).unwrap()).unwrap())
            .collect();
        let sources: BTreeSet<i64> = rows.iter().flat_map(|row| row.sources.clone()).collect();
        rows.into_iter().filter(|row| !sources.contains(&row.id())).collect()
    }

    /// Nothing is lost and nothing counts twice.
    fn assert_whole(&self) {
        let (seen, all) = (merge(&self.visible()).unwrap(), merge(&self.rows).unwrap());
        assert_eq!(seen.counters, all.counters);
        assert_eq!((seen.start_us, seen.end_us, seen.length_s), (all.start_us, all.end_us, all.length_s));
        assert_eq!(seen.lists, all.lists);
        assert_eq!(seen.histograms, all.histograms);
    }
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn spans(archive: &Archive) -> Vec<FileSpan> {
    archive.files().iter().map(|key| key.span).collect()
}

#[test]
fn minutes_become_hours_and_those_a_day() {
    let archive = Archive::with(&[0, 60, 3540, 3600, 7260]);
    let report = archive.roll_up(RollUpUnit::Hour);
    assert_eq!((report.written, report.merged, report.skipped), (3, 5, vec![]));
    assert_eq!(spans(&archive), [FileSpan::Hour(0), FileSpan::Hour(1), FileSpan::Hour(2)]);
    archive.assert_whole();
    assert_eq!(archive.roll_up(RollUpUnit::Hour), RollUpReport::default());
    assert_eq!(archive.roll_up(RollUpUnit::Day).written, 1);
    assert_eq!(spans(&archive), [FileSpan::Day]);
    archive.assert_whole();
    assert_eq!(archive.roll_up(RollUpUnit::Day), RollUpReport::default());
}

#[test]
fn a_day_of_many_minutes_is_merged_in_portions() {
    let starts: Vec<u64> = (0..200).map(|minute| minute * 60).collect();
    let archive = Archive::with(&starts);
    assert_eq!(archive.roll_up(RollUpUnit::Day).merged, 200);
    archive.assert_whole();
}

#[test]
fn periods_that_arrive_late_are_merged_into_what_there_is() {
    let mut archive = Archive::with(&[0, 60]);
    archive.roll_up(RollUpUnit::Hour);
    archive.add(120);
    archive.assert_whole();
    archive.roll_up(RollUpUnit::Hour);
    assert_eq!(spans(&archive), [FileSpan::Hour(0)]);
    archive.assert_whole();
    archive.roll_up(RollUpUnit::Day);
    archive.add(180);
    archive.roll_up(RollUpUnit::Hour);
    archive.assert_whole();
    archive.roll_up(RollUpUnit::Day);
    assert_eq!(spans(&archive), [FileSpan::Day]);
    archive.assert_whole();
}

#[test]
fn a_roll_up_that_was_killed_before_it_deleted_loses_and_doubles_nothing() {
    let archive = Archive::with(&[0, 60, 120]);
    let minutes = archive.rows.clone();
    archive.roll_up(RollUpUnit::Hour);
    for left in 1..=3 {
        for row in &minutes[..left] {
            archive.put(&FileKey::of_period(row), row);
        }
        archive.assert_whole();
        let report = archive.roll_up(RollUpUnit::Hour);
        assert_eq!((report.written, report.left_over), (0, left as u64));
        archive.assert_whole();
    }
    // A capture that is archived again is known by its content, also by a day.
    archive.roll_up(RollUpUnit::Day);
    for row in &minutes {
        archive.put(&FileKey::of_period(row), row);
    }
    archive.assert_whole();
    archive.roll_up(RollUpUnit::Day);
    assert_eq!(spans(&archive), [FileSpan::Day]);
    archive.assert_whole();
}

#[test]
fn hours_that_have_not_ended_wait() {
    let archive = Archive::with(&[0, 3600]);
    let report = block(roll_up(&archive.store, RollUpUnit::Hour, 7199)).unwrap();
    assert_eq!(report.written, 1);
    assert_eq!(spans(&archive), [FileSpan::Period(1, 0, 0), FileSpan::Hour(0)]);
}

#[test]
fn files_that_are_broken_or_not_what_their_name_says_stay() {
    let archive = Archive::with(&[0, 60]);
    let broken = "agent=agent-1/date=1970-01-01/000200-0000000000000001.parquet";
    block(archive.store.put(broken, Bytes::from_static(b"PAR1 no"))).unwrap();
    let row = filled(9, 0);
    let mut renamed = FileKey::of_period(&row);
    renamed.id += 1;
    archive.put(&renamed, &row);
    let report = archive.roll_up(RollUpUnit::Hour);
    assert_eq!((report.written, report.merged, report.skipped.len()), (1, 2, 2), "{:?}", report.skipped);
    assert_eq!(archive.files().len(), 3);
    // The next one says so again, and changes nothing.
    assert_eq!(archive.roll_up(RollUpUnit::Hour).written, 0);
}

#[test]
fn two_files_that_share_periods_are_not_merged() {
    let archive = Archive::with(&[0, 60, 120]);
    let merged = [&archive.rows[..2], &archive.rows[1..]].map(|rows| merge(rows).unwrap());
    for row in &merged {
        archive.put(&FileKey::of_merged(row, "1970-01-01", FileSpan::Hour(0)), row);
    }
    let report = archive.roll_up(RollUpUnit::Hour);
    assert_eq!((report.left_over, report.skipped.len()), (3, 1), "{report:?}");
}

#[test]
fn agents_are_not_merged_with_one_another() {
    let archive = Archive::with(&[0]);
    let other = ArchiveRow { agent: "agent-2".to_owned(), ..filled(0, 0) };
    archive.put(&FileKey::of_period(&other), &other);
    assert_eq!(archive.roll_up(RollUpUnit::Day).written, 2);
    assert_eq!(archive.files().len(), 2);
    drop(archive.root);
}
