//! Over how many threads the analysis is spread, and on which processors they run.
//!
//! On a server it is one unless the operator gives more: the processors are there for something else. On a mirror port a
//! thread for each receive queue, as long as there are two processors for each: one on which the kernel takes the queue's
//! packets in, one to analyse them. With fewer processors more threads would only wait for each other. Threads that have a
//! processor each stay on it, with what they have in its cache.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use pktvisor_common::kernel::control::XSKS_ENTRIES;
use pktvisor_common::sharding::Shards;

/// Processors for each thread: its own, and one for the kernel.
const PROCESSORS_EACH: usize = 2;

/// Where the threads run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    /// One thread each.
    pub(super) shards: Shards,
    /// Of each thread; empty where there are not enough.
    processors: Vec<usize>,
}

impl Placement {
    /// On a server: as many threads as asked for, wherever there is time for them.
    pub(super) fn of_processors(asked: Option<u16>) -> Self {
        Self { shards: asked.map_or(Shards::ONE, Shards::new), processors: Vec::new() }
    }

    /// On a mirror port with so many receive queues: as many threads as asked for, or as are of use here.
    pub(super) fn of_queues(queues: u32, asked: Option<u16>) -> Self {
        let allowed = sched_getaffinity(Pid::from_raw(0)).map(|set| processors(&set)).unwrap_or_default();
        Self::on(&allowed, queues, asked)
    }

    fn on(processors: &[usize], queues: u32, asked: Option<u16>) -> Self {
        let of_use = (processors.len() / PROCESSORS_EACH).min(queues as usize);
        let count = asked.unwrap_or(u16::try_from(of_use).unwrap_or(u16::MAX));
        let shards = Shards::new(count.min(sockets_a_queue(queues)));
        let count = shards.count() as usize;
        // Interrupts go to the first processors, if nobody sees to it that they do not.
        let are_enough = count > 1 && processors.len() >= count * PROCESSORS_EACH;
        let processors =
            if are_enough { processors[processors.len() - count..].to_vec() } else { Vec::new() };
        Self { shards, processors }
    }

    /// Keeps the calling thread, that of a shard, on its processor, where it has one; returns which.
    pub(super) fn pin(&self, shard: u32) -> Option<usize> {
        let &processor = self.processors.get(shard as usize)?;
        let mut set = CpuSet::new();
        set.set(processor).ok()?;
        sched_setaffinity(Pid::from_raw(0), &set).ok()?;
        Some(processor)
    }
}

/// For how many sockets of each receive queue the program's map has room.
fn sockets_a_queue(queues: u32) -> u16 {
    u16::try_from(XSKS_ENTRIES / queues.max(1)).unwrap_or(u16::MAX)
}

fn processors(set: &CpuSet) -> Vec<usize> {
    (0..CpuSet::count()).filter(|&processor| set.is_set(processor).unwrap_or(false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(processors: usize, queues: u32, asked: Option<u16>) -> (u32, Vec<usize>) {
        let processors: Vec<_> = (0..processors).collect();
        let placement = Placement::on(&processors, queues, asked);
        (placement.shards.count(), placement.processors)
    }

    #[test]
    fn there_is_a_thread_for_each_queue_where_there_are_two_processors_for_each() {
        assert_eq!(placed(8, 4, None), (4, vec![4, 5, 6, 7]));
        assert_eq!(placed(8, 8, None), (4, vec![4, 5, 6, 7]));
        assert_eq!(placed(64, 2, None), (2, vec![62, 63]));
    }

    #[test]
    fn one_thread_goes_where_it_likes() {
        for (processors, queues) in [(0, 1), (1, 1), (2, 4), (3, 4), (64, 1)] {
            assert_eq!(placed(processors, queues, None), (1, vec![]));
        }
    }

    #[test]
    fn what_is_asked_for_holds_within_what_the_map_of_sockets_has_room_for() {
        assert_eq!(placed(2, 1, Some(4)), (4, vec![]));
        assert_eq!(placed(8, 1, Some(2)), (2, vec![6, 7]));
        assert_eq!(placed(8, 8, Some(1)), (1, vec![]));
        assert_eq!(placed(1, 256, Some(64)).0, XSKS_ENTRIES / 256);
        assert_eq!(placed(1, 4096, Some(64)).0, 1);
    }

    #[test]
    fn a_thread_stays_where_it_is_put() {
        let own = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let allowed = processors(&own);
        let last = *allowed.last().unwrap();
        let placement = Placement { shards: Shards::new(2), processors: vec![allowed[0], last] };
        std::thread::spawn(move || {
            assert_eq!(placement.pin(1), Some(last));
            assert_eq!(processors(&sched_getaffinity(Pid::from_raw(0)).unwrap()), [last]);
            assert_eq!(placement.pin(2), None);
        })
        .join()
        .unwrap();
    }
}
