//! The planned dependencies between crates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::{packages, root};

/// A crate and the crates of ours that it may depend on.
struct Plan {
    name: &'static str,
    /// In the build: normal and build dependencies.
    knows: &'static [&'static str],
    /// In its tests, examples and benchmarks as well.
    tests_know: &'static [&'static str],
}

/// From the ground up: a crate knows only crates above it in this list.
const PLAN: &[Plan] = &[
    Plan { name: "pktvisor-definitions", knows: &[], tests_know: &[] },
    Plan { name: "pktvisor-common", knows: &["pktvisor-definitions"], tests_know: &[] },
    Plan { name: "pktvisor-ebpf", knows: &["pktvisor-common"], tests_know: &[] },
    Plan { name: "pktvisor-api", knows: &["pktvisor-definitions"], tests_know: &[] },
    Plan { name: "pktvisor-memory", knows: &[], tests_know: &[] },
    Plan { name: "mapped-file", knows: &[], tests_know: &[] },
    Plan { name: "terminal-text", knows: &[], tests_know: &[] },
    Plan { name: "tls-credentials", knows: &["terminal-text"], tests_know: &[] },
    Plan { name: "command-docs", knows: &[], tests_know: &[] },
    Plan { name: "metric-families", knows: &[], tests_know: &[] },
    Plan { name: "pktvisor-sandbox", knows: &[], tests_know: &[] },
    Plan { name: "testbed", knows: &[], tests_know: &[] },
    Plan { name: "pktvisor-otlp", knows: &["metric-families", "tls-credentials"], tests_know: &["testbed"] },
    Plan { name: "capture-file", knows: &["mapped-file", "terminal-text"], tests_know: &[] },
    Plan { name: "dns-traffic", knows: &[], tests_know: &[] },
    Plan {
        name: "pcap-replay",
        knows: &["capture-file", "dns-traffic", "terminal-text", "command-docs"],
        tests_know: &["testbed"],
    },
    Plan {
        name: "pktvisor-analysis",
        knows: &["pktvisor-common", "pktvisor-memory", "mapped-file", "terminal-text"],
        tests_know: &["capture-file"],
    },
    Plan { name: "pktvisor-findings", knows: &["pktvisor-api"], tests_know: &[] },
    Plan { name: "fleet-merge", knows: &["pktvisor-definitions", "pktvisor-api"], tests_know: &[] },
    Plan {
        name: "pktvisor-metrics",
        knows: &[
            "pktvisor-definitions",
            "pktvisor-common",
            "pktvisor-api",
            "pktvisor-memory",
            "pktvisor-findings",
            "pktvisor-analysis",
        ],
        tests_know: &["capture-file", "dns-traffic"],
    },
    Plan {
        name: "pktvisor-capture",
        knows: &["pktvisor-definitions", "pktvisor-common", "pktvisor-memory", "terminal-text"],
        tests_know: &["capture-file", "testbed"],
    },
    Plan {
        name: "pktvisor-archive",
        knows: &["pktvisor-definitions", "pktvisor-api", "terminal-text", "command-docs"],
        tests_know: &["testbed"],
    },
    Plan {
        name: "pktvisor-agent",
        knows: &[
            "pktvisor-definitions",
            "pktvisor-common",
            "pktvisor-api",
            "pktvisor-memory",
            "pktvisor-analysis",
            "pktvisor-findings",
            "pktvisor-metrics",
            "pktvisor-archive",
            "pktvisor-capture",
            "pktvisor-sandbox",
            "capture-file",
            "terminal-text",
            "command-docs",
            "metric-families",
            "pktvisor-otlp",
            "tls-credentials",
        ],
        tests_know: &["fleet-merge", "dns-traffic", "pcap-replay", "testbed"],
    },
    Plan {
        name: "pktvisor-tui",
        knows: &["pktvisor-api", "fleet-merge", "tls-credentials", "command-docs"],
        tests_know: &["testbed"],
    },
    Plan {
        name: "fuzz-targets",
        knows: &[
            "pktvisor-common",
            "pktvisor-api",
            "pktvisor-analysis",
            "pktvisor-metrics",
            "pktvisor-capture",
            "pktvisor-agent",
            "pktvisor-tui",
            "capture-file",
            "dns-traffic",
            "metric-families",
        ],
        tests_know: &[],
    },
    Plan { name: "xtask", knows: &["testbed"], tests_know: &[] },
];

/// What packages depend on within the checkout: in the build, or in tests only.
fn arrows(are_wanted: fn(&Value) -> bool) -> BTreeMap<String, BTreeSet<String>> {
    let arrows_of = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        // Only packages of the checkout have a path.
        let ours = dependencies.filter(|dependency| dependency["path"].is_string() && are_wanted(dependency));
        let names = ours.map(|dependency| dependency["name"].as_str().unwrap().to_owned());
        (package["name"].as_str().unwrap().to_owned(), names.collect())
    };
    packages().iter().map(arrows_of).collect()
}

fn planned(list: fn(&Plan) -> &'static [&'static str]) -> BTreeMap<String, BTreeSet<String>> {
    let names = |plan| list(plan).iter().map(|&name| name.to_owned()).collect();
    PLAN.iter().map(|plan| (plan.name.to_owned(), names(plan))).collect()
}

/// Dependencies that are not planned, and planned ones that do not exist.
fn assert_same(found: &BTreeMap<String, BTreeSet<String>>, planned: &BTreeMap<String, BTreeSet<String>>) {
    let mut faults = Vec::new();
    let nothing = BTreeSet::new();
    for name in found.keys().chain(planned.keys()).collect::<BTreeSet<_>>() {
        if !(found.contains_key(name) && planned.contains_key(name)) {
            faults.push(format!("{name} is only in one of the workspace and the plan"));
        }
        let (is, should) = (found.get(name).unwrap_or(&nothing), planned.get(name).unwrap_or(&nothing));
        faults.extend(is.difference(should).map(|other| format!("{name} must not depend on {other}")));
        faults.extend(should.difference(is).map(|other| format!("{name} needs no {other} any more")));
    }
    assert!(faults.is_empty(), "the plan in {} disagrees:\n{}", file!(), faults.join("\n"));
}

#[test]
fn crates_depend_on_one_another_as_planned() {
    assert_same(&arrows(|dependency| dependency["kind"] != "dev"), &planned(|plan| plan.knows));
}

#[test]
fn tests_depend_on_other_crates_as_planned() {
    assert_same(&arrows(|dependency| dependency["kind"] == "dev"), &planned(|plan| plan.tests_know));
}

#[test]
fn the_plan_goes_from_the_ground_up() {
    for (place, plan) in PLAN.iter().enumerate() {
        for known in plan.knows.iter().chain(plan.tests_know) {
            let is_below = PLAN[..place].iter().any(|below| below.name == *known);
            assert!(is_below, "{known} does not stand below {}", plan.name);
        }
    }
}

/// The table of crates in docs/architecture.md: name, what it holds, what it depends on.
#[test]
fn the_documentation_draws_the_same_arrows() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let quoted =
        |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let documented: BTreeMap<_, _> = page
        .lines()
        .filter_map(|line| {
            let cells: Vec<_> = line.strip_prefix("| `")?.split('|').collect();
            let [name, _, knows, _] = cells.as_slice() else { return None };
            Some((name.trim().trim_end_matches('`').to_owned(), quoted(knows)))
        })
        .collect();
    assert_same(&documented, &planned(|plan| plan.knows));
}
