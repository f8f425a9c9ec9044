//! The measurements as a table and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::SentPackets;
use crate::bench::watcher::{Cpu, Seen};

/// One watcher at one rate.
pub(super) struct Measurement {
    pub(super) watcher: &'static str,
    /// Packets per second; `None` for as many as possible.
    pub(super) asked: Option<u64>,
    pub(super) sent: SentPackets,
    pub(super) seen: Seen,
    pub(super) cpu: Cpu,
}

impl Measurement {
    fn lost_nothing(&self) -> bool {
        self.seen.counted == self.sent.packets && self.seen.lost == 0
    }

    fn share(&self, packets: u64) -> f64 {
        packets as f64 * 100.0 / self.sent.packets.max(1) as f64
    }

    fn microseconds_a_packet(&self) -> (f64, f64) {
        let packets = self.sent.packets.max(1) as f64;
        (self.cpu.user.as_secs_f64() * 1e6 / packets, self.cpu.system.as_secs_f64() * 1e6 / packets)
    }
}

/// All rows below a heading, and the highest rate of each watcher without loss.
pub(super) fn table(measurements: &[Measurement]) -> String {
    let mut text = format!(
        "{:<9}{:>11}{:>11}{:>11}{:>11}{:>10}{:>11}{:>9}{:>9}\n{}",
        "watcher",
        "asked/s",
        "sent/s",
        "counted %",
        "analysed %",
        "lost",
        "us/packet",
        "user",
        "system",
        rows(measurements)
    );
    let mut watchers: Vec<&str> = measurements.iter().map(|measurement| measurement.watcher).collect();
    watchers.sort_unstable();
    watchers.dedup();
    for watcher in watchers {
        let of_it = measurements.iter().filter(|measurement| measurement.watcher == watcher);
        let best = of_it.filter(|measurement| measurement.lost_nothing()).map(|m| m.sent.per_second).max();
        let _ = match best {
            Some(best) => writeln!(text, "{watcher}: loses nothing at {best} packets/s"),
            None => writeln!(text, "{watcher}: loses packets at every rate"),
        };
    }
    text
}

/// One line for each measurement.
pub(super) fn rows(measurements: &[Measurement]) -> String {
    let mut text = String::new();
    for measurement in measurements {
        let Measurement { watcher, asked, sent, seen, .. } = measurement;
        let (user, system) = measurement.microseconds_a_packet();
        let asked = asked.map_or("max".to_owned(), |rate| rate.to_string());
        let _ = writeln!(
            text,
            "{watcher:<9}{asked:>11}{:>11}{:>11.3}{:>11.3}{:>10}{:>11.3}{user:>9.3}{system:>9.3}",
            sent.per_second,
            measurement.share(seen.counted),
            measurement.share(seen.analysed),
            seen.lost,
            user + system,
        );
    }
    text
}

/// The results as a document.
#[derive(Serialize)]
struct LiveResults {
    benchmark: &'static str,
    measurements: Vec<LiveResult>,
}

/// One [`Measurement`] in plain numbers.
#[derive(Serialize)]
struct LiveResult {
    watcher: &'static str,
    asked_pps: Option<u64>,
    sent: u64,
    sent_pps: u64,
    counted: u64,
    analysed: u64,
    lost: u64,
    user_us: u128,
    system_us: u128,
}

impl From<&Measurement> for LiveResult {
    fn from(measurement: &Measurement) -> Self {
        let Measurement { watcher, asked, sent, seen, cpu } = measurement;
        Self {
            watcher,
            asked_pps: *asked,
            sent: sent.packets,
            sent_pps: sent.per_second,
            counted: seen.counted,
            analysed: seen.analysed,
            lost: seen.lost,
            user_us: cpu.user.as_micros(),
            system_us: cpu.system.as_micros(),
        }
    }
}

/// One JSON object with every measurement in order.
pub(super) fn json(measurements: &[Measurement]) -> serde_json::Result<String> {
    let measurements = measurements.iter().map(LiveResult::from).collect();
    let results = LiveResults { benchmark: "live", measurements };
    Ok(serde_json::to_string(&results)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn measurement(per_second: u64, counted: u64, lost: u64) -> Measurement {
        let seen = Seen { counted, analysed: counted - lost, lost };
        let cpu = Cpu { user: Duration::from_micros(200), system: Duration::from_micros(100) };
        Measurement {
            watcher: "inline",
            asked: None,
            sent: SentPackets { packets: 1000, per_second },
            seen,
            cpu,
        }
    }

    #[test]
    fn the_highest_rate_without_any_loss_is_reported() {
        let text = table(&[measurement(500, 1000, 0), measurement(900, 1000, 3), measurement(700, 999, 0)]);
        assert!(text.ends_with("inline: loses nothing at 500 packets/s\n"), "{text}");
        assert!(text.contains("0.300    0.200    0.100"), "{text}");
        assert!(table(&[measurement(900, 1000, 3)]).ends_with("loses packets at every rate\n"));
    }

    #[test]
    fn results_keep_every_measurement() {
        let text = json(&[measurement(500, 1000, 0), measurement(900, 1000, 3)]).unwrap();
        let results: serde_json::Value = serde_json::from_str(&text).unwrap();
        let [first, second] = [0, 1].map(|index| &results["measurements"][index]);
        assert_eq!((first["sent_pps"].as_u64(), second["sent_pps"].as_u64()), (Some(500), Some(900)));
        assert!(second["asked_pps"].is_null());
        assert_eq!((second["lost"].as_u64(), second["user_us"].as_u64()), (Some(3), Some(200)));
    }
}
