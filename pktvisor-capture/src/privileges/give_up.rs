//! Gives capabilities away, in every thread and for good.
//!
//! The kernel changes the capabilities of the calling thread only. The other threads get a signal,
//! whose handler gives up the capabilities of its thread; `/proc` shows when all have done so.

use std::io;
use std::mem::size_of;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use caps::Capability;
use libc::{c_int, c_long, c_ulong};

use super::threads::{ThreadPrivileges, threads};

/// The capabilities that are not given away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Capabilities that every thread keeps.
    pub everywhere: Vec<Capability>,
    /// Further capabilities that the calling thread keeps.
    pub here: Vec<Capability>,
}

/// The process still has capabilities that it should have given up.
#[derive(Debug, thiserror::Error)]
pub enum GiveUpError {
    /// The kernel refused; the source says why.
    #[error("cannot give up capabilities")]
    Kernel(#[from] io::Error),
    /// Some threads did not react to the signal.
    #[error("these threads kept their capabilities: {}", names.join(", "))]
    Threads {
        /// Their names.
        names: Vec<String>,
    },
}

/// How long the other threads have to react.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bit mask of the capabilities that the signal handler keeps.
static KEPT_EVERYWHERE: AtomicU64 = AtomicU64::new(0);

/// Gives away every capability but those in `keep`, in all threads of the process: effective,
/// permitted, inheritable and ambient, and from the bounding set where this is allowed
/// (CAP_SETPCAP). From now on no program that is run gets more, either, not even as root
/// (`PR_SET_NO_NEW_PRIVS`). Threads started later have what the one has that starts them.
///
/// # Errors
///
/// Something was not given away; the process should end.
pub fn give_up(keep: &Keep) -> Result<(), GiveUpError> {
    let everywhere = mask(&keep.everywhere);
    let here = everywhere | mask(&keep.here);
    KEPT_EVERYWHERE.store(everywhere, Ordering::SeqCst);
    listen_for_signal()?;
    restrict_others(everywhere)?;
    restrict_this_thread(here)?;
    // Another thread may have started a thread before it got the signal.
    restrict_others(everywhere)
}

fn mask(capabilities: &[Capability]) -> u64 {
    capabilities.iter().fold(0, |mask, capability| mask | capability.bitmask())
}

/// Signals every other thread that has more than `kept`, and waits until none has.
fn restrict_others(kept: u64) -> Result<(), GiveUpError> {
    let deadline = Instant::now() + PATIENCE;
    let mut signalled = Vec::new();
    loop {
        let mut left = threads()?;
        left.retain(|thread| thread.id != this_thread() && !is_restricted(thread, kept));
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(GiveUpError::Threads { names: left.into_iter().map(|thread| thread.name).collect() });
        }
        for thread in left {
            if !signalled.contains(&thread.id) {
                signal_thread(thread.id);
                signalled.push(thread.id);
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn is_restricted(thread: &ThreadPrivileges, kept: u64) -> bool {
    thread.all() & !kept == 0 && thread.no_new_privileges
}

fn this_thread() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// A real-time signal that nothing else here uses; the lowest ones are the C library's.
fn signal() -> c_int {
    libc::SIGRTMIN() + 9
}

/// The handler stays: without it, a late signal would end the process.
fn listen_for_signal() -> io::Result<()> {
    // SAFETY: a structure of integers and optional pointers, for which all zeros is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(c_int) = on_signal;
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the action is whole, and its handler does only what handlers may (signal-safety(7)):
    // system calls, atomics, and errno, which it puts back.
    match unsafe { libc::sigaction(signal(), &raw const action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn signal_thread(thread: i32) {
    // SAFETY: integers only. If the thread has ended, it has no capabilities either.
    unsafe { libc::syscall(libc::SYS_tgkill, process::id() as c_long, c_long::from(thread), signal()) };
}

extern "C" fn on_signal(_: c_int) {
    // SAFETY: errno is this thread's own and always there.
    let errno = unsafe { &mut *libc::__errno_location() };
    let before = *errno;
    // The thread that sent the signal checks the result.
    let _ = restrict_this_thread(KEPT_EVERYWHERE.load(Ordering::SeqCst));
    *errno = before;
}

/// `struct __user_cap_header_struct` of linux/capability.h.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: c_int,
}

/// `struct __user_cap_data_struct`: the lower, then the upper 32 capabilities.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const _: () = assert!(size_of::<[Sets; 2]>() == 24);

/// `_LINUX_CAPABILITY_VERSION_3`.
const VERSION: u32 = 0x2008_0522;

/// Takes everything but `kept` from the calling thread. Runs in a signal handler: makes system
/// calls, nothing else.
fn restrict_this_thread(kept: u64) -> io::Result<()> {
    for number in (0..64).filter(|number| kept & (1 << number) == 0) {
        // Needs CAP_SETPCAP, and most numbers are no capability. The bounding set is useless to a
        // thread that gains nothing.
        let _ = prctl(libc::PR_CAPBSET_DROP, number);
    }
    // Below Linux 4.3 there is no ambient set.
    let _ = prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as c_ulong);
    let mut header = CapabilityHeader { version: VERSION, pid: 0 };
    let mut sets = [Sets::default(); 2];
    // SAFETY: the kernel reads one header and writes two sets, as version 3 has it.
    check(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) })?;
    for (set, kept) in sets.iter_mut().zip([kept as u32, (kept >> 32) as u32]) {
        set.permitted &= kept;
        set.effective = set.permitted;
        set.inheritable = 0;
    }
    // SAFETY: the kernel reads one header and two sets, as version 3 has it.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, sets.as_ptr()) })?;
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)
}

fn prctl(operation: c_int, argument: c_ulong) -> io::Result<()> {
    const NONE: c_ulong = 0;
    // SAFETY: these operations take integers.
    check(unsafe { libc::prctl(operation, argument, NONE, NONE, NONE) }.into())
}

fn check(result: c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
