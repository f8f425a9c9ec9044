//! Merges the files of periods into hours, and those into days. Nothing is lost but time resolution.
//!
//! A merged file names all rows that it was made from. It is written first, and its sources are deleted
//! then. If the process is killed between the two, the sources that are left are known: queries skip
//! them, and the next roll-up deletes them. So no row counts twice, and none is lost.

mod plan;

use std::collections::HashSet;

use bytes::Bytes;

use crate::merge::{MergeError, merge};
use crate::name::{FileKey, FileSpan};
use crate::read::{BrokenFile, decode};
use crate::row::ArchiveRow;
use crate::store::{ArchiveStore, StoreError};
use crate::write::encode;
use plan::{RollUpTask, tasks};

/// Rows that are merged at once, to bound memory: more than the periods of an hour.
const ROWS_AT_ONCE: usize = 64;

/// The span of a merged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollUpUnit {
    /// One hour.
    Hour,
    /// One day, UTC.
    Day,
}

/// What a roll-up did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollUpReport {
    /// Files that were written.
    pub written: u64,
    /// Files that were merged and deleted.
    pub merged: u64,
    /// Files that an earlier roll-up had merged and not deleted.
    pub left_over: u64,
    /// Files that were left as they are.
    pub skipped: Vec<SkippedFile>,
}

/// A file that could not be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedFile {
    /// Its key.
    pub key: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// Why a roll-up ended early. What it has merged until then is merged.
#[derive(Debug, thiserror::Error)]
pub enum RollUpError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Rows do not merge.
    #[error("cannot merge the files from {key} on")]
    Merge {
        /// The first file.
        key: String,
        /// The reason.
        source: MergeError,
    },
    /// The merged file.
    #[error("cannot encode the merged file of {key}")]
    Encode {
        /// The first file.
        key: String,
        /// The reason.
        source: parquet::errors::ParquetError,
    },
    /// The merged file does not have what was merged. Nothing was deleted.
    #[error("the merged file of {0} cannot be read back, so its sources stay")]
    ReadBack(String),
}

/// Merges all files of each hour or day that has ended at `now_s`, in seconds since 1970.
///
/// # Errors
///
/// The store fails, or another roll-up is running.
pub async fn roll_up(
    store: &ArchiveStore,
    unit: RollUpUnit,
    now_s: i64,
) -> Result<RollUpReport, RollUpError> {
    let _lock = store.lock_for_roll_up()?;
    let keys: Vec<FileKey> = store.keys().await?.iter().filter_map(|key| FileKey::parse(key)).collect();
    let mut report = RollUpReport::default();
    for task in tasks(keys, unit, now_s) {
        run(store, &task, &mut report).await?;
    }
    Ok(report)
}

/// A file whose row is known.
struct RollUpSource {
    key: FileKey,
    row: ArchiveRow,
}

async fn run(store: &ArchiveStore, task: &RollUpTask, report: &mut RollUpReport) -> Result<(), RollUpError> {
    // Rows that merged files of the day contain already.
    let mut covered = HashSet::new();
    let mut merged = Vec::new();
    for key in &task.merged_of_day {
        if let Some(row) = read(store, key, report).await? {
            covered.extend(row.sources.iter().copied());
            if task.inputs.contains(key) {
                merged.push(RollUpSource { key: key.clone(), row });
            }
        }
    }
    let mut group = RollUpGroup::default();
    for key in &task.inputs {
        if covered.contains(&key.id) {
            store.delete(&key.to_string()).await?;
            report.left_over += 1;
        } else if key.span == task.span || !matches!(key.span, FileSpan::Period(..)) {
            let Some(place) = merged.iter().position(|source| source.key == *key) else { continue };
            let source = merged.swap_remove(place);
            group.add_merged(source, report);
        } else if let Some(row) = read(store, key, report).await? {
            group.add(RollUpSource { key: key.clone(), row }).map_err(|source| of_task(task, source))?;
        }
    }
    let Some(row) = group.finish(task).map_err(|source| of_task(task, source))? else { return Ok(()) };
    let key = FileKey::of_merged(&row, &task.date, task.span);
    let first = task.inputs[0].to_string();
    let file =
        Bytes::from(encode(&row).map_err(|source| RollUpError::Encode { key: first.clone(), source })?);
    if decode(file.clone()).ok().as_ref() != Some(&row) {
        return Err(RollUpError::ReadBack(first));
    }
    store.put(&key.to_string(), file).await?;
    report.written += 1;
    for source in group.keys.iter().filter(|source| **source != key) {
        store.delete(&source.to_string()).await?;
        report.merged += 1;
    }
    Ok(())
}

fn of_task(task: &RollUpTask, source: MergeError) -> RollUpError {
    RollUpError::Merge { key: task.inputs[0].to_string(), source }
}

/// The row of a file; `None` if it is broken, which the report then says.
async fn read(
    store: &ArchiveStore,
    key: &FileKey,
    report: &mut RollUpReport,
) -> Result<Option<ArchiveRow>, RollUpError> {
    let file = match store.get(&key.to_string()).await {
        Ok(file) => file,
        Err(StoreError::TooLarge(_)) => {
            skip(report, key, "it is too large for a file of an archive".to_owned());
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    match check(key, decode(file)) {
        Ok(row) => Ok(Some(row)),
        Err(reason) => {
            skip(report, key, reason);
            Ok(None)
        }
    }
}

/// A file must be what its name says: the id in the name decides whether it has been merged.
fn check(key: &FileKey, row: Result<ArchiveRow, BrokenFile>) -> Result<ArchiveRow, String> {
    let row = row.map_err(|error| error.to_string())?;
    if row.id() != key.id || row.agent != key.agent.as_str() {
        return Err("its name does not fit its content".to_owned());
    }
    Ok(row)
}

fn skip(report: &mut RollUpReport, key: &FileKey, reason: String) {
    let key = key.to_string();
    if !report.skipped.iter().any(|skipped| skipped.key == key) {
        report.skipped.push(SkippedFile { key, reason });
    }
}

/// The rows that become one. Merged in portions, so that a day does not need the memory of all its
/// periods.
#[derive(Default)]
struct RollUpGroup {
    keys: Vec<FileKey>,
    rows: Vec<ArchiveRow>,
    /// Rows in already merged files.
    sources: HashSet<i64>,
}

impl RollUpGroup {
    fn add(&mut self, source: RollUpSource) -> Result<(), MergeError> {
        self.keys.push(source.key);
        self.rows.push(source.row);
        if self.rows.len() >= ROWS_AT_ONCE {
            self.rows = vec![merge(&self.rows)?];
        }
        Ok(())
    }

    /// Adds a merged file, unless it has rows that another one has. Two roll-ups of an object store at
    /// the same time could leave such files.
    fn add_merged(&mut self, source: RollUpSource, report: &mut RollUpReport) {
        if source.row.sources.iter().any(|id| self.sources.contains(id)) {
            skip(report, &source.key, "another file has some of its periods, too".to_owned());
            return;
        }
        self.sources.extend(source.row.sources.iter().copied());
        self.keys.push(source.key);
        self.rows.push(source.row);
    }

    /// The merged row; `None` if it would be a file that there is.
    fn finish(&self, task: &RollUpTask) -> Result<Option<ArchiveRow>, MergeError> {
        let is_done = match self.keys.as_slice() {
            [] => true,
            [only] => only.span == task.span,
            _ => false,
        };
        if is_done { Ok(None) } else { merge(&self.rows).map(Some) }
    }
}

#[cfg(test)]
mod tests;
