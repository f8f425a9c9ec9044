//! How a filter reads a packet: directly where the verifier allows it, by a helper where the bytes lie elsewhere, and with
//! the VLAN tag of a socket buffer's metadata where the expression expects it.
//!
//! The direct way stands in line, everything else behind the program. A load beyond the packet's end rejects the packet.
//!
//! On an Ethernet interface the kernel moves the outer VLAN tag out of the packet, but an expression (`vlan 7 and udp`) is compiled for
//! packets that have it. For such packets there is a second translation ([`View::Tagged`]): whatever lies behind the
//! addresses is read 4 bytes earlier, and the few loads that touch the tag read the [`IMAGE`].

use super::assembler::{Alu, Assembler, Cond, FP, Helper, Label, R0, R1, R2, R3, R4, Reg, Src, Width};
use super::classic::{Op, Size};
use super::translate::{CONTEXT, DATA, Hook, View};

/// Offsets into `struct __sk_buff`.
const SKB_LEN: i16 = 0;
pub(crate) const SKB_VLAN_PRESENT: i16 = 20;
const SKB_VLAN_TCI: i16 = 24;
const SKB_VLAN_PROTO: i16 = 28;
const SKB_DATA: i16 = 76;
const SKB_DATA_END: i16 = 80;
/// Offsets into `struct xdp_md`.
const XDP_DATA: i16 = 0;
const XDP_DATA_END: i16 = 4;

/// On the stack: 4 bytes that a helper fills, or a key.
pub(crate) const BUFFER: i16 = -8;
/// On the stack: the 16 bytes from [`IMAGE_START`] of the packet with its tag. Loads that touch the tag lie within.
const IMAGE: i16 = -24;
/// The tag in its 4 bytes of [`IMAGE`], behind 4 bytes of MAC address and before 4 bytes of the rest.
const IMAGE_TAG: i16 = IMAGE + 4;
const IMAGE_REST: i16 = IMAGE + 8;
/// Bytes of stack taken here, from the top.
pub(crate) const STACK_USED: i16 = IMAGE;

/// Where a VLAN tag begins and ends in an Ethernet frame.
const TAG: u32 = 12;
const TAG_END: u32 = 16;
const TAG_LEN: u32 = TAG_END - TAG;
const IMAGE_START: u32 = 8;

/// The verifier knows a packet's bytes up to here (`MAX_PACKET_OFF`), less for offsets that vary so that their
/// bounds show.
const DIRECT_MAX: u32 = 0x7fff;
/// What helpers take as an offset.
const HELPER_MAX: i32 = i32::MAX;

/// Where a context says that the packet's bytes begin.
pub(crate) fn data_offset(hook: Hook) -> i16 {
    match hook {
        Hook::Xdp { .. } => XDP_DATA,
        Hook::Tc => SKB_DATA,
    }
}

/// Whether an instruction has another meaning for a packet with a tag.
pub(crate) fn sees_tag(op: &Op) -> bool {
    match *op {
        Op::Load(size, at) => at.saturating_add(size.bytes()) > TAG,
        Op::HeaderLength(at) => at >= TAG,
        Op::LoadIndexed(..) | Op::Length(_) => true,
        _ => false,
    }
}

/// Whether a load touches the tag and something beside it, so that the whole image is needed.
fn straddles(op: &Op) -> bool {
    match *op {
        Op::Load(size, at) => {
            let end = at.saturating_add(size.bytes());
            at < TAG_END && end > TAG && (at < TAG || end > TAG_END)
        }
        Op::LoadIndexed(..) => true,
        _ => false,
    }
}

/// What stands behind the program, with the labels where it begins and where it returns to.
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
pub(crate) struct Accesses {
    hook: Hook,
    view: View,
    reject: Label,
    detours: Vec<(Label, Label, Detour)>,
}

impl Accesses {
    pub(crate) fn new(hook: Hook, view: View, reject: Label) -> Self {
        Self { hook, view, reject, detours: Vec::new() }
    }

