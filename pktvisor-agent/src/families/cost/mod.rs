//! What the agent itself costs: CPU time by role of its threads, and memory.
//!
//! The kernel's own work for the agent (the BPF programs) is not in it: the kernel charges it to
//! the thread that it interrupts.

mod threads;

use metric_families::{FamilyKind, MetricFamily};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use FamilyKind::{Counter, Gauge};
use threads::{RoleTimes, ThreadTimes};

/// The cost of this process since it started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentCost {
    /// User and system CPU time, in seconds.
    pub cpu_s: f64,
    /// The same by role of the thread. A role without a thread so far is absent.
    pub cpu_s_by_role: Vec<(&'static str, f64)>,
    /// Memory that is resident now, in bytes.
    pub resident_bytes: Option<u64>,
}

/// Reads the cost. It remembers the threads of the last time, because their time is gone when they
/// end.
#[derive(Debug, Default)]
pub struct CostMeter {
    roles: RoleTimes,
}

impl CostMeter {
    /// The cost now. No number is ever less than the time before.
    pub fn read(&mut self) -> AgentCost {
        // The threads first: their time is then at most that of the process.
        self.roles.add(&ThreadTimes::of_this_process());
        let usage = getrusage(UsageWho::RUSAGE_SELF);
        let cpu_s = usage.map_or(0.0, |usage| seconds(usage.user_time()) + seconds(usage.system_time()));
        let cpu_s_by_role = self.roles.seconds(cpu_s);
        AgentCost { cpu_s, cpu_s_by_role, resident_bytes: resident_bytes() }
    }
}

/// The families of the cost. `packets` is what the agent has seen since start.
pub(super) fn families(cost: &AgentCost, packets: u64) -> Vec<MetricFamily> {
    let help = "User and system CPU time of the agent since start.";
    let mut families = vec![MetricFamily::new("process_cpu_seconds", Counter, help).with([], cost.cpu_s)];
    let help = "User and system CPU time of the agent since start by role of the thread.";
    let mut by_role = MetricFamily::new("pktvisor_cpu_seconds", Counter, help);
    for (role, cpu_s) in &cost.cpu_s_by_role {
        by_role.push([("role", role)], *cpu_s);
    }
    families.push(by_role);
    if packets > 0 {
        let help = "CPU time of the agent since start divided by the packets seen since start.";
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let mean = cost.cpu_s / packets as f64;
        families.push(MetricFamily::new("pktvisor_cpu_seconds_per_packet", Gauge, help).with([], mean));
    }
    if let Some(bytes) = cost.resident_bytes {
        let help = "Memory of the agent that is resident.";
        families.push(MetricFamily::new("process_resident_memory_bytes", Gauge, help).with([], bytes));
    }
    families
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_the_roles_add_up_to_the_time_of_the_process() {
        let mut meter = CostMeter::default();
        let before = meter.read();
        let work = std::thread::Builder::new().name("worker 7".to_owned());
        let (measured, measuring) = std::sync::mpsc::channel::<()>();
        let (used_up, worked) = std::sync::mpsc::channel::<()>();
        let busy = work
            .spawn(move || {
                let used = || nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
                while used().tv_nsec() < 100_000_000 {}
                let _ = used_up.send(());
                let _ = measuring.recv();
            })
            .unwrap();
        let _ = worked.recv();
        let cost = meter.read();
        drop(measured);
        busy.join().unwrap();
        let of = |cost: &AgentCost, role: &str| {
            cost.cpu_s_by_role.iter().find(|(name, _)| *name == role).map_or(0.0, |(_, cpu_s)| *cpu_s)
        };
        assert!(of(&cost, "worker") > 0.05, "{cost:?}");
        let sum: f64 = cost.cpu_s_by_role.iter().map(|(_, cpu_s)| cpu_s).sum();
        assert!((sum - cost.cpu_s).abs() < 0.02, "{sum} of {cost:?}");
        // The thread has ended; its time has not.
        let after = meter.read();
        assert!(of(&after, "worker") >= of(&cost, "worker") && of(&after, "other") >= of(&before, "other"));
    }
}
