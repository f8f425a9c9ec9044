//! The programs' configuration: the map `CONTROL`, in our memory.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use aya::maps::MapData;
use memmap2::MmapRaw;
use parking_lot::Mutex;
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::control::{self, Ends};

use super::error::KernelError;
use super::mapping::{Access, page_size, share};

const NAME: &str = "CONTROL";

/// Changes the configuration while programs run. Needs no capability.
#[derive(Clone, Debug)]
pub struct ControlMap(Arc<MappedControl>);

#[derive(Debug)]
struct MappedControl {
    page: MmapRaw,
    /// Held while the configuration is written.
    writing: Mutex<()>,
}

impl ControlMap {
    pub(super) fn new(map: &MapData) -> Result<Self, KernelError> {
        let len = size_of::<control::Control>().next_multiple_of(page_size());
        let page = share(map.fd().as_fd(), 0, len, Access::ReadWrite)
            .map_err(|source| KernelError::Mapping { name: NAME, source })?;
        Ok(Self(Arc::new(MappedControl { page, writing: Mutex::new(()) })))
    }

    /// Replaces the configuration. Every packet is seen with the old one or the new one, never with
    /// a mixture.
    pub fn configure(&self, config: &KernelConfig) {
        let _writing = self.0.writing.lock();
        let live = self.live_config();
        let standby = 1 - (live.load(Ordering::Relaxed) & 1);
        // SAFETY: within the mapping, which is as large as a `ControlMap` (checked by the kernel),
        // aligned to a page, and valid as long as `self`. No program reads the standby copy, as the
        // last call waited for them; no other thread writes it, as the lock is held.
        unsafe {
            let configs = &raw mut (*self.control()).configs;
            configs.cast::<KernelConfig>().add(standby as usize).write(*config);
        }
        live.store(standby, Ordering::Release);
        wait_for_programs();
    }

    /// Begins the next [epoch](control::epoch): programs write to the other copy of the counters
    /// and the heavy hitters, and of the cardinality registers at the end of a period. Returns the
    /// previous [bits](control::live). Only one thread may flip.
    pub(super) fn flip_sketches(&self, ends: Ends) -> u32 {
        let before = self.live_sketches();
        self.live().store(control::flipped(before, ends), Ordering::Release);
        before
    }

    /// The [copies](control::live) that programs write to.
    pub(super) fn live_sketches(&self) -> u32 {
        self.live().load(Ordering::Acquire)
    }

    /// Stops programs from counting packets of an interface while its hooks are being attached,
    /// until the guard is dropped. One interface at a time.
    pub(crate) fn attaching(&self, interface_index: u32) -> Attaching {
        self.attaching_word().store(interface_index, Ordering::Release);
        Attaching(self.clone())
    }

    fn attaching_word(&self) -> &AtomicU32 {
        // SAFETY: a word of the mapping, valid as long as `self`; it is written through atomics
        // only.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.control()).attaching) }
    }

    fn live(&self) -> &AtomicU32 {
        // SAFETY: a word of the mapping, valid as long as `self`; it is written through atomics
        // only.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.control()).live_sketches) }
    }

    fn live_config(&self) -> &AtomicU32 {
        // SAFETY: a word of the mapping, valid as long as `self`; it is written through atomics
        // only.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.control()).live_config) }
    }

    fn control(&self) -> *mut control::Control {
        self.0.page.as_mut_ptr().cast()
    }
}

/// While this lives, the packets of an interface are [not counted yet](ControlMap::attaching).
#[derive(Debug)]
pub(crate) struct Attaching(ControlMap);

impl Drop for Attaching {
    fn drop(&mut self) {
        self.0.attaching_word().store(0, Ordering::Release);
    }
}

/// Waits until every program that was running has ended: an RCU grace period.
pub(super) fn wait_for_programs() {
    /// Of linux/membarrier.h.
    const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;
    /// For kernels that refuse it (nohz_full). Programs run for microseconds.
    const LONG_ENOUGH: Duration = Duration::from_millis(20);
    // SAFETY: takes numbers, writes nothing.
    if unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) } != 0 {
        thread::sleep(LONG_ENOUGH);
    }
}
