//! Snapshots that wait for the collector, in bounded memory.

use std::collections::VecDeque;

use bytes::Bytes;

/// Snapshots kept.
pub(crate) const SNAPSHOTS_MAX: usize = 64;

/// Bytes kept, except for the newest snapshot, which is always kept.
pub(crate) const BYTES_MAX: usize = 4 << 20;

/// A snapshot that waits: a cumulative request, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitingSnapshot {
    /// Rises from snapshot to snapshot.
    pub(crate) number: u64,
    /// The request.
    pub(crate) request: Bytes,
}

/// The snapshots that wait, by age.
///
/// When it is full, it keeps every second snapshot, then every fourth, and so on until it is empty
/// again. So the rest covers the whole time since the first one that waits, only less finely; and
/// counters and histograms are sums, so that each snapshot has everything that the ones before it
/// counted.
#[derive(Debug)]
pub(crate) struct SnapshotQueue {
    waiting: VecDeque<WaitingSnapshot>,
    bytes: usize,
    pushed: u64,
    /// Between the oldest and the newest, numbers that are multiples of it are kept.
    stride: u64,
}

impl Default for SnapshotQueue {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, pushed: 0, stride: 1 }
    }
}

impl SnapshotQueue {
    /// Adds the newest snapshot. Returns how many older ones were given up for it.
    pub(crate) fn push(&mut self, request: Bytes) -> u64 {
        let before = self.waiting.len();
        self.pushed += 1;
        self.bytes += request.len();
        self.waiting.push_back(WaitingSnapshot { number: self.pushed, request });
        self.thin_out();
        while self.waiting.len() > 1 && (self.waiting.len() > SNAPSHOTS_MAX || self.bytes > BYTES_MAX) {
            if self.waiting.len() == 2 {
                self.remove_oldest();
            } else {
                self.stride = self.stride.saturating_mul(2);
                self.thin_out();
            }
        }
        (before + 1 - self.waiting.len()) as u64
    }

    /// The oldest snapshot.
    pub(crate) fn oldest(&self) -> Option<WaitingSnapshot> {
        self.waiting.front().cloned()
    }

    /// Removes the oldest snapshot if it is the one with this number.
    pub(crate) fn remove(&mut self, number: u64) {
        if self.waiting.front().is_some_and(|oldest| oldest.number == number) {
            self.remove_oldest();
        }
        if self.waiting.is_empty() {
            self.stride = 1;
        }
    }

    /// How many snapshots wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn remove_oldest(&mut self) {
        if let Some(oldest) = self.waiting.pop_front() {
            self.bytes -= oldest.request.len();
        }
    }

    /// Keeps the oldest snapshot, which may be on its way, the newest, and those of the stride.
    fn thin_out(&mut self) {
        if self.stride == 1 {
            return;
        }
        let (oldest, newest) = (self.waiting.front().map(|oldest| oldest.number), self.pushed);
        self.waiting.retain(|WaitingSnapshot { number, .. }| {
            number % self.stride == 0 || Some(*number) == oldest || *number == newest
        });
        self.bytes = self.waiting.iter().map(|waiting| waiting.request.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(queue: &SnapshotQueue) -> Vec<u64> {
        queue.waiting.iter().map(|waiting| waiting.number).collect()
    }

    #[test]
    fn up_to_the_bound_nothing_is_given_up() {
        let mut queue = SnapshotQueue::default();
        for _ in 0..SNAPSHOTS_MAX {
            assert_eq!(queue.push(Bytes::from_static(b"x")), 0);
        }
        assert_eq!(numbers(&queue), (1..=SNAPSHOTS_MAX as u64).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_queue_covers_the_whole_time_less_finely_until_it_is_empty() {
        let mut queue = SnapshotQueue::default();
        let push = |queue: &mut SnapshotQueue| queue.push(Bytes::from_static(b"x"));
        let given_up: u64 = (0..1000).map(|_| push(&mut queue)).sum();
        let numbers = numbers(&queue);
        assert!(numbers.len() <= SNAPSHOTS_MAX && numbers.len() >= SNAPSHOTS_MAX / 2);
        assert_eq!((numbers.first(), numbers.last()), (Some(&1), Some(&1000)));
        assert_eq!(given_up, 1000 - numbers.len() as u64);
        assert!(numbers.is_sorted());
        let widest = numbers.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(widest <= 32, "a gap of {widest} snapshots");
        while let Some(oldest) = queue.oldest() {
            queue.remove(oldest.number);
        }
        assert_eq!((push(&mut queue), push(&mut queue), queue.len()), (0, 0, 2));
    }

    #[test]
    fn bytes_are_bounded_and_the_newest_snapshot_is_kept_whatever_its_size() {
        let mut queue = SnapshotQueue::default();
        let large = Bytes::from(vec![0; BYTES_MAX / 3]);
        for _ in 0..10 {
            queue.push(large.clone());
            assert!(queue.bytes <= BYTES_MAX && queue.len() <= 3);
        }
        queue.push(Bytes::from(vec![0; BYTES_MAX + 1]));
        assert_eq!((queue.len(), numbers(&queue)), (1, vec![11]));
    }

    #[test]
    fn only_the_snapshot_that_was_sent_is_removed() {
        let mut queue = SnapshotQueue::default();
        queue.push(Bytes::from_static(b"abc"));
        queue.push(Bytes::from_static(b"d"));
        queue.remove(2);
        assert_eq!(queue.len(), 2);
        queue.remove(1);
        assert_eq!((queue.oldest().unwrap().number, queue.bytes), (2, 1));
    }
}
