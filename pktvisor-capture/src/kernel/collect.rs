//! Collects counters and sketches from the programs' maps. Needs no capability on Linux 5.19 and
//! later.

use std::time::Duration;

use aya::Pod;
use aya::maps::{MapData, MapError, PerCpuArray, PerCpuValues};
use aya::util::nr_cpus;
use pktvisor_common::classify::UnknownEtherTypes;
use pktvisor_common::counters::Counters;
use pktvisor_common::hll::REGISTERS;
use pktvisor_common::kernel::control::{CPU_ENTRIES, Ends, cardinality_entry, cpu_entry, heavy_entry};
use pktvisor_common::kernel::cpu::{CpuState, Punts};
use pktvisor_common::kernel::filtered::{FILTERED, FILTERED_TAGGED};
use pktvisor_common::kernel::heavy::HeavyTable;

use super::control::{ControlMap, wait_for_programs};
use super::error::KernelError;
use super::heavy::HeavyHitters;

/// The counters of all processors since the programs were loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelCounts {
    /// Every packet.
    pub counters: Counters,
    /// Outcomes of punted packets.
    pub punted: Punts,
    /// Frames of EtherTypes that are not understood.
    pub ethertypes: UnknownEtherTypes,
    /// Packets that a filter rejected before they were counted.
    pub filtered: u64,
    /// Packets among them with a VLAN tag, if the filter's expression does not mention tags.
    pub filtered_tagged: u64,
}

/// The registers of [`hll`](pktvisor_common::hll) of all processors together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardinalityRegisters {
    /// Sources of received packets.
    pub sources_in: Box<[u8; REGISTERS]>,
    /// Destinations of sent packets.
    pub destinations_out: Box<[u8; REGISTERS]>,
}

/// Reads the maps.
pub struct MapCollector {
    control: ControlMap,
    /// Each copy of the counters when it was last [sealed](MapCollector::seal).
    sealed: [CpuSum; CPU_ENTRIES],
    cpu: PerCpuArray<MapData, PodCpuState>,
    filtered: PerCpuArray<MapData, u64>,
    heavy: PerCpuArray<MapData, PodHeavyTable>,
    cardinality: PerCpuArray<MapData, [u8; REGISTERS]>,
}

/// The standby copies of an epoch that has ended, to be [collected](MapCollector::collect). Programs
/// write to them until the collector has waited for them.
#[derive(Debug)]
#[must_use = "sketches that are not collected are lost, or counted again"]
pub struct Standby {
    /// The copies that were live.
    live: u32,
    ends: Ends,
    /// Programs that might still write to them have ended.
    has_waited: bool,
}

impl Standby {
    fn wait(&mut self) {
        if !self.has_waited {
            wait_for_programs();
            self.has_waited = true;
        }
    }
}

/// How to wait for running programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until each has certainly ended: some milliseconds, in which records of the next epoch
    /// gather.
    Grace,
    /// A millisecond. Programs run for microseconds; one that is interrupted for longer counts a
    /// packet in the epoch before its record. For sockets, which have room for few milliseconds.
    Brief,
}

const BRIEF: Duration = Duration::from_millis(1);

/// One copy of the counters, of all processors together.
#[derive(Clone, Copy, Debug, Default)]
struct CpuSum {
    counters: Counters,
    punted: Punts,
    ethertypes: UnknownEtherTypes,
}

/// Result of [`MapCollector::collect`].
#[derive(Clone, Debug)]
pub struct Collected {
    /// Since the last collection.
    pub heavy: HeavyHitters,
    /// Of the period that ended; `None` if none did.
    pub cardinality: Option<CardinalityRegisters>,
}

/// [`CpuState`], as aya can read it.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct PodCpuState(CpuState);

// SAFETY: without padding, and made of integers except for `class.ip_version`, into which a program
// writes nothing else than an `Option<IpVersion>`; a map begins as zeros, which are `None`.
unsafe impl Pod for PodCpuState {}

/// [`HeavyTable`], as aya can read it.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct PodHeavyTable(HeavyTable);

// SAFETY: made of integers only, without padding.
unsafe impl Pod for PodHeavyTable {}

/// The maps to read.
pub(super) struct Maps {
    pub(super) cpu: MapData,
    pub(super) filtered: MapData,
    pub(super) heavy: MapData,
    pub(super) cardinality: MapData,
}

impl MapCollector {
    pub(super) fn new(control: ControlMap, maps: Maps) -> Result<Self, KernelError> {
        Ok(Self {
            control,
            sealed: Default::default(),
            cpu: typed("CPU", maps.cpu)?,
            filtered: typed("FILTERED", maps.filtered)?,
            heavy: typed("HEAVY", maps.heavy)?,
            cardinality: typed("CARDINALITY", maps.cardinality)?,
        })
    }

    /// The counters since the programs were loaded. They never decrease: subtract an earlier
    /// reading.
    ///
    /// # Errors
    ///
    /// The kernel does not let its maps be read.
    pub fn counts(&self) -> Result<KernelCounts, KernelError> {
        self.counts_of(&[self.cpu_sum(0)?, self.cpu_sum(1)?])
    }

    /// Begins the next epoch: programs go on with the other copy of the counters, with empty heavy
    /// hitters and, where a period ends, with empty cardinality registers. It returns at once: call
    /// it when the period ends.
    pub fn flip(&self, ends: Ends) -> Standby {
        let live = self.control.flip_sketches(ends);
        Standby { live, ends, has_waited: false }
    }

