//! Lists of rare events, in small tables.

use std::ops::{Deref, DerefMut};

use crate::frequent::{FrequentItems, ListLimits};

/// A list of rare events.
#[derive(Clone, Debug)]
pub(super) struct RareItems(FrequentItems);

impl Default for RareItems {
    fn default() -> Self {
        Self(FrequentItems::new(ListLimits::SMALL))
    }
}

impl RareItems {
    /// The list with these items.
    pub(super) fn of(items: FrequentItems) -> Self {
        Self(items)
    }
}

impl Deref for RareItems {
    type Target = FrequentItems;

    fn deref(&self) -> &FrequentItems {
        &self.0
    }
}

impl DerefMut for RareItems {
    fn deref_mut(&mut self) -> &mut FrequentItems {
        &mut self.0
    }
}
