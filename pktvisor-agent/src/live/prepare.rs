//! The steps before attaching: load and configure the programs, and prepare the state of the
//! threads.

use std::borrow::Cow;
use std::fs;
use std::sync::Arc;

use anyhow::{Context, bail};
use pktvisor_analysis as analysis;
use pktvisor_capture::attach::Attacher;
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::interfaces::Interface;
use pktvisor_capture::kernel::{Deep, KernelPrograms, Loaded, ProgramSettings, object};
use pktvisor_common::address::{Address, IpVersion, address_bytes};
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::hosts::HostTable;
use pktvisor_common::sharding::Shards;
use terminal_text::Escaped;

use super::collector::Collector;
use super::config::LiveConfig;
use super::coordination::Coordination;
use super::losses::DriverDrops;
use super::program_config::ProgramConfig;
use super::rate::RateControl;
use crate::agent::Agent;

/// Most records are no larger than this.
const RECORD_BYTES: u32 = 256;

/// Memory of a ring that no program writes to. The kernel requires at least a page.
const UNUSED_RING_BYTES: u32 = 4096;

/// Memory of all rings together, unless the share of a processor leaves the bounds below.
const RINGS_BYTES: u32 = 128 << 20;
const PROCESSOR_BYTES_MIN: u32 = 2 << 20;
/// A smaller ring overflows too often, however many threads share a processor's memory.
const RING_BYTES_MIN: u32 = 256 << 10;
/// Enough for a million messages a second while the worker thread gets no processor for a tenth of
/// a second.
const PROCESSOR_BYTES_MAX: u32 = 16 << 20;

/// How the programs hand DNS packets to the worker threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DnsPath {
    /// Through ring buffers.
    RingBuffers,
    /// Through AF_XDP sockets; nothing is written to the ring buffers.
    Sockets,
}

/// The parts of a capture by BPF programs.
pub(super) struct Prepared {
    /// The state that the threads share.
    pub(super) coordination: Arc<Coordination>,
    /// Attaches the programs.
    pub(super) attacher: Attacher,
    /// Changes the configuration of the programs.
    pub(super) configuration: ProgramConfig,
    /// The collector thread, not started yet.
    pub(super) collector: Collector,
    /// The ring buffers of each worker thread.
    pub(super) rings: Vec<Deep>,
    /// How many records of usual size a ring buffer has room for.
    pub(super) ring_records: u32,
    /// The settings of the worker threads' analysis.
    pub(super) analysis: analysis::AnalysisSettings<HostSet>,
}

impl Prepared {
    /// Loads the programs for so many worker threads, and attaches nothing.
    ///
    /// # Errors
    ///
    /// This build has no programs, or the kernel rejects them or their maps.
    pub(super) fn new(
        config: &LiveConfig,
        agent: &Arc<Agent>,
        interfaces: &[Interface],
        shards: Shards,
        dns_path: DnsPath,
    ) -> anyhow::Result<Self> {
        let host = config.host.host_set(interfaces);
        let kernel_config = KernelConfig {
            sample_rate: config.pipeline.sample_rate(),
            host: host_table(&host)?,
            dns_ports: config.pipeline.dns_ports,
            shards,
            ..KernelConfig::default()
        };
        let geo = config.pipeline.open_geo()?;
        agent.status.set_geo(geo.as_ref());
        let ring_bytes = match dns_path {
            DnsPath::RingBuffers => ring_bytes(processors(), shards),
            DnsPath::Sockets => UNUSED_RING_BYTES,
        };
        let settings = ProgramSettings { config: kernel_config, ring_bytes, ..ProgramSettings::default() };
        let Loaded { programs, control, collector: maps, deep, log } =
            KernelPrograms::load(&read_object(config)?, &settings)?;
        let configuration = ProgramConfig::new(control, kernel_config);
        let coordination = Arc::new(Coordination::new(shards));
        agent.store.share_among(shards.count());
        // So that readers never see analysed messages before the counters of the same packets.
        agent.store.batch().publish();
        let rate = RateControl::new(
            configuration.clone(),
            config.pipeline.max_deep_sample_pct,
            config.cpu_budget_pct,
        );
        let collector = Collector {
            agent: Arc::clone(agent),
            coordination: Arc::clone(&coordination),
            counted: maps.counts()?,
            maps,
            geo,
            rate,
            driver: DriverDrops::default(),
            log,
            sockets: Arc::default(),
            lost_by_sockets: 0,
            pending: None,
        };
        let analysis = config.pipeline.analysis_settings(host);
        let attacher = Attacher::new(programs, config.filter.filter(), config.hook);
        let ring_records = ring_bytes / RECORD_BYTES;
        Ok(Self { coordination, attacher, configuration, collector, rings: deep, ring_records, analysis })
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Memory of one ring. Each processor has a ring for each shard.
fn ring_bytes(processors: usize, shards: Shards) -> u32 {
    let of_processor = RINGS_BYTES / u32::try_from(processors).unwrap_or(u32::MAX).max(1);
    let of_processor = of_processor.clamp(PROCESSOR_BYTES_MIN, PROCESSOR_BYTES_MAX);
    (of_processor / shards.count()).max(RING_BYTES_MIN)
}

/// The object file with the programs: the user's, or the built-in one.
fn read_object(config: &LiveConfig) -> anyhow::Result<Cow<'static, [u8]>> {
    if let Some(path) = &config.bpf_object {
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

/// HOST in the form that the programs read.
pub(super) fn host_table(host: &HostSet) -> anyhow::Result<HostTable> {
    let mut table = HostTable::EMPTY;
    for network in host.networks() {
        let address = network.network();
        let bytes = address_bytes(address);
        table
            .insert(Address::new(IpVersion::of(&address), &bytes), network.prefix_len())
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
        assert_eq!(mebibytes(256, 1), 512, "each processor gets at least its minimum");
        assert_eq!(ring_bytes(64, Shards::new(64)), RING_BYTES_MIN);
    }
}
