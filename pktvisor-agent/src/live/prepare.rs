//! What comes before attaching: the programs loaded and told what to do, and the parts for the threads laid out.

use std::borrow::Cow;
use std::fs;
use std::sync::Arc;

use anyhow::{Context, bail};
use pktvisor_analysis as analysis;
use pktvisor_analysis::geo::Geo;
use pktvisor_capture::attach::Attacher;
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::interfaces::Interface;
use pktvisor_capture::kernel::{self, Deep, Kernel, Loaded, object};
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::hosts::HostTable;
use pktvisor_common::sampling::SampleRate;
use pktvisor_common::sharding::Shards;
use terminal_text::Escaped;

use super::configuration::Configuration;
use super::drain::DrainThread;
use super::losses::DriverDrops;
use super::pause::Pause;
use super::rate::RateControl;
use super::shared::Shared;
use crate::agent::Agent;
use crate::cli::{Mode, Options};

/// What most records take at most.
const RECORD_BYTES: u32 = 256;

/// Memory of a ring that nothing is written to; the kernel wants a page.
const UNUSED_RING_BYTES: u32 = 4096;

/// Memory of all rings together, as far as that makes those of a processor neither too small nor larger than is of use.
const RINGS_BYTES: u32 = 128 << 20;
const PROCESSOR_BYTES_MIN: u32 = 2 << 20;
/// Less is of no use, however many threads share a processor's memory.
const RING_BYTES_MIN: u32 = 256 << 10;
/// What a million messages a second need for a tenth of a second in which the deep thread gets no processor.
const PROCESSOR_BYTES_MAX: u32 = 16 << 20;

/// The parts of a capture by kernel programs.
pub(super) struct Prepared {
    /// What the threads tell each other.
    pub(super) shared: Arc<Shared>,
    /// For who attaches.
    pub(super) attacher: Attacher,
    /// For who changes what the programs are told.
    pub(super) configuration: Configuration,
    /// For the drain thread.
    pub(super) drain: DrainThread,
    /// For the deep threads of `inline`.
    pub(super) rings: Vec<Deep>,
    /// How long these may be left alone.
    pub(super) pause: Pause,
    /// For the threads that analyse: what and how.
    pub(super) analysis: analysis::AnalysisSettings<HostSet>,
}

impl Prepared {
    /// Loads the programs, for so many threads that analyse. Nothing is attached yet.
    ///
    /// # Errors
    ///
    /// There are no programs, or the kernel does not take their maps.
    pub(super) fn new(
        options: &Options,
        agent: &Arc<Agent>,
        interfaces: &[Interface],
        shards: Shards,
    ) -> anyhow::Result<Self> {
        let host = options.host_set(interfaces);
        let config = KernelConfig {
            sample_rate: SampleRate::percent(options.max_deep_sample_pct),
            host: host_table(&host)?,
            dns_ports: options.dns_ports,
            shards,
            ..KernelConfig::default()
        };
        let geo = Geo::open(options.geo_city.as_deref(), options.geo_asn.as_deref())?;
        let geo = (!geo.is_empty()).then_some(geo);
        agent.set_geo(geo.as_ref());
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let ring_bytes = ring_bytes(processors, shards);
        let mut settings = kernel::Settings { config, ring_bytes, ..kernel::Settings::default() };
        if options.mode == Some(Mode::Tap) {
            // Packets go to sockets.
            settings.ring_bytes = UNUSED_RING_BYTES;
        }
        let Loaded { kernel, control, drain, deep, log } = Kernel::load(&read_object(options)?, &settings)?;
        let configuration = Configuration::new(control, config);
        let shared = Arc::new(Shared::new(shards));
        agent.store.share_among(shards.count());
        // What is analysed before the first drain is not to be seen before what was counted is.
        agent.store.batch().publish();
        let ceiling_pct = options.max_deep_sample_pct;
        let drain = DrainThread {
            agent: Arc::clone(agent),
            shared: Arc::clone(&shared),
            counted: drain.counts()?,
            drain,
            geo,
            rate: RateControl::new(configuration.clone(), ceiling_pct, options.cpu_budget_pct),
            driver: DriverDrops::default(),
            log,
            sockets: Arc::default(),
            lost_by_sockets: 0,
            pending: None,
        };
        let analysis = analysis::AnalysisSettings {
            dns_ports: options.dns_ports,
            sample_rate: config.sample_rate,
            transaction_timeout_ns: u64::try_from(options.dns_timeout.as_nanos()).unwrap_or(u64::MAX),
            host,
        };
        let pause =
            if options.busy_drain { Pause::none() } else { Pause::with_room(ring_bytes / RECORD_BYTES) };
        let attacher = Attacher::new(kernel, options.filter());
        Ok(Self { shared, attacher, configuration, drain, rings: deep, pause, analysis })
    }
}

/// Memory of one ring, of which each processor has one for each shard.
fn ring_bytes(processors: usize, shards: Shards) -> u32 {
    let of_processor = RINGS_BYTES / u32::try_from(processors).unwrap_or(u32::MAX).max(1);
    let of_processor = of_processor.clamp(PROCESSOR_BYTES_MIN, PROCESSOR_BYTES_MAX);
    (of_processor / shards.count()).max(RING_BYTES_MIN)
}

/// The programs to load: those given, or those built in.
fn read_object(options: &Options) -> anyhow::Result<Cow<'static, [u8]>> {
    if let Some(path) = &options.bpf_object {
        return Ok(fs::read(path)
            .with_context(|| format!("cannot read the kernel programs in {}", Escaped(path.display())))?
            .into());
    }
    match object::embedded() {
        Some(object) => Ok(object.into()),
        None => bail!(
            "this build has no kernel programs: build them with `cargo xtask build-ebpf` and build the agent again, \
             give them with --bpf-object, or use --mode afpacket"
        ),
    }
}

/// HOST as the programs know it.
pub(super) fn host_table(host: &HostSet) -> anyhow::Result<HostTable> {
    let mut table = HostTable::EMPTY;
    for network in host.networks() {
        let (address, version) = match network.network() {
            std::net::IpAddr::V4(address) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&address.octets());
                (bytes, 4)
            }
            std::net::IpAddr::V6(address) => (address.octets(), 6),
        };
        table
            .insert(&address, network.prefix_len(), version)
            .context("HOST has too many networks: give fewer or larger ones with -H")?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_divide_the_memory_of_a_processor_and_do_not_multiply_it() {
        let mebibytes = |processors, threads| {
            let bytes = u64::from(ring_bytes(processors, Shards::new(threads)));
            (processors as u64 * u64::from(threads) * bytes) >> 20
        };
        assert_eq!(
            [(1, 1), (2, 1), (8, 1), (8, 4), (64, 8)].map(|(p, t)| mebibytes(p, t)),
            [16, 32, 128, 128, 128]
        );
        assert_eq!(mebibytes(256, 1), 512, "too little for a processor would be of no use");
        assert_eq!(ring_bytes(64, Shards::new(64)), RING_BYTES_MIN);
    }
}
