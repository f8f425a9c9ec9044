//! A bound on the time that one input may take.

use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// Runs `work` and panics if this thread was busy for longer than `limit`. The time of the
/// processor does not depend on what else the machine does.
pub(crate) fn within(limit: Duration, work: impl FnOnce()) {
    let began = busy();
    work();
    let took = busy().saturating_sub(began);
    assert!(took <= limit, "one input took {took:?}, more than {limit:?}");
}

/// How long this thread has been busy.
fn busy() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap_or(TimeSpec::new(0, 0)).into()
}
