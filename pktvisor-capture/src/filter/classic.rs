//! Classic BPF as libpcap emits it: one accumulator `A`, one index register `X`, sixteen words of
//! scratch memory, and jumps that only go forward.
//!
//! The compiled program is decoded into [`Op`] once, with every jump made absolute and checked, so
//! that the translation need not think of malformed programs. The encoding is that of
//! `<linux/bpf_common.h>`, the meaning that of bpf(4).

/// One instruction in libpcap's layout (`struct bpf_insn`).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BpfInsn {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

/// `A` or `X`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    A,
    X,
}

/// How many bytes a load takes, in network byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Byte = 1,
    Half = 2,
    Word = 4,
}

impl Size {
    /// In bytes.
    pub(crate) fn bytes(self) -> u32 {
        self as u32
    }
}

/// The right-hand side of arithmetic and comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Constant(u32),
    X,
}

/// Arithmetic on `A`, in 32 bits, unsigned and wrapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
    /// Division by zero ends the program: the packet is rejected.
    Div,
    /// As [`Arithmetic::Div`].
    Mod,
    Or,
    And,
    Xor,
    /// By 32 bits and more, the result is 0.
    ShiftLeft,
    /// As [`Arithmetic::ShiftLeft`].
    ShiftRight,
}

/// Conditions on `A`, unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Equal,
    Greater,
    GreaterOrEqual,
    /// Any of these bits.
    BitsSet,
}

/// One decoded instruction. Jump targets are indices into the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Set(Register, u32),
    /// The packet's length on the wire.
    Length(Register),
    Recall(Register, u8),
    Store(Register, u8),
    /// `A = P[at]`; a load beyond the packet's end rejects it, here and below. `at` fits 31 bits.
    Load(Size, u32),
    /// `A = P[X + at]`
    LoadIndexed(Size, u32),
    /// `X = 4 * (P[at] & 0xf)`: the length of an IPv4 header.
    HeaderLength(u32),
    Arithmetic(Arithmetic, Operand),
    Negate,
    CopyAToX,
    CopyXToA,
    Jump(usize),
    Branch {
        test: Test,
        operand: Operand,
        then: usize,
        otherwise: usize,
    },
    /// Zero rejects.
    Return(u32),
    ReturnA,
}

/// Why a program was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassicError {
    /// An instruction that libpcap's compiler never emits.
    #[error("instruction {index} has the unknown code {code:#06x}")]
    Unknown {
        /// Where it stands.
        index: usize,
        /// Its operation code.
        code: u16,
    },
    /// A jump that does not go forward within the program, or a program that does not end in a
    /// verdict. Of what libpcap compiles only `protochain` has such jumps: it loops over headers.
    #[error(
        "instruction {index} of {len} jumps back or out of the program (`protochain` does, which the kernel cannot run)"
    )]
    Escapes {
        /// Where it stands.
        index: usize,
        /// Length of the program in instructions.
        len: usize,
    },
}

/// Words of scratch memory (`BPF_MEMWORDS`).
pub(crate) const SCRATCH_WORDS: u8 = 16;

/// Loads from beyond are beyond every packet. (As negative numbers they are the kernel's extensions
/// of classic BPF, which libpcap emits for live captures only.)
const AT_MAX: u32 = i32::MAX as u32;

/// The instruction that rejects every packet.
const REJECT: Op = Op::Return(0);

/// Decodes a whole program.
pub(crate) fn decode(program: &[BpfInsn]) -> Result<Vec<Op>, ClassicError> {
    let ops: Vec<Op> = program
        .iter()
        .enumerate()
        .map(|(index, insn)| decode_one(index, *insn).ok_or(ClassicError::Unknown { index, code: insn.code }))
        .collect::<Result<_, _>>()?;
    for (index, op) in ops.iter().enumerate() {
        if successors(index, op).into_iter().flatten().any(|next| next >= ops.len()) {
            return Err(ClassicError::Escapes { index, len: ops.len() });
        }
    }
    Ok(ops)
}

/// Where control may go from an instruction: nowhere after a verdict.
pub(crate) fn successors(index: usize, op: &Op) -> [Option<usize>; 2] {
    match *op {
        Op::Return(_) | Op::ReturnA => [None, None],
        Op::Jump(target) => [Some(target), None],
        Op::Branch { then, otherwise, .. } => [Some(then), Some(otherwise)],
        _ => [Some(index + 1), None],
    }
}

