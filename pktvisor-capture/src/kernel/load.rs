//! Loads the object: maps at once, each program at its first use.

use std::os::fd::{AsFd, BorrowedFd};

use aya::maps::{ArrayOfMaps, Map, MapData, XskMap};
use aya::programs::{Program, ProgramError, ProgramFd, SchedClassifier, Xdp};
use aya::{Ebpf, EbpfLoader};
use pktvisor_common::classify::LinkType;
use pktvisor_common::hll::REGISTERS;
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::control;
use pktvisor_common::kernel::cpu::CpuState;
use pktvisor_common::kernel::heavy::HeavyTable;

use super::collect::{MapCollector, Maps};
use super::control::{Attaching, ControlMap};
use super::cpus;
use super::deep::Deep;
use super::error::KernelError;
use super::log::ProgramLog;
use super::ring::RecordRing;
use crate::privileges;

/// How to load.
#[derive(Clone, Debug)]
pub struct ProgramSettings {
    /// The configuration to begin with.
    pub config: KernelConfig,
    /// The type of the first header of packets, for all entries except the raw ones.
    pub link_type: LinkType,
    /// Memory of each ring buffer, of which every processor has one for each shard; becomes a power
    /// of two.
    pub ring_bytes: u32,
}

impl Default for ProgramSettings {
    fn default() -> Self {
        Self { config: KernelConfig::default(), link_type: LinkType::ETHERNET, ring_bytes: 4 << 20 }
    }
}

/// A program of the object. Raw ones are for interfaces whose packets begin with the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryPoint {
    /// XDP: counts, copies and passes on.
    Xdp,
    /// XDP: counts, hands over to AF_XDP sockets and drops.
    Tap,
    /// Traffic control, received packets.
    TcIngress,
    /// Traffic control, packets to be sent.
    TcEgress,
    /// Traffic control, received packets without a link-layer header.
    TcIngressRaw,
    /// Traffic control, packets to be sent without a link-layer header.
    TcEgressRaw,
    /// XDP: does nothing, so that others can be measured against it.
    Nothing,
}

impl EntryPoint {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Xdp,
        Self::Tap,
        Self::TcIngress,
        Self::TcEgress,
        Self::TcIngressRaw,
        Self::TcEgressRaw,
        Self::Nothing,
    ];

    /// Its name in the object and in the kernel.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xdp => "pktvisor_xdp",
            Self::Tap => "pktvisor_tap",
            Self::TcIngress => "pktvisor_ingress",
            Self::TcEgress => "pktvisor_egress",
            Self::TcIngressRaw => "pktvisor_ingress_raw",
            Self::TcEgressRaw => "pktvisor_egress_raw",
            Self::Nothing => "pktvisor_nothing",
        }
    }
}

/// The programs. They are unloaded and detached when this is dropped, except those whose links were
/// taken out.
#[derive(Debug)]
pub struct KernelPrograms {
    ebpf: Ebpf,
    link_type: LinkType,
    control: ControlMap,
}

/// Result of [`KernelPrograms::load`]: each part for another thread.
pub struct Loaded {
    /// Attaches.
    pub programs: KernelPrograms,
    /// Configures.
    pub control: ControlMap,
    /// Collects counters.
    pub collector: MapCollector,
    /// For the worker threads, one for each shard.
    pub deep: Vec<Deep>,
    /// Messages of the programs, if the object was built with them.
    pub log: Option<ProgramLog>,
}

impl KernelPrograms {
    /// Makes the maps of `object`; no program is loaded yet.
    ///
    /// # Errors
    ///
    /// `object` is not a BPF object of this version, or there is no permission, or no memory.
    pub fn load(object: &[u8], settings: &ProgramSettings) -> Result<Loaded, KernelError> {
        // Before Linux 5.11 maps count as locked memory. If the limit stays too low, the kernel
        // refuses the maps and loading fails.
        if privileges::KernelFeatures::running().counts_bpf_memory() {
            let _ = privileges::raise_memlock();
        }
        let shards = settings.config.shards;
        let rings = cpus::count()? * shards.count();
        let mut ebpf = EbpfLoader::new()
            // Nothing in the programs depends on the layout of kernel structures.
            .btf(None)
            .override_global("LINK_TYPE", &settings.link_type.0, true)
            .map_max_entries("DEEP", rings)
            .load(object)
            .map_err(KernelError::Load)?;
        let control = ControlMap::new(&copy(&ebpf, "CONTROL", size_of::<control::Control>())?)?;
        control.configure(&settings.config);
        let maps = Maps {
            cpu: copy(&ebpf, "CPU", size_of::<CpuState>())?,
            filtered: copy(&ebpf, "FILTERED", size_of::<u64>())?,
            heavy: copy(&ebpf, "HEAVY", size_of::<HeavyTable>())?,
            cardinality: copy(&ebpf, "CARDINALITY", REGISTERS)?,
        };
        let collector = MapCollector::new(control.clone(), maps)?;
        let rings =
            (0..rings).map(|_| RecordRing::create(settings.ring_bytes)).collect::<Result<Vec<_>, _>>()?;
        place_rings(&mut ebpf, &rings)?;
        let log = ProgramLog::of(&mut ebpf);
        let programs = Self { ebpf, link_type: settings.link_type, control: control.clone() };
        Ok(Loaded { programs, control, collector, deep: Deep::by_shard(rings, shards), log })
    }
}

