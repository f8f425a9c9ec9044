//! How fast a row of a list grows.

/// How fast a row grows, in thousandths a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowRate {
    /// In the last seconds.
    pub now_milli: u64,
    /// On average over the window.
    pub window_milli: u64,
}

impl RowRate {
    /// By how much the last seconds exceed the window.
    pub fn change_milli(self) -> i64 {
        let signed = |milli: u64| i64::try_from(milli).unwrap_or(i64::MAX);
        signed(self.now_milli).saturating_sub(signed(self.window_milli))
    }
}
