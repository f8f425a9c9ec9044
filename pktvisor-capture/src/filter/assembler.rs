//! eBPF instructions, and jumps by label.
//!
//! The encoding is that of RFC 9669. Nothing newer than its `base32` and `base64` groups is used,
//! with 32-bit jumps: Linux 5.1.

/// One instruction in the kernel's layout (`struct bpf_insn` of `<linux/bpf.h>`).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    code: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reg(u8);

pub(crate) const R0: Reg = Reg(0);
pub(crate) const R1: Reg = Reg(1);
pub(crate) const R2: Reg = Reg(2);
pub(crate) const R3: Reg = Reg(3);
pub(crate) const R4: Reg = Reg(4);
pub(crate) const R6: Reg = Reg(6);
pub(crate) const R7: Reg = Reg(7);
pub(crate) const R8: Reg = Reg(8);
pub(crate) const R9: Reg = Reg(9);
/// The frame pointer: the stack lies below it.
pub(crate) const FP: Reg = Reg(10);

/// A source operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Src {
    Imm(i32),
    Reg(Reg),
}

/// Width of a memory access.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Width {
    U8 = 0x10,
    U16 = 0x08,
    U32 = 0x00,
    U64 = 0x18,
}

/// Arithmetic, by its code in the upper four bits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alu {
    Add = 0x00,
    Sub = 0x10,
    Mul = 0x20,
    Div = 0x30,
    Or = 0x40,
    And = 0x50,
    Lsh = 0x60,
    Rsh = 0x70,
    Neg = 0x80,
    Mod = 0x90,
    Xor = 0xa0,
    Mov = 0xb0,
}

/// Conditions, unsigned, by their code in the upper four bits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cond {
    Eq = 0x10,
    Gt = 0x20,
    Ge = 0x30,
    Set = 0x40,
    Ne = 0x50,
    Lt = 0xa0,
    Le = 0xb0,
}

/// Helper functions of the kernel, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Helper {
    MapLookupElem = 1,
    TailCall = 12,
    #[cfg(any(test, feature = "test-run"))]
    SkbVlanPush = 18,
    SkbLoadBytes = 26,
    /// Linux 5.18.
    XdpGetBuffLen = 188,
    /// Linux 5.18.
    XdpLoadBytes = 189,
}

/// A place to jump to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(usize);

/// A jump is farther than its 16 bits can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JumpTooFar {
    /// Length of the program in instructions.
    pub(crate) len: usize,
}

/// A program in the making.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    instructions: Vec<Instruction>,
    /// Where each label stands, once it does.
    labels: Vec<Option<usize>>,
    /// Jumps, and the labels they go to.
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    pub(crate) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label stands here.
    pub(crate) fn bind(&mut self, label: Label) {
        self.labels[label.0] = Some(self.instructions.len());
    }

    /// Whether something jumps there so far.
    pub(crate) fn is_used(&self, label: Label) -> bool {
        self.jumps.iter().any(|(_, target)| *target == label)
    }

    /// The finished program. Every label that is jumped to must have been bound.
    pub(crate) fn finish(mut self) -> Result<Vec<Instruction>, JumpTooFar> {
        let too_far = JumpTooFar { len: self.instructions.len() };
        for (index, label) in self.jumps {
            let target = self.labels[label.0].ok_or(too_far)?;
            let distance = target as i64 - index as i64 - 1;
            self.instructions[index].offset = i16::try_from(distance).map_err(|_| too_far)?;
        }
        Ok(self.instructions)
    }

    /// `dst op= src` in 32 bits; the upper half becomes zero.
    pub(crate) fn alu32(&mut self, op: Alu, dst: Reg, src: Src) {
        self.with_source(op as u8 | 0x04, dst, src);
    }

    /// `dst op= src` in 64 bits; an immediate is sign-extended.
    pub(crate) fn alu64(&mut self, op: Alu, dst: Reg, src: Src) {
        self.with_source(op as u8 | 0x07, dst, src);
    }

    /// From network byte order to the machine's, or back.
    pub(crate) fn network_order(&mut self, dst: Reg, bits: i32) {
        self.push(0xdc, dst, Reg(0), 0, bits);
    }

    pub(crate) fn load(&mut self, width: Width, dst: Reg, base: Reg, offset: i16) {
        self.push(width as u8 | 0x61, dst, base, offset, 0);
    }

    pub(crate) fn store(&mut self, width: Width, base: Reg, offset: i16, src: Reg) {
        self.push(width as u8 | 0x63, base, src, offset, 0);
    }

    pub(crate) fn store_imm(&mut self, width: Width, base: Reg, offset: i16, value: i32) {
        self.push(width as u8 | 0x62, base, Reg(0), offset, value);
    }

    pub(crate) fn jump(&mut self, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.push(0x05, Reg(0), Reg(0), 0, 0);
    }

    /// Compares all 64 bits.
    pub(crate) fn jump_if(&mut self, cond: Cond, dst: Reg, src: Src, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.with_source(cond as u8 | 0x05, dst, src);
    }

    /// Compares the lower 32 bits.
    pub(crate) fn jump_if32(&mut self, cond: Cond, dst: Reg, src: Src, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.with_source(cond as u8 | 0x06, dst, src);
    }

    pub(crate) fn call(&mut self, helper: Helper) {
        self.push(0x85, Reg(0), Reg(0), 0, helper as i32);
    }

    /// The map behind a file descriptor, of which the kernel makes an address when it loads the
    /// program.
    pub(crate) fn load_map(&mut self, dst: Reg, fd: i32) {
        const PSEUDO_MAP_FD: Reg = Reg(1);
        self.push(0x18, dst, PSEUDO_MAP_FD, 0, fd);
        self.push(0x00, Reg(0), Reg(0), 0, 0);
    }

    pub(crate) fn exit(&mut self) {
        self.push(0x95, Reg(0), Reg(0), 0, 0);
    }

    fn with_source(&mut self, code: u8, dst: Reg, src: Src) {
        match src {
            Src::Imm(value) => self.push(code, dst, Reg(0), 0, value),
            Src::Reg(reg) => self.push(code | 0x08, dst, reg, 0, 0),
        }
    }

    fn push(&mut self, code: u8, dst: Reg, src: Reg, offset: i16, immediate: i32) {
        // Bit fields: the destination comes first, which is another half of the byte on another
        // kind of machine.
        let registers = if cfg!(target_endian = "little") { src.0 << 4 | dst.0 } else { dst.0 << 4 | src.0 };
        self.instructions.push(Instruction { code, registers, offset, immediate });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_find_their_labels_forward_and_back() {
        let mut program = Assembler::default();
        let (start, end) = (program.label(), program.label());
        program.bind(start);
        program.jump_if(Cond::Eq, R1, Src::Imm(0), end);
        program.jump(start);
        program.bind(end);
        program.exit();
        let offsets: Vec<i16> = program.finish().unwrap().iter().map(|insn| insn.offset).collect();
        assert_eq!(offsets, [1, -2, 0]);
    }

    #[test]
    fn a_jump_farther_than_16_bits_is_an_error() {
        let mut program = Assembler::default();
        let end = program.label();
        program.jump(end);
        for _ in 0..=i16::MAX {
            program.exit();
        }
        program.bind(end);
        program.exit();
        assert_eq!(program.finish(), Err(JumpTooFar { len: 32_770 }));
    }
}
