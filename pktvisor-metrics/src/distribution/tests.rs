use super::*;

fn of(values: impl IntoIterator<Item = u64>) -> Distribution {
    let mut quantiles = Distribution::default();
    for value in values {
        quantiles.record(value);
    }
    quantiles
}

fn exact(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

/// Values of all magnitudes.
fn spread() -> impl Iterator<Item = u64> {
    (0..9_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (n % 62))
}

#[test]
fn it_agrees_with_an_hdr_histogram() {
    let mut oracle = hdrhistogram::Histogram::<u64>::new(2).unwrap();
    let mut distribution = Distribution::default();
    for (index, value) in spread().enumerate() {
        distribution.record(value);
        oracle.record(value).unwrap();
        let bucket = distribution.bucket_of(value);
        assert_eq!(bucket.low, oracle.lowest_equivalent(value));
        assert_eq!(bucket.count, oracle.count_at(value));
        assert_eq!(bucket.end, oracle.next_non_equivalent(value), "{value}");
        if index % 500 == 0 {
            let of_oracle: Vec<_> = oracle
                .iter_recorded()
                .map(|step| (oracle.median_equivalent(step.value_iterated_to()), step.count_at_value()))
                .collect();
            assert_eq!(distribution.buckets().collect::<Vec<_>>(), of_oracle);
        }
    }
    assert_eq!(distribution.count(), oracle.len());
}

#[test]
fn buckets_follow_each_other_without_a_gap() {
    let mut last = 0;
    for value in 0..200_000 {
        let bucket = bucket(value);
        assert!(bucket == last || bucket == last + 1, "{value}");
        last = bucket;
        assert!(middle(bucket).abs_diff(value) * 250 <= value, "{value}");
    }
}

#[test]
fn nothing_has_no_quantiles() {
    assert_eq!(Distribution::default().report(), None);
}

#[test]
fn small_values_are_exact() {
    let mut values: Vec<u64> = (0..210).map(|n| n * 7919 % 256).collect();
    let report = of(values.iter().copied()).report().unwrap();
    values.sort_unstable();
    assert_eq!(
        [report.p50, report.p90, report.p95, report.p99],
        [50, 90, 95, 99].map(|percent| exact(&values, percent))
    );
}

#[test]
fn large_values_are_within_one_percent() {
    let mut values: Vec<u64> = (1..5_000u64).map(|n| n * n * n).collect();
    let report = of(values.iter().copied()).report().unwrap();
    values.sort_unstable();
    for (found, percent) in [(report.p50, 50), (report.p90, 90), (report.p95, 95), (report.p99, 99)] {
        let exact = exact(&values, percent) as f64;
        assert!((found as f64 / exact - 1.0).abs() < 0.01, "p{percent}: {found} for {exact}");
    }
}

#[test]
fn one_value_is_every_quantile() {
    let report = of([7]).report().unwrap();
    assert_eq!([report.p50, report.p90, report.p95, report.p99], [7; 4]);
}

#[test]
fn the_largest_value_does_not_overflow() {
    let report = of([u64::MAX]).report().unwrap();
    assert!(report.p50 > u64::MAX / 100 * 99);
}

#[test]
fn values_up_to_a_bound_before_a_power_of_two_are_counted_exactly() {
    let values: Vec<u64> = (0..40_000u64).map(|n| n * 37 % 20_011).collect();
    let bounds = [63, 255, 1023, 4095, 16_383, 1 << 40];
    let exact = bounds.map(|bound| values.iter().filter(|value| **value <= bound).count() as u64);
    assert_eq!(of(values).at_most(bounds), exact);
    assert_eq!(Distribution::default().at_most(bounds), [0; 6]);
}

#[test]
fn the_sum_is_within_half_a_percent() {
    let values: Vec<u64> = (1..3_000u64).map(|n| n * n).collect();
    let exact: u64 = values.iter().sum();
    let found = of(values).sum() as f64 / exact as f64;
    assert!((found - 1.0).abs() < 0.005, "{found}");
}

#[test]
fn quantiles_since_a_copy_are_those_of_the_values_since() {
    let (first, second): (Vec<u64>, Vec<u64>) =
        ((0..900).map(|n| n * 3).collect(), (0..700).map(|n| n * n).collect());
    for (before, since) in [(&first, &second), (&second, &first), (&first, &first), (&vec![], &second)] {
        let earlier = of(before.iter().copied());
        let mut now = earlier.clone();
        since.iter().for_each(|value| now.record(*value));
        let alone = of(since.iter().copied()).report().unwrap();
        assert_eq!(now.middle_and_high_since(&earlier), Some([alone.p50, alone.p95]));
        assert_eq!(now.middle_and_high_since(&now), None);
    }
    assert_eq!(Distribution::default().middle_and_high_since(&Distribution::default()), None);
}

#[test]
fn what_is_left_without_a_copy_is_what_was_recorded_since() {
    let mut now = of((0..900).map(|n| n * n));
    let earlier = now.clone();
    (0..300).for_each(|value| now.record(value * 7));
    now.subtract(&earlier);
    assert_eq!(now.report(), of((0..300).map(|value| value * 7)).report());
    now.subtract(&now.clone());
    assert_eq!((now.report(), now.count()), (None, 0));
}

#[test]
fn merging_equals_recording_together() {
    let (first, second): (Vec<u64>, Vec<u64>) = ((0..900).map(|n| n * n).collect(), (0..300).collect());
    let mut merged = of(first.iter().copied());
    merged.merge(&of(second.iter().copied()));
    assert_eq!(merged.report(), of(first.into_iter().chain(second)).report());
}
