//! The exposition of an agent that has read a capture.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use dns_traffic::Config;

use super::{DEMO, HOST, read, traffic};

/// The samples of a text exposition by name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

#[test]
fn promtool_finds_nothing_wrong() {
    testbed::require!(testbed::Need::Program("promtool"));
    let agent = read(&["-H", HOST, DEMO]);
    let (_, text) = agent.get("/metrics");
    let mut promtool = Command::new("promtool");
    let mut child =
        promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
}

#[test]
fn counters_since_start_are_the_sums_of_all_periods() {
    // Every period of the capture is kept, so that their sum is what was counted since start.
    let agent = read(&["-H", HOST, "--periods", "100", DEMO]);
    let all = &agent.json("/api/v1/metrics/window/100")["100m"];
    let (_, text) = agent.get("/metrics");
    let samples = samples(&text);
    for (sample, pointer) in [
        ("pktvisor_packets_total", "/packets/total"),
        ("pktvisor_bytes_total", "/packets/bytes_total"),
        ("pktvisor_direction_packets_total{direction=\"in\"}", "/packets/in"),
        ("pktvisor_transport_packets_total{protocol=\"tcp\"}", "/packets/tcp"),
        ("pktvisor_dns_messages_by_kind_total{kind=\"query\"}", "/dns/wire_packets/queries"),
        ("pktvisor_dns_replies_total{rcode=\"NXDOMAIN\"}", "/dns/wire_packets/nxdomain"),
        ("pktvisor_dns_unmatched_total{cause=\"timed_out\"}", "/dns/xact/counts/timed_out"),
        ("pktvisor_dns_flagged_replies_total{flag=\"AA\"}", "/dns/flags/aa"),
        ("pktvisor_dns_edns_queries_total", "/dns/edns/queries"),
        ("pktvisor_dns_transactions_total{direction=\"in\"}", "/dns/xact/in/total"),
        ("pktvisor_dns_transactions_total{direction=\"out\"}", "/dns/xact/out/total"),
    ] {
        let expected =
            all.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {all}")).as_f64().unwrap();
        let found = samples.get(sample).unwrap_or_else(|| panic!("no {sample} in {text}"));
        assert!(expected > 0.0, "{pointer} is 0, which proves nothing");
        assert_eq!(*found, expected, "{sample}");
    }
}

#[test]
fn what_cannot_be_summed_is_not_there_since_start() {
    let agent = read(&["-H", HOST, DEMO]);
    let (_, text) = agent.get("/metrics");
    assert!(text.contains("pktvisor_period_addresses{"));
    assert!(!text.contains("pktvisor_addresses"));
    assert!(!text.contains("pktvisor_dns_names"));
}

#[test]
fn the_histogram_of_times_agrees_with_the_quantiles() {
    let agent = read(&["-H", HOST, "--periods", "100", DEMO]);
    let all = &agent.json("/api/v1/metrics/window/100")["100m"];
    let (_, text) = agent.get("/metrics");
    let samples = samples(&text);
    for direction in ["in", "out"] {
        let family = "pktvisor_dns_transaction_duration_seconds";
        let count = samples[format!("{family}_count{{direction=\"{direction}\"}}").as_str()];
        let times = &all["dns"]["xact"][direction];
        assert_eq!(count, times["total"].as_f64().unwrap());
        for (quantile, key) in [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")] {
            let value_s = times["quantiles_us"][key].as_f64().unwrap() / 1e6;
            let labels = format!("{family}_bucket{{direction=\"{direction}\",le=\"");
            let below = |bound_s: f64| {
                let found =
                    samples.iter().filter_map(|(name, count)| Some((name.strip_prefix(&labels)?, count)));
                let bounds = found.map(|(rest, count)| (rest.trim_end_matches("\"}"), *count));
                let mut bounds: Vec<(f64, f64)> =
                    bounds.map(|(bound, count)| (bound.parse().unwrap_or(f64::INFINITY), count)).collect();
                bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
                bounds.into_iter().rfind(|(bound, _)| *bound <= bound_s).map_or(0.0, |(_, n)| n)
            };
            // The bound below the quantile has fewer times than its rank, the one above it has as many.
            assert!(below(value_s) <= quantile * count + 1.0, "{direction} {key}");
            assert!(below(value_s * 2.0) >= quantile * count, "{direction} {key}");
        }
    }
}

