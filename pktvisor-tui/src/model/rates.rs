//! How fast the rows of lists grow: the last seconds beside the window.

use std::collections::HashMap;

use pktvisor_api::Period;

use super::{
    list_table::ListKind,
    lists::{Row, take_lists},
    observation::Observation,
    row_rate::RowRate,
};

impl Observation {
    /// Gives every row its rate. Rows that only the last seconds have are added with what they have
    /// there, because a list of the window has no place for all that is rare.
    pub(super) fn add_rates(&mut self, mut rolling: Period) {
        let (seconds, window_seconds) = (rolling.period.length, self.span.length);
        let mut recent = take_lists(&mut rolling);
        for kind in ListKind::every() {
            let recent = recent.get_mut(kind.index()).map(std::mem::take).unwrap_or_default();
            let Some(rows) = self.rows_mut(kind) else { continue };
            let mut recent: HashMap<_, Row> = recent.into_iter().map(|row| (row.name.clone(), row)).collect();
            for row in rows.iter_mut() {
                let count = recent.remove(&row.name).map_or(0, |row| row.estimate);
                row.rate = Some(RowRate {
                    now_milli: per_second_milli(count, seconds),
                    window_milli: per_second_milli(row.estimate, window_seconds),
                });
            }
            rows.extend(recent.into_values().map(|row| {
                let now_milli = per_second_milli(row.estimate, seconds);
                Row { rate: Some(RowRate { now_milli, window_milli: 0 }), bounds: None, ..row }
            }));
        }
    }
}

/// A count of so many seconds as thousandths a second; 0 if there are no seconds.
fn per_second_milli(count: u64, seconds: i64) -> u64 {
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => (count as f64 * 1000.0 / seconds as f64).round() as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use pktvisor_api::TopEntry;

    use super::*;
    use crate::model::Sort;

    fn period(length: i64, entries: &[(&str, u64)]) -> Period {
        let mut period = Period::default();
        period.period.length = length;
        let entry = |(name, estimate): &(&str, u64)| TopEntry {
            name: (*name).to_owned(),
            estimate: *estimate,
            ..TopEntry::default()
        };
        period.dns.top_nxdomain = entries.iter().map(entry).collect();
        period
    }

    fn names(observation: &Observation, sort: Sort) -> Vec<String> {
        let rows = observation.rows(ListKind::Nxdomain, "", sort);
        rows.iter().map(|row| row.name.to_string()).collect()
    }

    #[test]
    fn a_name_that_begins_now_is_the_first_by_rate_and_by_change() {
        let mut window = Observation::new("5m", period(300, &[("steady", 60_000), ("over", 50_000)]));
        window.add_rates(period(10, &[("steady", 2_000), ("new", 3_000)]));
        assert_eq!(names(&window, Sort::Count), ["steady", "over", "new"]);
        assert_eq!(names(&window, Sort::Rate), ["new", "steady", "over"]);
        assert_eq!(names(&window, Sort::Change), ["new", "steady", "over"]);
        let rows = window.rows(ListKind::Nxdomain, "over", Sort::Count);
        let rate = rows.first().and_then(|row| row.rate).expect("there is one");
        assert_eq!((rate.now_milli, rate.change_milli()), (0, -166_667));
    }

    #[test]
    fn without_seconds_there_is_no_rate() {
        let mut window = Observation::new("5m", period(0, &[("a", 7)]));
        window.add_rates(period(-3, &[("a", u64::MAX)]));
        assert_eq!(window.list(ListKind::Nxdomain)[0].rate, Some(RowRate::default()));
    }
}
