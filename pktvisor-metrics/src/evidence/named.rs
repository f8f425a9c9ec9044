//! Items with their names as text. It is written once, not in each second.

use std::cell::OnceCell;
use std::sync::Arc;

/// What has a name.
pub(super) trait HasName {
    /// The name as text.
    fn text(&self) -> String;
}

/// An item, and its name from the first time that somebody asks for it.
#[derive(Clone, Debug, Default)]
pub(super) struct NamedKey<K> {
    key: K,
    name: OnceCell<Arc<str>>,
}

impl<K: HasName> NamedKey<K> {
    pub(super) fn new(key: K) -> Self {
        Self { key, name: OnceCell::new() }
    }

    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(self.name.get_or_init(|| self.key.text().into()))
    }
}
