//! What a report needs beyond the record of its group.

use pktvisor_api as api;
use pktvisor_common::counters::Counters;

/// Of the period that is reported.
pub(super) struct Context<'a> {
    /// What was counted for every packet and message.
    pub counters: &'a Counters,
    /// DNS packets that were not sampled, or lost before analysis.
    pub not_analysed: u64,
    /// Analysed share of the DNS messages.
    pub sampling_rate: f64,
}

impl Context<'_> {
    /// What was counted for every packet or message.
    pub(super) fn kernel<T>(&self) -> &T
    where
        Counters: AsRef<T>,
    {
        self.counters.as_ref()
    }

    /// A list of everything there was.
    pub(super) fn exact(&self, list: Vec<api::TopEntry>) -> Vec<api::TopEntry> {
        list
    }

    /// A list of what was analysed: with what the counts would be had everything been.
    pub(super) fn analysed(&self, mut list: Vec<api::TopEntry>) -> Vec<api::TopEntry> {
        let rate = self.sampling_rate;
        for entry in &mut list {
            entry.scaled =
                Some(if rate > 0.0 { (entry.estimate as f64 / rate).round() as u64 } else { entry.estimate });
        }
        list
    }
}
