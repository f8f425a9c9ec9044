//! The tables of docs/metrics.md are those of the declarations.

use std::path::Path;

use pktvisor_definitions::{Exactness, GROUPS, Group, Kind, LEDGER, Metric, RATES};

/// Before a table: the groups that it holds. Keys are relative to the first of them. `rates:packets` is that of
/// `/api/v1/metrics/rates`.
const BEGIN: &str = "<!-- table: ";
const END: &str = "<!-- end of table -->";

/// What pktvisor 3.0 had; this never changes.
const IN_3_0: &[(&str, &str)] = &[
    ("packets", "total udp tcp other_l4 ipv4 ipv6 in out deep_samples top_ipv4 top_ipv6 top_geoLoc top_ASN"),
    ("packets.cardinality", "src_ips_in dst_ips_out"),
    ("packets.rates", "pps_in pps_out"),
    ("dns.wire_packets", "total queries replies tcp udp ipv4 ipv6 noerror nxdomain srvfail refused"),
    ("dns.cardinality", "qname"),
    ("dns.xact.counts", "total"),
    ("dns.xact.in", "total quantiles_us top_slow"),
    ("dns.xact.out", "total quantiles_us top_slow"),
    ("dns", "top_qname2 top_qname3 top_nxdomain top_refused top_srvfail top_rcode top_qtype top_udp_ports"),
    ("rates:packets", "in out"),
];

#[test]
fn docs_metrics_md_has_the_tables_of_the_declarations() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let expected = with_tables(&text);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        // At once, because another test reads the file.
        let new = path.with_extension("md.new");
        std::fs::write(&new, expected).unwrap();
        std::fs::rename(new, &path).unwrap();
        return;
    }
    assert!(text == expected, "run: UPDATE_GOLDEN=1 cargo test -p pktvisor-definitions");
}

#[test]
fn every_metric_stands_in_a_table() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md")).unwrap();
    let shown: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix(BEGIN)?.strip_suffix(" -->"))
        .flat_map(|groups| groups.split(' '))
        .collect();
    for name in GROUPS.iter().map(|group| group.path).chain(["app.ledger", "rates:packets"]) {
        assert!(shown.contains(&name), "no table of docs/metrics.md has {name}");
    }
}

/// The text with each table made again.
fn with_tables(text: &str) -> String {
    let mut made = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        made.push_str(line);
        made.push('\n');
        if let Some(groups) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" -->")) {
            made.push_str(&table(&groups.split(' ').collect::<Vec<_>>()));
            lines.find(|line| *line == END).expect("every table has an end");
            made.push_str(END);
            made.push('\n');
        }
    }
    made
}

fn table(paths: &[&str]) -> String {
    let mut table = "\n| key | unit | class | meaning |\n|---|---|---|---|\n".to_owned();
    for path in paths {
        let group = group(path).expect("a declared group");
        let below = path[paths[0].len()..].trim_start_matches('.');
        for metric in group.metrics.iter().filter(|metric| metric.kind != Kind::Group) {
            let dot = if below.is_empty() { "" } else { "." };
            let ours = if is_in_3_0(path, metric) { "" } else { " **+**" };
            let (key, unit, class) = (metric.key, metric.unit, class(metric));
            table.push_str(&format!(
                "| `{below}{dot}{key}`{ours} | {unit} | {class} | {} |\n",
                meaning(metric)
            ));
        }
    }
    table + "\n"
}

/// The group of this name in the documentation.
fn group(name: &str) -> Option<&'static Group> {
    match name {
        "app.ledger" => Some(&LEDGER),
        "rates:packets" => Some(&RATES),
        path => GROUPS.iter().find(|group| group.path == path),
    }
}

fn is_in_3_0(path: &str, metric: &Metric) -> bool {
    IN_3_0.iter().any(|(group, keys)| *group == path && keys.split(' ').any(|key| key == metric.key))
}

fn class(metric: &Metric) -> &'static str {
    match metric.class {
        Exactness::Exact => "exact",
        Exactness::Analysed => "analysed",
        Exactness::Distinct => "distinct",
        Exactness::List => "list",
        Exactness::Quantile => "quantile",
    }
}

fn meaning(metric: &Metric) -> String {
    let left_out = if metric.kind == Kind::Quantiles { " Left out where there was none." } else { "" };
    format!("{}{left_out}", metric.help.trim())
}
