//! The data that a report needs in addition to the record of its group.

use pktvisor_api as api;
use pktvisor_common::counters::Counters;

use crate::listed::ListLength;

/// Data of the period that is reported.
pub(super) struct Context<'a> {
    /// The counters of packets and messages.
    pub counters: &'a Counters,
    /// DNS packets that were not sampled, or lost before analysis.
    pub not_analysed: u64,
    /// Analysed share of the DNS messages.
    pub sampling_rate: f64,
    /// The length of lists.
    pub list_length: ListLength,
}

impl Context<'_> {
    /// The counters of packets or messages.
    pub(super) fn kernel<T>(&self) -> &T
    where
        Counters: AsRef<T>,
    {
        self.counters.as_ref()
    }

    /// A list of all items.
    pub(super) fn exact(&self, list: Vec<api::TopEntry>) -> Vec<api::TopEntry> {
        list
    }

    /// A list of analysed items, with counts scaled up to all items.
    pub(super) fn analysed(&self, mut list: Vec<api::TopEntry>) -> Vec<api::TopEntry> {
        let rate = self.sampling_rate;
        for entry in &mut list {
            entry.scaled =
                Some(if rate > 0.0 { (entry.estimate as f64 / rate).round() as u64 } else { entry.estimate });
        }
        list
    }
}
