//! A row of the archive: one period of one agent, or several merged.

use std::hash::{Hash, Hasher};

use pktvisor_api::{ExponentialHistogram, SketchDocument, TopEntry};
use serde_json::Value;
use twox_hash::XxHash64;

use crate::layout::{LAYOUT, ListColumn};

const MICROSECONDS: i64 = 1_000_000;

/// One row. The vectors are in the order of [`LAYOUT`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArchiveRow {
    /// The agent that counted.
    pub agent: String,
    /// Start of the first period, in microseconds since 1970 UTC.
    pub start_us: i64,
    /// End of the last period.
    pub end_us: i64,
    /// Seconds counted; less than from start to end if there are gaps.
    pub length_s: f64,
    /// The [ids](Self::id) of all rows that this one was merged from, and of those that they were merged
    /// from.
    pub sources: Vec<i64>,
    /// Numbers that add up.
    pub counters: Vec<u64>,
    /// Histograms; an empty one has no buckets.
    pub histograms: Vec<ExponentialHistogram>,
    /// Images of distinct counts; `None` for a count of zero.
    pub distinct: Vec<Option<Vec<u8>>>,
    /// Top lists.
    pub lists: Vec<ArchivedList>,
}

/// A top list, and what it states of items absent from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ArchivedList {
    /// The entries, by falling estimate.
    pub entries: Vec<ArchivedEntry>,
    /// The greatest true count that an item absent from the list can have.
    pub absent_upper: u64,
}

/// An entry of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ArchivedEntry {
    /// The counted item.
    pub name: String,
    /// How often it was seen.
    pub estimate: u64,
    /// The true count is at least this.
    pub lower: u64,
    /// The true count is at most this.
    pub upper: u64,
}

impl ArchiveRow {
    /// The row of a closed period.
    pub fn from_document(agent: &str, document: &SketchDocument) -> Self {
        let span = document.period.period;
        let start_us = span.start_ts.saturating_mul(MICROSECONDS);
        let period = serde_json::to_value(&document.period).unwrap_or_default();
        let counter = |pointer: &str| period.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        Self {
            agent: agent.to_owned(),
            start_us,
            end_us: start_us.saturating_add(span.length.saturating_mul(MICROSECONDS)),
            #[expect(clippy::cast_precision_loss, reason = "seconds of a period")]
            length_s: span.length as f64,
            sources: Vec::new(),
            counters: LAYOUT.counters.iter().map(|column| counter(&column.pointer)).collect(),
            histograms: LAYOUT
                .histograms
                .iter()
                .map(|column| document.histograms.get(&column.path).cloned().unwrap_or_default())
                .collect(),
            distinct: LAYOUT
                .distinct
                .iter()
                .map(|column| document.distinct.get(&column.path).map(|image| image.0.clone()))
                .collect(),
            lists: LAYOUT.lists.iter().map(|column| list(document, &period, column)).collect(),
        }
    }

    /// Identifies the row by its agent, time and counters, so that a period that is archived twice counts
    /// once. Which rare items a full list gave up differs from run to run, so lists are left out.
    pub fn id(&self) -> i64 {
        let mut hasher = XxHash64::default();
        self.agent.hash(&mut hasher);
        (self.start_us, self.end_us, self.length_s.to_bits()).hash(&mut hasher);
        self.sources.hash(&mut hasher);
        self.counters.hash(&mut hasher);
        hasher.finish().cast_signed()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.counters.iter().all(|count| *count == 0)
    }

    /// Cuts each list after this number of entries.
    pub fn cut_lists(&mut self, entries: usize) {
        self.lists.iter_mut().for_each(|list| list.cut(entries));
    }
}

impl ArchivedList {
    /// A list that was not kept.
    pub(crate) fn unknown() -> Self {
        Self { entries: Vec::new(), absent_upper: i64::MAX.unsigned_abs() }
    }

    /// Keeps the first entries. An entry that is cut off is absent then.
    pub fn cut(&mut self, entries: usize) {
        let cut = self.entries.iter().skip(entries).map(|entry| entry.upper).max();
        self.absent_upper = self.absent_upper.max(cut.unwrap_or(0));
        self.entries.truncate(entries);
    }
}

impl From<TopEntry> for ArchivedEntry {
    fn from(entry: TopEntry) -> Self {
        let TopEntry { name, estimate, lower, upper, .. } = entry;
        Self { name, estimate, lower: lower.unwrap_or(estimate), upper: upper.unwrap_or(estimate) }
    }
}

/// A list whose items the agent cannot tell apart, such as places without a database, is missing: any
/// item may have all of the total.
fn list(document: &SketchDocument, period: &Value, column: &ListColumn) -> ArchivedList {
    let entries = period.pointer(&format!("/{}", column.path.replace('.', "/")));
    let entries: Vec<TopEntry> =
        entries.and_then(|entries| serde_json::from_value(entries.clone()).ok()).unwrap_or_default();
    let total = || period.pointer(column.total_pointer).and_then(Value::as_u64).unwrap_or(u64::MAX);
    ArchivedList {
        entries: entries.into_iter().map(ArchivedEntry::from).collect(),
        absent_upper: document.lists.get(&column.path).map_or_else(total, |totals| totals.absent_upper),
    }
}
