//! Numbers as an operator reads them: short, of bounded width, with their unit.
//!
//! Every function here documents the widest text it returns, so that columns can be laid out once
//! and nothing jumps when a number grows.

use std::time::Duration;

use jiff::{Timestamp, tz::Offset};

/// Stands for a missing value.
pub const NOTHING: &str = "–";

const COUNT_SUFFIXES: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];

/// A number in at most 5 columns: `9999`, `12.3k`, `1.23M`, up to `18.4E` for 2^64 - 1.
pub fn count(value: u64) -> String {
    if value < 10_000 { value.to_string() } else { scaled(u128::from(value)) }
}

/// A number of bits per second from bytes per second, in at most 8 columns: `999 b/s`, `12.3 Mb/s`
/// reads `12.3Mb/s`.
pub fn bits_per_second(bytes_per_second: u64) -> String {
    let bits = u128::from(bytes_per_second) * 8;
    let number = if bits < 1000 { bits.to_string() } else { scaled(bits) };
    format!("{number}b/s")
}

/// Three significant digits and a suffix; the value is at least 1000.
fn scaled(value: u128) -> String {
    let mut unit: u128 = 1000;
    // A thousandth of the unit is what is rounded to, at most: find the unit in which three digits
    // suffice.
    for suffix in &COUNT_SUFFIXES[1..] {
        let hundredths = (value * 100 + unit / 2) / unit;
        if hundredths < 1000 {
            return format!("{}.{:02}{suffix}", hundredths / 100, hundredths % 100);
        }
        let tenths = (value * 10 + unit / 2) / unit;
        if tenths < 1000 {
            return format!("{}.{}{suffix}", tenths / 10, tenths % 10);
        }
        let whole = (value + unit / 2) / unit;
        if whole < 1000 || *suffix == "E" {
            return format!("{whole}{suffix}");
        }
        unit *= 1000;
    }
    value.to_string()
}

/// Every digit, grouped by thousands: `1,234,567`; at most 26 columns.
pub fn exact(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Every digit if that takes at most `width` columns, otherwise as [`count`] writes it.
pub fn exact_within(value: u64, width: usize) -> String {
    let text = exact(value);
    if text.len() <= width { text } else { count(value) }
}

/// `part` of `whole` as a fraction, 0 to 1; `None` if the whole is 0. Estimates can exceed their
/// whole: cut at 1.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64).min(1.0))
}

/// Thousandths a second as a number a second in at most 5 columns: `0`, `0.3`, `12.3k`.
pub fn rate(milli: u64) -> String {
    match milli {
        0 => "0".to_owned(),
        1..100 => "<0.1".to_owned(),
        100..9_950 => format!("{:.1}", milli as f64 / 1000.0),
        _ => count(milli / 1000 + u64::from(milli % 1000 >= 500)),
    }
}

