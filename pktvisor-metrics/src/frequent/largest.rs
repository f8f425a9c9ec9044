//! The smallest of the largest numbers of a stream.

/// The largest numbers of those that it was given, zeros left out.
#[derive(Debug)]
pub(super) struct Largest {
    count: usize,
    /// No number below this is among them.
    least: u64,
    /// Up to twice as many as wanted.
    numbers: Vec<u64>,
}

impl Largest {
    /// The largest `count` numbers of none yet; at least one is wanted.
    pub(super) fn new(count: usize) -> Self {
        Self { count: count.max(1), least: 1, numbers: Vec::new() }
    }

    /// Adds a number.
    #[inline(always)]
    pub(super) fn add(&mut self, number: u64) {
        // Nearly all numbers of a long stream end here.
        if number >= self.least {
            self.keep(number);
        }
    }

    #[inline(never)]
    fn keep(&mut self, number: u64) {
        self.numbers.push(number);
        if self.numbers.len() >= 2 * self.count {
            self.prune();
            // The next one must be larger to displace one of them.
            self.least = self.numbers.last().map_or(1, |least| least.saturating_add(1));
        }
    }

    /// Keeps the wanted ones; the smallest of them is last.
    fn prune(&mut self) {
        if self.numbers.len() >= self.count {
            self.numbers.select_nth_unstable_by(self.count - 1, |a, b| b.cmp(a));
            self.numbers.truncate(self.count);
        }
    }

    /// The smallest of the largest numbers; 1 if there are fewer than wanted.
    pub(super) fn least(mut self) -> u64 {
        self.prune();
        if self.numbers.len() < self.count { 1 } else { self.numbers.last().copied().unwrap_or(1) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_least_is_that_of_the_sorted_numbers(
            numbers in prop::collection::vec(0u64..40, 0..300),
            count in 1usize..20,
        ) {
            let mut largest = Largest::new(count);
            numbers.iter().for_each(|number| largest.add(*number));
            let mut sorted: Vec<u64> = numbers.into_iter().filter(|number| *number > 0).collect();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(largest.least(), sorted.get(count - 1).copied().unwrap_or(1));
        }
    }
}
