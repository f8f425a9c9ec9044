//! A word to the kernel about tables that are visited at random: in pages of 2 MiB they cost fewer walks of page tables.
//!
//! Where transparent huge pages are on for whoever asks ("madvise", Linux's usual setting) a page comes when its first
//! byte is written. It is advice: where it cannot be followed nothing changes.

/// Bytes of a table that may come page by page: one that stays small is not to take more memory than it needs.
const SMALL_BYTES: usize = 1 << 20;

/// Asks for huge pages below the room of `table` that is not in use yet, but for a small beginning.
pub(crate) fn advise<T>(table: &mut Vec<T>) {
    let used_bytes = std::mem::size_of_val(table.as_slice());
    let skipped_bytes = SMALL_BYTES.saturating_sub(used_bytes);
    let spare = table.spare_capacity_mut();
    let len_bytes = std::mem::size_of_val(spare).saturating_sub(skipped_bytes);
    if len_bytes == 0 {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        // Advice is for whole pages; the kernel makes huge ones only where a whole one fits.
        const PAGE_BYTES: usize = 4096;
        let start = spare.as_mut_ptr().cast::<u8>().wrapping_add(skipped_bytes);
        let start = start.wrapping_add(start.align_offset(PAGE_BYTES));
        // SAFETY: the range lies within the spare capacity, rounded up at its start and, by the kernel, at its end: what
        // else may lie on its last page is this process's as well, and this advice changes no byte.
        unsafe { libc::madvise(start.cast(), len_bytes.saturating_sub(PAGE_BYTES), libc::MADV_HUGEPAGE) };
    }
}
