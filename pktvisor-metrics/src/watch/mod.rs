//! Watches: each has a name, a filter on decoded messages, and an output for those that match.
//!
//! A *focus* records them like a period. Its findings are those of a whole agent that sees only
//! these messages. A *packet watch* hands their packets to a sink.
//!
//! A thread asks once for each batch of packets whether there are watches, which is one load of an
//! integer that hardly ever changes. Only while there are, analysis reports to a
//! [`WatchingObserver`] instead of the recorder.

mod filter;
mod focus;
mod name;
mod observer;
mod packet;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use pktvisor_common::packet::Packet;

pub use filter::{MessageFilter, parse_network, parse_qtype, parse_rcode};
use focus::Focus;
pub(crate) use focus::{CaptureTime, FocusSettings};
pub use name::WireName;
pub use observer::WatchingObserver;
pub use packet::AnalysedPacket;

use crate::period::PeriodRecord;

/// The maximum number of focuses.
pub const FOCUSES_MAX: usize = 8;

/// The maximum number of packet watches.
pub const PACKET_WATCHES_MAX: usize = 2;

/// Takes packets. Capture threads call it, so it must not wait.
pub trait PacketSink: Send + Sync + fmt::Debug {
    /// Takes a packet, or counts that it could not.
    fn packet(&self, packet: &Packet<'_>);
}

/// A filter, and what becomes of the messages that match.
#[derive(Debug)]
pub struct MessageWatch {
    name: String,
    filter: MessageFilter,
    output: Output,
}

#[derive(Debug)]
enum Output {
    Focus(Focus),
    Packets(Arc<dyn PacketSink>),
}

impl MessageWatch {
    /// What it is called: its filter in words.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn new(filter: MessageFilter, output: Output) -> Arc<Self> {
        Arc::new(Self { name: filter.to_string(), filter, output })
    }

    fn is_wanted(&self, now: Instant) -> bool {
        match &self.output {
            Output::Focus(focus) => focus.is_read(now),
            Output::Packets(_) => true,
        }
    }

    fn is_focus(&self) -> bool {
        matches!(self.output, Output::Focus(_))
    }
}

/// There are as many watches of the kind as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyWatches;

/// All watches. Capture threads and clients share them.
#[derive(Debug, Default)]
pub struct Watches {
    /// The number of watches.
    open: AtomicUsize,
    watches: Mutex<Arc<[Arc<MessageWatch>]>>,
}

impl Watches {
    /// The watches; `None` if there are none. Closes those that nobody has read for a while. Call it
    /// once for each batch of packets.
    #[inline]
    pub fn current(&self) -> Option<Arc<[Arc<MessageWatch>]>> {
        if self.open.load(Ordering::Relaxed) == 0 { None } else { self.wanted() }
    }

    #[cold]
    fn wanted(&self) -> Option<Arc<[Arc<MessageWatch>]>> {
        let now = Instant::now();
        let mut watches = self.watches.lock();
        if watches.iter().any(|watch| !watch.is_wanted(now)) {
            self.replace(&mut watches, |watch| watch.is_wanted(now), None);
        }
        (!watches.is_empty()).then(|| Arc::clone(&watches))
    }

    /// What the focus of this filter has recorded until now. Opens it if there is none.
    pub(crate) fn focus(
        &self,
        filter: &MessageFilter,
        now: CaptureTime,
        settings: FocusSettings,
    ) -> Result<PeriodRecord, TooManyWatches> {
        let moment = Instant::now();
        let mut watches = self.watches.lock();
        self.replace(&mut watches, |watch| watch.is_wanted(moment), None);
        let is_same = |watch: &&Arc<MessageWatch>| watch.is_focus() && watch.filter == *filter;
        let watch = match watches.iter().find(is_same) {
            Some(watch) => Arc::clone(watch),
            None if count(&watches, MessageWatch::is_focus) >= FOCUSES_MAX => return Err(TooManyWatches),
            None => {
                let focus = Focus::new(now, settings, filter);
                let watch = MessageWatch::new(filter.clone(), Output::Focus(focus));
                self.replace(&mut watches, |_| true, Some(Arc::clone(&watch)));
                watch
            }
        };
        drop(watches);
        match &watch.output {
            Output::Focus(focus) => Ok(focus.read(now)),
            Output::Packets(_) => Err(TooManyWatches),
        }
    }

    /// Hands the packets of matching messages to `sink`, until the result is dropped.
    pub fn packets(
        self: &Arc<Self>,
        filter: MessageFilter,
        sink: Arc<dyn PacketSink>,
    ) -> Result<PacketWatch, TooManyWatches> {
        let mut watches = self.watches.lock();
        if count(&watches, |watch| !watch.is_focus()) >= PACKET_WATCHES_MAX {
            return Err(TooManyWatches);
        }
        let watch = MessageWatch::new(filter, Output::Packets(sink));
        self.replace(&mut watches, |_| true, Some(Arc::clone(&watch)));
        Ok(PacketWatch { watches: Arc::clone(self), watch })
    }

    fn replace(
        &self,
        watches: &mut Arc<[Arc<MessageWatch>]>,
        keep: impl Fn(&MessageWatch) -> bool,
        add: Option<Arc<MessageWatch>>,
    ) {
        *watches = watches.iter().filter(|watch| keep(watch)).cloned().chain(add).collect();
        self.open.store(watches.len(), Ordering::Relaxed);
    }
}

fn count(watches: &[Arc<MessageWatch>], is_of_kind: impl Fn(&MessageWatch) -> bool) -> usize {
    watches.iter().filter(|watch| is_of_kind(watch)).count()
}

/// An open packet watch; closed when dropped.
#[derive(Debug)]
pub struct PacketWatch {
    watches: Arc<Watches>,
    watch: Arc<MessageWatch>,
}

impl PacketWatch {
    /// What it is called: its filter in words.
    pub fn name(&self) -> &str {
        self.watch.name()
    }
}

impl Drop for PacketWatch {
    fn drop(&mut self) {
        let mut watches = self.watches.watches.lock();
        self.watches.replace(&mut watches, |watch| !std::ptr::eq(watch, &raw const *self.watch), None);
    }
}

#[cfg(test)]
mod tests;
