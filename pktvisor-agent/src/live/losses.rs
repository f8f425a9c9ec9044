//! Packets that the interface itself lost, before any program could see them.

use std::collections::HashMap;
use std::fs;

/// The counters of an interface that mean lost packets (Documentation/ABI/testing/sysfs-class-net-statistics).
const COUNTERS: [&str; 3] = ["rx_missed_errors", "rx_over_errors", "rx_fifo_errors"];

/// What the drivers of the watched interfaces lost since we began.
#[derive(Clone, Debug, Default)]
pub(super) struct DriverDrops {
    /// What each had lost when we last looked.
    interfaces: HashMap<String, u64>,
    total: u64,
}

impl DriverDrops {
    /// Looks at these interfaces; returns the packets lost since they were looked at first.
    pub(super) fn since_start(&mut self, interfaces: &[String]) -> u64 {
        // One that comes back begins at what its new counters say.
        self.interfaces.retain(|name, _| interfaces.contains(name));
        for name in interfaces {
            let now = lost(name);
            let before = self.interfaces.insert(name.clone(), now).unwrap_or(now);
            self.total += now.saturating_sub(before);
        }
        self.total
    }
}

/// 0 for an interface that does not tell, or is gone.
fn lost(interface: &str) -> u64 {
    let counter = |name| -> Option<u64> {
        fs::read_to_string(format!("/sys/class/net/{interface}/statistics/{name}")).ok()?.trim().parse().ok()
    };
    COUNTERS.into_iter().filter_map(counter).sum()
}