/// As [`rate`] with a sign, in at most 6 columns: `+12.3k`, `-0.3`, `0`.
pub fn change(milli: i64) -> String {
    let sign = match milli {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", rate(milli.unsigned_abs()))
}

/// `part` of `whole` in thousandths, 0 to 1000; `None` if the whole is 0.
pub fn permille(part: u64, whole: u64) -> Option<u64> {
    share(part, whole).map(|share| (share * 1000.0).round() as u64)
}

/// A fraction as per cent in at most 5 columns: `34.2%`, `100%`, `<0.1%`, `0%`, or [`NOTHING`].
pub fn percent(fraction: Option<f64>) -> String {
    match fraction {
        None => NOTHING.to_owned(),
        Some(fraction) if fraction <= 0.0 => "0%".to_owned(),
        Some(fraction) if fraction < 0.0005 => "<0.1%".to_owned(),
        Some(fraction) if fraction >= 0.9995 => "100%".to_owned(),
        Some(fraction) => format!("{:.1}%", fraction * 100.0),
    }
}

/// A figure by the unit at the end of its name, in at most 8 columns: a time of `_us`, a per cent of
/// `_share`, else a number.
pub fn measure(name: &str, value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let whole = value.round() as u64;
    match name.rsplit('_').next() {
        Some("us") => microseconds(whole),
        Some("share") => percent(Some(value.min(1.0))),
        _ if value.fract() != 0.0 && value.abs() < 1000.0 => format!("{value:.2}"),
        _ => count(whole),
    }
}

/// A time in microseconds in at most 6 columns: `412µs`, `12.3ms`, `1.23s`, `18.4Ts`.
pub fn microseconds(value: u64) -> String {
    match value {
        0..1000 => format!("{value}µs"),
        1000..1_000_000 => format!("{}ms", three_digits(value, 1000)),
        _ if value < 1_000_000_000 => format!("{}s", three_digits(value, 1_000_000)),
        _ => format!("{}s", count(value / 1_000_000)),
    }
}

/// `value / unit` with three significant digits; at most 5 columns (`1000` where rounding carries
/// over).
fn three_digits(value: u64, unit: u64) -> String {
    let quotient = value as f64 / unit as f64;
    if quotient < 9.995 {
        format!("{quotient:.2}")
    } else if quotient < 99.95 {
        format!("{quotient:.1}")
    } else {
        format!("{quotient:.0}")
    }
}

/// The text of an I/O error without `(os error 2)` at its end.
pub fn without_number(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

/// How long ago, or for how long, in at most 7 columns: `12s`, `3m05s`, `2h04m`, `11d03h`.
pub fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// The time of day in UTC of seconds since 1970-01-01: `03:41:00`; [`NOTHING`] beyond the year
/// 9999.
pub fn time_of_day(unix_seconds: i64) -> String {
    utc(unix_seconds, "%H:%M:%S")
}

/// The date in UTC of seconds since 1970-01-01: `2020-03-24`; [`NOTHING`] beyond the year 9999.
pub fn date(unix_seconds: i64) -> String {
    utc(unix_seconds, "%Y-%m-%d")
}

fn utc(unix_seconds: i64, format: &str) -> String {
    match Timestamp::from_second(unix_seconds) {
        Ok(timestamp) => Offset::UTC.to_datetime(timestamp).strftime(format).to_string(),
        Err(_) => NOTHING.to_owned(),
    }
}

/// The smallest of 1, 2, 5, 10, 20, 50 ... that is not below `value`: the scale of a chart, which
/// then moves rarely.
pub fn round_scale(value: u64) -> u64 {
    let mut power: u64 = 1;
    loop {
        for step in [1, 2, 5] {
            match power.checked_mul(step) {
                Some(scale) if scale >= value => return scale,
                Some(_) => {}
                None => return u64::MAX,
            }
        }
        match power.checked_mul(10) {
            Some(next) => power = next,
            None => return u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_never_need_more_than_five_columns() {
        for (value, text) in [
            (0, "0"),
            (9_999, "9999"),
            (10_000, "10.0k"),
            (99_950, "100k"),
            (999_499, "999k"),
            (999_500, "1.00M"),
            (1_234_567, "1.23M"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(count(value), text);
        }
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift).wrapping_sub(1), u64::MAX >> shift] {
                assert!(count(value).chars().count() <= 5, "{value}");
                assert!(microseconds(value).chars().count() <= 6, "{value}");
                assert!(bits_per_second(value).chars().count() <= 9, "{value}");
            }
        }
    }

    #[test]
    fn exact_numbers_keep_every_digit() {
        assert_eq!(exact(0), "0");
        assert_eq!(exact(1_234_567), "1,234,567");
        assert_eq!(exact(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn a_share_of_nothing_is_no_share() {
        assert_eq!(percent(share(3, 0)), NOTHING);
        assert_eq!(percent(share(0, 3)), "0%");
        assert_eq!(percent(share(1, 100_000)), "<0.1%");
        assert_eq!(percent(share(1, 3)), "33.3%");
        assert_eq!(percent(share(9_996, 10_000)), "100%");
        assert_eq!(percent(share(u64::MAX, 1)), "100%");
    }

    #[test]
    fn times_read_in_the_unit_that_fits() {
        assert_eq!(microseconds(412), "412µs");
        assert_eq!(microseconds(1_234), "1.23ms");
        assert_eq!(microseconds(999_999), "1000ms");
        assert_eq!(microseconds(2_500_000), "2.50s");
        assert_eq!(microseconds(u64::MAX), "18.4Ts");
        assert_eq!(age(Duration::from_secs(3_905)), "1h05m");
    }

    #[test]
    fn a_figure_is_written_by_its_unit() {
        for (name, value, text) in [
            ("p50_us", 212_000.0, "212ms"),
            ("nxdomain_share", 0.984, "98.4%"),
            ("queries", 12_345.0, "12.3k"),
            ("entropy", 3.456, "3.46"),
            ("queries", f64::INFINITY, NOTHING),
            ("queries", -3.0, "0"),
        ] {
            assert_eq!(measure(name, value), text, "{name}");
        }
    }

    #[test]
    fn dates_are_those_of_the_gregorian_calendar() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(1_585_008_000), "2020-03-24");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(time_of_day(-1), "23:59:59");
        // No answer of an agent makes it fail.
        assert_eq!([date(i64::MAX), date(i64::MIN), time_of_day(i64::MAX)], [NOTHING; 3]);
    }

    #[test]
    fn scales_move_in_few_steps() {
        assert_eq!(round_scale(0), 1);
        assert_eq!(round_scale(3), 5);
        assert_eq!(round_scale(5_001), 10_000);
        assert_eq!(round_scale(u64::MAX), u64::MAX);
    }
}
