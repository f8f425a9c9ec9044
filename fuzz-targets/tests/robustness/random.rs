//! Random packets, and generated ones with random changes, through the whole pipeline.

use std::sync::LazyLock;

use dns_traffic::Generator;
use pktvisor_analysis::AnalysisLimits;
use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::{Packet, Stamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

use fuzz_targets::identities;
use fuzz_targets::setup::Setup;
use fuzz_targets::traffic::HOSTILE;

const SECOND_NS: u64 = 1_000_000_000;

/// Ethernet frames of conversations that belong together.
static FRAMES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| Generator::new(HOSTILE).unwrap().map(|packet| packet.data).collect());

/// Bytes of an Ethernet header.
const ETHERNET_BYTES: usize = 14;

#[derive(Clone, Debug)]
enum Content {
    Bytes(Vec<u8>),
    /// A run of consecutive frames, each changed alike.
    Frames {
        first: Index,
        count: usize,
        changes: Vec<(Index, u8)>,
        keep: Option<Index>,
        headless: bool,
    },
}

#[derive(Clone, Debug)]
enum Time {
    Later(u64),
    Earlier(u64),
    At(u64),
}

#[derive(Clone, Debug)]
struct Step {
    content: Content,
    link_type: u16,
    time: Time,
    snapped_bytes: u32,
}

fn content() -> impl Strategy<Value = Content> {
    let changes = prop_oneof![2 => Just(Vec::new()), 3 => vec((any::<Index>(), any::<u8>()), 1..6)];
    let keep = prop_oneof![4 => Just(None), 1 => any::<Index>().prop_map(Some)];
    let frames = (any::<Index>(), 1..40usize, changes, keep, prop::bool::weighted(0.2)).prop_map(
        |(first, count, changes, keep, headless)| Content::Frames { first, count, changes, keep, headless },
    );
    prop_oneof![1 => vec(any::<u8>(), 0..200).prop_map(Content::Bytes), 4 => frames]
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![
        8 => (0..SECOND_NS).prop_map(Time::Later),
        2 => (0..200 * SECOND_NS).prop_map(Time::Later),
        1 => (0..10_000 * SECOND_NS).prop_map(Time::Later),
        1 => (0..100 * SECOND_NS).prop_map(Time::Earlier),
        1 => any::<u64>().prop_map(Time::At),
    ]
}

fn link_type() -> impl Strategy<Value = u16> {
    let known = prop::sample::select(LinkType::SUPPORTED.map(|link_type| link_type.0).to_vec());
    prop_oneof![6 => Just(LinkType::ETHERNET.0), 3 => known, 1 => any::<u16>()]
}

fn step() -> impl Strategy<Value = Step> {
    let snapped = prop_oneof![4 => Just(0), 1 => 1..2000u32, 1 => any::<u32>()];
    (content(), link_type(), time(), snapped).prop_map(|(content, link_type, time, snapped_bytes)| Step {
        content,
        link_type,
        time,
        snapped_bytes,
    })
}

fn setup() -> impl Strategy<Value = Setup> {
    let sample_pct = prop_oneof![Just(100), Just(0), 1..100u8];
    (1..=12usize, any::<bool>(), sample_pct, any::<bool>(), any::<bool>()).prop_map(
        |(periods, summary, sample_pct, has_host, public_suffix)| Setup {
            periods,
            summary,
            sample_pct,
            has_host,
            filter: None,
            public_suffix,
            limits: AnalysisLimits::default(),
        },
    )
}

impl Step {
    /// The packets of this step, and their link type.
    fn packets(&self) -> (Vec<Vec<u8>>, LinkType) {
        let link_type = LinkType(self.link_type);
        match &self.content {
            Content::Bytes(bytes) => (vec![bytes.clone()], link_type),
            Content::Frames { first, count, changes, keep, headless } => {
                let first = first.index(FRAMES.len());
                let frames = FRAMES.iter().cycle().skip(first).take(*count);
                let packets = frames.map(|frame| change(frame, changes, *keep, *headless)).collect();
                (packets, if *headless { LinkType::RAW } else { link_type })
            }
        }
    }
}

fn change(frame: &[u8], changes: &[(Index, u8)], keep: Option<Index>, headless: bool) -> Vec<u8> {
    let mut packet = frame[if headless { ETHERNET_BYTES } else { 0 }..].to_vec();
    for (at, value) in changes {
        // Mostly in headers, because changes matter there.
        let at = at.index(packet.len().min(100));
        packet[at] = *value;
    }
    if let Some(keep) = keep {
        packet.truncate(keep.index(packet.len()));
    }
    packet
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        rng_seed: RngSeed::Fixed(53),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_packets_are_counted_so_that_everything_adds_up(setup in setup(), steps in vec(step(), 1..40)) {
        let store = setup.store();
        let mut pipeline = setup.pipeline();
        let mut now_ns = 1_700_000_000 * SECOND_NS;
        for step in &steps {
            let (packets, link_type) = step.packets();
            let mut batch = store.batch();
            for data in &packets {
                now_ns = match step.time {
                    Time::Later(ns) => now_ns.saturating_add(ns),
                    Time::Earlier(ns) => now_ns.saturating_sub(ns),
                    Time::At(ns) => ns,
                };
                let wire_len = (data.len() as u32).saturating_add(step.snapped_bytes);
                let packet = Packet { timestamp_ns: now_ns, stamp: Stamp::Own, data, wire_len, link_type, segments: 1 };
                pipeline.packet(&packet, &mut batch).unwrap();
            }
            pipeline.analysis.advance(batch.now_ns(), batch.recorder());
        }
        pipeline.analysis.finish(store.batch().recorder());
        prop_assert_eq!(identities::check(&setup, &store, &pipeline.intake), Ok(()));
    }
}
