//! The threads that analyse what the kernel handed up, each its shard, in the order of time.

use std::mem::take;
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use pktvisor_analysis::{self as analysis, Analysis};
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::kernel::{Deep, Source, monotonic_ns};
use pktvisor_common::classify::{Class, DnsPorts, classify};
use pktvisor_common::kernel::record::RecordHeader;
use pktvisor_common::packet::Packet;
use pktvisor_metrics::Recorder;

use super::clock::WallClock;
use super::pause::Pause;
use super::placement::Placement;
use super::shared::Shared;
use super::spawn;
use crate::agent::Agent;

/// Records between two looks at whoever waits for the store.
const BATCH_RECORDS: usize = 512;

/// What programs handed over before they were taken off arrives within so long.
const LAST_WAIT: Duration = Duration::from_millis(2);

/// How often time-outs are looked after and the wall clock is taken anew.
const UPKEEP: Duration = Duration::from_millis(100);

/// What all deep threads are told.
pub(super) struct DeepSettings {
    pub(super) analysis: analysis::Settings<HostSet>,
    /// How long records may be left alone.
    pub(super) pause: Pause,
}

/// Starts a thread for each shard, which takes what comes from its sources.
///
/// # Errors
///
/// There are too many threads.
pub(super) fn start<S: Source + Send + 'static>(
    agent: &Arc<Agent>,
    shared: &Arc<Shared>,
    sources: Vec<Deep<S>>,
    settings: &DeepSettings,
    placement: &Placement,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let start = |(shard, sources)| {
        let deep = DeepThread::new(agent, shared, shard, sources, settings);
        let placement = placement.clone();
        spawn(&format!("deep {shard}"), move || {
            if let Some(processor) = placement.pin(shard) {
                tracing::debug!("deep {shard} stays on processor {processor}");
            }
            deep.run();
        })
    };
    (0..).zip(sources).map(start).collect()
}

/// A deep thread's own.
struct DeepThread<S> {
    agent: Arc<Agent>,
    shared: Arc<Shared>,
    /// Which of the threads it is.
    shard: u32,
    sources: Deep<S>,
    pause: Pause,
    dns_ports: DnsPorts,
    analysis: Analysis<HostSet>,
    /// Its open transactions when it last told of them.
    open_told: u64,
}

impl<S: Source> DeepThread<S> {
    fn new(
        agent: &Arc<Agent>,
        shared: &Arc<Shared>,
        shard: u32,
        sources: Deep<S>,
        settings: &DeepSettings,
    ) -> Self {
        Self {
            agent: Arc::clone(agent),
            shared: Arc::clone(shared),
            shard,
            sources,
            pause: settings.pause.clone(),
            dns_ports: settings.analysis.dns_ports,
            analysis: Analysis::new(settings.analysis.clone()),
            open_told: 0,
        }
    }

    /// Runs until told to stop, then takes all that is left.
    fn run(mut self) {
        let mut clock = WallClock::now();
        let mut upkeep = Instant::now();
        let mut found = 0;
        let mut is_last = false;
        loop {
            // Asked before anything is looked at: what was seen before the sign came is then there.
            let stopping = self.shared.is_stopping();
            let taken = self.round(&clock);
            found += taken;
            if taken < BATCH_RECORDS {
                if is_last && taken == 0 {
                    break;
                }
                let pause = self.pause.after(take(&mut found));
                sleep(if stopping { LAST_WAIT } else { pause });
                is_last = stopping;
            }
            if upkeep.elapsed() >= UPKEEP {
                upkeep = Instant::now();
                clock = WallClock::now();
                self.look_after(&clock);
            }
        }
        self.look_after(&clock);
        self.analysis.finish(&mut *self.agent.store.recorder(self.shard));
        self.report();
    }

    /// Analyses what there is, at most a batch of it; returns how much that was.
    fn round(&mut self, clock: &WallClock) -> usize {
        let fill = self.sources.fill();
        if let Some(shared) = self.shared.deep().get(self.shard as usize) {
            shared.note_ring_fill(fill);
        }
        if fill == 0.0 {
            // A driver may have run out of room for packets meanwhile, and wait to be told that there is some.
            self.sources.release();
            return 0;
        }
        let until_ns = monotonic_ns();
        let (analysis, dns_ports) = (&mut self.analysis, &self.dns_ports);
        let mut recorder = self.agent.store.recorder(self.shard);
        let taken = self.sources.drain(until_ns, BATCH_RECORDS, |header, bytes| {
            analyse(analysis, dns_ports, clock, header, bytes, &mut recorder);
        });
        // Whoever looks next sees of all metrics the same messages.
        analysis.tell_transactions(&mut *recorder);
        taken
    }

