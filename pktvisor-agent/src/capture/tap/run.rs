//! The thread of one queue: bursts of packets to whoever understands them.

use std::io;
use std::mem::take;
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::queue::BURST_FRAMES;
use super::{Burst, Queue};
use crate::capture::pause::Pause;

/// After so long without packets the kernel is asked to wake us; it would cost too much for each packet.
const IDLE: Duration = Duration::from_millis(20);
/// After a stop, what is on its way is waited for so long.
const LAST_WAIT: Duration = Duration::from_millis(2);
/// How soon a stop is noticed by who sleeps.
const SLEEP_MS: i32 = 100;
/// How often time is told to pass, and statistics are brought up to date.
const UPKEEP: Duration = Duration::from_millis(100);

/// Who takes what a queue brings.
pub trait Sink {
    /// Packets have come.
    fn burst(&mut self, burst: &mut Burst<'_>);

    /// Time passes; called some ten times a second, whether packets come or not. `fill` says how full the queue is, from 0
    /// to 1.
    fn upkeep(&mut self, fill: f64);
}

/// Takes packets from the queue until `is_stopping` says so and none is left. The program has to be detached before: what
/// it has handed over then arrives within moments.
///
/// # Errors
///
/// The interface is gone.
pub fn run(queue: &mut Queue, is_stopping: impl Fn() -> bool, sink: &mut impl Sink) -> io::Result<()> {
    let mut last_packet = Instant::now();
    let mut upkeep = Instant::now();
    let mut pause = Pause::up_to(queue.pause_max());
    let mut found = 0;
    loop {
        // Asked before the ring is looked at: what was there when the stop came is then taken.
        let stopping = is_stopping();
        let count = queue.receive(|burst| sink.burst(burst));
        let is_over = stopping && count == 0 && last_packet.elapsed() >= LAST_WAIT;
        if is_over || upkeep.elapsed() >= UPKEEP {
            upkeep = Instant::now();
            sink.upkeep(queue.fill());
            queue.update_statistics()?;
        }
        if is_over {
            return Ok(());
        }
        queue.wake_driver()?;
        if count > 0 {
            last_packet = Instant::now();
        }
        found += count;
        if count == BURST_FRAMES {
            continue;
        }
        let pause = pause.after(take(&mut found));
        if stopping || last_packet.elapsed() < IDLE {
            thread::sleep(pause);
        } else {
            queue.wait(SLEEP_MS)?;
        }
    }
}

/// Keeps the calling thread on a processor of its own, the `number`-th of `threads` that do so; where there are not more
/// processors than threads it stays where the scheduler puts it. Returns the processor.
pub fn pin(number: usize, threads: usize) -> Option<usize> {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).ok()?;
    let processors: Vec<usize> =
        (0..CpuSet::count()).filter(|&n| allowed.is_set(n).unwrap_or(false)).collect();
    // One is left to the others.
    if processors.len() <= threads {
        return None;
    }
    let processor = *processors.iter().rev().nth(number)?;
    let mut set = CpuSet::new();
    set.set(processor).ok()?;
    sched_setaffinity(this, &set).ok()?;
    Some(processor)
}
