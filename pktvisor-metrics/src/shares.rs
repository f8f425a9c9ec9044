//! What several analysing threads remember of the live period: a recorder for each, so that none waits for another.
//!
//! Whoever reads, and whoever turns the period, adds them up. Where one thread analyses there are none: it writes to the
//! live period itself.

use std::sync::OnceLock;

use parking_lot::{Mutex, MutexGuard};
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_common::counters::Counters;

use super::ledger::Totals;
use super::{Period, Recorder};

/// None until they are [made](Self::make).
#[derive(Debug, Default)]
pub(super) struct Shares(OnceLock<Box<[Mutex<Recorder>]>>);

impl Shares {
    /// Makes so many, once; of one thread none.
    pub(super) fn make(&self, threads: u32, name_cut: NameCut) {
        if threads > 1 {
            self.0.get_or_init(|| (0..threads).map(|_| Mutex::new(Recorder::new(name_cut))).collect());
        }
    }

    fn all(&self) -> &[Mutex<Recorder>] {
        self.0.get().map_or(&[], |shares| shares)
    }

    /// The share of a thread.
    pub(super) fn get(&self, thread: u32) -> Option<MutexGuard<'_, Recorder>> {
        self.all().get(thread as usize).map(Mutex::lock)
    }

    /// Adds what all have counted in the live period.
    pub(super) fn add_to(&self, totals: &mut Totals) {
        self.all().iter().for_each(|share| totals.add(share.lock().period()));
    }

    /// Likewise, but the counters only.
    pub(super) fn count_into(&self, counters: &mut Counters) {
        self.all().iter().for_each(|share| counters.add(&share.lock().period().counters));
    }

    /// Hands over what all remember of the live period, and begins an empty one.
    pub(super) fn take(&self, next_start_s: u64) -> Vec<Period> {
        self.all().iter().map(|share| share.lock().take(next_start_s)).collect()
    }

    /// What all remember of the live period, as it stands.
    pub(super) fn copies(&self) -> Vec<Period> {
        self.all().iter().map(|share| share.lock().period().clone()).collect()
    }
}