    /// Goes before the program: makes the image, as much of it as is needed.
    pub(crate) fn begin<'a>(&mut self, asm: &mut Assembler, mut ops: impl Iterator<Item = &'a Op>) {
        if self.view == View::AsIs {
            return;
        }
        // In network byte order as it is.
        asm.load(Width::U32, R1, CONTEXT, SKB_VLAN_PROTO);
        asm.store(Width::U16, FP, IMAGE_TAG, R1);
        asm.load(Width::U32, R1, CONTEXT, SKB_VLAN_TCI);
        asm.network_order(R1, 16);
        asm.store(Width::U16, FP, IMAGE_TAG + 2, R1);
        if ops.any(straddles) {
            let (fill, filled) = (asm.label(), asm.label());
            asm.store_imm(Width::U32, FP, IMAGE_REST + 4, 0);
            self.bounds_check(asm, R1, DATA, TAG_END, fill);
            asm.load(Width::U32, R1, DATA, IMAGE_START as i16);
            asm.store(Width::U32, FP, IMAGE, R1);
            asm.load(Width::U32, R1, DATA, TAG as i16);
            asm.store(Width::U32, FP, IMAGE_REST, R1);
            asm.bind(filled);
            self.detours.push((fill, filled, Detour::FillImage));
        }
    }

    /// Goes behind the program.
    pub(crate) fn finish(&mut self, asm: &mut Assembler) {
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
                Detour::Image { dst, size, go_on } => self.from_image(asm, dst, size, go_on),
                Detour::FillImage => fill_image(asm, back),
            }
            asm.jump(back);
        }
    }

    /// The packet's length on the wire.
    pub(crate) fn length(&self, asm: &mut Assembler, dst: Reg) {
        match self.hook {
            Hook::Xdp { frags: true } => {
                asm.alu64(Alu::Mov, R1, Src::Reg(CONTEXT));
                asm.call(Helper::XdpGetBuffLen);
                asm.alu32(Alu::Mov, dst, Src::Reg(R0));
            }
            Hook::Xdp { frags: false } => {
                asm.load(Width::U32, dst, CONTEXT, XDP_DATA_END);
                asm.alu64(Alu::Sub, dst, Src::Reg(DATA));
                // The verifier has to see 32 bits in every register that is compared or shifted.
                asm.alu32(Alu::Mov, dst, Src::Reg(dst));
            }
            Hook::Tc => asm.load(Width::U32, dst, CONTEXT, SKB_LEN),
        }
        if self.view == View::Tagged {
            asm.alu32(Alu::Add, dst, Src::Imm(TAG_LEN as i32));
        }
    }

    /// `dst` = the bytes at a fixed offset.
    pub(crate) fn load(&mut self, asm: &mut Assembler, dst: Reg, size: Size, at: u32) {
        let end = at.saturating_add(size.bytes());
        match self.view {
            View::Tagged if at >= TAG_END => self.load_fixed(asm, dst, size, at - TAG_LEN),
            View::Tagged if end > TAG => {
                if end > TAG_END {
                    asm.load(Width::U32, R1, CONTEXT, SKB_LEN);
                    asm.jump_if(Cond::Lt, R1, Src::Imm((end - TAG_LEN) as i32), self.reject);
                }
                if at % size.bytes() == 0 {
                    load_network(asm, dst, size, FP, IMAGE + (at - IMAGE_START) as i16);
                } else {
                    // The verifier wants accesses to the stack aligned.
                    asm.alu32(Alu::Mov, R3, Src::Imm(at as i32));
                    cut_from_image(asm, dst, size);
                }
            }
            _ => self.load_fixed(asm, dst, size, at),
        }
    }

    /// `dst` = the bytes at `index + at`.
    pub(crate) fn load_indexed(&mut self, asm: &mut Assembler, dst: Reg, size: Size, index: Reg, at: u32) {
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
            // Always. The verifier refuses what nothing can reach, and what follows here would be just that.
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

    /// Goes to `beyond` unless `len` bytes from `start` can be read directly. Spoils `R4` and `end`.
    fn bounds_check(&self, asm: &mut Assembler, end: Reg, start: Reg, len: u32, beyond: Label) {
        let data_end = match self.hook {
            Hook::Xdp { .. } => XDP_DATA_END,
            Hook::Tc => SKB_DATA_END,
        };
        asm.alu64(Alu::Mov, end, Src::Reg(start));
        asm.alu64(Alu::Add, end, Src::Imm(len as i32));
        asm.load(Width::U32, R4, CONTEXT, data_end);
        asm.jump_if(Cond::Gt, end, Src::Reg(R4), beyond);
    }

    /// Whether there may be bytes that cannot be read directly.
    fn has_helper(&self) -> bool {
        self.hook != Hook::Xdp { frags: false }
    }

    /// Where to go for such bytes.
    fn elsewhere(&self, helper: Label) -> Label {
        if self.has_helper() { helper } else { self.reject }
    }

    /// Loads from the offset in `R2`.
    fn by_helper(&self, asm: &mut Assembler, dst: Reg, size: Size) {
        let helper = match self.hook {
            Hook::Xdp { .. } => Helper::XdpLoadBytes,
            Hook::Tc => Helper::SkbLoadBytes,
        };
        call_load(asm, helper, BUFFER, Src::Imm(size.bytes() as i32));
        asm.jump_if(Cond::Ne, R0, Src::Imm(0), self.reject);
        load_network(asm, dst, size, FP, BUFFER);
    }

    /// Loads from the offset in `R3`, below [`TAG_END`]: from the image if it touches the tag.
    fn from_image(&self, asm: &mut Assembler, dst: Reg, size: Size, go_on: Label) {
        let len = size.bytes();
        asm.jump_if(Cond::Le, R3, Src::Imm((TAG - len) as i32), go_on);
        asm.load(Width::U32, R1, CONTEXT, SKB_LEN);
        asm.alu64(Alu::Add, R1, Src::Imm((TAG_LEN - len) as i32));
        asm.jump_if(Cond::Gt, R3, Src::Reg(R1), self.reject);
        cut_from_image(asm, dst, size);
    }
}

