//! Limits how many of the largest answers are fetched at the same time, for any number of agents.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Sketches fetched and read at the same time. Each may take some megabytes.
const AT_A_TIME: usize = 8;

/// The permits, which all agents share. A clone has the same permits.
#[derive(Clone, Debug)]
pub struct Permits(Arc<AtomicUsize>);

/// A permit, which its drop gives back.
#[derive(Debug)]
pub(super) struct Permit(Arc<AtomicUsize>);

impl Default for Permits {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(AT_A_TIME)))
    }
}

impl Permits {
    /// A permit, or `None` if all are taken. Nobody waits for one: a slow agent would delay the
    /// rounds of all others.
    pub(super) fn take(&self) -> Option<Permit> {
        let less = |free: usize| free.checked_sub(1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).ok()?;
        Some(Permit(self.0.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_of_permits_is_out_and_each_comes_back() {
        let permits = Permits::default();
        let taken: Vec<Permit> = (0..AT_A_TIME).map_while(|_| permits.clone().take()).collect();
        assert_eq!(taken.len(), AT_A_TIME);
        assert!(permits.take().is_none());
        drop(taken);
        assert!(permits.take().is_some());
    }
}
