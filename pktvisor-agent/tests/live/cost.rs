//! What a live agent costs, by role of its threads, with the sandbox in force.

use std::time::{Duration, Instant};

use crate::agent::{Agent, require_kernel_programs};
use crate::network::Network;

/// The CPU time of each role at this moment.
fn roles(text: &str) -> Vec<(String, f64)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("pktvisor_cpu_seconds_total{role=\""));
    lines
        .map(|line| {
            let (role, cpu_s) = line.split_once("\"} ").unwrap();
            (role.to_owned(), cpu_s.parse().unwrap())
        })
        .collect()
}

#[test]
fn cpu_time_is_known_by_role_and_never_decreases() {
    require_kernel_programs!();
    let network = Network::host();
    let agent = Agent::start(&network.watched, &["--mode", "inline", network.interface().name()]);
    let first = roles(&agent.text("/metrics"));
    let names: Vec<&str> = first.iter().map(|(role, _)| role.as_str()).collect();
    for role in ["collector", "http", "interfaces", "main", "other", "worker"] {
        assert!(names.contains(&role), "{names:?}");
    }
    assert!(names.len() <= 10, "{names:?}");
    let (started, mut before) = (Instant::now(), first);
    while started.elapsed() < Duration::from_secs(3) {
        // Other answers make threads of the web server come.
        agent.period();
        let now = roles(&agent.text("/metrics"));
        for (role, cpu_s) in &before {
            let found = now.iter().find(|(name, _)| name == role).unwrap().1;
            assert!(found >= *cpu_s, "{role}: {cpu_s} s, then {found} s");
        }
        before = now;
    }
    assert!(before.iter().map(|(_, cpu_s)| cpu_s).sum::<f64>() > 0.0);
}
