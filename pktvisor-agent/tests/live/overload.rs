//! More DNS than deep analysis can follow: counters stay exact, and losses are reported.

use dns_traffic::Config;

use crate::agent::{Agent, assert_balanced, require_kernel_programs};
use crate::network::Network;
use crate::traffic::{GENERATED_HOST, MAX, Trace, one_second};

/// More than the rings hold, all of it DNS over UDP.
fn flood() -> Trace {
    Trace::generated(Config { packets: 200_000, dns_share: 1.0, tcp_share: 0.0, ..one_second() })
}

/// Starts an agent with XDP: of a flood, only part comes as far as tcx.
fn watch(network: &Network, mode: &str) -> Agent {
    let mut words = vec!["--mode", mode, "-H", GENERATED_HOST, network.interface().name()];
    if mode == "inline" {
        words.extend(["--hook", "xdp"]);
    }
    Agent::start(&network.watched, &words)
}

/// Floods an agent while it is stopped.
fn assert_only_deep_analysis_is_lost(mode: &str) {
    let trace = flood();
    let network = Network::mirror(1);
    let agent = watch(&network, mode);
    agent.signal(libc::SIGSTOP);
    trace.send(network.peer(), 1, MAX);
    agent.signal(libc::SIGCONT);
    let settled = agent.settled(trace.packets);
    let ledger = settled.ledger();
    assert_balanced(&ledger);
    assert_eq!((ledger.seen, ledger.pending), (trace.packets, 0));
    assert_eq!(settled.period.packets.total, trace.packets);
    assert!(ledger.lost > 0 && ledger.delivered > 0, "{ledger:?}");
    let lost = settled.app.app.losses.unwrap();
    assert_eq!(lost.ring_full + lost.xsk_full + lost.no_socket + lost.unreadable, ledger.lost);
    assert_eq!(settled.period.packets.deep_samples, trace.packets - ledger.lost - ledger.not_chosen);
}

#[test]
fn an_agent_that_is_stopped_loses_analysis_but_no_count() {
    require_kernel_programs!();
    assert_only_deep_analysis_is_lost("inline");
}

#[test]
fn a_tap_that_is_stopped_loses_analysis_but_no_count() {
    require_kernel_programs!();
    assert_only_deep_analysis_is_lost("tap");
}

#[test]
fn the_ledger_balances_at_every_moment_of_a_flood() {
    require_kernel_programs!();
    let trace = flood();
    let network = Network::mirror(1);
    let agent = watch(&network, "inline");
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            trace.send(network.peer(), 1, MAX);
            trace.send(network.peer(), 1, MAX);
        });
        while !sending.is_finished() {
            assert_balanced(&agent.app().app.ledger.unwrap());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    let settled = agent.settled(2 * trace.packets);
    assert_balanced(&settled.ledger());
    assert_eq!((settled.ledger().seen, settled.ledger().pending), (2 * trace.packets, 0));
}

#[test]
fn an_agent_counts_all_pending_packets_before_it_ends() {
    require_kernel_programs!();
    let trace = flood();
    for mode in ["inline", "tap"] {
        let network = Network::mirror(1);
        let agent = watch(&network, mode);
        trace.send(network.peer(), 1, MAX);
        let (status, stderr) = agent.stop();
        assert!(status.success(), "{stderr}");
        // "200000 packets seen, 0 filtered; 199000 DNS packets: 198000 analysed, 0 not sampled,
        // 1000 lost"
        let account = stderr.lines().last().unwrap();
        let numbers: Vec<u64> = account.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [seen, filtered, dns, analysed, not_chosen, lost] = numbers[..] else { panic!("{account}") };
        assert_eq!((seen, filtered, not_chosen), (trace.packets, 0, 0), "{account}");
        assert_eq!(dns, analysed + lost, "{account}");
        assert!(analysed > 0, "{account}");
    }
}
