//! What a sample is sure to say: bounds that hold in 99 of 100 cases and more.

/// Standard errors between an estimate and its bound: one in 200 estimates is further off.
const STANDARD_ERRORS: f64 = 2.58;

/// The lower bound of a share of which `part` of `all` were seen (Wilson, 1927); 0 of nothing.
pub(crate) fn share_low(part: u64, all: u64) -> f64 {
    if all == 0 {
        return 0.0;
    }
    let (n, z2) = (all as f64, STANDARD_ERRORS * STANDARD_ERRORS);
    let share = (part.min(all) as f64) / n;
    let centre = share + z2 / (2.0 * n);
    let margin = STANDARD_ERRORS * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    ((centre - margin) / (1.0 + z2 / n)).max(0.0)
}

/// The lower bound of a number of events of which `count` were seen.
pub(crate) fn count_low(count: u64) -> f64 {
    let count = count as f64;
    (count - STANDARD_ERRORS * count.sqrt()).max(0.0)
}

/// A part of all, 0 of nothing.
pub(crate) fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_below_the_share_and_close_to_it_with_many_samples() {
        for (part, all) in [(1, 1), (5, 5), (50, 100), (0, 10), (9_000, 10_000)] {
            assert!(share_low(part, all) <= share(part, all), "{part} of {all}");
        }
        assert!(share_low(5, 5) < 0.5);
        assert!(share_low(9_000, 10_000) > 0.89);
        assert_eq!(share_low(0, 0), 0.0);
    }
}
