//! The configuration of the BPF programs. Several threads change parts of it.

use std::sync::Arc;

use parking_lot::Mutex;
use pktvisor_capture::kernel::ControlMap;
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::sampling::SampleRate;

/// The configuration in force. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct ProgramConfig {
    control: ControlMap,
    config: Arc<Mutex<KernelConfig>>,
}

impl ProgramConfig {
    /// Takes over a configuration that is already in force.
    pub(super) fn new(control: ControlMap, config: KernelConfig) -> Self {
        Self { control, config: Arc::new(Mutex::new(config)) }
    }

    /// Sets the share of the DNS flows that is handed to userspace.
    pub(super) fn set_sample_rate(&self, rate: SampleRate) {
        self.change(|config| config.sample_rate = rate);
    }

    /// Changes the configuration and puts it into force.
    pub(super) fn change(&self, change: impl FnOnce(&mut KernelConfig)) {
        let mut config = self.config.lock();
        change(&mut config);
        self.control.configure(&config);
    }
}
