//! The programs' message about every packet, if they were built with it (`cargo xtask build-ebpf
//! --log`).

use std::fmt;

use aya::Ebpf;
use aya_log::EbpfLogger;

/// The programs' messages. Keep it as long as programs are loaded.
pub struct ProgramLog(EbpfLogger<&'static dyn log::Log>);

impl ProgramLog {
    /// `None` for programs that were built without messages.
    pub(super) fn of(ebpf: &mut Ebpf) -> Option<Self> {
        // The map of aya-log-ebpf.
        ebpf.map("AYA_LOGS")?;
        match EbpfLogger::init(ebpf) {
            Ok(logger) => Some(Self(logger)),
            Err(error) => {
                tracing::warn!("cannot read the messages of the kernel programs: {error}");
                None
            }
        }
    }

    /// Writes the messages since the last call to the agent's log.
    pub fn flush(&mut self) {
        self.0.flush();
    }
}

impl fmt::Debug for ProgramLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramLog").finish_non_exhaustive()
    }
}
