//! The findings of the worker threads of a live capture for the live period: a recorder for each
//! thread, so that no thread waits for another, and a copy of it from the end of its last epoch.
//!
//! A reader never sees a recorder that is being written, because kernel counters and analysis would
//! be of different moments. At the end of an epoch each thread [cuts](Shares::cut): it leaves a
//! copy of its recorder, or the recorder itself if the period ends. After the last thread,
//! [`LivePeriod::publish`](crate::live_period::LivePeriod::publish) takes the copies together with
//! the counters.

use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, MutexGuard};
use pktvisor_analysis::public_suffix::NameCut;

use crate::period::PeriodRecord;
use crate::recorder::Recorder;
use crate::watch::{SecondWatch, WatchHistory};

/// Why a thread cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The epoch is over, the period goes on.
    Epoch,
    /// The period is over, too.
    Period,
}

/// Whether zones, servers and clients are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watching {
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
    cut: Mutex<Option<PeriodRecord>>,
    watch: Mutex<HandOver>,
}

/// The tables of a second on their way from a thread to the history.
#[derive(Debug, Default)]
enum HandOver {
    /// Nothing is watched.
    #[default]
    Unused,
    /// Empty tables for the next second.
    Spare(Box<SecondWatch>),
    /// The tables of one or more seconds.
    Full(Box<SecondWatch>),
}

impl Shares {
    /// Makes a share for each thread, once.
    pub(super) fn make(&self, threads: u32, name_cut: NameCut, watch: Watching) {
        self.0.get_or_init(|| (0..threads).map(|_| Share::new(name_cut, watch)).collect());
    }

    fn all(&self) -> &[Share] {
        self.0.get().map_or(&[], |shares| shares)
    }

    /// The recorder of a thread.
    pub(super) fn get(&self, thread: u32) -> Option<MutexGuard<'_, Recorder>> {
        self.all().get(thread as usize).map(|share| share.recorder.lock())
    }

    /// Keeps the findings of a thread that has analysed all packets of the epoch.
    pub(super) fn cut(&self, thread: u32, cut: Cut) {
        let Some(share) = self.all().get(thread as usize) else { return };
        let mut recorder = share.recorder.lock();
        let period = match cut {
            Cut::Epoch => recorder.period().clone(),
            // The live period knows the start of the next one.
            Cut::Period => recorder.take(0),
        };
        share.hand_over_watch(&mut recorder);
        drop(recorder);
        *share.cut.lock() = Some(period);
    }

    /// Takes the copies of the threads' last cuts; `published` stays for threads without a new one.
    pub(super) fn take_cuts(&self, published: &mut Vec<Arc<PeriodRecord>>) {
        for (thread, share) in self.all().iter().enumerate() {
            let cut = share.cut.lock().take();
            match (published.get_mut(thread), cut) {
                (Some(place), Some(period)) => *place = Arc::new(period),
                (None, cut) => published.push(Arc::new(cut.unwrap_or_else(|| PeriodRecord::new(0)))),
                (Some(_), None) => {}
            }
        }
    }

    /// Moves what the threads watched up to their last cuts into the history.
    pub(super) fn take_watched(&self, history: &mut WatchHistory) {
        for share in self.all() {
            let mut place = share.watch.lock();
            *place = match std::mem::take(&mut *place) {
                HandOver::Full(mut watch) => {
                    history.absorb(&mut watch);
                    HandOver::Spare(watch)
                }
                other => other,
            };
        }
    }
}

impl Share {
    fn new(name_cut: NameCut, watching: Watching) -> Self {
        let mut recorder = Recorder::new(name_cut);
        let mut watch = HandOver::Unused;
        if watching == Watching::On {
            recorder.begin_watch();
            watch = HandOver::Spare(Box::default());
        }
        Self { recorder: Mutex::new(recorder), cut: Mutex::default(), watch: Mutex::new(watch) }
    }

    /// Exchanges the full tables of a second for empty ones. If the last ones are still there, the
    /// thread goes on with its own.
    fn hand_over_watch(&self, recorder: &mut Recorder) {
        let Some(watch) = recorder.watch() else { return };
        let mut place = self.watch.lock();
        *place = match std::mem::take(&mut *place) {
            HandOver::Spare(mut spare) => {
                spare.adopt_rate(watch);
                HandOver::Full(std::mem::replace(watch, spare))
            }
            other => other,
        };
    }
}
