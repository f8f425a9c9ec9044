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
    vec![
        &mut packets.top_ipv4,
        &mut packets.top_ipv6,
        &mut dns.top_qname2,
        &mut dns.top_qname3,
        &mut dns.top_nxdomain,
        &mut dns.top_refused,
        &mut dns.top_srvfail,
    ]
}

/// Slow names depend on the running percentile of each period, and so, as the only list, on the
/// moment of rotation.
fn forget_slow(period: &mut api::Period) {
    period.dns.xact.inbound.top_slow.clear();
    period.dns.xact.outbound.top_slow.clear();
    period.dns.xact.unknown.top_slow.clear();
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
