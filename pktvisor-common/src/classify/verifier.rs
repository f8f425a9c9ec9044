//! Numbers on a detour through memory, so that the BPF verifier checks the code behind them once.

use super::class::Class;

/// Notes an offset, or another small number, in a field of [`Class`] and takes it from there again.
///
/// For the verifier: the field lies in a map, so that it forgets by which of many paths the offset came about, and
/// checks what follows once instead of once a path.
#[inline(always)]
pub(super) fn note_offset(field: &mut u16, offset: usize) -> usize {
    *field = offset as u16;
    if cfg!(target_arch = "bpf") {
        // SAFETY: a valid reference; volatile, lest the compiler sees through it.
        usize::from(unsafe { core::ptr::from_ref(field).read_volatile() })
    } else {
        offset
    }
}

/// Takes the flags from their field again, for the same reason.
#[inline(always)]
pub(super) fn forget_flags(out: &mut Class) {
    if cfg!(target_arch = "bpf") {
        let flags = &raw mut out.flags;
        // SAFETY: a valid field, read and written as it is; volatile, lest the compiler keeps it in a register.
        unsafe { flags.write_volatile(flags.read_volatile()) };
    }
}
