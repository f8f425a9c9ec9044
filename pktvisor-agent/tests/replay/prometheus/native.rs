//! Histograms in a real Prometheus: native where it asks for them, classic elsewhere.

use dns_traffic::{Answer, Config};

use super::server::Prometheus;
use super::{HOST, deployed, read, traffic};

const FAMILY: &str = "pktvisor_dns_transaction_duration_seconds";

/// Enough transactions for their p99 to be no matter of chance.
fn busy(seed: u64) -> Config {
    Config { packets: 40_000, rate: 400.0, names: 2_000, clients: 1_000, seed, ..Config::default() }
}

/// The times of one direction.
type Times = fn(&Answer) -> &[u64];

/// The exact p99 of several captures as if they were one, in seconds.
fn exact_p99(answers: &[&Answer], of: Times) -> f64 {
    let mut times_ns: Vec<u64> = answers.iter().flat_map(|answer| of(answer)).copied().collect();
    times_ns.sort_unstable();
    times_ns[times_ns.len() * 99 / 100] as f64 / 1e9
}

/// The only value of an expression.
pub(super) fn value(prometheus: &Prometheus, expression: &str) -> f64 {
    let result = prometheus.query(expression);
    let samples = result.as_array().unwrap();
    assert_eq!(samples.len(), 1, "{expression}: {result}");
    samples[0]["value"][1].as_str().unwrap().parse().unwrap()
}

#[test]
fn native_histograms_of_two_agents_give_the_p99_of_all_traffic() {
    testbed::require!(testbed::Need::Program("prometheus"));
    let (traffics, rules) = ([1, 2].map(|seed| traffic(busy(seed))), deployed("pktvisor.rules.yaml"));
    let agents = traffics.each_ref().map(|(_, path, _)| read(&["-H", HOST, path]));
    let targets = agents.each_ref().map(|agent| agent.address().to_string());
    let native = Prometheus::start_with(&targets, &rules, &["--enable-feature=native-histograms"]);
    native.wait_for("count(up == 1) == 2");
    native.wait_for(&format!("count(histogram_count({FAMILY})) == 4"));
    let answers = traffics.each_ref().map(|(_, _, answer)| answer);
    let directions: [(&str, Times); 2] = [
        ("in", |answer| &answer.total.dns.xact.inbound.times_ns),
        ("out", |answer| &answer.total.dns.xact.outbound.times_ns),
    ];
    for (direction, times) in directions {
        let exact = exact_p99(&answers, times);
        let quantile = format!("histogram_quantile(0.99, sum({FAMILY}{{direction=\"{direction}\"}}))");
        let found = value(&native, &quantile);
        println!("{direction}: p99 {found} s, exact {exact} s, {:+.2} %", 100.0 * (found / exact - 1.0));
        assert!((found / exact - 1.0).abs() < 0.02, "{direction}: {found}, exact {exact}");
        let count: usize = answers.iter().map(|answer| times(answer).len()).sum();
        let found = value(&native, &format!("sum(histogram_count({FAMILY}{{direction=\"{direction}\"}}))"));
        assert_eq!(found, count as f64, "{direction}");
    }
    let classic = native.query(&format!("{FAMILY}_bucket"));
    assert_eq!(classic.as_array().map(Vec::len), Some(0), "{classic}");
    // Counters, gauges and quantiles came with the same messages.
    assert!(value(&native, "sum(pktvisor_packets_total)") >= 80_000.0);
    native.wait_for("count(pktvisor_period_dns_transaction_time_seconds{quantile=\"0.99\"} > 0) == 4");
}

#[test]
fn without_the_feature_prometheus_gets_open_metrics_with_classic_buckets() {
    testbed::require!(testbed::Need::Program("prometheus"));
    let (_directory, path, answer) = traffic(busy(3));
    let agent = read(&["-H", HOST, "--label", "site=ams1", &path]);
    let prometheus = Prometheus::start(&[agent.address().to_string()], &deployed("pktvisor.rules.yaml"));
    prometheus.wait_for(&format!("count({FAMILY}_bucket{{le=\"+Inf\"}}) == 2"));
    let count = answer.total.dns.xact.inbound.times_ns.len();
    let found = value(&prometheus, &format!("{FAMILY}_bucket{{le=\"+Inf\",direction=\"in\"}}"));
    assert_eq!(found, count as f64);
    let native = prometheus.query(FAMILY);
    assert_eq!(native.as_array().map(Vec::len), Some(0), "{native}");
    // Only OpenMetrics names units.
    let metadata = prometheus.api(&format!("metadata?metric={FAMILY}")).unwrap();
    assert_eq!(metadata[FAMILY][0]["unit"], "seconds", "{metadata}");
    // Every series of the agent has the operator's label.
    let without = prometheus.query("count({__name__=~\"pktvisor_.*|process_.*\", site!=\"ams1\"})");
    assert_eq!(without.as_array().map(Vec::len), Some(0), "{without}");
    assert!(value(&prometheus, "count({site=\"ams1\"})") > 200.0);
}
