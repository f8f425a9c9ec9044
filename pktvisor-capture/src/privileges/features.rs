//! What the running kernel requires for BPF.

use std::fs;

use caps::{CapSet, Capability};

/// First kernel with CAP_BPF and CAP_PERFMON; before, CAP_SYS_ADMIN stands for both.
const CAP_BPF_SINCE: (u32, u32) = (5, 8);
/// First kernel that does not count maps and programs as locked memory.
const NO_MEMLOCK_SINCE: (u32, u32) = (5, 11);
/// First kernel that lets those without CAP_BPF use maps they hold, where unprivileged BPF is
/// disabled.
const MAPS_WITHOUT_CAP_BPF_SINCE: (u32, u32) = (5, 19);

/// The running kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelFeatures {
    /// Its version, such as `(6, 1)`.
    pub version: (u32, u32),
    /// Whether `kernel.unprivileged_bpf_disabled` is set. Distributions set it.
    pub unprivileged_bpf_disabled: bool,
}

impl KernelFeatures {
    /// The one that runs now.
    pub fn running() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self {
            version: version(&read("/proc/sys/kernel/osrelease")),
            // Where it cannot be read the worse is assumed.
            unprivileged_bpf_disabled: read("/proc/sys/kernel/unprivileged_bpf_disabled").trim() != "0",
        }
    }

    /// The capabilities to load BPF programs and make maps.
    pub fn bpf_capabilities(&self) -> &'static [Capability] {
        if self.version >= CAP_BPF_SINCE {
            &[Capability::CAP_BPF, Capability::CAP_PERFMON]
        } else {
            &[Capability::CAP_SYS_ADMIN]
        }
    }

    /// Whether BPF maps count as locked memory, which is limited (RLIMIT_MEMLOCK).
    pub fn counts_bpf_memory(&self) -> bool {
        self.version < NO_MEMLOCK_SINCE
    }

    /// Whether every look into a map needs the capability that made it.
    pub fn guards_maps(&self) -> bool {
        self.unprivileged_bpf_disabled && self.version < MAPS_WITHOUT_CAP_BPF_SINCE
    }
}

/// The first two numbers of a release like `6.1.0-32-cloud-amd64`; a kernel without them is taken
/// for a new one.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => (u32::MAX, 0),
    }
}

/// Whether this thread may use the capability now; raises it where it may be raised.
pub(super) fn has(capability: Capability) -> bool {
    let has = |set| caps::has_cap(None, set, capability).unwrap_or(false);
    has(CapSet::Effective)
        || (has(CapSet::Permitted) && caps::raise(None, CapSet::Effective, capability).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_begins_with_its_version() {
        assert_eq!(version("6.1.0-32-cloud-amd64"), (6, 1));
        assert_eq!(version("5.10-rc1"), (5, 10));
        assert_eq!(version(""), (u32::MAX, 0));
    }
}
