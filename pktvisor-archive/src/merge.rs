//! Merging of rows: the row that one longer period would have had.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::LAYOUT;
use crate::row::{ArchiveRow, ArchivedEntry, ArchivedList};
use crate::sketch;
use crate::write::MERGED_ENTRIES;

/// Why rows cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("there are no rows to merge")]
    Nothing,
    /// An image of a distinct count.
    #[error("an image of {column} cannot be merged")]
    Image {
        /// Its column.
        column: &'static str,
        /// The reason.
        source: datasketches::error::Error,
    },
}

/// Merges rows of one agent, or of a fleet. Counters and histograms add up, distinct counts become the
/// union, and lists state bounds of the sums:
///
/// * a count is at least the sum of the lower bounds of the rows that list it;
/// * it is at most the sum of the upper bounds, where a row that does not list it contributes the
///   greatest count that an item absent from it can have.
///
/// # Errors
///
/// There are no rows, or an image is broken.
pub fn merge(rows: &[ArchiveRow]) -> Result<ArchiveRow, MergeError> {
    let first = rows.first().ok_or(MergeError::Nothing)?;
    let mut sources = BTreeSet::new();
    for row in rows {
        sources.insert(row.id());
        sources.extend(&row.sources);
    }
    let counters = (0..LAYOUT.counters.len())
        .map(|column| rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.counters[column])));
    let histograms = (0..LAYOUT.histograms.len())
        .map(|column| sketch::sum(rows.iter().map(|row| &row.histograms[column])));
    let distinct = LAYOUT.distinct.iter().enumerate().map(|(place, column)| {
        let images: Vec<_> = rows.iter().filter_map(|row| row.distinct[place].as_deref()).collect();
        sketch::union(&images).map_err(|source| MergeError::Image { column: &column.name, source })
    });
    let lists = (0..LAYOUT.lists.len())
        .map(|column| merge_lists(&rows.iter().map(|row| &row.lists[column]).collect::<Vec<_>>()));
    Ok(ArchiveRow {
        agent: first.agent.clone(),
        start_us: rows.iter().map(|row| row.start_us).min().unwrap_or(first.start_us),
        end_us: rows.iter().map(|row| row.end_us).max().unwrap_or(first.end_us),
        length_s: rows.iter().map(|row| row.length_s).sum(),
        sources: sources.into_iter().collect(),
        counters: counters.collect(),
        histograms: histograms.collect(),
        distinct: distinct.collect::<Result<_, _>>()?,
        lists: lists.collect(),
    })
}

fn merge_lists(lists: &[&ArchivedList]) -> ArchivedList {
    let absent_upper = lists.iter().fold(0, |sum: u64, list| sum.saturating_add(list.absent_upper));
    let mut sums = BTreeMap::<&str, ArchivedEntry>::new();
    for list in lists {
        for entry in &list.entries {
            let sum = sums.entry(&entry.name).or_insert_with(|| ArchivedEntry {
                name: entry.name.clone(),
                // As if it were absent everywhere; each list that has it takes its share back.
                upper: absent_upper,
                ..ArchivedEntry::default()
            });
            sum.estimate = sum.estimate.saturating_add(entry.estimate);
            sum.lower = sum.lower.saturating_add(entry.lower);
            sum.upper = sum.upper.saturating_add(entry.upper).saturating_sub(list.absent_upper);
        }
    }
    let mut entries: Vec<_> = sums.into_values().collect();
    // Already by name; the sort is stable.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.estimate));
    let mut merged = ArchivedList { entries, absent_upper };
    merged.cut(MERGED_ENTRIES);
    merged
}

#[cfg(test)]
mod tests;
