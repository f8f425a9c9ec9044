//! CPU time by role of the threads.
//!
//! A thread's name says its role. Threads come and go, and a thread that has ended takes its time
//! with it; but a counter must not decrease. So each reading adds what the living threads have used
//! since the last one, and the role `other` has the rest of the process's time.

use std::collections::HashMap;
use std::fs;

/// How the names of threads begin, and their role.
const ROLES: [(&str, &str); 10] = [
    ("pktvisord", "main"),
    ("capture", "capture"),
    ("worker", "worker"),
    ("collector", "collector"),
    ("ticker", "collector"),
    ("replay", "replay"),
    ("interfaces", "interfaces"),
    ("http", "http"),
    ("otlp", "otlp"),
    ("archive", "archive"),
];

/// The role of all other threads, and of time that threads used after the last reading before they
/// ended.
const OTHER: &str = "other";

/// A thread, never to be confused with a later one of the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ThreadKey {
    id: u64,
    /// When it started, in ticks since boot.
    start_ticks: u64,
}

/// The living threads and their CPU time since they started.
#[derive(Debug, Default)]
pub(super) struct ThreadTimes(HashMap<ThreadKey, ThreadTime>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct ThreadTime {
    role: &'static str,
    cpu_s: f64,
}

impl ThreadTimes {
    /// Reads /proc/self/task. A thread that ends while it is read is left out.
    pub(super) fn of_this_process() -> Self {
        let Some(ticks_per_s) = ticks_per_s() else { return Self::default() };
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let times = tasks.filter_map(|task| {
            let id = task.file_name().to_str()?.parse().ok()?;
            let stat = fs::read(task.path().join("stat")).ok()?;
            parse(id, &String::from_utf8_lossy(&stat), ticks_per_s)
        });
        Self(times.collect())
    }
}

/// The CPU time of each role.
#[derive(Debug, Default)]
pub(super) struct RoleTimes {
    last: HashMap<ThreadKey, ThreadTime>,
    cpu_s: HashMap<&'static str, f64>,
    other_s: f64,
}

impl RoleTimes {
    /// Adds what the threads have used since they were last read.
    pub(super) fn add(&mut self, now: &ThreadTimes) {
        for (key, time) in &now.0 {
            let before = self.last.get(key).map_or(0.0, |last| last.cpu_s);
            if time.role != OTHER {
                *self.cpu_s.entry(time.role).or_default() += (time.cpu_s - before).max(0.0);
            }
        }
        self.last.clone_from(&now.0);
    }

    /// The time of each role, if that of the process is `total_s`.
    pub(super) fn seconds(&mut self, total_s: f64) -> Vec<(&'static str, f64)> {
        let named: f64 = self.cpu_s.values().sum();
        self.other_s = self.other_s.max(total_s - named);
        let mut roles: Vec<(&'static str, f64)> =
            self.cpu_s.iter().map(|(role, cpu_s)| (*role, *cpu_s)).collect();
        roles.sort_unstable_by_key(|(role, _)| *role);
        roles.push((OTHER, self.other_s));
        roles
    }
}

/// One line of /proc/PID/task/TID/stat, see proc_pid_stat(5). The name stands in parentheses and may
/// hold spaces and parentheses; the fields behind it count from 3.
fn parse(id: u64, stat: &str, ticks_per_s: f64) -> Option<(ThreadKey, ThreadTime)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    let ticks = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let (user, system, start_ticks) = (ticks(14)?, ticks(15)?, ticks(22)?);
    #[expect(clippy::cast_precision_loss, reason = "hundredths of a second")]
    let cpu_s = user.saturating_add(system) as f64 / ticks_per_s;
    Some((ThreadKey { id, start_ticks }, ThreadTime { role: role(name), cpu_s }))
}

fn role(name: &str) -> &'static str {
    ROLES.iter().find(|(start, _)| name.starts_with(start)).map_or(OTHER, |(_, role)| role)
}

/// The unit of times in /proc/PID/stat.
fn ticks_per_s() -> Option<f64> {
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
    #[expect(clippy::cast_precision_loss, reason = "100 everywhere")]
    (ticks > 0).then_some(ticks as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, user: u64, start: u64) -> String {
        format!("9 ({name}) S 1 2 3 4 5 6 7 8 9 10 {user} 50 0 0 20 0 3 0 {start} 0\n")
    }

    fn threads(lines: &[(u64, String)]) -> ThreadTimes {
        ThreadTimes(lines.iter().map(|(id, line)| parse(*id, line, 100.0).unwrap()).collect())
    }

    #[test]
    fn a_name_with_parentheses_and_spaces_is_read() {
        let (key, time) = parse(9, &line("worker 1) (x", 150, 77), 100.0).unwrap();
        assert_eq!(key, ThreadKey { id: 9, start_ticks: 77 });
        assert_eq!(time, ThreadTime { role: "worker", cpu_s: 2.0 });
        for odd in ["", "9 (x", "9 (x) S", "9 (x) S 1 2 3 4 5 6 7 8 9 10 a 50 0 0 20 0 3 0 77"] {
            assert_eq!(parse(9, odd, 100.0), None, "{odd:?}");
        }
    }

    #[test]
    fn no_role_loses_time_when_a_thread_ends_and_its_id_is_used_again() {
        let mut roles = RoleTimes::default();
        roles.add(&threads(&[(1, line("worker 0", 150, 7)), (2, line("worker 1", 50, 7))]));
        assert_eq!(roles.seconds(3.5), [("worker", 3.0), (OTHER, 0.5)]);
        roles.add(&threads(&[(1, line("worker 0", 250, 7)), (2, line("http", 50, 8))]));
        assert_eq!(roles.seconds(7.0), [("http", 1.0), ("worker", 4.0), (OTHER, 2.0)]);
        roles.add(&threads(&[]));
        // Rounding may leave the process with less than its threads; no counter decreases.
        assert_eq!(roles.seconds(6.0), [("http", 1.0), ("worker", 4.0), (OTHER, 2.0)]);
    }
}
