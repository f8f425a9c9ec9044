//! How a filter reads a packet: directly where the verifier allows it, by a helper where the bytes
//! lie elsewhere, and with the VLAN tag of a socket buffer's metadata where the expression expects
//! it.
//!
//! The direct way stands in line, everything else behind the program. A load beyond the packet's
//! end rejects the packet.
//!
//! [`tag`] describes what is read of a packet whose VLAN tag is in the metadata.

use super::assembler::{Alu, Assembler, Cond, FP, Helper, Label, R0, R1, R2, R3, R4, Reg, Src, Width};
use super::classic::{Op, Size};
use super::context::{BUFFER, CONTEXT, DATA, IMAGE, SKB_LEN, XDP_DATA_END, call_load, data_end};
use super::context::{ProgramContext, View};
use super::tag::{self, IMAGE_START, TAG, TAG_END, TAG_LEN};

/// The verifier knows a packet's bytes up to here (`MAX_PACKET_OFF`), less for offsets that vary so
/// that their bounds show.
const DIRECT_MAX: u32 = 0x7fff;
/// The greatest offset that helpers accept.
const HELPER_MAX: i32 = i32::MAX;

/// Code behind the program, with the labels where it begins and where it returns to.
enum Detour {
    /// A load at a fixed offset, by helper.
    Fixed { dst: Reg, size: Size, at: u32 },
    /// A load at the offset in `R3`, by helper.
    Varying { dst: Reg, size: Size },
    /// A load at the offset in `R3`, in view of the tag, that may touch the tag.
    Image { dst: Reg, size: Size, go_on: Label },
    /// Fills the image from a packet whose first bytes cannot be read directly.
    FillImage,
}

/// The loads of one translation.
pub(super) struct Accesses {
    context: ProgramContext,
    view: View,
    reject: Label,
    detours: Vec<(Label, Label, Detour)>,
}

impl Accesses {
    pub(super) fn new(context: ProgramContext, view: View, reject: Label) -> Self {
        Self { context, view, reject, detours: Vec::new() }
    }

