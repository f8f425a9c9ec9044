//! The findings of the worker threads of a live capture for the live period: a recorder for each
//! thread, so that no thread waits for another, and a copy of it from the end of its last epoch.
//!
//! A reader never sees a recorder that is being written, because kernel counters and analysis would
//! be of different moments. At the end of an epoch each thread [cuts](Shares::cut): it leaves a
//! copy of its numbers or of all, or the recorder itself if the period ends. After the last thread,
//! [`LivePeriod::publish`](crate::live_period::LivePeriod::publish) takes the copies together with
//! the counters.

use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, MutexGuard};
use pktvisor_analysis::public_suffix::NameCut;

use crate::period::PeriodRecord;
use crate::recorder::Recorder;

/// What a thread leaves at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The period goes on and nobody reads its lists: a copy of counters and histograms.
    Numbers,
    /// The period goes on: a copy of all.
    Whole,
    /// The period is over: all of it.
    Period,
}

/// The copies of the last moment.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// One for each thread.
    pub records: Vec<Arc<PeriodRecord>>,
    pub lists: Lists,
}

/// Whether copies have lists and distinct counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lists {
    #[default]
    Copied,
    Missing,
}

/// Empty until [`make`](Self::make). If one thread counts and analyses packets, it writes to the
/// live period itself.
#[derive(Debug, Default)]
pub(super) struct Shares(OnceLock<Box<[Share]>>);

#[derive(Debug)]
struct Share {
    recorder: Mutex<Recorder>,
    /// Not yet published.
    cut: Mutex<Option<(PeriodRecord, Lists)>>,
}

impl Shares {
    /// Makes a share for each thread, once.
    pub(super) fn make(&self, threads: u32, name_cut: NameCut) {
        self.0.get_or_init(|| {
            let share = |_| Share { recorder: Mutex::new(Recorder::new(name_cut)), cut: Mutex::default() };
            (0..threads).map(share).collect()
        });
    }

    fn all(&self) -> &[Share] {
        self.0.get().map_or(&[], |shares| shares)
    }

    /// The number of threads; 0 if one thread counts and analyses.
    pub(super) fn len(&self) -> usize {
        self.all().len()
    }

    /// The recorder of a thread.
    pub(super) fn get(&self, thread: u32) -> Option<MutexGuard<'_, Recorder>> {
        self.all().get(thread as usize).map(|share| share.recorder.lock())
    }

    /// Keeps the findings of a thread that has analysed all packets of the epoch.
    pub(super) fn cut(&self, thread: u32, cut: Cut) {
        let Some(share) = self.all().get(thread as usize) else { return };
        let mut recorder = share.recorder.lock();
        let copy = match cut {
            Cut::Numbers => (recorder.period().numbers(), Lists::Missing),
            Cut::Whole => (recorder.period().clone(), Lists::Copied),
            // The live period knows the start of the next one.
            Cut::Period => (recorder.take(0), Lists::Copied),
        };
        drop(recorder);
        *share.cut.lock() = Some(copy);
    }

    /// Takes the copies of the threads' last cuts. All threads have the same order, so either all
    /// copies have lists or none. Those of threads without a new cut stay.
    pub(super) fn take_cuts(&self, published: &mut Published) {
        for (thread, share) in self.all().iter().enumerate() {
            let cut = share.cut.lock().take();
            if let Some((_, lists)) = cut {
                published.lists = lists;
            }
            let record = cut.map(|(record, _)| Arc::new(record));
            match (published.records.get_mut(thread), record) {
                (Some(place), Some(record)) => *place = record,
                (None, record) => {
                    published.records.push(record.unwrap_or_else(|| Arc::new(PeriodRecord::new(0))));
                }
                (Some(_), None) => {}
            }
        }
    }

    /// Copies of all recorders as they are, each of another moment.
    pub(super) fn copies(&self) -> Vec<Arc<PeriodRecord>> {
        self.all().iter().map(|share| Arc::new(share.recorder.lock().period().clone())).collect()
    }
}
