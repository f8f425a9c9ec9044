//! The number of worker threads, and the processors that they run on.
//!
//! A server has one worker thread unless the operator gives more, because its processors have other
//! work. A mirror port has one for each receive queue, as long as there are two processors for
//! each: one where the kernel receives the packets of the queue, and one that analyses them. With
//! fewer processors, more threads would only wait for each other. Threads with a processor each
//! stay on it, to keep its caches warm.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use pktvisor_common::kernel::control::XSKS_ENTRIES;
use pktvisor_common::sharding::Shards;

/// Processors for each thread: its own, and one for the kernel.
const PROCESSORS_EACH: usize = 2;

/// The worker threads and their processors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    /// One worker thread each.
    pub(super) shards: Shards,
    /// The processor of each thread; empty if there are not enough.
    processors: Vec<usize>,
}

impl Placement {
    /// On a server: the requested number of threads, on any processor.
    pub(super) fn of_processors(requested: Option<u16>) -> Self {
        Self { shards: requested.map_or(Shards::ONE, Shards::new), processors: Vec::new() }
    }

    /// On a mirror port with so many receive queues: the requested number of threads, or as many as
    /// help.
    pub(super) fn of_queues(queues: u32, requested: Option<u16>) -> Self {
        let allowed = sched_getaffinity(Pid::from_raw(0)).map(|set| processors(&set)).unwrap_or_default();
        Self::on(&allowed, queues, requested)
    }

    fn on(processors: &[usize], queues: u32, requested: Option<u16>) -> Self {
        let useful = (processors.len() / PROCESSORS_EACH).min(queues as usize);
        let count = requested.unwrap_or(u16::try_from(useful).unwrap_or(u16::MAX));
        let shards = Shards::new(count.min(sockets_a_queue(queues)));
        let count = shards.count() as usize;
        // The last processors, because interrupts go to the first ones by default.
        let are_enough = count > 1 && processors.len() >= count * PROCESSORS_EACH;
        let processors =
            if are_enough { processors[processors.len() - count..].to_vec() } else { Vec::new() };
        Self { shards, processors }
    }

    /// Pins the calling thread, which is that of a shard, to its processor and returns that; `None`
    /// if it has none.
    pub(super) fn pin(&self, shard: u32) -> Option<usize> {
        let &processor = self.processors.get(shard as usize)?;
        let mut set = CpuSet::new();
        set.set(processor).ok()?;
        sched_setaffinity(Pid::from_raw(0), &set).ok()?;
        Some(processor)
    }
}

/// How many sockets for each receive queue fit into the program's map.
fn sockets_a_queue(queues: u32) -> u16 {
    u16::try_from(XSKS_ENTRIES / queues.max(1)).unwrap_or(u16::MAX)
}

fn processors(set: &CpuSet) -> Vec<usize> {
    (0..CpuSet::count()).filter(|&processor| set.is_set(processor).unwrap_or(false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(processors: usize, queues: u32, requested: Option<u16>) -> (u32, Vec<usize>) {
        let processors: Vec<_> = (0..processors).collect();
        let placement = Placement::on(&processors, queues, requested);
        (placement.shards.count(), placement.processors)
    }

    #[test]
    fn each_queue_gets_a_thread_if_there_are_two_processors_for_each() {
        assert_eq!(placed(8, 4, None), (4, vec![4, 5, 6, 7]));
        assert_eq!(placed(8, 8, None), (4, vec![4, 5, 6, 7]));
        assert_eq!(placed(64, 2, None), (2, vec![62, 63]));
    }

    #[test]
    fn a_single_thread_is_not_pinned() {
        for (processors, queues) in [(0, 1), (1, 1), (2, 4), (3, 4), (64, 1)] {
            assert_eq!(placed(processors, queues, None), (1, vec![]));
        }
    }

    #[test]
    fn the_requested_number_of_threads_is_limited_by_the_map_of_sockets() {
        assert_eq!(placed(2, 1, Some(4)), (4, vec![]));
        assert_eq!(placed(8, 1, Some(2)), (2, vec![6, 7]));
        assert_eq!(placed(8, 8, Some(1)), (1, vec![]));
        assert_eq!(placed(1, 256, Some(64)).0, XSKS_ENTRIES / 256);
        assert_eq!(placed(1, 4096, Some(64)).0, 1);
    }

    #[test]
    fn a_pinned_thread_stays_on_its_processor() {
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