    /// Goes before the program: makes the image, as much of it as is needed.
    pub(super) fn begin<'a>(&mut self, asm: &mut Assembler, mut ops: impl Iterator<Item = &'a Op>) {
        if self.view == View::AsIs {
            return;
        }
        tag::store(asm);
        if ops.any(tag::straddles) {
            let (fill, filled) = (asm.label(), asm.label());
            self.bounds_check(asm, R1, DATA, TAG_END, fill);
            tag::fill(asm);
            asm.bind(filled);
            self.detours.push((fill, filled, Detour::FillImage));
        }
    }

    /// Goes behind the program.
    pub(super) fn finish(&mut self, asm: &mut Assembler) {
        for (begin, back, detour) in std::mem::take(&mut self.detours) {
            asm.bind(begin);
            match detour {
                Detour::Fixed { dst, size, at } => {
                    asm.alu32(Alu::Mov, R2, Src::Imm(at as i32));
                    self.by_helper(asm, dst, size);
                }
                Detour::Varying { dst, size } => {
                    asm.jump_if(Cond::Gt, R3, Src::Imm(HELPER_MAX), self.reject);
                    asm.alu64(Alu::Mov, R2, Src::Reg(R3));
                    self.by_helper(asm, dst, size);
                }
                Detour::Image { dst, size, go_on } => self.load_near_tag(asm, dst, size, go_on),
                Detour::FillImage => tag::fill_by_helper(asm, back),
            }
            asm.jump(back);
        }
    }

    /// The packet's length on the wire.
    pub(super) fn length(&self, asm: &mut Assembler, dst: Reg) {
        match self.context {
            ProgramContext::Xdp { frags: true } => {
                asm.alu64(Alu::Mov, R1, Src::Reg(CONTEXT));
                asm.call(Helper::XdpGetBuffLen);
                asm.alu32(Alu::Mov, dst, Src::Reg(R0));
            }
            ProgramContext::Xdp { frags: false } => {
                asm.load(Width::U32, dst, CONTEXT, XDP_DATA_END);
                asm.alu64(Alu::Sub, dst, Src::Reg(DATA));
                // The verifier has to see 32 bits in every register that is compared or shifted.
                asm.alu32(Alu::Mov, dst, Src::Reg(dst));
            }
            ProgramContext::Tc => asm.load(Width::U32, dst, CONTEXT, SKB_LEN),
        }
        if self.view == View::Tagged {
            asm.alu32(Alu::Add, dst, Src::Imm(TAG_LEN as i32));
        }
    }

    /// `dst` = the bytes at a fixed offset.
    pub(super) fn load(&mut self, asm: &mut Assembler, dst: Reg, size: Size, at: u32) {
        let end = at.saturating_add(size.bytes());
        match self.view {
            View::Tagged if at >= TAG_END => self.load_fixed(asm, dst, size, at - TAG_LEN),
            View::Tagged if end > TAG => {
                if end > TAG_END {
                    asm.load(Width::U32, R1, CONTEXT, SKB_LEN);
                    asm.jump_if(Cond::Lt, R1, Src::Imm((end - TAG_LEN) as i32), self.reject);
                }
                if at.is_multiple_of(size.bytes()) {
                    load_network(asm, dst, size, FP, IMAGE + (at - IMAGE_START) as i16);
                } else {
                    // The verifier wants accesses to the stack aligned.
                    asm.alu32(Alu::Mov, R3, Src::Imm(at as i32));
                    tag::cut(asm, dst, size);
                }
            }
            _ => self.load_fixed(asm, dst, size, at),
        }
    }

    /// `dst` = the bytes at `index + at`.
    pub(super) fn load_indexed(&mut self, asm: &mut Assembler, dst: Reg, size: Size, index: Reg, at: u32) {
        let (helper, done) = (asm.label(), asm.label());
        // In 64 bits: a sum beyond 32 is beyond every packet and must not come out small.
        asm.alu64(Alu::Mov, R3, Src::Reg(index));
        asm.alu64(Alu::Add, R3, Src::Imm(at as i32));
        if self.view == View::Tagged {
            let (image, go_on) = (asm.label(), asm.label());
            asm.jump_if(Cond::Lt, R3, Src::Imm(TAG_END as i32), image);
            asm.alu64(Alu::Sub, R3, Src::Imm(TAG_LEN as i32));
            asm.bind(go_on);
            self.detours.push((image, done, Detour::Image { dst, size, go_on }));
        }
        asm.jump_if(Cond::Gt, R3, Src::Imm(DIRECT_MAX as i32), self.elsewhere(helper));
        asm.alu64(Alu::Mov, R1, Src::Reg(DATA));
        asm.alu64(Alu::Add, R1, Src::Reg(R3));
        self.bounds_check(asm, R2, R1, size.bytes(), self.elsewhere(helper));
        load_network(asm, dst, size, R1, 0);
        asm.bind(done);
        if self.has_helper() {
            self.detours.push((helper, done, Detour::Varying { dst, size }));
        }
    }

    fn load_fixed(&mut self, asm: &mut Assembler, dst: Reg, size: Size, at: u32) {
        let (helper, done) = (asm.label(), asm.label());
        let end = at.saturating_add(size.bytes());
        if end > DIRECT_MAX {
            // Always. The verifier refuses what nothing can reach, and what follows here would be
            // just that.
            asm.alu32(Alu::Mov, R1, Src::Imm(0));
            asm.jump_if(Cond::Eq, R1, Src::Imm(0), self.elsewhere(helper));
        } else {
            self.bounds_check(asm, R1, DATA, end, self.elsewhere(helper));
            load_network(asm, dst, size, DATA, at as i16);
        }
        asm.bind(done);
        if self.has_helper() {
            self.detours.push((helper, done, Detour::Fixed { dst, size, at }));
        }
    }

    /// Goes to `beyond` unless `len` bytes from `start` can be read directly. Spoils `R4` and
    /// `end`.
    fn bounds_check(&self, asm: &mut Assembler, end: Reg, start: Reg, len: u32, beyond: Label) {
        asm.alu64(Alu::Mov, end, Src::Reg(start));
        asm.alu64(Alu::Add, end, Src::Imm(len as i32));
        asm.load(Width::U32, R4, CONTEXT, data_end(self.context));
        asm.jump_if(Cond::Gt, end, Src::Reg(R4), beyond);
    }

    /// Whether there may be bytes that cannot be read directly.
    fn has_helper(&self) -> bool {
        self.context != ProgramContext::Xdp { frags: false }
    }

    /// Where to go for such bytes.
    fn elsewhere(&self, helper: Label) -> Label {
        if self.has_helper() { helper } else { self.reject }
    }

    /// Loads from the offset in `R2`.
    fn by_helper(&self, asm: &mut Assembler, dst: Reg, size: Size) {
        let helper = match self.context {
            ProgramContext::Xdp { .. } => Helper::XdpLoadBytes,
            ProgramContext::Tc => Helper::SkbLoadBytes,
        };
        call_load(asm, helper, BUFFER, Src::Imm(size.bytes() as i32));
        asm.jump_if(Cond::Ne, R0, Src::Imm(0), self.reject);
        load_network(asm, dst, size, FP, BUFFER);
    }

    /// Loads from the offset in `R3`, below [`TAG_END`]: from the image if it touches the tag.
    fn load_near_tag(&self, asm: &mut Assembler, dst: Reg, size: Size, go_on: Label) {
        let len = size.bytes();
        asm.jump_if(Cond::Le, R3, Src::Imm((TAG - len) as i32), go_on);
        asm.load(Width::U32, R1, CONTEXT, SKB_LEN);
        asm.alu64(Alu::Add, R1, Src::Imm((TAG_LEN - len) as i32));
        asm.jump_if(Cond::Gt, R3, Src::Reg(R1), self.reject);
        tag::cut(asm, dst, size);
    }
}

/// Loads bytes in network order as a number.
fn load_network(asm: &mut Assembler, dst: Reg, size: Size, base: Reg, offset: i16) {
    match size {
        Size::Byte => asm.load(Width::U8, dst, base, offset),
        Size::Half => {
            asm.load(Width::U16, dst, base, offset);
            asm.network_order(dst, 16);
        }
        Size::Word => {
            asm.load(Width::U32, dst, base, offset);
            asm.network_order(dst, 32);
        }
    }
}
