//! Merging: a window of periods equals one period of the same packets, wherever periods rotate.

use dns_traffic::Config;
use pktvisor_api::{self as api, TopEntry};

use super::replay::{Setup, replay};
use super::traffic::{self, Traffic};

/// Times in a minute, from a generator of the usual kind (Knuth's MMIX constants).
fn moments_ns() -> impl Iterator<Item = u64> {
    let mut state = 42_u64;
    std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((state >> 16) % 60_000_000_000)
    })
}

/// Both summaries of the same packets, with rotations at any time.
fn window_and_whole(ahead_ns: u64, sample_pct: u8, config: Config) -> (api::Period, api::Period) {
    let traffic = Traffic::between(Some(ahead_ns), None, config);
    let split = replay(&traffic, Setup { sample_pct, ..Setup::periods() });
    assert!(split.store.filled() > 1, "no period turned");
    (split.store.window(60).unwrap(), replay(&traffic, Setup { sample_pct, ..Setup::summary() }).document())
}

fn lists(period: &mut api::Period) -> Vec<&mut Vec<TopEntry>> {
    let (packets, dns) = (&mut period.packets, &mut period.dns);
    let (clients, servers) = (&mut dns.inbound, &mut dns.outbound);
    vec![
        &mut packets.top_ipv4,
        &mut packets.top_ipv6,
        &mut dns.top_qname2,
        &mut dns.top_qname3,
        &mut dns.top_nxdomain,
        &mut dns.top_refused,
        &mut dns.top_srvfail,
        &mut dns.top_noerror,
        &mut dns.top_nodata,
        &mut dns.top_timed_out,
        &mut dns.top_qname_by_response_bytes,
        &mut dns.top_zones_nxdomain,
        &mut dns.top_zones_srvfail,
        &mut dns.top_zones_timed_out,
        &mut dns.top_ecs_subnets,
        &mut clients.top_clients,
        &mut clients.top_clients_nxdomain,
        &mut clients.top_clients_srvfail,
        &mut clients.top_clients_refused,
        &mut clients.top_clients_malformed,
        &mut clients.top_clients_timed_out,
        &mut clients.top_clients_truncated,
        &mut clients.top_clients_tcp,
        &mut clients.top_clients_response_bytes,
        &mut clients.top_clients_amplified,
        &mut servers.top_servers,
        &mut servers.top_servers_nxdomain,
        &mut servers.top_servers_srvfail,
        &mut servers.top_servers_refused,
        &mut servers.top_servers_malformed,
        &mut servers.top_servers_timed_out,
        &mut servers.top_servers_truncated,
        &mut servers.top_servers_tcp,
        &mut servers.top_servers_response_bytes,
    ]
}

/// What is slow depends on the running percentile of each period, and so, unlike the other lists, on
/// the moment of rotation.
fn forget_slow(period: &mut api::Period) {
    period.dns.xact.inbound.top_slow.clear();
    period.dns.xact.outbound.top_slow.clear();
    period.dns.inbound.top_clients_slow.clear();
    period.dns.outbound.top_servers_slow.clear();
}

#[test]
fn a_window_equals_the_summary_exactly_if_every_list_fits() {
    for (seed, ahead_ns) in (0..16).zip(moments_ns()) {
        let config = Config { packets: 6_000, rate: 60.0, seed, ..traffic::hostile() };
        let sample_pct = [100, 100, 100, 30][seed as usize % 4];
        let (mut window, mut whole) = window_and_whole(ahead_ns, sample_pct, config);
        forget_slow(&mut window);
        forget_slow(&mut whole);
        assert_eq!(window, whole, "seed {seed}, {ahead_ns} ns ahead");
    }
}

#[test]
fn a_window_equals_the_summary_within_the_bounds_if_lists_overflow() {
    for (seed, ahead_ns) in (100..103).zip(moments_ns()) {
        let config = Config { packets: 60_000, seed, ..traffic::plentiful() };
        let (mut window, mut whole) = window_and_whole(ahead_ns, 100, config);
        for (window, whole) in lists(&mut window).into_iter().zip(lists(&mut whole)) {
            for entry in window.iter() {
                let Some(other) = whole.iter().find(|other| other.name == entry.name) else { continue };
                let overlap = entry.lower.max(other.lower) <= entry.upper.min(other.upper);
                assert!(overlap, "{entry:?} and {other:?}");
            }
            window.clear();
            whole.clear();
        }
        forget_slow(&mut window);
        forget_slow(&mut whole);
        assert_eq!(window, whole, "seed {seed}, {ahead_ns} ns ahead: all but the lists is exact");
    }
}
