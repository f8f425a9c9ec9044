//! What follows a verdict: the main program, or one more filtered packet.

use std::os::fd::RawFd;

use super::assembler::{Alu, Assembler, Cond, FP, Helper, R0, R1, R2, R3, Src, Width};
use super::context::{BUFFER, CONTEXT, SKB_GSO_SEGS};
use super::hook::Hook;

/// Where a filter program leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdicts {
    pub(crate) hook: Hook,
    /// A program array with the main program in its first slot.
    pub(crate) programs: RawFd,
    /// A per-CPU array whose first entry is the number of filtered packets.
    pub(crate) filtered: RawFd,
    /// What the filter program returns where the main one does not run.
    pub(crate) action: i32,
}

/// Goes on to the main program, and where there is none returns the action.
pub(crate) fn accept(asm: &mut Assembler, verdicts: &Verdicts) {
    asm.alu64(Alu::Mov, R1, Src::Reg(CONTEXT));
    asm.load_map(R2, verdicts.programs);
    asm.alu32(Alu::Mov, R3, Src::Imm(0));
    asm.call(Helper::TailCall);
    done(asm, verdicts);
}

/// Counts what was filtered: packets on the wire, of which a GSO super-packet holds many.
pub(crate) fn reject(asm: &mut Assembler, verdicts: &Verdicts) {
    let end = asm.label();
    asm.store_imm(Width::U32, FP, BUFFER, 0);
    asm.load_map(R1, verdicts.filtered);
    asm.alu64(Alu::Mov, R2, Src::Reg(FP));
    asm.alu64(Alu::Add, R2, Src::Imm(i32::from(BUFFER)));
    asm.call(Helper::MapLookupElem);
    asm.jump_if(Cond::Eq, R0, Src::Imm(0), end);
    asm.alu32(Alu::Mov, R1, Src::Imm(1));
    if verdicts.hook == Hook::Tc {
        let single = asm.label();
        asm.load(Width::U32, R2, CONTEXT, SKB_GSO_SEGS);
        asm.jump_if(Cond::Eq, R2, Src::Imm(0), single);
        asm.alu64(Alu::Mov, R1, Src::Reg(R2));
        asm.bind(single);
    }
    asm.load(Width::U64, R2, R0, 0);
    asm.alu64(Alu::Add, R2, Src::Reg(R1));
    asm.store(Width::U64, R0, 0, R2);
    asm.bind(end);
    done(asm, verdicts);
}

fn done(asm: &mut Assembler, verdicts: &Verdicts) {
    asm.alu32(Alu::Mov, R0, Src::Imm(verdicts.action));
    asm.exit();
}