impl KernelPrograms {
    /// The type of the first header of the packets that `entry` sees.
    pub fn link_type(&self, entry: EntryPoint) -> LinkType {
        match entry {
            EntryPoint::TcIngressRaw | EntryPoint::TcEgressRaw => LinkType::RAW,
            EntryPoint::Xdp
            | EntryPoint::Tap
            | EntryPoint::TcIngress
            | EntryPoint::TcEgress
            | EntryPoint::Nothing => self.link_type,
        }
    }

    /// An XDP program, loaded at the first call: verification takes a while.
    ///
    /// # Errors
    ///
    /// The verifier refuses it (before Linux 5.18, for one), or there is no permission; or `entry`
    /// is a classifier.
    pub fn xdp(&mut self, entry: EntryPoint) -> Result<&mut Xdp, KernelError> {
        let name = entry.name();
        let program: &mut Xdp = self.program(name)?.try_into().map_err(refused(name))?;
        if program.fd().is_err() {
            program.load().map_err(refused(name))?;
        }
        Ok(program)
    }

    /// A classifier, loaded at the first call.
    ///
    /// # Errors
    ///
    /// The verifier refuses it, or there is no permission; or `entry` is an XDP program.
    pub fn classifier(&mut self, entry: EntryPoint) -> Result<&mut SchedClassifier, KernelError> {
        let name = entry.name();
        let program: &mut SchedClassifier = self.program(name)?.try_into().map_err(refused(name))?;
        if program.fd().is_err() {
            program.load().map_err(refused(name))?;
        }
        Ok(program)
    }

    /// A program's file descriptor; loads it if that has not been done.
    ///
    /// # Errors
    ///
    /// As [`KernelPrograms::xdp`].
    pub fn fd(&mut self, entry: EntryPoint) -> Result<&ProgramFd, KernelError> {
        let fd = match entry {
            EntryPoint::Xdp | EntryPoint::Tap | EntryPoint::Nothing => self.xdp(entry)?.fd(),
            _ => self.classifier(entry)?.fd(),
        };
        fd.map_err(refused(entry.name()))
    }

    /// The map in which filter programs count the packets that they reject: `u64`, per processor.
    ///
    /// # Errors
    ///
    /// The object is not of this version.
    pub fn filtered(&self) -> Result<BorrowedFd<'_>, KernelError> {
        match self.ebpf.map("FILTERED") {
            Some(Map::PerCpuArray(data)) => Ok(data.fd().as_fd()),
            _ => Err(KernelError::Missing { what: "array", name: "FILTERED" }),
        }
    }

    /// Stops programs from counting packets of the interface until the guard is dropped. Hold it
    /// while attaching.
    pub(crate) fn attaching(&self, interface_index: u32) -> Attaching {
        self.control.attaching(interface_index)
    }

    /// The map in which the `tap` program looks for the socket of a receive queue.
    ///
    /// # Errors
    ///
    /// The object is not of this version.
    pub fn sockets(&mut self) -> Result<XskMap<&mut MapData>, KernelError> {
        const NAME: &str = "XSKS";
        let map = self.ebpf.map_mut(NAME).ok_or(KernelError::Missing { what: "map", name: NAME })?;
        map.try_into().map_err(|source| KernelError::Map { name: NAME, source })
    }

    fn program(&mut self, name: &'static str) -> Result<&mut Program, KernelError> {
        self.ebpf.program_mut(name).ok_or(KernelError::Missing { what: "program", name })
    }
}

fn refused(name: &'static str) -> impl FnOnce(ProgramError) -> KernelError {
    move |source| KernelError::Program { name, source }
}

/// A handle of our own of one of the object's arrays. The object keeps its handles: programs that
/// are loaded later refer to them.
fn copy(ebpf: &Ebpf, name: &'static str, expected: usize) -> Result<MapData, KernelError> {
    let Some(Map::Array(original) | Map::PerCpuArray(original)) = ebpf.map(name) else {
        return Err(KernelError::Missing { what: "array", name });
    };
    let fd = original
        .fd()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| KernelError::Map { name, source: error.into() })?;
    let data = MapData::from_fd(fd).map_err(|source| KernelError::Map { name, source })?;
    let found = data.info().map_err(|source| KernelError::Map { name, source })?.value_size();
    match found as usize == expected {
        true => Ok(data),
        false => Err(KernelError::Layout { name, found, expected }),
    }
}

/// Puts the ring buffers where the programs look for them.
fn place_rings(ebpf: &mut Ebpf, rings: &[RecordRing]) -> Result<(), KernelError> {
    const NAME: &str = "DEEP";
    let error = |source| KernelError::Map { name: NAME, source };
    let map = ebpf.map_mut(NAME).ok_or(KernelError::Missing { what: "map", name: NAME })?;
    let mut deep: ArrayOfMaps<&mut MapData> = map.try_into().map_err(error)?;
    for (place, ring) in (0..).zip(rings.iter().filter_map(RecordRing::map)) {
        deep.set(place, ring, 0).map_err(error)?;
    }
    Ok(())
}
