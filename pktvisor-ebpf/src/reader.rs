//! The packet bytes that a program may read directly.

use core::arch::asm;

use pktvisor_common::kernel::cpu::MissedHeader;
use pktvisor_common::reader::{OFFSET_MAX, PacketReader};

/// The linear part of a packet: from a context's `data` to its `data_end`. The packet may be
/// longer.
pub(crate) struct DirectReader {
    data: usize,
    data_end: usize,
    len: usize,
    missed: *mut MissedHeader,
}

impl DirectReader {
    /// `len` is the packet's whole length. The reader records in `missed` how far it could not
    /// read.
    ///
    /// # Safety
    ///
    /// The bounds must be `data` and `data_end` of the running program's context, and nothing may
    /// move the packet's bytes (`bpf_xdp_adjust_head`, `bpf_skb_pull_data` ...) while this lives;
    /// `missed` must be valid as long.
    #[inline(always)]
    pub(crate) unsafe fn new(data: usize, data_end: usize, len: usize, missed: *mut MissedHeader) -> Self {
        Self { data, data_end, len, missed }
    }
}

impl PacketReader for DirectReader {
    #[inline(always)]
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        if offset > OFFSET_MAX {
            return None;
        }
        let start = self.data + bounded(offset);
        if start + N > self.data_end {
            // SAFETY: valid by the promise made to `new`. Volatile, so that it stays one plain
            // store.
            unsafe { self.missed.write_volatile((offset + N) as MissedHeader) };
            return None;
        }
        // SAFETY: `new` was promised that everything from `data` to `data_end` is the packet; the
        // verifier checks just that once more. Arrays of bytes have no alignment.
        Some(unsafe { *(start as *const [u8; N]) })
    }

    #[inline(always)]
    fn captured_len(&self) -> usize {
        self.len
    }
}

const _: () = assert!(OFFSET_MAX == 0x3fff);

/// The same offset, in a register that the verifier knows to be bounded. The check before does not
/// help where the compiler has compared one number (an offset less a few bytes) and adds another,
/// and it would optimise a mask away.
#[inline(always)]
pub(crate) fn bounded(mut offset: usize) -> usize {
    // SAFETY: arithmetic on one register.
    unsafe { asm!("{0} &= 0x3fff", inout(reg) offset, options(pure, nomem, nostack)) };
    offset
}
