//! Packets that the interface lost before any program could see them.

use std::collections::HashMap;
use std::fs;

/// The counters of an interface that mean lost packets
/// (Documentation/ABI/testing/sysfs-class-net-statistics).
const COUNTERS: [&str; 3] = ["rx_missed_errors", "rx_over_errors", "rx_fifo_errors"];

/// The packets that the drivers of the watched interfaces lost since start.
#[derive(Clone, Debug, Default)]
pub(super) struct DriverDrops {
    /// The counter of each interface at the last read.
    interfaces: HashMap<String, u64>,
    total: u64,
}

impl DriverDrops {
    /// Reads the counters of these interfaces and returns the packets lost since their first read.
    pub(super) fn since_start(&mut self, interfaces: &[String]) -> u64 {
        // An interface that comes back has new counters, so its first read does not count.
        self.interfaces.retain(|name, _| interfaces.contains(name));
        for name in interfaces {
            let now = lost(name);
            let before = self.interfaces.insert(name.clone(), now).unwrap_or(now);
            self.total += now.saturating_sub(before);
        }
        self.total
    }
}

/// The packets that an interface lost; 0 if it has no such counters or is gone.
fn lost(interface: &str) -> u64 {
    let counter = |name| -> Option<u64> {
        fs::read_to_string(format!("/sys/class/net/{interface}/statistics/{name}")).ok()?.trim().parse().ok()
    };
    COUNTERS.into_iter().filter_map(counter).sum()
}
