//! The numbers that decide whether to look further, as several pages show them.

use crate::{
    format,
    model::{AgentModel, HealthLevel, Observation, SecondSample},
    theme::Theme,
    widgets::kpi::Kpi,
};

/// The seconds before, of one figure.
fn past(agent: &AgentModel, figure: impl Fn(&SecondSample) -> Option<u64>) -> Vec<Option<u64>> {
    if agent.is_file() { Vec::new() } else { agent.history.seconds(figure).collect() }
}

/// What a rate is of: the last second, or the whole window where nothing moves any more.
fn per_second_label(agent: &AgentModel, now: &str, average: &str) -> String {
    if agent.is_file() { format!("{average}/s avg") } else { format!("{now}/s") }
}

/// A count that may be unknown.
pub(super) fn count_or_nothing(value: Option<u64>) -> String {
    value.map_or_else(|| format::NOTHING.to_owned(), format::count)
}

/// Queries a second.
pub(super) fn queries_kpi(agent: &AgentModel, theme: &Theme) -> Kpi {
    Kpi {
        label: per_second_label(agent, "DNS queries", "Queries"),
        value: count_or_nothing(agent.queries_per_second()),
        style: theme.value,
        past: past(agent, |second| second.queries),
    }
}

/// The share of replies that failed.
pub(super) fn errors_kpi(agent: &AgentModel, window: &Observation, theme: &Theme) -> Kpi {
    let share = window.error_share();
    Kpi {
        label: "Failed replies".to_owned(),
        value: format::percent(share),
        style: theme.health(HealthLevel::of_errors(share)),
        past: past(agent, |second| second.errors_permille),
    }
}

/// The 95th percentile of the transaction times.
pub(super) fn latency_kpi(agent: &AgentModel, window: &Observation, theme: &Theme) -> Kpi {
    let waited = window.dns.xact.inbound.quantiles_us.is_none() && window.p95_us().is_some();
    Kpi {
        label: if waited { "p95 latency out" } else { "p95 latency in" }.to_owned(),
        value: window.p95_us().map_or_else(|| format::NOTHING.to_owned(), format::microseconds),
        style: theme.value,
        past: past(agent, |second| second.p95_us),
    }
}

/// Packets a second to and from HOST; without any direction, packets a second and in all.
pub(super) fn packet_kpis(agent: &AgentModel, window: &Observation, theme: &Theme) -> [Kpi; 2] {
    if window.has_no_direction() {
        let plain = |label: String, value: Option<u64>, past| Kpi {
            label,
            value: count_or_nothing(value),
            style: theme.value,
            past,
        };
        let total = window.packets.total;
        let now = agent.rates.filter(|_| !agent.is_file()).map(|rates| rates.unknown);
        return [
            plain(
                per_second_label(agent, "Packets", "Packets"),
                now.or_else(|| window.per_second(total)),
                past(agent, |second| second.unknown),
            ),
            plain("Packets".to_owned(), Some(total), Vec::new()),
        ];
    }
    let (received, sent) = agent.packets_per_second();
    [
        Kpi {
            label: per_second_label(agent, "Packets in", "In"),
            value: count_or_nothing(received),
            style: theme.value,
            past: past(agent, |second| second.received),
        },
        Kpi {
            label: per_second_label(agent, "Packets out", "Out"),
            value: count_or_nothing(sent),
            style: theme.value,
            past: past(agent, |second| second.sent),
        },
    ]
}
