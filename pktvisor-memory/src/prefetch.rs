//! Loads memory into the cache before it is used.
//!
//! The tables of a busy server do not fit into the cache, and one packet touches several of them.
//! Prefetching lets the waits overlap.
//!
//! A prefetch has no effect but on speed. The feature `no-prefetch` compiles all of them out; tests
//! compare the numbers.

/// Prefetches the cache line of `place` of `slice`; has no effect beyond its end.
#[inline(always)]
pub fn prefetch<T>(slice: &[T], place: usize) {
    if let Some(item) = slice.get(place) {
        prefetch_address(std::ptr::from_ref(item));
    }
}

/// Prefetches the cache line at `address`, which may be invalid. Has no effect on processors without
/// such an instruction.
#[inline(always)]
pub fn prefetch_address<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", not(feature = "no-prefetch")))]
    // SAFETY: a prefetch reads nothing that the program could see and faults on no address; SSE is
    // part of x86-64.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(any(not(target_arch = "x86_64"), feature = "no-prefetch"))]
    let _ = address;
}