    /// Waits until programs have left the ended epoch and returns the counters up to its end: no
    /// packet of the next epoch is in them, and every record of an earlier epoch is in its ring.
    ///
    /// # Errors
    ///
    /// The kernel does not let its maps be read.
    pub fn seal(&mut self, standby: &mut Standby, wait: Wait) -> Result<KernelCounts, KernelError> {
        match wait {
            Wait::Grace => standby.wait(),
            Wait::Brief => std::thread::sleep(BRIEF),
        }
        let entry = cpu_entry(standby.live);
        let sum = self.cpu_sum(entry)?;
        if let Some(sealed) = self.sealed.get_mut(entry as usize) {
            *sealed = sum;
        }
        self.counts_of(&self.sealed)
    }

    fn cpu_sum(&self, entry: u32) -> Result<CpuSum, KernelError> {
        let mut sum = CpuSum::default();
        for PodCpuState(state) in self.cpu.get(&entry, 0).map_err(failed("CPU"))?.iter() {
            sum.counters.add(&state.counters);
            sum.punted.add(&state.punted);
            sum.ethertypes.merge(&state.ethertypes);
        }
        Ok(sum)
    }

    fn counts_of(&self, copies: &[CpuSum]) -> Result<KernelCounts, KernelError> {
        let mut counts = KernelCounts::default();
        for copy in copies {
            counts.counters.add(&copy.counters);
            counts.punted.add(&copy.punted);
            counts.ethertypes.merge(&copy.ethertypes);
        }
        let filtered = |entry| -> Result<u64, KernelError> {
            Ok(self.filtered.get(&entry, 0).map_err(failed("FILTERED"))?.iter().sum())
        };
        counts.filtered = filtered(FILTERED)?;
        counts.filtered_tagged = filtered(FILTERED_TAGGED)?;
        Ok(counts)
    }

    /// Waits until programs have left the ended epoch, then reads and empties its sketches. Takes
    /// some milliseconds.
    ///
    /// # Errors
    ///
    /// The kernel does not let its maps be read or written.
    pub fn collect(&mut self, mut standby: Standby) -> Result<Collected, KernelError> {
        standby.wait();
        let heavy = self.collect_heavy(heavy_entry(standby.live))?;
        let cardinality = match standby.ends {
            Ends::Period => Some(self.collect_cardinality(cardinality_entry(standby.live))?),
            Ends::Epoch => None,
        };
        Ok(Collected { heavy, cardinality })
    }

    /// The cardinality registers of the period that has not ended.
    ///
    /// # Errors
    ///
    /// The kernel does not let its maps be read.
    pub fn live_cardinality(&self) -> Result<CardinalityRegisters, KernelError> {
        let entry = cardinality_entry(self.control.live_sketches());
        Ok(CardinalityRegisters {
            sources_in: self.registers(entry)?,
            destinations_out: self.registers(entry + 1)?,
        })
    }

    fn collect_heavy(&mut self, entry: u32) -> Result<HeavyHitters, KernelError> {
        let tables = self.heavy.get(&entry, 0).map_err(failed("HEAVY"))?;
        let tables: Vec<&HeavyTable> = tables.iter().map(|PodHeavyTable(table)| table).collect();
        let hitters = HeavyHitters::of(&tables);
        if hitters != HeavyHitters::default() {
            let empty = for_all_processors("HEAVY", PodHeavyTable(HeavyTable::EMPTY))?;
            self.heavy.set(entry, empty, 0).map_err(failed("HEAVY"))?;
        }
        Ok(hitters)
    }

    fn collect_cardinality(&mut self, entry: u32) -> Result<CardinalityRegisters, KernelError> {
        let registers = CardinalityRegisters {
            sources_in: self.registers(entry)?,
            destinations_out: self.registers(entry + 1)?,
        };
        for (entry, registers) in [(entry, &registers.sources_in), (entry + 1, &registers.destinations_out)] {
            if registers.iter().any(|register| *register != 0) {
                let empty = for_all_processors("CARDINALITY", [0; REGISTERS])?;
                self.cardinality.set(entry, empty, 0).map_err(failed("CARDINALITY"))?;
            }
        }
        Ok(registers)
    }

    /// The greatest of all processors.
    fn registers(&self, entry: u32) -> Result<Box<[u8; REGISTERS]>, KernelError> {
        let mut greatest = Box::new([0; REGISTERS]);
        for registers in self.cardinality.get(&entry, 0).map_err(failed("CARDINALITY"))?.iter() {
            for (greatest, register) in greatest.iter_mut().zip(registers) {
                *greatest = (*greatest).max(*register);
            }
        }
        Ok(greatest)
    }
}

fn failed(name: &'static str) -> impl FnOnce(MapError) -> KernelError {
    move |source| KernelError::Map { name, source }
}

/// A map as the type that aya has for it.
fn typed<V: Pod>(name: &'static str, data: MapData) -> Result<PerCpuArray<MapData, V>, KernelError> {
    aya::maps::Map::from_map_data(data).and_then(PerCpuArray::try_from).map_err(failed(name))
}

fn for_all_processors<V: Pod>(name: &'static str, value: V) -> Result<PerCpuValues<V>, KernelError> {
    let failed = |error| KernelError::Map { name, source: MapError::IoError(error) };
    let processors = nr_cpus().map_err(|(_, error)| failed(error))?;
    PerCpuValues::try_from(vec![value; processors]).map_err(failed)
}
