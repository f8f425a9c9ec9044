//! The medians as a table and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::load::Latency;
use super::profile::Profile;

/// What one round measured of one watcher.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    pub(super) queries_per_second: Option<f64>,
    pub(super) latency: Option<Latency>,
    pub(super) tcp_gbits: Option<f64>,
    pub(super) profile: Option<Profile>,
}

/// A row of the table.
#[derive(Debug, Serialize)]
struct HostResult<'a> {
    watcher: &'a str,
    rounds: usize,
    queries_per_second: Option<f64>,
    /// Of the unwatched queries per second, in each round, in percent; the median of these.
    share_pct: Option<f64>,
    latency: Option<Latency>,
    tcp_gbits: Option<f64>,
}

fn results<'a>(rounds: &[(&'a str, Vec<Round>)]) -> Vec<HostResult<'a>> {
    let unwatched = rounds.first().map_or(&[][..], |(_, rounds)| rounds.as_slice());
    rounds.iter().map(|(watcher, rounds)| result(watcher, rounds, unwatched)).collect()
}

fn result<'a>(watcher: &'a str, rounds: &[Round], unwatched: &[Round]) -> HostResult<'a> {
    let of_latency = |get: fn(&Latency) -> f64| median(rounds.iter().map(|r| Some(get(&r.latency?))));
    let latency = match [of_latency(|l| l.mean_us), of_latency(|l| l.p50_us), of_latency(|l| l.p99_us)] {
        [Some(mean_us), Some(p50_us), Some(p99_us)] => Some(Latency { mean_us, p50_us, p99_us }),
        _ => None,
    };
    // The machine changes its speed from round to round, so that those of one round are compared.
    let shares = rounds.iter().zip(unwatched).map(|(watched, unwatched)| {
        Some(watched.queries_per_second? * 100.0 / unwatched.queries_per_second?)
    });
    HostResult {
        watcher,
        rounds: rounds.len(),
        queries_per_second: median(rounds.iter().map(|round| round.queries_per_second)),
        share_pct: median(shares),
        latency,
        tcp_gbits: median(rounds.iter().map(|round| round.tcp_gbits)),
    }
}

fn median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values: Vec<f64> = values.flatten().collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}

/// The table, and below it where the added time goes.
pub(super) fn table(rounds: &[(&str, Vec<Round>)]) -> String {
    let mut text = format!(
        "{:<9}{:>12}{:>9}{:>10}{:>9}{:>9}{:>12}\n",
        "watcher", "queries/s", "share %", "mean us", "p50 us", "p99 us", "TCP Gbit/s"
    );
    let cell = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    for row in results(rounds) {
        let of_latency = |get: fn(&Latency) -> f64| cell(row.latency.as_ref().map(get), 1);
        let _ = writeln!(
            text,
            "{:<9}{:>12}{:>9}{:>10}{:>9}{:>9}{:>12}",
            row.watcher,
            cell(row.queries_per_second, 0),
            cell(row.share_pct, 1),
            of_latency(|latency| latency.mean_us),
            of_latency(|latency| latency.p50_us),
            of_latency(|latency| latency.p99_us),
            cell(row.tcp_gbits, 2),
        );
    }
    let profile = |rounds: &[Round]| {
        let profiles: Vec<&Profile> = rounds.iter().filter_map(|round| round.profile.as_ref()).collect();
        (!profiles.is_empty()).then(|| Profile::mean(&profiles))
    };
    let mut profiles = rounds.iter().filter_map(|(watcher, rounds)| Some((watcher, profile(rounds)?)));
    if let Some((_, unwatched)) = profiles.next() {
        for (watcher, watched) in profiles {
            let _ = write!(text, "\nadded by {watcher}, for each query\n{}", watched.added_to(&unwatched));
        }
    }
    text
}

/// The results as a document.
#[derive(Serialize)]
struct HostResults<'a> {
    benchmark: &'static str,
    watchers: Vec<HostResult<'a>>,
}

/// One JSON object with the medians of every watcher.
pub(super) fn json(rounds: &[(&str, Vec<Round>)]) -> serde_json::Result<String> {
    Ok(serde_json::to_string(&HostResults { benchmark: "host", watchers: results(rounds) })? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(queries_per_second: f64) -> Round {
        let latency = Some(Latency { mean_us: 40.0, p50_us: 39.0, p99_us: 90.0 });
        Round { queries_per_second: Some(queries_per_second), latency, ..Round::default() }
    }

    #[test]
    fn shares_compare_the_watched_with_the_unwatched_of_the_same_round() {
        let rounds = [
            ("nobody", vec![round(100.0), round(200.0), round(100.0)]),
            ("tcx", vec![round(90.0), round(190.0), round(95.0)]),
        ];
        let [_, watched] = &results(&rounds)[..] else { panic!("two rows") };
        assert_eq!((watched.queries_per_second, watched.share_pct), (Some(95.0), Some(95.0)));
        assert_eq!(watched.tcp_gbits, None);
        let text = table(&rounds);
        let row = "tcx                95     95.0      40.0     39.0     90.0           -";
        assert!(text.lines().any(|line| line == row), "{text}");
        let json: serde_json::Value = serde_json::from_str(&json(&rounds).unwrap()).unwrap();
        assert_eq!(json["watchers"][1]["latency"]["p99_us"], 90.0);
    }

    #[test]
    fn the_median_of_an_even_number_is_between_both_in_the_middle() {
        let values = |values: &[f64]| median(values.iter().copied().map(Some));
        assert_eq!((values(&[3.0, 1.0, 2.0, 10.0]), values(&[])), (Some(2.5), None));
    }
}
