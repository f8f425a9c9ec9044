//! Capture from an interface that a mirror port, a SPAN or a tap feeds, by AF_XDP sockets.
//!
//! The XDP program counts every packet, punts sampled ones to a socket of their queue, and drops
//! the rest: the host never receives them, so an interface with traffic of its own is
//! [refused](check_unused). Before each packet the program leaves a
//! [`RecordHeader`](pktvisor_common::kernel::record::RecordHeader); the frames lie in memory that
//! driver and agent share, without a copy where the driver can.
//!
//! A worker thread polls a socket of every queue and takes their packets in the order of time
//! ([`Deep`](super::kernel::Deep)), so that a response by one queue does not come before its query
//! by another. Where there are several such threads, every queue has a socket for each of them, and
//! the program divides the packets by their hosts ([`Shards`]).
//!
//! A frame holds packets of up to 1,792 bytes, or 3,840 if the interface's MTU requires it;
//! longer ones are counted, and lost to analysis.
//!
//! Minimum kernel version: 5.4 (need-wakeup); 5.9 for the causes of losses.

mod error;
mod frames;
mod packet;
mod queue;
mod socket;
mod unused;

use std::fs;
use std::os::fd::BorrowedFd;

pub use error::TapError;
use pktvisor_common::sharding::Shards;
pub use queue::{QueueStatistics, StatisticsHandle, TapQueue};
pub use unused::{check_unused, receive_queues};

use super::promiscuous::Promiscuous;
use frames::Frames;

/// The sockets of all queues, open, and not yet reached by packets.
#[derive(Debug)]
pub struct Tap {
    /// One for each receive queue and shard, in the order of [`Shards::place`].
    pub queues: Vec<TapQueue>,
    /// As long as this is held, frames for others come in.
    pub promiscuous: Promiscuous,
    /// Notes for the operator, one sentence each.
    pub notes: Vec<String>,
}

impl Tap {
    /// Opens a socket for each shard on each receive queue of the interface and has `insert` put it
    /// into the program's map of sockets, by its place there. To be done before the program is
    /// attached: then nothing is lost.
    ///
    /// # Errors
    ///
    /// No privilege, no such interface, a queue that somebody else uses, or no memory that may be
    /// locked.
    pub fn open<E>(
        interface: &str,
        ifindex: u32,
        shards: Shards,
        mut insert: impl FnMut(u32, BorrowedFd<'_>) -> Result<(), E>,
    ) -> Result<Self, TapError>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        if fs::exists(format!("/sys/class/net/{interface}/bonding")).unwrap_or(false) {
            return Err(TapError::Bond { interface: interface.to_owned() });
        }
        let promiscuous = Promiscuous::on(ifindex)
            .map_err(|reason| TapError::Promiscuous { interface: interface.to_owned(), reason })?;
        let mut notes = Vec::new();
        let queues = open_queues(interface, ifindex, shards, &mut notes)?;
        for (place, queue) in (0..).zip(&queues) {
            insert(place, queue.fd())
                .map_err(|reason| TapError::Insert { queue: queue.number(), reason: Box::new(reason) })?;
        }
        Ok(Self { queues, promiscuous, notes })
    }

    /// Whether all sockets share their memory with the driver.
    pub fn is_zero_copy(&self) -> bool {
        self.queues.iter().all(TapQueue::is_zero_copy)
    }
}

/// With as many frames as there is memory for.
fn open_queues(
    interface: &str,
    ifindex: u32,
    shards: Shards,
    notes: &mut Vec<String>,
) -> Result<Vec<TapQueue>, TapError> {
    let count = unused::receive_queues(interface)?;
    // If the limit stays too low, opening the sockets reports it.
    let _ = crate::privileges::raise_memlock();
    let wanted = Frames::of(interface)?;
    let mut frames = wanted;
    loop {
        let open = |number| TapQueue::open(interface, ifindex, number, frames, shards);
        let opened: Result<Vec<_>, _> = (0..count).map(open).collect();
        match (opened, frames.fewer()) {
            (Err(TapError::Memory { .. }), Some(fewer)) => frames = fewer,
            (Ok(sockets), _) => {
                if frames != wanted {
                    notes.push(format!(
                        "{interface}: packet buffers of {} frames a queue instead of {}, as no more memory may be locked; \
                         LimitMEMLOCK=infinity in the systemd unit, or ulimit -l, allows them",
                        frames.count, wanted.count
                    ));
                }
                return Ok(sockets.into_iter().flatten().collect());
            }
            (Err(error), _) => return Err(error),
        }
    }
}
