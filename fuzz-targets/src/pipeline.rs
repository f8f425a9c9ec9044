//! The whole way from packets to the report, with the [identities] of every
//! document.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use pktvisor_common::classify::LinkType;

use crate::setup::Setup;
use crate::traffic::{FRAMES, LIMITS, packet};
use crate::{identities, replayed, work};

const SECOND_NS: u64 = 1_000_000_000;
/// Most packets of one input.
const PACKETS_MAX: usize = 400;
/// Bytes of an Ethernet header.
const ETHERNET_BYTES: usize = 14;
const TIME_MAX: Duration = Duration::from_secs(2);

#[derive(Arbitrary, Debug)]
enum StepContent {
    /// A run of frames, each changed alike.
    Frames {
        first: u16,
        count: u8,
        changes: [Option<(u8, u8)>; 3],
        keep: Option<u8>,
        headless: bool,
    },
    Bytes {
        len: u8,
        bytes: [u8; 32],
    },
}

#[derive(Arbitrary, Debug)]
enum Time {
    Same,
    LaterMs(u16),
    LaterS(u16),
    EarlierMs(u16),
    At(u64),
}

#[derive(Arbitrary, Debug)]
struct PacketStep {
    content: StepContent,
    /// Ethernet, or the link type of this number.
    link_type: Option<u8>,
    time: Time,
    snapped_bytes: Option<u16>,
}

/// Two bytes with the settings, and a capture file or steps.
pub fn run(data: &[u8]) {
    let Some((&[kind, options], rest)) = data.split_first_chunk() else { return };
    let setup = setup(options);
    work::within(TIME_MAX, || {
        if kind % 4 == 0 {
            replayed::replay(rest.to_vec(), &setup).expect("everything is true of the result");
        } else {
            perform(&setup, &mut Unstructured::new(rest));
        }
    });
}

fn setup(options: u8) -> Setup {
    Setup {
        periods: [1, 2, 5, 3][usize::from(options % 4)],
        summary: options & 4 != 0,
        sample_pct: [100, 100, 37, 0][usize::from(options >> 3 & 3)],
        has_host: options & 32 != 0,
        filter: (options & 0xc0 == 0xc0).then_some("udp or tcp or icmp"),
        public_suffix: options & 64 != 0,
        limits: LIMITS,
    }
}

fn perform(setup: &Setup, input: &mut Unstructured<'_>) {
    let store = setup.store();
    let mut pipeline = setup.pipeline();
    let mut now_ns = 1_700_000_000 * SECOND_NS;
    let mut count = 0;
    while !input.is_empty() && count < PACKETS_MAX {
        let Ok(step) = PacketStep::arbitrary(input) else { break };
        let (packets, link_type) = step.packets();
        let mut batch = store.batch();
        for data in &packets {
            now_ns = step.time.after(now_ns);
            let packet = packet(data, now_ns, step.snapped_bytes.map_or(0, u32::from), link_type);
            // A filter does not compile for every link type.
            if pipeline.packet(&packet, &mut batch).is_err() {
                pipeline.intake.filtered += 1;
            }
            assert!(
                pipeline.analysis.buffered_bytes()
                    <= LIMITS.streams.buffered_bytes + LIMITS.fragments.buffered_bytes
            );
        }
        count += packets.len();
        pipeline.analysis.advance(batch.now_ns(), batch.recorder());
        assert!(pipeline.analysis.open_queries().open as usize <= LIMITS.queries);
    }
    pipeline.analysis.finish(store.batch().recorder());
    assert_eq!(pipeline.analysis.buffered_bytes(), 0);
    identities::check(setup, &store, &pipeline.intake).expect("everything is true of the result");
}

impl Time {
    fn after(&self, now_ns: u64) -> u64 {
        match *self {
            Self::Same => now_ns,
            Self::LaterMs(ms) => now_ns.saturating_add(u64::from(ms) * SECOND_NS / 1000),
            Self::LaterS(s) => now_ns.saturating_add(u64::from(s) * SECOND_NS),
            Self::EarlierMs(ms) => now_ns.saturating_sub(u64::from(ms) * SECOND_NS / 1000),
            Self::At(ns) => ns,
        }
    }
}

impl PacketStep {
    /// The packets of this step, and their link type.
    fn packets(&self) -> (Vec<Vec<u8>>, LinkType) {
        let known = |number: u8| LinkType::SUPPORTED[usize::from(number) % LinkType::SUPPORTED.len()];
        let link_type = self.link_type.map_or(LinkType::ETHERNET, known);
        match &self.content {
            StepContent::Bytes { len, bytes } => {
                (vec![bytes.iter().copied().cycle().take(usize::from(*len)).collect()], link_type)
            }
            StepContent::Frames { first, count, changes, keep, headless } => {
                let frames = FRAMES.iter().cycle().skip(usize::from(*first) % FRAMES.len().max(1));
                let start = if *headless { ETHERNET_BYTES } else { 0 };
                let change = |frame: &Vec<u8>| {
                    let mut packet = frame[start..].to_vec();
                    for (at, value) in changes.iter().flatten() {
                        let at = usize::from(*at) % packet.len();
                        packet[at] = *value;
                    }
                    packet.truncate(keep.map_or(usize::MAX, usize::from));
                    packet
                };
                let packets = frames.take(usize::from(count % 40)).map(change).collect();
                (packets, if *headless { LinkType::RAW } else { link_type })
            }
        }
    }
}
