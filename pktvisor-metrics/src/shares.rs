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

use crate::evidence::{EvidenceHistory, SecondEvidence};
use crate::period::PeriodRecord;
use crate::recorder::Recorder;
use crate::settings::RecorderSettings;

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

/// Whether threads keep evidence of zones, servers and clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inspection {
    On,
    Off,
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
    evidence: Mutex<HandOver>,
}

/// The tables of a second on their way from a thread to the history.
#[derive(Debug, Default)]
enum HandOver {
    /// Nothing is inspected.
    #[default]
    Unused,
    /// Empty tables for the next second.
    Spare(Box<SecondEvidence>),
    /// The tables of one or more seconds.
    Full(Box<SecondEvidence>),
}

impl Shares {
    /// Makes a share for each thread, once.
    pub(super) fn make(&self, threads: u32, settings: RecorderSettings, evidence: Inspection) {
        self.0.get_or_init(|| (0..threads).map(|_| Share::new(settings, evidence)).collect());
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
        share.hand_over_evidence(&mut recorder);
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

    /// Moves what the threads inspected up to their last cuts into the history.
    pub(super) fn take_evidence(&self, history: &mut EvidenceHistory) {
        for share in self.all() {
            let mut place = share.evidence.lock();
            *place = match std::mem::take(&mut *place) {
                HandOver::Full(mut evidence) => {
                    history.absorb(&mut evidence);
                    HandOver::Spare(evidence)
                }
                other => other,
            };
        }
    }
}

impl Share {
    fn new(settings: RecorderSettings, inspecting: Inspection) -> Self {
        let mut recorder = Recorder::new(settings);
        let mut evidence = HandOver::Unused;
        if inspecting == Inspection::On {
            recorder.begin_evidence();
            evidence = HandOver::Spare(Box::default());
        }
        Self { recorder: Mutex::new(recorder), cut: Mutex::default(), evidence: Mutex::new(evidence) }
    }

    /// Exchanges the full tables of a second for empty ones. If the last ones are still there, the
    /// thread goes on with its own.
    fn hand_over_evidence(&self, recorder: &mut Recorder) {
        let Some(evidence) = recorder.evidence() else { return };
        let mut place = self.evidence.lock();
        *place = match std::mem::take(&mut *place) {
            HandOver::Spare(mut spare) => {
                spare.adopt_rate(evidence);
                HandOver::Full(std::mem::replace(evidence, spare))
            }
            other => other,
        };
    }
}