fn decode_one(index: usize, insn: BpfInsn) -> Option<Op> {
    let k = insn.k;
    let next = index + 1;
    Some(match insn.code & 0x07 {
        0x00 => load(insn)?,
        0x01 => load_x(insn)?,
        0x02 => Op::Store(Register::A, scratch(k)?),
        0x03 => Op::Store(Register::X, scratch(k)?),
        0x04 if insn.code == 0x84 => Op::Negate,
        0x04 => match (arithmetic(insn.code)?, operand(insn)) {
            (Arithmetic::Div | Arithmetic::Mod, Operand::Constant(0)) => REJECT,
            (op, operand) => Op::Arithmetic(op, operand),
        },
        0x05 if insn.code == 0x05 => Op::Jump(next.checked_add(k as usize)?),
        0x05 => Op::Branch {
            test: test(insn.code)?,
            operand: operand(insn),
            then: next + usize::from(insn.jt),
            otherwise: next + usize::from(insn.jf),
        },
        0x06 if insn.code == 0x06 => Op::Return(k),
        0x06 if insn.code == 0x16 => Op::ReturnA,
        _ if insn.code == 0x07 => Op::CopyAToX,
        _ if insn.code == 0x87 => Op::CopyXToA,
        _ => return None,
    })
}

fn load(insn: BpfInsn) -> Option<Op> {
    Some(match insn.code {
        0x00 => Op::Set(Register::A, insn.k),
        0x60 => Op::Recall(Register::A, scratch(insn.k)?),
        0x80 => Op::Length(Register::A),
        code => {
            let size = match code & 0x18 {
                0x00 => Size::Word,
                0x08 => Size::Half,
                0x10 => Size::Byte,
                _ => return None,
            };
            match code & 0xe0 {
                0x20 | 0x40 if insn.k > AT_MAX => REJECT,
                0x20 => Op::Load(size, insn.k),
                0x40 => Op::LoadIndexed(size, insn.k),
                _ => return None,
            }
        }
    })
}

fn load_x(insn: BpfInsn) -> Option<Op> {
    Some(match insn.code {
        0x01 => Op::Set(Register::X, insn.k),
        0x61 => Op::Recall(Register::X, scratch(insn.k)?),
        0x81 => Op::Length(Register::X),
        0xb1 if insn.k > AT_MAX => REJECT,
        0xb1 => Op::HeaderLength(insn.k),
        _ => return None,
    })
}

fn arithmetic(code: u16) -> Option<Arithmetic> {
    Some(match code & 0xf0 {
        0x00 => Arithmetic::Add,
        0x10 => Arithmetic::Sub,
        0x20 => Arithmetic::Mul,
        0x30 => Arithmetic::Div,
        0x40 => Arithmetic::Or,
        0x50 => Arithmetic::And,
        0x60 => Arithmetic::ShiftLeft,
        0x70 => Arithmetic::ShiftRight,
        0x90 => Arithmetic::Mod,
        0xa0 => Arithmetic::Xor,
        _ => return None,
    })
}

fn test(code: u16) -> Option<Test> {
    Some(match code & 0xf0 {
        0x10 => Test::Equal,
        0x20 => Test::Greater,
        0x30 => Test::GreaterOrEqual,
        0x40 => Test::BitsSet,
        _ => return None,
    })
}

fn operand(insn: BpfInsn) -> Operand {
    if insn.code & 0x08 == 0 { Operand::Constant(insn.k) } else { Operand::X }
}

fn scratch(k: u32) -> Option<u8> {
    u8::try_from(k).ok().filter(|&word| word < SCRATCH_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insn(code: u16, jt: u8, jf: u8, k: u32) -> BpfInsn {
        BpfInsn { code, jt, jf, k }
    }

    #[test]
    fn jumps_are_absolute_once_decoded() {
        let program =
            [insn(0x28, 0, 0, 12), insn(0x15, 0, 1, 0x800), insn(0x06, 0, 0, 1), insn(0x06, 0, 0, 0)];
        let ops = decode(&program).unwrap();
        let branch =
            Op::Branch { test: Test::Equal, operand: Operand::Constant(0x800), then: 2, otherwise: 3 };
        assert_eq!(ops, [Op::Load(Size::Half, 12), branch, Op::Return(1), Op::Return(0)]);
    }

    #[test]
    fn a_program_cannot_be_left_without_a_verdict() {
        let escapes = |program: &[BpfInsn]| matches!(decode(program), Err(ClassicError::Escapes { .. }));
        assert!(escapes(&[insn(0x00, 0, 0, 1)]));
        assert!(escapes(&[insn(0x05, 0, 0, u32::MAX), insn(0x06, 0, 0, 0)]));
        assert!(escapes(&[insn(0x15, 7, 0, 1), insn(0x06, 0, 0, 0)]));
    }

    #[test]
    fn unknown_codes_and_scratch_words_are_refused() {
        for bad in [insn(0xff, 0, 0, 0), insn(0x18, 0, 0, 0), insn(0x02, 0, 0, 16), insn(0x0e, 0, 0, 0)] {
            let refused = decode(&[bad, insn(0x06, 0, 0, 0)]);
            assert_eq!(refused, Err(ClassicError::Unknown { index: 0, code: bad.code }));
        }
    }
}