    /// Lets time pass where no packet does.
    fn look_after(&mut self, clock: &WallClock) {
        if let Some(shared) = self.shared.deep().get(self.shard as usize) {
            shared.take_new_rate().into_iter().for_each(|rate| self.analysis.set_sample_rate(rate));
            shared.take_new_host().into_iter().for_each(|host| self.analysis.set_host(host));
        }
        let now_ns = clock.wall_ns(monotonic_ns());
        self.analysis.advance(now_ns, &mut *self.agent.store.recorder(self.shard));
        for error in self.sources.upkeep() {
            self.agent.trouble(format!("the capture of a receive queue has ended: {error}"));
        }
        self.report();
    }

    fn report(&mut self) {
        let open = self.analysis.open_transactions() as u64;
        self.agent.open_transactions(std::mem::replace(&mut self.open_told, open), open);
    }
}

/// Analyses one record.
#[inline]
fn analyse(
    analysis: &mut Analysis<HostSet>,
    dns_ports: &DnsPorts,
    clock: &WallClock,
    header: &RecordHeader,
    bytes: &[u8],
    recorder: &mut Recorder,
) {
    let packet = Packet {
        timestamp_ns: clock.wall_ns(header.timestamp_ns),
        data: bytes,
        wire_len: header.wire_len,
        link_type: header.link_type(),
        segments: header.packets,
    };
    let mut class = Class::default();
    classify(bytes, packet.link_type, dns_ports, &mut class);
    analysis.handed_up(&packet, &class, recorder);
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::path::Path;

    use capture_file::Capture;
    use pktvisor_analysis::public_suffix::NameCut;
    use pktvisor_common::sampling::SampleRate;
    use pktvisor_common::sharding::Shards;
    use pktvisor_metrics::{self as metrics, Clock, Store};

    use super::*;

    /// The packets of a capture, which have all just come.
    struct Waiting(VecDeque<Vec<u8>>);

    impl Source for Waiting {
        const DELAY_NS: u64 = 0;

        fn next_ns(&mut self) -> Option<u64> {
            (!self.0.is_empty()).then_some(1)
        }

        fn take_next(&mut self, mut take: impl FnMut(&RecordHeader, &[u8])) {
            let Some(packet) = self.0.pop_front() else { return };
            let header = RecordHeader {
                wire_len: packet.len() as u32,
                link_type: 1,
                packets: 1,
                ..Default::default()
            };
            take(&header, &packet);
        }

        fn release(&mut self) {}

        fn fill(&mut self) -> f64 {
            if self.0.is_empty() { 0.0 } else { 0.5 }
        }

        fn upkeep(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_round_adds_to_one_metric_it_adds_to_all() {
        let mut waiting = Waiting(VecDeque::new());
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/demo.pcap");
        let mut capture = Capture::open(&demo).unwrap();
        while let Some(packet) = capture.next_packet().unwrap() {
            waiting.0.push_back(packet.data.to_vec());
        }
        let clock = Clock::Wall;
        let store =
            Store::new(metrics::Settings { periods: 5, summary: false, name_cut: NameCut::default(), clock });
        let agent = Arc::new(Agent::new(store, 100, Default::default()));
        let settings = DeepSettings {
            analysis: analysis::Settings {
                dns_ports: DnsPorts::default(),
                sample_rate: SampleRate::ALL,
                transaction_timeout_ns: 5_000_000_000,
                host: ["0.0.0.0/0", "::/0"].iter().map(|network| network.parse().unwrap()).collect(),
            },
            pause: Pause::with_room(1 << 20),
        };
        let shared = Arc::new(Shared::new(Shards::ONE));
        let mut thread = DeepThread::new(&agent, &shared, 0, Deep::new(vec![waiting]), &settings);
        let mut answered = 0;
        while thread.round(&WallClock::now()) > 0 {
            let dns = agent.store.bucket(0).unwrap().dns;
            assert_eq!(dns.xact.counts.total, dns.xact.inbound.total + dns.xact.outbound.total);
            answered = dns.xact.counts.total;
        }
        assert!(answered > 1000, "{answered}");
    }
}
