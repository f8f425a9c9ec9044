//! The data that a report needs in addition to the record of its group.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::time::Instant;

use parking_lot::Mutex;
use pktvisor_analysis::geo::Geo;
use pktvisor_api as api;
use pktvisor_common::counters::Counters;

use crate::dns::DnsRecord;
use crate::listed::ListLength;
use crate::places::{self, PlacePart};
use crate::sides::PartyLists;

/// Data of the period that is reported.
pub(super) struct Context<'a> {
    /// The counters of packets and messages.
    pub counters: &'a Counters,
    /// What analysis found in DNS messages.
    pub dns: &'a DnsRecord,
    /// DNS packets that were not sampled, or lost before analysis.
    pub not_analysed: u64,
    /// Analysed share of the DNS messages.
    pub sampling_rate: f64,
    /// The length of lists.
    pub list_length: ListLength,
    /// The databases of places, if there are any.
    pub geo: Option<&'a Mutex<Geo>>,
    /// The lists of clients, made at once when the first is asked for.
    pub clients: OnceCell<PartyLists>,
    /// The lists of servers, alike.
    pub servers: OnceCell<PartyLists>,
}

impl Context<'_> {
    /// The counters of packets or messages.
    pub(super) fn kernel<T>(&self) -> &T
    where
        Counters: AsRef<T>,
    {
        self.counters.as_ref()
    }

    /// Analysed addresses added up by a part of their location; empty without a database.
    pub(super) fn located(
        &self,
        part: PlacePart,
        addresses: impl Iterator<Item = (Option<IpAddr>, u64)>,
        total: u64,
    ) -> Vec<api::TopEntry> {
        let Some(geo) = self.geo else { return Vec::new() };
        // The capture has the same databases open and logs their changes.
        let list = geo.lock().quietly(|geo| {
            geo.refresh(Instant::now());
            places::located(geo, part, addresses, total, self.list_length)
        });
        self.analysed(list)
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
