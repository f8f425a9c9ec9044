//! What the agent itself costs, under the names that every Prometheus client uses.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use super::writer::{Exposition, FamilyKind};

/// Writes CPU time and memory of this process. The kernel's own work for the agent (the BPF programs) is not in it.
pub(super) fn families(out: &mut Exposition) {
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
        let cpu_s = seconds(usage.user_time()) + seconds(usage.system_time());
        let help = "User and system CPU time of the agent since start.";
        out.single("process_cpu_seconds_total", FamilyKind::Counter, help, cpu_s);
    }
    if let Some(bytes) = resident_bytes() {
        let help = "Memory of the agent that is resident.";
        out.single("process_resident_memory_bytes", FamilyKind::Gauge, help, bytes);
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of CPU time")]
fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// The second field of /proc/self/statm, see proc_pid_statm(5).
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    let page_bytes = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    pages.checked_mul(u64::try_from(page_bytes).ok()?)
}
