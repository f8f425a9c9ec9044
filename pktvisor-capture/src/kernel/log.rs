//! What the programs say of every packet, where they were built to (`cargo xtask build-ebpf --log`).

use std::fmt;

use aya::Ebpf;
use aya_log::EbpfLogger;

/// The programs' messages. Keep it as long as programs are loaded.
pub struct ProgramLog(EbpfLogger<&'static dyn log::Log>);

impl ProgramLog {
    /// Of programs that say something.
    pub(super) fn of(ebpf: &mut Ebpf) -> Option<Self> {
        // The map with which aya-log-ebpf speaks to us.
        ebpf.map("AYA_LOGS")?;
        match EbpfLogger::init(ebpf) {
            Ok(logger) => Some(Self(logger)),
            Err(error) => {
                tracing::warn!("what the kernel programs say cannot be read: {error}");
                None
            }
        }
    }

    /// Writes what was said since the last time to the agent's log.
    pub fn flush(&mut self) {
        self.0.flush();
    }
}

impl fmt::Debug for ProgramLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramLog").finish_non_exhaustive()
    }
}