/// `dst` = the bytes at the offset in `R3`, of which the verifier need not know where in the image it lies.
fn cut_from_image(asm: &mut Assembler, dst: Reg, size: Size) {
    // The 16 bytes as one big number, shifted left until the load's first byte leads. The distance is at least 8 bits
    // and less than 64, so neither shift loses its meaning.
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

/// Fills the image by helper, also from a packet that ends within it. What the packet does not have stays zero; loads
/// from there are rejected by its length.
fn fill_image(asm: &mut Assembler, filled: Label) {
    let rest = asm.label();
    asm.alu32(Alu::Mov, R2, Src::Imm(IMAGE_START as i32));
    call_load(asm, Helper::SkbLoadBytes, IMAGE, Src::Imm(4));
    asm.store_imm(Width::U32, FP, IMAGE_REST, 0);
    asm.load(Width::U32, R4, CONTEXT, SKB_LEN);
    asm.jump_if(Cond::Le, R4, Src::Imm(TAG as i32), filled);
    asm.alu64(Alu::Sub, R4, Src::Imm(TAG as i32));
    asm.jump_if(Cond::Le, R4, Src::Imm(4), rest);
    asm.alu32(Alu::Mov, R4, Src::Imm(4));
    asm.bind(rest);
    asm.alu32(Alu::Mov, R2, Src::Imm(TAG as i32));
    call_load(asm, Helper::SkbLoadBytes, IMAGE_REST, Src::Reg(R4));
}

/// Calls a helper that copies bytes from the offset in `R2` to the stack. A failed one fills them with zeros.
fn call_load(asm: &mut Assembler, helper: Helper, to: i16, len: Src) {
    asm.alu64(Alu::Mov, R1, Src::Reg(CONTEXT));
    asm.alu64(Alu::Mov, R3, Src::Reg(FP));
    asm.alu64(Alu::Add, R3, Src::Imm(i32::from(to)));
    asm.alu32(Alu::Mov, R4, len);
    asm.call(helper);
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
