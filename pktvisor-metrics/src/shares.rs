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

use crate::period::PeriodRecord;
use crate::recorder::Recorder;
use crate::settings::RecorderSettings;

/// Why a thread cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The epoch is over, the period goes on.
    Epoch,
    /// The period is over, too.
    Period,
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
}

impl Shares {
    /// Makes a share for each thread, once.
    pub(super) fn make(&self, threads: u32, settings: RecorderSettings) {
        self.0.get_or_init(|| {
            let share = |_| Share { recorder: Mutex::new(Recorder::new(settings)), cut: Mutex::default() };
            (0..threads).map(share).collect()
        });
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
}
