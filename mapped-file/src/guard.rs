//! The SIGBUS handler: it replaces a missing page of a guarded mapping by a page of zeros. Every
//! other SIGBUS ends the process as before.
//!
//! The handler may run at any instruction of any thread, so it uses only a fixed table of atomics,
//! and system calls. It maps the zeros with libc: memmap2 cannot replace single pages of an
//! existing mapping (MAP_FIXED), and its types allocate.

use std::io;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};
use std::sync::{Mutex, OnceLock, PoisonError};

use libc::{c_int, c_void, siginfo_t};

/// Mappings that can be guarded at once.
pub(crate) const MAPPINGS_MAX: usize = 64;

/// The addresses of a guarded mapping; unused while `end` is 0.
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
        // The end is written last and read first, so the start read after it belongs to it.
        address < self.end.load(Ordering::Acquire) && address >= self.start.load(Ordering::Relaxed)
    }
}

static RANGES: [GuardedRange; MAPPINGS_MAX] = [const { GuardedRange::none() }; MAPPINGS_MAX];
/// Held while a range is taken from the table or returned to it.
static TAKING: Mutex<()> = Mutex::new(());
static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);
static EARLIER: OnceLock<EarlierAction> = OnceLock::new();

/// The action on SIGBUS before ours; the standard library's detects stack overflows.
struct EarlierAction(libc::sigaction);

// SAFETY: it holds numbers and the addresses of functions, which are the same for all threads.
unsafe impl Send for EarlierAction {}
// SAFETY: as above; it is never changed.
unsafe impl Sync for EarlierAction {}

/// Keeps a mapping under guard until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard(&'static GuardedRange);

impl Guard {
    /// Guards the mapping at these addresses. The caller must drop the guard before it unmaps them.
    ///
    /// # Errors
    /// [`MAPPINGS_MAX`] mappings are guarded already, or the signal cannot be caught.
    pub(crate) fn over(addresses: Range<*const u8>) -> io::Result<Self> {
        let _taking = TAKING.lock().unwrap_or_else(PoisonError::into_inner);
        catch()?;
        let place = RANGES
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
        // The compiler must not move earlier reads of the mapping behind this check.
        compiler_fence(Ordering::SeqCst);
        // The calling thread touched the page itself, or may learn of it a moment later.
        self.0.caught.load(Ordering::Relaxed)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _taking = TAKING.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.end.store(0, Ordering::Release);
    }
}

/// Installs the handler, again if it has given way to the earlier action; called with `TAKING`
/// held.
fn catch() -> io::Result<()> {
    // SAFETY: asks for a number.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    PAGE_BYTES.store(usize::try_from(page_bytes).map_err(io::Error::other)?, Ordering::Relaxed);
    // SAFETY: both are structures of the C interface for which zeros are valid.
    let (mut action, mut before): (libc::sigaction, libc::sigaction) = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_sigbus as *const () as usize;
    // On the signal stack if the thread has one, because the thread's own stack may have
    // overflowed.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler has the signature that SA_SIGINFO requires and is safe to run at any
    // instruction; the earlier action is kept, so that the handler can pass signals on to it.
    match unsafe { libc::sigaction(libc::SIGBUS, &action, &mut before) } {
        0 => {
            // Only at the first call is the earlier action not ours.
            EARLIER.get_or_init(|| EarlierAction(before));
            Ok(())
        }
        _ => Err(io::Error::last_os_error()),
    }
}

extern "C" fn on_sigbus(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo, which has an address for a fault. For a signal
    // that a process sent the field is read and not used.
    let (is_fault, address) = unsafe { ((*info).si_code > 0, (*info).si_addr().addr()) };
    if is_fault
        && let Some(place) = RANGES.iter().find(|place| place.has(address))
        && put_zeros(address)
    {
        place.caught.store(true, Ordering::Relaxed);
        return;
    }
    // The instruction runs again, faults again, and the earlier action handles the fault. A sent
    // signal is sent again. SAFETY: restores the earlier action; zeros are the default action.
    unsafe {
        let before = EARLIER.get().map_or_else(|| std::mem::zeroed(), |before| before.0);
        libc::sigaction(signal, &before, ptr::null_mut());
        if !is_fault {
            libc::raise(signal);
        }
    }
}

/// Maps a page of zeros over a missing page of a mapping.
fn put_zeros(address: usize) -> bool {
    let page_bytes = PAGE_BYTES.load(Ordering::Relaxed);
    if page_bytes == 0 {
        return false;
    }
    let page = address - address % page_bytes;
    // SAFETY: the page belongs to a guarded mapping, which is read-only and stays mapped as long as
    // the guard exists. Its readers see other bytes, as when the file changes. The call is only a
    // system call, and errno of the interrupted code is restored.
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
