//! Which files become one, by their names alone.

use std::collections::BTreeMap;

use super::RollUpUnit;
use crate::name::{AgentName, FileKey, FileSpan};

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 86_400;

/// Files that become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RollUpTask {
    /// The span of the merged file.
    pub span: FileSpan,
    /// Its day.
    pub date: String,
    /// The files; at least one.
    pub inputs: Vec<FileKey>,
    /// All merged files of the agent's day, which say what they contain.
    pub merged_of_day: Vec<FileKey>,
}

/// The tasks of an archive with these files. Hours and days that have not ended are left for later.
pub(super) fn tasks(keys: Vec<FileKey>, unit: RollUpUnit, now_s: i64) -> Vec<RollUpTask> {
    let mut days: BTreeMap<(AgentName, String), Vec<FileKey>> = BTreeMap::new();
    for key in keys {
        days.entry((key.agent.clone(), key.date.clone())).or_default().push(key);
    }
    days.into_values().flat_map(|files| tasks_of_day(&files, unit, now_s)).collect()
}

fn tasks_of_day(files: &[FileKey], unit: RollUpUnit, now_s: i64) -> Vec<RollUpTask> {
    let unit_s = if unit == RollUpUnit::Hour { HOUR_S } else { DAY_S };
    let mut groups: BTreeMap<FileSpan, Vec<FileKey>> = BTreeMap::new();
    for key in files.iter().filter(|key| key.end_s(unit_s).is_some_and(|end| end <= now_s)) {
        let span = match (unit, key.span) {
            (RollUpUnit::Day, _) => FileSpan::Day,
            (RollUpUnit::Hour, FileSpan::Period(hour, ..) | FileSpan::Hour(hour)) => FileSpan::Hour(hour),
            (RollUpUnit::Hour, FileSpan::Day) => continue,
        };
        groups.entry(span).or_default().push(key.clone());
    }
    let is_merged = |key: &&FileKey| !matches!(key.span, FileSpan::Period(..));
    let merged_of_day: Vec<_> = files.iter().filter(is_merged).cloned().collect();
    let task = |(span, mut inputs): (FileSpan, Vec<FileKey>)| {
        inputs.sort();
        let date = inputs[0].date.clone();
        RollUpTask { span, date, inputs, merged_of_day: merged_of_day.clone() }
    };
    // A single file of the right span is the result of an earlier roll-up.
    let is_open = |(span, inputs): &(FileSpan, Vec<FileKey>)| inputs.len() > 1 || inputs[0].span != *span;
    groups.into_iter().filter(is_open).map(task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(file: &str) -> FileKey {
        FileKey::parse(&format!("agent=a/date=1970-01-02/{file}.parquet")).unwrap()
    }

    fn spans(files: &[&str], unit: RollUpUnit, now_s: i64) -> Vec<(FileSpan, usize)> {
        let keys = files.iter().map(|file| key(file)).collect();
        tasks(keys, unit, now_s).into_iter().map(|task| (task.span, task.inputs.len())).collect()
    }

    #[test]
    fn files_become_the_hours_and_days_that_have_ended() {
        const LATER: i64 = 10 * DAY_S;
        let files = [
            "010000-0000000000000001",
            "015900-0000000000000002",
            "020000-0000000000000003",
            "hour-03-0000000000000004",
        ];
        let hours = [(FileSpan::Hour(1), 2), (FileSpan::Hour(2), 1)];
        assert_eq!(spans(&files, RollUpUnit::Hour, LATER), hours);
        assert_eq!(spans(&files, RollUpUnit::Hour, DAY_S + 2 * HOUR_S), hours[..1]);
        assert_eq!(spans(&files, RollUpUnit::Day, LATER), [(FileSpan::Day, 4)]);
        assert_eq!(spans(&files, RollUpUnit::Day, 2 * DAY_S - 1), []);
        assert_eq!(spans(&["day-0000000000000005"], RollUpUnit::Day, LATER), []);
        assert_eq!(spans(&["day-0000000000000005"], RollUpUnit::Hour, LATER), []);
    }
}
