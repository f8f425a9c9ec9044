//! Counts by size, in two forms that describe the same values.

/// A histogram: how many values there are of each size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// How many values there are.
    pub count: u64,
    /// Their sum, in the unit of the family.
    pub sum: f64,
    /// A few fixed buckets, by rising bound. The bucket without a bound is [`count`](Self::count).
    pub classic: Vec<CumulativeBucket>,
    /// Many buckets of equal relative width, for readers that know them.
    pub exponential: Option<ExponentialBuckets>,
}

/// How many values are at most `bound`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CumulativeBucket {
    /// The bound, in the unit of the family.
    pub bound: f64,
    /// All values up to it, those of lower buckets included.
    pub count: u64,
}

/// The buckets of a base-2 exponential histogram, as OpenTelemetry counts them: with scale s, the bucket
/// of index i holds the values v with b^i < v <= b^(i + 1), where b = 2^(2^-s).
///
/// A native histogram of Prometheus has the same buckets; there the scale is called schema, and the
/// index is one more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExponentialBuckets {
    /// The scale, -4 to 8 so that Prometheus can read it.
    pub scale: i8,
    /// Values of zero.
    pub zero: u64,
    /// Index and count of each bucket that is not empty, by rising index.
    pub counts: Vec<(i32, u64)>,
}
