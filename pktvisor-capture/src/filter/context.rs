//! Where filters run, and what a filter program works with there: its registers, its part of the
//! stack, and the fields of its context.

use super::assembler::{Alu, Assembler, FP, Helper, R1, R3, R4, R6, R7, R8, R9, Reg, Src};

/// Where a filter program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramContext {
    /// XDP: single packets, as the driver delivers them.
    Xdp {
        /// Whether packets may lie in several pieces (`xdp.frags`, Linux 5.18). Must be as in the
        /// main program.
        frags: bool,
    },
    /// tcx or clsact, either direction: the outer VLAN tag may be in the socket buffer's metadata.
    Tc,
}

/// A packet as a filter expression sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// As the context shows it.
    AsIs,
    /// With the VLAN tag of the metadata put back behind the two MAC addresses.
    Tagged,
}

/// The context. This and the other three survive calls.
pub(super) const CONTEXT: Reg = R6;
/// The accumulator and the index register of classic BPF, their upper halves zero.
pub(super) const A: Reg = R7;
pub(super) const X: Reg = R8;
/// The first byte that may be read directly.
pub(super) const DATA: Reg = R9;

/// On the stack: 4 bytes that a helper fills, or a key.
pub(super) const BUFFER: i16 = -8;
/// On the stack: the [`tag`](super::tag)'s 16 bytes.
pub(super) const IMAGE: i16 = BUFFER - 16;

/// On the stack: a word of scratch memory, below the rest.
pub(super) fn scratch(word: u8) -> i16 {
    IMAGE - 4 * (i16::from(word) + 1)
}

/// Offsets into `struct __sk_buff`.
pub(super) const SKB_LEN: i16 = 0;
pub(super) const SKB_PROTOCOL: i16 = 16;
pub(super) const SKB_VLAN_PRESENT: i16 = 20;
pub(super) const SKB_VLAN_TCI: i16 = 24;
pub(super) const SKB_VLAN_PROTO: i16 = 28;
const SKB_DATA: i16 = 76;
const SKB_DATA_END: i16 = 80;
pub(super) const SKB_GSO_SEGS: i16 = 164;
/// Offsets into `struct xdp_md`.
const XDP_DATA: i16 = 0;
pub(super) const XDP_DATA_END: i16 = 4;

/// Where a context says that the packet's bytes begin.
pub(super) fn data(context: ProgramContext) -> i16 {
    match context {
        ProgramContext::Xdp { .. } => XDP_DATA,
        ProgramContext::Tc => SKB_DATA,
    }
}

/// Where a context says that the packet's bytes end, as far as they may be read directly.
pub(super) fn data_end(context: ProgramContext) -> i16 {
    match context {
        ProgramContext::Xdp { .. } => XDP_DATA_END,
        ProgramContext::Tc => SKB_DATA_END,
    }
}

/// Calls a helper that copies bytes from the offset in `R2` to the stack. A failed one fills them
/// with zeros.
pub(super) fn call_load(asm: &mut Assembler, helper: Helper, to: i16, len: Src) {
    asm.alu64(Alu::Mov, R1, Src::Reg(CONTEXT));
    asm.alu64(Alu::Mov, R3, Src::Reg(FP));
    asm.alu64(Alu::Add, R3, Src::Imm(i32::from(to)));
    asm.alu32(Alu::Mov, R4, len);
    asm.call(helper);
}
