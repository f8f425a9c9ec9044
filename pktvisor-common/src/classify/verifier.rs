//! Numbers on a detour through memory, so that the BPF verifier checks the code behind them once.

use super::class::Class;

/// Writes an offset, or another small number, to a field of [`Class`] and reads it back.
///
/// The field lies in a map, so the verifier forgets on which of many paths the offset was computed.
/// It then checks the code behind it once instead of once for each path.
#[inline(always)]
pub(super) fn note_offset(field: &mut u16, offset: usize) -> usize {
    *field = offset as u16;
    if cfg!(target_arch = "bpf") {
        // SAFETY: a valid reference; volatile, so that the compiler does not optimise it away.
        usize::from(unsafe { core::ptr::from_ref(field).read_volatile() })
    } else {
        offset
    }
}

/// Writes the flags to their field and reads them back, for the same reason.
#[inline(always)]
pub(super) fn forget_flags(out: &mut Class) {
    if cfg!(target_arch = "bpf") {
        let flags = &raw mut out.flags;
        // SAFETY: a valid field, read and written as it is; volatile, so that the compiler does not
        // keep it in a register.
        unsafe { flags.write_volatile(flags.read_volatile()) };
    }
}