#[test]
fn every_list_of_the_period_is_there_with_its_bounds() {
    let agent = read(&["-H", HOST, DEMO]);
    // The last closed period is what both show.
    let period = &agent.json("/api/v1/metrics/bucket/1")["1m"];
    let (_, text) = agent.get("/metrics");
    let samples = samples(&text);
    for (family, pointer) in [
        ("pktvisor_period_packets_top_ipv4", "/packets/top_ipv4"),
        ("pktvisor_period_dns_top_qname3", "/dns/top_qname3"),
        ("pktvisor_period_dns_top_nxdomain", "/dns/top_nxdomain"),
        ("pktvisor_period_dns_top_qtype", "/dns/top_qtype"),
        ("pktvisor_period_dns_xact_in_top_slow", "/dns/xact/in/top_slow"),
    ] {
        let entries = period.pointer(pointer).unwrap().as_array().unwrap();
        assert!(!entries.is_empty(), "{pointer}");
        for entry in entries {
            let name = entry["name"].as_str().unwrap().replace('\\', "\\\\").replace('"', "\\\"");
            for (suffix, key) in [("", "estimate"), ("_lower", "lower"), ("_upper", "upper")] {
                let sample = format!("{family}{suffix}{{name=\"{name}\"}}");
                assert_eq!(samples.get(sample.as_str()).copied(), entry[key].as_f64(), "{sample}");
            }
        }
        let of_family = |sample: &&&str| sample.starts_with(&format!("{family}{{"));
        assert_eq!(samples.keys().filter(of_family).count(), entries.len());
    }
}

/// docs/operations.md states the bounds.
#[test]
fn the_number_of_series_is_bounded_under_a_flood_of_random_names() {
    /// Families of a live agent that a file does not have: losses by cause, and roles of threads.
    const LIVE_ONLY: usize = 6 + 6;
    /// 25 lists of at most ten entries, each with its bounds.
    const LISTED_MAX: usize = 25 * 10 * 3;
    /// There are 15 kinds of findings, and at most eight of a kind.
    const FINDINGS_MAX: usize = 15 * 8;
    let mut fixed_before = None;
    for (random_subdomains, random_sources) in [(0.0, 0.0), (0.9, 0.9)] {
        let (_directory, path, _) = traffic(Config {
            packets: 60_000,
            rate: 500.0,
            names: 100_000,
            clients: 50_000,
            random_subdomains,
            random_sources,
            malformed: 0.02,
            ..Config::default()
        });
        let agent = read(&["-H", HOST, "--client-prefix", "24,56", &path]);
        let text = agent.get("/metrics").1;
        let (listed, rest): (Vec<_>, Vec<_>) =
            samples(&text).into_keys().partition(|name| name.contains("_top_"));
        let (findings, fixed): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|name| name.starts_with("pktvisor_finding{"));
        println!("{} fixed, {} listed, {} findings", fixed.len(), listed.len(), findings.len());
        assert!(fixed.len() + LIVE_ONLY < 350, "{} series", fixed.len());
        assert!(listed.len() <= LISTED_MAX, "{} series", listed.len());
        assert!(findings.len() <= FINDINGS_MAX, "{findings:?}");
        // Random names add not one series to the fixed ones.
        assert_eq!(*fixed_before.get_or_insert(fixed.len()), fixed.len());
        assert!(text.len() < 1_000_000, "{} bytes", text.len());
    }
}

#[test]
fn labels_of_series_cannot_be_given_by_the_operator() {
    let agent = read(&["-H", HOST, "--label", "site=\"a\\b\"", DEMO]);
    let (_, text) = agent.get("/metrics");
    let pairs = text.split("=\"").filter_map(|before| before.rsplit_once(['{', ','])).map(|(_, name)| name);
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let names: BTreeSet<&str> = pairs.filter(is_name).filter(|name| !name.is_empty()).collect();
    assert!(names.len() > 8 && names.contains("site"), "{names:?}");
    for name in names.into_iter().filter(|name| !["site", "le"].contains(name)) {
        assert!(pktvisor_agent::families::is_label(name), "--label {name}=x would be accepted");
    }
    assert!(text.contains("pktvisor_packets_total{site=\"\\\"a\\\\b\\\"\"} 2700\n"));
    assert_eq!(agent.json("/api/v1/metrics/app")["app"]["labels"]["site"], "\"a\\b\"");
}

#[test]
fn the_cost_of_the_agent_is_known() {
    let agent = read(&["-H", HOST, DEMO]);
    let (_, text) = agent.get("/metrics");
    let samples = samples(&text);
    assert!(samples["process_cpu_seconds_total"] > 0.0);
    assert!(samples["process_resident_memory_bytes"] > 1e6);
    let of_roles = samples.iter().filter(|(name, _)| name.starts_with("pktvisor_cpu_seconds_total{role="));
    let sum: f64 = of_roles.map(|(_, cpu_s)| cpu_s).sum();
    // A tick of the kernel's clock is 10 ms.
    assert!((sum - samples["process_cpu_seconds_total"]).abs() < 0.02, "{sum}");
    let packets = samples["pktvisor_packets_seen_total"];
    let of_packet = samples["pktvisor_cpu_seconds_per_packet"];
    assert!((of_packet * packets / samples["process_cpu_seconds_total"] - 1.0).abs() < 1e-6, "{of_packet}");
}
