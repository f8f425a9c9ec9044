//! A VLAN tag that is not in the packet.
//!
//! On an Ethernet interface the kernel moves the outer tag from the packet to the socket buffer's
//! metadata, but an expression (`vlan 7 and udp`) is compiled for packets that have it. For such
//! packets there is a second translation ([`View::Tagged`](super::context::View)): everything
//! behind the two MAC addresses is read 4 bytes earlier, and the few loads that touch the tag read
//! an image of the 16 bytes around it, on the stack.

use super::assembler::{Alu, Assembler, Cond, FP, Helper, Label, R1, R2, R3, R4, Reg, Src, Width};
use super::classic::{Op, Size};
use super::context::{CONTEXT, DATA, IMAGE, SKB_LEN, SKB_VLAN_PROTO, SKB_VLAN_TCI, call_load};

/// Where a tag begins and ends in an Ethernet frame, in bytes.
pub(super) const TAG: u32 = 12;
pub(super) const TAG_END: u32 = 16;
pub(super) const TAG_LEN: u32 = TAG_END - TAG;
/// Where the image begins: no load that touches the tag begins before.
pub(super) const IMAGE_START: u32 = 8;

/// In the image: the tag, behind 4 bytes of MAC address and before 4 bytes of the rest and 4 zeros.
const IMAGE_TAG: i16 = IMAGE + 4;
const IMAGE_REST: i16 = IMAGE + 8;

/// Whether an instruction means something else for a packet with a tag.
pub(super) fn matters_to(op: &Op) -> bool {
    match *op {
        Op::Load(size, at) => at.saturating_add(size.bytes()) > TAG,
        Op::HeaderLength(at) => at >= TAG,
        Op::LoadIndexed(..) | Op::Length(_) => true,
        _ => false,
    }
}

/// Whether a load touches the tag and something beside it, so that the whole image is needed.
pub(super) fn straddles(op: &Op) -> bool {
    match *op {
        Op::Load(size, at) => {
            let end = at.saturating_add(size.bytes());
            at < TAG_END && end > TAG && (at < TAG || end > TAG_END)
        }
        Op::LoadIndexed(..) => true,
        _ => false,
    }
}

/// Puts the tag into the image, and zeros beside it: the verifier refuses to have read what was
/// never written, before Linux 6.3 and without CAP_PERFMON.
pub(super) fn store(asm: &mut Assembler) {
    asm.store_imm(Width::U64, FP, IMAGE, 0);
    asm.store_imm(Width::U64, FP, IMAGE_REST, 0);
    // In network byte order as it is.
    asm.load(Width::U32, R1, CONTEXT, SKB_VLAN_PROTO);
    asm.store(Width::U16, FP, IMAGE_TAG, R1);
    asm.load(Width::U32, R1, CONTEXT, SKB_VLAN_TCI);
    asm.network_order(R1, 16);
    asm.store(Width::U16, FP, IMAGE_TAG + 2, R1);
}

/// Puts what stands beside the tag into the image, from the 16 bytes at `DATA`.
pub(super) fn fill(asm: &mut Assembler) {
    asm.load(Width::U32, R1, DATA, IMAGE_START as i16);
    asm.store(Width::U32, FP, IMAGE, R1);
    asm.load(Width::U32, R1, DATA, TAG as i16);
    // The 4 bytes behind stay zero. Before Linux 6.3 and without CAP_PERFMON nothing may be written
    // beside a spilled register.
    asm.store(Width::U32, FP, IMAGE_REST, R1);
}

/// As [`fill`] by helper, also from a packet that ends within it. What the packet does not have
/// stays zero; loads from there are rejected by its length.
pub(super) fn fill_by_helper(asm: &mut Assembler, filled: Label) {
    let rest = asm.label();
    asm.alu32(Alu::Mov, R2, Src::Imm(IMAGE_START as i32));
    call_load(asm, Helper::SkbLoadBytes, IMAGE, Src::Imm(4));
    asm.store_imm(Width::U64, FP, IMAGE_REST, 0);
    asm.load(Width::U32, R4, CONTEXT, SKB_LEN);
    asm.jump_if(Cond::Le, R4, Src::Imm(TAG as i32), filled);
    asm.alu64(Alu::Sub, R4, Src::Imm(TAG as i32));
    asm.jump_if(Cond::Le, R4, Src::Imm(4), rest);
    asm.alu32(Alu::Mov, R4, Src::Imm(4));
    asm.bind(rest);
    asm.alu32(Alu::Mov, R2, Src::Imm(TAG as i32));
    call_load(asm, Helper::SkbLoadBytes, IMAGE_REST, Src::Reg(R4));
}

/// `dst` = the bytes at the offset in `R3`, of which the verifier need not know where in the image
/// it lies.
pub(super) fn cut(asm: &mut Assembler, dst: Reg, size: Size) {
    // The 16 bytes as one big number, shifted left until the load's first byte leads. The distance
    // is at least 8 bits and less than 64, so neither shift loses its meaning.
    asm.alu64(Alu::Sub, R3, Src::Imm(IMAGE_START as i32));
    asm.alu64(Alu::Lsh, R3, Src::Imm(3));
    asm.load(Width::U64, R1, FP, IMAGE);
    asm.network_order(R1, 64);
    asm.load(Width::U64, R2, FP, IMAGE_REST);
    asm.network_order(R2, 64);
    asm.alu64(Alu::Lsh, R1, Src::Reg(R3));
    asm.alu32(Alu::Mov, R4, Src::Imm(64));
    asm.alu64(Alu::Sub, R4, Src::Reg(R3));
    asm.alu64(Alu::Rsh, R2, Src::Reg(R4));
    asm.alu64(Alu::Or, R1, Src::Reg(R2));
    asm.alu64(Alu::Rsh, R1, Src::Imm(64 - 8 * size.bytes() as i32));
    asm.alu64(Alu::Mov, dst, Src::Reg(R1));
}
