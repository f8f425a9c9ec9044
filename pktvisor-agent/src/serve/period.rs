//! The JSON form of a period.

use std::collections::BTreeMap;

use pktvisor_api::Period;
use serde::Serialize;
use utoipa::ToSchema;

/// One period or window under one key, its length in minutes: "1m", "5m".
#[derive(Serialize, ToSchema)]
#[schema(as = PeriodDocument)]
pub(super) struct KeyedPeriod(BTreeMap<String, Period>);

impl KeyedPeriod {
    pub(super) fn new(minutes: usize, period: Period) -> Self {
        Self(BTreeMap::from([(format!("{minutes}m"), period)]))
    }
}
