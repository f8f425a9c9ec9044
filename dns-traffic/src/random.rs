//! Seeded randomness whose output never changes: the same seed gives the same bytes on every
//! machine and in every later version.
//!
//! Only integer arithmetic and the exactly rounded IEEE operations (`+ - * /`) are used: `f64::ln`
//! and `f64::exp` come from the platform's mathematics library and differ in the last bit between
//! platforms.

/// The xoshiro256++ generator (Blackman and Vigna,
/// <https://prng.di.unimi.it/xoshiro256plusplus.c>).
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A generator whose state is drawn from `seed` by splitmix64, as the authors advise.
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = [0; 4];
        for (index, word) in (1..).zip(&mut state) {
            *word = mix(seed.wrapping_add(GOLDEN_GAMMA.wrapping_mul(index)));
        }
        Self { state }
    }

    /// The next 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let result = s0.wrapping_add(*s3).rotate_left(23).wrapping_add(*s0);
        let shifted = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= shifted;
        *s3 = s3.rotate_left(45);
        result
    }

    /// A number in `0..bound`; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Whether an event of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `choices`, which is not empty, all equally likely.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// One of `choices`, which is not empty, by their weights.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let total: u64 = choices.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.below(total);
        for (weight, choice) in choices {
            if left < u64::from(*weight) {
                return *choice;
            }
            left -= u64::from(*weight);
        }
        choices[choices.len() - 1].1
    }

    /// A waiting time of a Poisson process with this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -ln(1.0 - self.unit()) * mean
    }

    /// A log-normal value: `median` times e to the power of `sigma` normal deviates.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * exp(sigma * self.normal())
    }

    /// A standard normal deviate, approximately: the sum of twelve uniform ones (Irwin-Hall), so
    /// never beyond 6.
    fn normal(&mut self) -> f64 {
        let mut sum = 0_u64;
        for _ in 0..3 {
            let bits = self.next_u64();
            sum += (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        }
        (sum as f64 + 6.0) / 65_536.0 - 6.0
    }
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64: a bijection of 64-bit numbers that scatters neighbours.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The natural logarithm of a positive normal number: exponent plus the atanh series of the
/// mantissa.
pub(crate) fn ln(value: f64) -> f64 {
    let bits = value.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let mut series = 0.0;
    for divisor in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * square + 1.0 / divisor;
    }
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * ratio * series
}

/// e to the power of `value`, for values between -700 and 700.
pub(crate) fn exp(value: f64) -> f64 {
    let scaled = value * std::f64::consts::LOG2_E;
    let whole = if scaled < 0.0 { scaled as i64 - 1 } else { scaled as i64 };
    let rest = (scaled - whole as f64) * std::f64::consts::LN_2;
    let mut series = 1.0;
    for divisor in (1..=14).rev() {
        series = 1.0 + series * rest / f64::from(divisor);
    }
    series * f64::from_bits(((whole + 1023) as u64) << 52)
}

/// Draws ranks `0..n` with probability proportional to 1 / (rank + 1)^exponent, in constant time by
/// an alias table (Walker 1977, built as in Vose 1991).
#[derive(Clone, Debug)]
pub(crate) struct Zipf {
    /// For each column, the threshold (of 32 random bits) below which it is drawn, and its alias
    /// otherwise.
    columns: Vec<(u32, u32)>,
}

impl Zipf {
    /// A table of `count` ranks, at least one.
    pub(crate) fn new(count: u32, exponent: f64) -> Self {
        let count = count.max(1);
        let weights: Vec<f64> = (1..=count).map(|rank| exp(-exponent * ln(f64::from(rank)))).collect();
        let scale = f64::from(count) / weights.iter().sum::<f64>();
        let mut shares: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
        let mut columns: Vec<(u32, u32)> = (0..count).map(|rank| (u32::MAX, rank)).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..count).partition(|rank| shares[*rank as usize] < 1.0);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            let share = shares[poor as usize];
            columns[poor as usize] = ((share * f64::from(u32::MAX)) as u32, rich);
            shares[rich as usize] -= 1.0 - share;
            if shares[rich as usize] < 1.0 {
                small.extend(large.pop());
            }
        }
        Self { columns }
    }

    /// A rank; 0 is the most frequent one.
    pub(crate) fn draw(&self, rng: &mut Rng) -> u32 {
        let column = rng.below(self.columns.len() as u64) as usize;
        let (stay, alias) = self.columns[column];
        if (rng.next_u64() >> 32) as u32 <= stay { column as u32 } else { alias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn logarithm_and_exponential_agree_with_the_library_to_one_part_in_a_billion() {
        for step in 1..2000 {
            let value = f64::from(step) * 0.037;
            assert!((ln(value) - value.ln()).abs() < 1e-9, "ln {value}");
            let power = value - 30.0;
            assert!((exp(power) / power.exp() - 1.0).abs() < 1e-9, "exp {power}");
        }
    }

    #[test]
    fn normal_deviates_have_mean_zero_and_variance_one() {
        let mut rng = Rng::new(7);
        let draws: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|draw| (draw - mean) * (draw - mean)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.02, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }

    #[test]
    fn zipf_ranks_occur_in_proportion_to_their_weights() {
        let (zipf, mut rng) = (Zipf::new(1000, 1.0), Rng::new(1));
        let mut counts = vec![0_u32; 1000];
        for _ in 0..1_000_000 {
            counts[zipf.draw(&mut rng) as usize] += 1;
        }
        let harmonic: f64 = (1..=1000).map(|rank| 1.0 / f64::from(rank)).sum();
        for rank in [0, 1, 9, 99] {
            let expected = 1e6 / f64::from(rank + 1) / harmonic;
            let found = f64::from(counts[rank as usize]);
            assert!((found / expected - 1.0).abs() < 0.1, "rank {rank}: {found} for {expected}");
        }
    }
}
