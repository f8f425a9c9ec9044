//! Memory for tables with random access. Pages of 2 MiB need fewer page-table walks.
//!
//! If transparent huge pages are enabled on request ("madvise", Linux's usual setting), the kernel
//! maps one when its first byte is written. This is advice: if the kernel cannot follow it, nothing
//! changes.
//!
//! A large table is a mapping of its own, not a part of the allocator's memory. glibc before 2.38
//! cuts an aligned block out of a free one that is larger by a whole alignment, so that it never
//! reuses the place of such a table; and the advice would stay with the memory around it, in which
//! the smallest block then occupies a huge page. An agent whose lists are read copies hundreds of
//! tables a minute, so its memory would keep growing.
//!
//! memmap2 0.9 cannot advise memory that a `Vec` has allocated, and its own mappings of 1 MiB are not
//! aligned to a huge page. Casting its bytes to values makes a random update of such a table 2.1
//! instead of 1.6 ns, and making the table 5.6 instead of 1.2 ns a place.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

const CACHE_LINE_BYTES: usize = 64;
const HUGE_PAGE_BYTES: usize = 2 << 20;
/// Tables of at least this size have huge pages of their own; the last one may be half empty.
const LARGE_BYTES: usize = HUGE_PAGE_BYTES / 2;

/// An array of fixed length. A large one begins at a huge page.
pub struct Array<T> {
    start: NonNull<T>,
    len: usize,
}

impl<T: Copy> Array<T> {
    /// A table of `len` copies of `value`.
    pub fn new(value: T, len: usize) -> Self {
        let layout = Self::layout(len);
        if layout.size() == 0 {
            return Self { start: NonNull::dangling(), len };
        }
        let start = match is_large(layout) {
            true => map(layout.size()),
            // SAFETY: the layout has a size.
            false => NonNull::new(unsafe { alloc(layout) }),
        };
        let Some(start) = start else { handle_alloc_error(layout) };
        let start = start.cast::<T>();
        for place in 0..len {
            // SAFETY: there is room for `len` values, aligned for them.
            unsafe { start.add(place).write(value) };
        }
        Self { start, len }
    }
}

impl<T> Array<T> {
    /// Panics if the size exceeds the address space, like any collection.
    fn layout(len: usize) -> Layout {
        let layout = Layout::array::<T>(len).unwrap_or_else(|_| panic!("a table of {len} places"));
        // A value whose size divides a cache line then lies within one.
        let layout = layout.align_to(CACHE_LINE_BYTES).map_or(layout, |layout| layout.pad_to_align());
        if layout.size() < LARGE_BYTES {
            return layout;
        }
        layout.align_to(HUGE_PAGE_BYTES).map_or(layout, |layout| layout.pad_to_align())
    }
}

impl<T: Copy> Clone for Array<T> {
    fn clone(&self) -> Self {
        let Some(&first) = self.first() else { return Self::default() };
        let mut clone = Self::new(first, self.len);
        clone.copy_from_slice(self);
        clone
    }
}

impl<T> Default for Array<T> {
    /// An empty array.
    fn default() -> Self {
        Self { start: NonNull::dangling(), len: 0 }
    }
}

impl<T> Drop for Array<T> {
    /// Only arrays of `Copy` values can be made, so no value needs dropping.
    fn drop(&mut self) {
        let layout = Self::layout(self.len);
        let start = self.start.cast::<u8>();
        if is_large(layout) {
            // SAFETY: mapped with this size, and used by nobody any more.
            unsafe { unmap(start, layout.size()) };
        } else if layout.size() > 0 {
            // SAFETY: allocated with this layout, and used by nobody any more.
            unsafe { dealloc(start.as_ptr(), layout) };
        }
    }
}

impl<T> Deref for Array<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` values were written when it was made, and borrowing rules are those of
        // `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Array<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

// SAFETY: it owns its values, as a vector does.
unsafe impl<T: Send> Send for Array<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Array<T> {}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("len", &self.len).finish_non_exhaustive()
    }
}

