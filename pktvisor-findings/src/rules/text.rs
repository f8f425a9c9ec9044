//! Numbers in sentences.

use pktvisor_api::TopEntry;

use crate::bounds::count_low;
use crate::observation::HeavyClient;
use crate::symptom::Scene;

/// A share as a whole percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A rate in messages a second.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        value if value >= 9_950.0 => format!("{:.0}k/s", value / 1000.0),
        value if value >= 999.5 => format!("{:.1}k/s", value / 1000.0),
        value if value >= 9.95 => format!("{value:.0}/s"),
        value => format!("{value:.1}/s"),
    }
}

/// A time of microseconds.
pub(super) fn time(micros: f64) -> String {
    match micros {
        value if value >= 999_500.0 => format!("{:.1} s", value / 1e6),
        value if value >= 9_950.0 => format!("{:.0} ms", value / 1000.0),
        value => format!("{:.1} ms", value / 1000.0),
    }
}

/// The clients that do it: those with a tenth of the queries and more, none if they are many.
pub(super) fn who(scene: &Scene<'_>, clients: &[HeavyClient], queries: u64) -> Vec<TopEntry> {
    let scale = scene.observation.scale;
    let heavy = clients.iter().filter(|client| client.queries * 10 >= queries);
    let entry = |client: &HeavyClient| {
        let estimate = (client.queries as f64 * scale).round() as u64;
        // Exact counts are their own bounds.
        let lower = if scale > 1.0 { (count_low(client.queries) * scale) as u64 } else { client.queries };
        TopEntry { name: client.name.to_string(), estimate, lower: Some(lower), upper: None, scaled: None }
    };
    heavy.take(10).map(entry).collect()
}

/// Who does it, as the end of a sentence.
pub(super) fn by(clients: &[TopEntry], distinct_clients: f64) -> String {
    match clients {
        [] if distinct_clients >= 1.5 => format!(", from about {distinct_clients:.0} clients"),
        [] => String::new(),
        [only] => format!(", mostly from {}", only.name),
        [first, rest @ ..] => format!(", mostly from {} and {} more", first.name, rest.len()),
    }
}
