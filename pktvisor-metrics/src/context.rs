//! The data that a report needs in addition to the record of its group.

use std::cell::{OnceCell, RefCell};
use std::net::IpAddr;
use std::time::Instant;

use parking_lot::Mutex;
use pktvisor_analysis::geo::Geo;
use pktvisor_api as api;
use pktvisor_common::counters::Counters;

use crate::codes_by_side::CodeSums;
use crate::listed::{ListQuery, ReportedList};
use crate::places::{self, PlacePart};
use crate::sketches::{CollectedSketches, DistinctItems, Values};

/// Data of the period that is reported.
pub(super) struct Context<'a> {
    /// The counters of packets and messages.
    pub counters: &'a Counters,
    /// Messages of all directions by header and option.
    pub codes: &'a CodeSums,
    /// DNS packets that were not sampled, or lost before analysis.
    pub not_analysed: u64,
    /// Analysed share of the DNS messages.
    pub sampling_rate: f64,
    /// What to report of each list.
    pub lists: ListQuery,
    /// The databases of places, if there are any.
    pub geo: Option<&'a Mutex<Geo>>,
    /// The lists of clients and of servers.
    pub parties: &'a PartyLists,
    /// Where the report leaves its sketches, if anybody wants them.
    pub sketches: Option<&'a RefCell<CollectedSketches>>,
    /// The path of the group in the period; empty if nobody wants sketches.
    pub path: String,
}

/// The lists of clients and of servers: each direction makes all lists of its table when the first is
/// asked for.
#[derive(Default)]
pub(super) struct PartyLists {
    pub clients: OnceCell<Vec<ReportedList>>,
    pub servers: OnceCell<Vec<ReportedList>>,
}

impl Context<'_> {
    /// The counters of packets or messages.
    pub(super) fn kernel<T>(&self) -> &T
    where
        Counters: AsRef<T>,
    {
        self.counters.as_ref()
    }

    /// The context of a group in this one.
    pub(super) fn within(&self, key: &str) -> Self {
        let path = if self.sketches.is_some() { self.path_of(key) } else { String::new() };
        Self { path, ..*self }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A number of distinct items.
    pub(super) fn distinct(&self, key: &str, items: &impl DistinctItems) -> u64 {
        if let Some(sketches) = self.sketches {
            sketches.borrow_mut().add_distinct(self.path_of(key), items);
        }
        items.estimate()
    }

    /// Quantiles of these values; `None` if there are none.
    pub(super) fn quantiles(&self, key: &str, values: &impl Values) -> Option<api::Quantiles> {
        if let Some(sketches) = self.sketches {
            sketches.borrow_mut().add_histogram(self.path_of(key), values);
        }
        values.report()
    }

    /// The entries of a list.
    pub(super) fn list(&self, key: &str, list: ReportedList) -> Vec<api::TopEntry> {
        if let (Some(sketches), Some(absent_upper)) = (self.sketches, list.absent_upper) {
            sketches.borrow_mut().add_list(self.path_of(key), absent_upper);
        }
        list.entries
    }

    /// A list of the places of packets. Without a database it is empty, which says nothing of the
    /// places that it leaves out.
    pub(super) fn unless_places_are_unknown(&self, list: ReportedList) -> ReportedList {
        if list.entries.is_empty() { ReportedList::of_unknown(self.counters.packets.total()) } else { list }
    }

    /// Analysed addresses added up by a part of their location; empty without a database.
    pub(super) fn located(
        &self,
        part: PlacePart,
        addresses: impl Iterator<Item = (Option<IpAddr>, u64)>,
        total: u64,
    ) -> ReportedList {
        let Some(geo) = self.geo else { return ReportedList::of_unknown(total) };
        // The capture has the same databases open and logs their changes.
        let list = geo.lock().quietly(|geo| {
            geo.refresh(Instant::now());
            places::located(geo, part, addresses, total, self.lists)
        });
        self.analysed(list)
    }

    /// A list of all items.
    pub(super) fn exact(&self, list: ReportedList) -> ReportedList {
        list
    }

    /// A list of analysed items, with counts scaled up to all items.
    pub(super) fn analysed(&self, mut list: ReportedList) -> ReportedList {
        let rate = self.sampling_rate;
        for entry in &mut list.entries {
            entry.scaled =
                Some(if rate > 0.0 { (entry.estimate as f64 / rate).round() as u64 } else { entry.estimate });
        }
        list
    }
}
