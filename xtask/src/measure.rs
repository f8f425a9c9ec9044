//! The cost of one run of a program: CPU time as the kernel accounts it, and the peak of its own
//! memory.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::command;

/// How often memory is sampled. A shorter peak can be missed.
const SAMPLING_INTERVAL: Duration = Duration::from_millis(2);

/// The cost of one finished process, its threads included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// From start to exit.
    pub(crate) wall: Duration,
    /// CPU time in user mode.
    pub(crate) user: Duration,
    /// CPU time in the kernel on its behalf.
    pub(crate) system: Duration,
    /// Highest sampled size of anonymous memory (heap and stacks; mapped files are not in it), in
    /// bytes.
    pub(crate) anonymous_peak_bytes: u64,
}

impl Cost {
    /// CPU time in both modes.
    pub(crate) fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

/// Runs the command to its end and returns its cost; fails unless it succeeds.
pub(crate) fn cost_of(command: &mut Command) -> Result<Cost> {
    let line = command::line(command);
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
    let mut anonymous_peak_bytes = 0;
    let (status, usage) = loop {
        anonymous_peak_bytes = anonymous_peak_bytes.max(anonymous_bytes(child.id()));
        match reap(child.id()).with_context(|| format!("cannot wait for `{line}`"))? {
            Some(end) => break end,
            None => std::thread::sleep(SAMPLING_INTERVAL),
        }
    };
    let wall = started.elapsed();
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(Cost { wall, user: duration(usage.ru_utime), system: duration(usage.ru_stime), anonymous_peak_bytes })
}

/// CPU time of a running process so far, all threads, in both modes. The kernel knows it to the nanosecond.
pub(crate) fn cpu_time(process: u32) -> Result<Duration> {
    let pid = Pid::from_raw(process.try_into().context("no such process")?);
    Ok(Duration::from(clock_gettime(clock_getcpuclockid(pid)?)?))
}

/// The exit status and resource usage of a child that has ended, or `None` while it runs.
fn reap(pid: u32) -> std::io::Result<Option<(ExitStatus, libc::rusage)>> {
    let mut status = 0;
    // SAFETY: rusage is a struct of integers, for which all zeros is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live, exclusively borrowed locals of the types wait4 writes.
    match unsafe { libc::wait4(pid.cast_signed(), &mut status, libc::WNOHANG, &mut usage) } {
        0 => Ok(None),
        reaped if reaped > 0 => Ok(Some((ExitStatus::from_raw(status), usage))),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// `RssAnon` of a running process, 0 if the kernel does not report it any more.
fn anonymous_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
    kibibytes.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let microseconds = u64::try_from(time.tv_usec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_and_memory_of_a_child_are_measured() {
        let busy = "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done";
        let cost = cost_of(Command::new("sh").args(["-c", busy])).expect("sh runs");
        assert!(cost.cpu() > Duration::ZERO);
        assert!(cost.anonymous_peak_bytes > 0);
    }

    #[test]
    fn a_failing_child_is_an_error_instead_of_a_measurement() {
        let error = cost_of(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(error.to_string().ends_with("failed (exit status: 3)"), "{error}");
    }
}
