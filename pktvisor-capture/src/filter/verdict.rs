//! What follows a verdict: the main program, or one more filtered packet.

use std::os::fd::RawFd;

use pktvisor_common::kernel::filtered::{FILTERED, FILTERED_TAGGED};

use super::assembler::{Alu, Assembler, Cond, FP, Helper, Label, R0, R1, R2, R3, Src, Width};
use super::context::ProgramContext;
use super::context::{BUFFER, CONTEXT, DATA, SKB_GSO_SEGS, SKB_PROTOCOL, SKB_VLAN_PRESENT, XDP_DATA_END};
use super::tagged::TAGS;

/// Where a filter program leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdicts {
    pub(crate) context: ProgramContext,
    /// A program array with the main program in its first slot.
    pub(crate) programs: RawFd,
    /// A per-CPU array with the entries of [`pktvisor_common::kernel::filtered`].
    pub(crate) filtered: RawFd,
    /// The filter program's result if the main program does not run.
    pub(crate) action: i32,
    pub(crate) tags: TaggedPackets,
}

/// How rejected packets with a VLAN tag are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaggedPackets {
    /// They are counted once more: the expression does not expect tags.
    Counted,
    Ignored,
}

/// Goes on to the main program, or returns the action if there is none.
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
    find_counter(asm, verdicts, FILTERED, end);
    asm.alu32(Alu::Mov, R1, Src::Imm(1));
    if verdicts.context == ProgramContext::Tc {
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
    if verdicts.tags == TaggedPackets::Counted {
        count_tagged(asm, verdicts);
    }
    done(asm, verdicts);
}

/// `R0` = the place of one of the counters; goes to `none` without it.
fn find_counter(asm: &mut Assembler, verdicts: &Verdicts, entry: u32, none: Label) {
    asm.store_imm(Width::U32, FP, BUFFER, entry as i32);
    asm.load_map(R1, verdicts.filtered);
    asm.alu64(Alu::Mov, R2, Src::Reg(FP));
    asm.alu64(Alu::Add, R2, Src::Imm(i32::from(BUFFER)));
    asm.call(Helper::MapLookupElem);
    asm.jump_if(Cond::Eq, R0, Src::Imm(0), none);
}

/// Counts a packet that has a VLAN tag: in the metadata of a socket buffer, or behind the MAC
/// addresses.
fn count_tagged(asm: &mut Assembler, verdicts: &Verdicts) {
    const ETHER_TYPE: i16 = 12;
    let (tagged, end) = (asm.label(), asm.label());
    match verdicts.context {
        ProgramContext::Tc => {
            asm.load(Width::U32, R1, CONTEXT, SKB_VLAN_PRESENT);
            asm.jump_if(Cond::Ne, R1, Src::Imm(0), tagged);
            asm.load(Width::U32, R1, CONTEXT, SKB_PROTOCOL);
        }
        ProgramContext::Xdp { .. } => {
            asm.alu64(Alu::Mov, R1, Src::Reg(DATA));
            asm.alu64(Alu::Add, R1, Src::Imm(i32::from(ETHER_TYPE) + 2));
            asm.load(Width::U32, R2, CONTEXT, XDP_DATA_END);
            asm.jump_if(Cond::Gt, R1, Src::Reg(R2), end);
            asm.load(Width::U16, R1, DATA, ETHER_TYPE);
        }
    }
    // In network byte order as they are.
    for ether_type in TAGS {
        asm.jump_if(Cond::Eq, R1, Src::Imm(i32::from(ether_type.to_be())), tagged);
    }
    asm.jump(end);
    asm.bind(tagged);
    find_counter(asm, verdicts, FILTERED_TAGGED, end);
    asm.load(Width::U64, R2, R0, 0);
    asm.alu64(Alu::Add, R2, Src::Imm(1));
    asm.store(Width::U64, R0, 0, R2);
    asm.bind(end);
}

fn done(asm: &mut Assembler, verdicts: &Verdicts) {
    asm.alu32(Alu::Mov, R0, Src::Imm(verdicts.action));
    asm.exit();
}