/// An empty vector with room for `capacity` values, on the huge pages that fit into it. They are
/// mapped as it fills.
pub fn vec_with_room<T>(capacity: usize) -> Vec<T> {
    let mut vec = Vec::with_capacity(capacity);
    let room = vec.spare_capacity_mut();
    let bytes = size_of_val(room);
    let start = NonNull::from(room).cast::<u8>();
    let before = start.align_offset(HUGE_PAGE_BYTES);
    let within = bytes.saturating_sub(before) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    if within > 0 {
        // SAFETY: huge pages fit into the room from there on.
        advise(unsafe { start.add(before) }, within);
    }
    vec
}

/// Whether a table with this layout has huge pages of its own.
fn is_large(layout: Layout) -> bool {
    layout.align() >= HUGE_PAGE_BYTES
}

/// Maps this many bytes, a multiple of a huge page, from the beginning of a huge page. `None` if
/// there is no memory.
fn map(len_bytes: usize) -> Option<NonNull<u8>> {
    // The kernel chooses an address within a huge page. What lies outside of whole ones is given back.
    let mapped_bytes = len_bytes.checked_add(HUGE_PAGE_BYTES)?;
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON);
    // SAFETY: a new mapping of no file changes no memory of this process.
    let mapped = unsafe { libc::mmap(std::ptr::null_mut(), mapped_bytes, access, kind, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return None;
    }
    let mapped = NonNull::new(mapped.cast::<u8>())?;
    let before = mapped.align_offset(HUGE_PAGE_BYTES);
    // SAFETY: `before` is less than a huge page, so `len_bytes` follow it within the mapping.
    let (start, end) = unsafe { (mapped.add(before), mapped.add(before + len_bytes)) };
    // SAFETY: these parts of the mapping are outside of the result, and nobody uses them.
    unsafe {
        unmap(mapped, before);
        unmap(end, HUGE_PAGE_BYTES - before);
    }
    advise(start, len_bytes);
    Some(start)
}

/// Gives memory back to the kernel.
///
/// # Safety
///
/// It must be whole pages of a mapping that [`map`] made, and nobody may use them any more.
unsafe fn unmap(start: NonNull<u8>, len_bytes: usize) {
    if len_bytes > 0 {
        // SAFETY: the caller's promise. An error means that the process has as many mappings as it
        // may have; the memory is then lost, but nothing else.
        unsafe { libc::munmap(start.as_ptr().cast(), len_bytes) };
    }
}

/// Asks for huge pages below memory of this process.
fn advise(start: NonNull<u8>, len_bytes: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the range was allocated by the caller, and this advice changes no byte of it.
    unsafe {
        libc::madvise(start.as_ptr().cast(), len_bytes, libc::MADV_HUGEPAGE)
    };
    #[cfg(not(target_os = "linux"))]
    let _ = (start, len_bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_filled_and_large_ones_begin_with_a_huge_page() {
        for len in [0, 1, 1000, LARGE_BYTES / 8 - 1, LARGE_BYTES / 8, LARGE_BYTES] {
            let mut table = Array::new(7_u64, len);
            assert!(table.len() == len && table.iter().all(|&value| value == 7));
            if let Some(last) = table.last_mut() {
                *last = 8;
            }
            assert_eq!(table.iter().filter(|&&value| value == 8).count(), len.min(1));
            let aligned = (table.as_ptr() as usize).is_multiple_of(HUGE_PAGE_BYTES);
            assert!(aligned || len < LARGE_BYTES / 8);
            assert_eq!(table.clone()[..], table[..]);
        }
    }

    #[test]
    fn a_vector_has_the_requested_room_wherever_its_memory_begins() {
        for capacity in [0, 1, 1000, HUGE_PAGE_BYTES / 8, HUGE_PAGE_BYTES] {
            let mut vec = vec_with_room::<u64>(capacity);
            assert!(vec.is_empty() && vec.capacity() >= capacity);
            let start = vec.as_ptr();
            vec.extend(0..capacity as u64);
            assert_eq!(vec.as_ptr(), start, "what has room does not move");
            assert!(vec.iter().copied().eq(0..capacity as u64));
        }
    }
}
