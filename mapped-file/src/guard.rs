//! What happens on SIGBUS: a page of zeros for a mapping under guard, the death that is due for anything else.
//!
//! The handler may run at any instruction of any thread, so all it uses is a fixed table of atomics and system calls.

use std::io;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};
use std::sync::{Mutex, OnceLock, PoisonError};

use libc::{c_int, c_void, siginfo_t};

/// How many mappings can be under guard at once.
pub(crate) const MAPPINGS_MAX: usize = 64;

/// One mapping under guard; none while `end` is 0.
#[derive(Debug)]
struct GuardedRange {
    start: AtomicUsize,
    end: AtomicUsize,
    caught: AtomicBool,
}

impl GuardedRange {
    const fn none() -> Self {
        Self { start: AtomicUsize::new(0), end: AtomicUsize::new(0), caught: AtomicBool::new(false) }
    }

    fn has(&self, address: usize) -> bool {
        // The end is written last and read first: behind it lies the start that belongs to it.
        address < self.end.load(Ordering::Acquire) && address >= self.start.load(Ordering::Relaxed)
    }
}

static PLACES: [GuardedRange; MAPPINGS_MAX] = [const { GuardedRange::none() }; MAPPINGS_MAX];
/// Held while a place is given or given back.
static GIVING: Mutex<()> = Mutex::new(());
static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);
static BEFORE: OnceLock<Before> = OnceLock::new();

/// What was done on SIGBUS before; the standard library looks there for overflows of a stack.
struct Before(libc::sigaction);

// SAFETY: numbers, and the addresses of functions, which are the same for all threads.
unsafe impl Send for Before {}
// SAFETY: as above; it is never changed.
unsafe impl Sync for Before {}

/// Keeps a mapping under guard until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard(&'static GuardedRange);

impl Guard {
    /// Guards the mapping at these addresses, which whoever calls unmaps only after dropping the guard.
    ///
    /// # Errors
    /// [`MAPPINGS_MAX`] are under guard, or the signal cannot be caught.
    pub(crate) fn over(addresses: Range<*const u8>) -> io::Result<Self> {
        let _giving = GIVING.lock().unwrap_or_else(PoisonError::into_inner);
        catch()?;
        let place = PLACES
            .iter()
            .find(|place| place.end.load(Ordering::Relaxed) == 0)
            .ok_or_else(|| io::Error::other("too many files are mapped"))?;
        place.caught.store(false, Ordering::Relaxed);
        place.start.store(addresses.start.addr(), Ordering::Relaxed);
        place.end.store(addresses.end.addr(), Ordering::Release);
        Ok(Self(place))
    }

    /// Whether a page was missing.
    #[inline(always)]
    pub(crate) fn has_caught(&self) -> bool {
        // What was read before is read before this is asked, and not moved behind it by the compiler.
        compiler_fence(Ordering::SeqCst);
        // The thread that asks is the one that touched the page, or learns of it a moment later.
        self.0.caught.load(Ordering::Relaxed)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _giving = GIVING.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.end.store(0, Ordering::Release);
    }
}

/// Installs the handler, also where it has made way for the action before; called with `GIVING` held.
fn catch() -> io::Result<()> {
    // SAFETY: asks for a number.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    PAGE_BYTES.store(usize::try_from(page_bytes).map_err(io::Error::other)?, Ordering::Relaxed);
    // SAFETY: both are structures of the C interface for which zeros are valid.
    let (mut action, mut before): (libc::sigaction, libc::sigaction) = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_sigbus as *const () as usize;
    // On the stack for signals where a thread has one: the fault may be that its own has overflowed.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler has the signature that SA_SIGINFO asks for and is safe to run at any instruction; what was
    // there before is kept to go on to.
    match unsafe { libc::sigaction(libc::SIGBUS, &action, &mut before) } {
        0 => {
            // Only the first was there before ours.
            BEFORE.get_or_init(|| Before(before));
            Ok(())
        }
        _ => Err(io::Error::last_os_error()),
    }
}

extern "C" fn on_sigbus(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel gives a valid one, which tells an address for a fault; what it tells of a signal that a process
    // sent is not looked at as an address.
    let (is_fault, address) = unsafe { ((*info).si_code > 0, (*info).si_addr().addr()) };
    if is_fault
        && let Some(place) = PLACES.iter().find(|place| place.has(address))
        && put_zeros(address)
    {
        place.caught.store(true, Ordering::Relaxed);
        return;
    }
    // The instruction is tried again, faults again, and the action before takes it. A sent signal is sent again.
    // SAFETY: puts back what was there; zeros are the default action.
    unsafe {
        let before = BEFORE.get().map_or_else(|| std::mem::zeroed(), |before| before.0);
        libc::sigaction(signal, &before, ptr::null_mut());
        if !is_fault {
            libc::raise(signal);
        }
    }
}

/// Puts a page of zeros where a page of a mapping is missing.
fn put_zeros(address: usize) -> bool {
    let page_bytes = PAGE_BYTES.load(Ordering::Relaxed);
    if page_bytes == 0 {
        return false;
    }
    let page = address - address % page_bytes;
    // SAFETY: the page belongs to a mapping under guard, which is read only and stays mapped as long as it is; who
    // reads it sees other bytes, as when the file changes. The call is a system call only, and the error number of the
    // interrupted code is put back.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        let zeros = libc::mmap(
            ptr::with_exposed_provenance_mut(page),
            page_bytes,
            libc::PROT_READ,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        );
        *errno = before;
        zeros != libc::MAP_FAILED
    }
}
