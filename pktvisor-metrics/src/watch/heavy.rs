//! The heaviest clients of a zone: four counters (Misra and Gries, 1982).

const PLACES: usize = 4;

/// Up to four clients by the low half of their hash, each with a lower bound of its messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeavyClients {
    /// A hash without a count is a free place.
    places: [(u32, u32); PLACES],
}

impl HeavyClients {
    /// Counts messages of a client.
    #[inline]
    pub(super) fn add(&mut self, hash: u32, mut count: u32) {
        if let Some(place) = self.places.iter_mut().find(|place| place.0 == hash && place.1 > 0) {
            place.1 += count;
            return;
        }
        while count > 0 {
            let least = self.places.iter().map(|place| place.1).min().unwrap_or(0);
            if least == 0 {
                if let Some(free) = self.places.iter_mut().find(|place| place.1 == 0) {
                    *free = (hash, count);
                }
                return;
            }
            let taken = least.min(count);
            self.places.iter_mut().for_each(|place| place.1 -= taken);
            count -= taken;
        }
    }

    /// Adds the clients of `other`.
    pub(super) fn merge(&mut self, other: &Self) {
        other.places.iter().for_each(|&(hash, count)| self.add(hash, count));
    }

    /// The clients with a count, heaviest first.
    pub(super) fn heaviest(&self) -> Vec<(u32, u32)> {
        let mut clients: Vec<_> = self.places.iter().copied().filter(|place| place.1 > 0).collect();
        clients.sort_unstable_by_key(|&(_, count)| std::cmp::Reverse(count));
        clients
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_with_most_messages_is_found_among_many() {
        let mut clients = HeavyClients::default();
        for n in 0..1_000 {
            clients.add(7, 1);
            clients.add(1_000 + n, 1);
        }
        let heaviest = clients.heaviest();
        assert_eq!(heaviest[0].0, 7);
        assert!((600..=1_000).contains(&heaviest[0].1), "{heaviest:?}");
    }
}
