//! What the kernel programs are told, changed by several threads a part at a time.

use std::sync::Arc;

use parking_lot::Mutex;
use pktvisor_capture::kernel::ControlMap;
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::sampling::SampleRate;

/// The configuration in force; clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct ProgramConfig {
    control: ControlMap,
    config: Arc<Mutex<KernelConfig>>,
}

impl ProgramConfig {
    /// `config` is already in force.
    pub(super) fn new(control: ControlMap, config: KernelConfig) -> Self {
        Self { control, config: Arc::new(Mutex::new(config)) }
    }

    /// Changes the part of the DNS flows that is handed up.
    pub(super) fn set_sample_rate(&self, rate: SampleRate) {
        self.change(|config| config.sample_rate = rate);
    }

    /// Changes what it changes.
    pub(super) fn change(&self, change: impl FnOnce(&mut KernelConfig)) {
        let mut config = self.config.lock();
        change(&mut config);
        self.control.configure(&config);
    }
}
