//! Metric families: the plain model between what an agent counts and the formats that monitoring
//! systems read.
//!
//! A [`FamilySnapshot`] is everything at one moment. It holds families; a [`MetricFamily`] is a named set of
//! points of one kind; a [`Point`] is a value with its labels. Prometheus calls a point a series,
//! OpenTelemetry calls a family a metric and a label an attribute.
//!
//! The model knows no format. Formats add what is theirs: `_total` to counters, `_bucket` to
//! histograms, one family per value of a label where the reader wants that. So the same snapshot gives
//! the same numbers in every format.

mod histogram;

use std::borrow::Cow;
use std::time::SystemTime;

pub use histogram::{CumulativeBucket, ExponentialBuckets, Histogram};

/// A label: its name and its value. The value may hold any text.
pub type PointLabel = (Cow<'static, str>, String);

/// All families at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilySnapshot {
    /// When counters and histograms began to count.
    pub since: SystemTime,
    /// The moment that the values describe.
    pub at: SystemTime,
    /// Labels that the operator gave to the agent. They belong to every point; Prometheus repeats them at
    /// each series, OpenTelemetry states them once as attributes of the resource.
    pub labels: Vec<PointLabel>,
    /// The families, each name once.
    pub families: Vec<MetricFamily>,
}

/// A named set of points of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricFamily {
    /// The name by Prometheus' convention, with the unit and without `_total`:
    /// `pktvisor_dns_transaction_duration_seconds`.
    pub name: Cow<'static, str>,
    /// One sentence that says what the values mean.
    pub help: Cow<'static, str>,
    /// The unit, if it has a name. The family's name ends in it.
    pub unit: Option<BaseUnit>,
    /// What kind of values the points have.
    pub kind: FamilyKind,
    /// The points. No two have the same labels.
    pub points: Vec<Point>,
}

/// What kind of values the points of a family have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyKind {
    /// Only grows, from [`FamilySnapshot::since`].
    Counter,
    /// Goes up and down.
    Gauge,
    /// Quantiles of the values of one period: they are neither summed nor subtracted.
    Summary,
    /// Counts by size, which only grow, from [`FamilySnapshot::since`].
    Histogram,
}

/// A unit, in its base form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseUnit {
    /// `seconds`
    Seconds,
    /// `bytes`
    Bytes,
    /// `ratio`: 0 to 1.
    Ratio,
}

impl BaseUnit {
    /// The name that ends the family's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
        }
    }
}

/// A value and its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Labels, in a fixed order within the family.
    pub labels: Vec<PointLabel>,
    /// The value.
    pub value: PointValue,
}

/// The value of a point.
#[derive(Clone, Debug, PartialEq)]
pub enum PointValue {
    /// A count, of counters and gauges.
    Whole(u64),
    /// Any number, of counters and gauges.
    Number(f64),
    /// The value at each quantile (0 to 1), of summaries.
    Quantiles(Vec<(f64, f64)>),
    /// Counts by size, of histograms.
    Histogram(Histogram),
}

impl From<u64> for PointValue {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<f64> for PointValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<Histogram> for PointValue {
    fn from(value: Histogram) -> Self {
        Self::Histogram(value)
    }
}

impl MetricFamily {
    /// A family without points. Its unit is the one that its name ends in.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        kind: FamilyKind,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = name.into();
        let unit = [BaseUnit::Seconds, BaseUnit::Bytes, BaseUnit::Ratio]
            .into_iter()
            .find(|unit| ends_in(&name, *unit));
        Self { name, help: help.into(), unit, kind, points: Vec::new() }
    }

    /// Adds a point with these labels.
    #[must_use]
    pub fn with<const N: usize>(
        mut self,
        labels: [(&'static str, &str); N],
        value: impl Into<PointValue>,
    ) -> Self {
        self.push(labels, value);
        self
    }

    /// Adds a point with these labels.
    pub fn push<const N: usize>(&mut self, labels: [(&'static str, &str); N], value: impl Into<PointValue>) {
        let labels = labels.map(|(name, value)| (Cow::Borrowed(name), value.to_owned())).into();
        self.points.push(Point { labels, value: value.into() });
    }

    /// The name without the unit that it ends in.
    pub fn name_without_unit(&self) -> &str {
        let stripped = self.unit.and_then(|unit| self.name.strip_suffix(unit.name())?.strip_suffix('_'));
        stripped.unwrap_or(&self.name)
    }
}

fn ends_in(name: &str, unit: BaseUnit) -> bool {
    name.strip_suffix(unit.name()).is_some_and(|rest| rest.ends_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_family_is_the_end_of_its_name() {
        for (name, unit, rest) in [
            ("a_wait_seconds", Some(BaseUnit::Seconds), "a_wait"),
            ("a_bytes", Some(BaseUnit::Bytes), "a"),
            ("a_ratio", Some(BaseUnit::Ratio), "a"),
            ("a_kilobytes", None, "a_kilobytes"),
            ("bytes", None, "bytes"),
        ] {
            let family = MetricFamily::new(name, FamilyKind::Gauge, "");
            assert_eq!((family.unit, family.name_without_unit()), (unit, rest));
        }
    }

    #[test]
    fn points_keep_the_order_in_which_they_were_added() {
        let mut family = MetricFamily::new("a", FamilyKind::Counter, "").with([("k", "1")], 7_u64);
        family.push([("k", "2")], 0.5);
        let values: Vec<_> = family.points.into_iter().map(|point| point.value).collect();
        assert_eq!(values, [PointValue::Whole(7), PointValue::Number(0.5)]);
    }
}
