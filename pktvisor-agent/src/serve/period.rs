//! The JSON form of a period.

use std::collections::BTreeMap;

use pktvisor_api::Period;
use serde::Serialize;
use utoipa::ToSchema;

/// One period or window under one key, its length in minutes or seconds: "1m", "5m", "10s"; or a focus under the key "focus".
#[derive(Serialize, ToSchema)]
#[schema(as = PeriodDocument)]
pub(super) struct KeyedPeriod(BTreeMap<String, Period>);

impl KeyedPeriod {
    pub(super) fn new(minutes: usize, period: Period) -> Self {
        Self(BTreeMap::from([(format!("{minutes}m"), period)]))
    }

    /// Under the key of a focus.
    pub(super) fn of_focus(period: Period) -> Self {
        Self(BTreeMap::from([("focus".to_owned(), period)]))
    }

    /// Under the number of seconds: "10s".
    pub(super) fn of_seconds(seconds: u64, period: Period) -> Self {
        Self(BTreeMap::from([(format!("{seconds}s"), period)]))
    }
}
