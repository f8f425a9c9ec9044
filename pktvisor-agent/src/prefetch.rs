//! A word to the processor about memory that will be needed soon.
//!
//! The tables of a busy server do not fit into the cache, and one packet touches several of them. Asking for the lines
//! before they are needed lets the waits overlap.

/// Asks for the cache line of `place` of `slice`; does nothing where there is no such place or no such instruction.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T], place: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(item) = slice.get(place) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that the program could see and faults on no address; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, place);
}
