//! Inline on a name server's own interface: exact, and without loss for the server.

use testbed::Need;

use crate::agent::{Agent, assert_balanced, require_kernel_programs};
use crate::compare::{assert_counts_as_its_file, assert_counts_as_its_file_with};
use crate::dns::{Dnsperf, NameServer};
use crate::network::Network;
use crate::traffic::{GENERATED_HOST, REAL_TIME, Trace, hostile_second, one_second};

#[test]
fn a_name_server_is_counted_as_dnsperf_counts_it_and_loses_no_query() {
    require_kernel_programs!(Need::Program("knotd"), Need::Program("dnsperf"));
    let network = Network::host();
    let server = NameServer::start(&network.watched);
    let agent = Agent::start(&network.watched, &["--mode", "inline", network.interface().name()]);
    let capture = agent.app().app.capture.unwrap();
    assert_eq!((capture.mode.name(), capture.hook.as_deref()), ("inline", Some("tcx")));

    let asked = Dnsperf::run(&network.peer, &server, &["-n", "5", "-c", "4"]);
    assert_eq!((asked.lost, asked.completed), (0, asked.sent), "{asked:?}");
    let settled = agent.settled(asked.sent + asked.completed);
    let (packets, dns) = (&settled.period.packets, &settled.period.dns);
    assert_eq!((packets.received, packets.sent), (asked.sent, asked.completed));
    assert_eq!(packets.total, asked.sent + asked.completed, "nothing else was on the link");
    assert_eq!(packets.deep_samples, packets.total);
    let wire = &dns.wire_packets;
    assert_eq!((wire.queries, wire.replies), (asked.sent, asked.completed));
    assert_eq!((wire.noerror, wire.nxdomain, wire.refused), (asked.noerror, asked.nxdomain, asked.refused));
    let counts = &dns.xact.counts;
    assert_eq!((counts.total, dns.xact.inbound.total), (asked.completed, asked.completed));
    assert_eq!((counts.timed_out, counts.orphans, counts.negative_times), (0, 0, 0));

    // dnsperf measures the same exchanges from the other end, so its times are longer.
    let times = dns.xact.inbound.quantiles_us.unwrap();
    assert!(times.p50 > 0 && times.p50 as f64 <= asked.latency_average_us * 2.0, "{times:?}, {asked:?}");
    assert!(times.p99 as f64 <= asked.latency_max_us * 1.01, "{times:?}, {asked:?}");

    assert_balanced(&settled.ledger());
    assert_eq!((settled.ledger().lost, settled.ledger().not_chosen), (0, 0));
    let (status, stderr) = agent.stop();
    assert!(status.success(), "{stderr}");
}

#[test]
fn dns_over_tcp_is_counted_message_by_message() {
    require_kernel_programs!(Need::Program("knotd"), Need::Program("dnsperf"));
    let network = Network::host();
    let server = NameServer::start(&network.watched);
    let agent = Agent::start(&network.watched, &["--mode", "inline", network.interface().name()]);
    let asked = Dnsperf::run(&network.peer, &server, &["-n", "2", "-c", "4", "-m", "tcp"]);
    assert_eq!((asked.lost, asked.completed), (0, asked.sent), "{asked:?}");
    let settled = agent.settled(1);
    let dns = &settled.period.dns;
    assert_eq!((dns.wire_packets.queries, dns.wire_packets.replies), (asked.sent, asked.completed));
    assert_eq!(dns.wire_packets.tcp, asked.sent + asked.completed);
    assert_eq!(dns.xact.inbound.total, asked.completed);
    let own = network.interface().statistics();
    assert_eq!(settled.period.packets.received, own.rx_packets);
    assert_balanced(&settled.ledger());
}

/// Both hooks must give the numbers of the capture, and therefore the same.
#[test]
fn packets_count_the_same_inline_and_from_their_capture() {
    require_kernel_programs!();
    for (hook, config, threads) in [
        ("xdp", one_second(), "1"),
        ("xdp", hostile_second(), "1"),
        ("xdp", hostile_second(), "3"),
        ("tcx", one_second(), "1"),
        ("tcx", hostile_second(), "1"),
        ("tcx", hostile_second(), "3"),
    ] {
        let trace = Trace::generated(config);
        let network = Network::mirror(1);
        let interface = network.interface().name();
        let words =
            ["--mode", "inline", "--hook", hook, "--threads", threads, "-H", GENERATED_HOST, interface];
        let agent = Agent::start(&network.watched, &words);
        assert_eq!(agent.app().app.capture.unwrap().interfaces[0].ingress, hook);
        trace.send(network.peer(), 1, REAL_TIME);
        let settled = agent.settled(trace.packets);
        assert_counts_as_its_file(&settled, &trace);
        assert_balanced(&settled.ledger());
    }
}

#[test]
fn a_filter_takes_out_the_same_packets_in_the_kernel_and_from_the_capture() {
    require_kernel_programs!();
    let trace = Trace::generated(hostile_second());
    let expressions = ["udp port 53", "vlan and ip6", "greater 200"];
    for (expression, hook) in expressions.into_iter().flat_map(|it| [(it, "xdp"), (it, "tcx")]) {
        let network = Network::mirror(1);
        let filter = ["-b", expression];
        let words = ["--mode", "inline", "--hook", hook, "-H", GENERATED_HOST, network.interface().name()];
        let agent = Agent::start(&network.watched, &[&words[..], &filter].concat());
        trace.send(network.peer(), 1, REAL_TIME);
        let settled = agent.settled(trace.packets);
        let ledger = settled.ledger();
        assert_eq!(ledger.seen, trace.packets, "{expression} at {hook}");
        assert!(ledger.filtered > 0 && ledger.counted > 0, "{expression} at {hook}: {ledger:?}");
        assert_counts_as_its_file_with(&filter, &settled, &trace);
    }
}
