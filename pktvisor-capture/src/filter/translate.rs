//! Classic BPF to eBPF, to be run before the counting program: the same verdict on every packet as
//! libpcap's interpreter gives.
//!
//! Classic jumps only go forward, so every instruction becomes a short straight piece of eBPF, and
//! the verifier has no loop to follow. [`context`] says where `A`, `X` and scratch memory are kept,
//! [`access`](super::access) how packet bytes are read, [`verdict`] what follows a verdict.
//!
//! Minimum kernel version: 5.8.

use pktvisor_common::classify::LinkType;

use super::access::Accesses;
use super::assembler::{Alu, Assembler, Cond, FP, Instruction, Label, R1, Reg, Src, Width};
use super::classic::{
    Arithmetic, BpfInsn, ClassicError, Op, Operand, Register, SCRATCH_WORDS, Size, Test, decode, successors,
};
use super::context::{self, A, CONTEXT, DATA, SKB_VLAN_PRESENT, X, scratch};
use super::context::{ProgramContext, View};
use super::tag;
use super::verdict::{self, Verdicts};

/// Why a filter cannot run in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranslateError {
    /// The classic program is outside of what is translated.
    #[error(transparent)]
    Classic(#[from] ClassicError),
    /// Longer than eBPF jumps reach.
    #[error(
        "its program of {classic} instructions becomes {translated}, more than the kernel's jumps span: shorten it"
    )]
    TooLong {
        /// Instructions of classic BPF.
        classic: usize,
        /// Instructions of eBPF.
        translated: usize,
    },
}

/// Translates a classic program for packets of a link type.
///
/// # Errors
///
/// The program loops, or is too long.
pub(crate) fn translate(
    classic: &[BpfInsn],
    link_type: LinkType,
    verdicts: &Verdicts,
) -> Result<Vec<Instruction>, TranslateError> {
    let context = verdicts.context;
    let ops = decode(classic)?;
    let reachable = reachable(&ops);
    let live = |index: &usize| reachable[*index];
    let ops: Vec<(usize, Op)> = (0..ops.len()).filter(live).map(|index| (index, ops[index])).collect();
    let mut asm = Assembler::default();
    prologue(&mut asm, context, &ops);
    if context == ProgramContext::Tc
        && link_type == LinkType::ETHERNET
        && ops.iter().any(|(_, op)| tag::matters_to(op))
    {
        let tagged = asm.label();
        asm.load(Width::U32, R1, CONTEXT, SKB_VLAN_PRESENT);
        asm.jump_if(Cond::Ne, R1, Src::Imm(0), tagged);
        Translator::new(&mut asm, context, View::AsIs, classic.len()).run(&ops, verdicts);
        asm.bind(tagged);
        Translator::new(&mut asm, context, View::Tagged, classic.len()).run(&ops, verdicts);
    } else {
        Translator::new(&mut asm, context, View::AsIs, classic.len()).run(&ops, verdicts);
    }
    asm.finish()
        .map_err(|too_far| TranslateError::TooLong { classic: classic.len(), translated: too_far.len })
}

/// The reachable instructions: the verifier refuses programs with unreachable ones.
fn reachable(ops: &[Op]) -> Vec<bool> {
    let mut reachable = vec![false; ops.len()];
    if let Some(first) = reachable.first_mut() {
        *first = true;
    }
    // Jumps go forward, so one pass sees every way to an instruction before the instruction.
    for (index, op) in ops.iter().enumerate() {
        if reachable[index] {
            for next in successors(index, op).into_iter().flatten() {
                reachable[next] = true;
            }
        }
    }
    reachable
}

/// Everything starts at zero, as in libpcap.
fn prologue(asm: &mut Assembler, context: ProgramContext, ops: &[(usize, Op)]) {
    asm.alu64(Alu::Mov, CONTEXT, Src::Reg(R1));
    asm.load(Width::U32, DATA, CONTEXT, context::data(context));
    asm.alu32(Alu::Mov, A, Src::Imm(0));
    asm.alu32(Alu::Mov, X, Src::Imm(0));
    for word in 0..SCRATCH_WORDS {
        if ops.iter().any(|(_, op)| matches!(op, Op::Recall(_, used) if *used == word)) {
            asm.store_imm(Width::U32, FP, scratch(word), 0);
        }
    }
}

fn register(register: Register) -> Reg {
    match register {
        Register::A => A,
        Register::X => X,
    }
}

fn source(operand: Operand) -> Src {
    match operand {
        // As bits: all that follows works on 32 of them.
        Operand::Constant(k) => Src::Imm(k as i32),
        Operand::X => Src::Reg(X),
    }
}

/// One pass over a program, for one view of the packet.
struct Translator<'a> {
    asm: &'a mut Assembler,
    accesses: Accesses,
    /// Where each classic instruction begins.
    begins: Vec<Label>,
    accept: Label,
    reject: Label,
}

impl<'a> Translator<'a> {
    fn new(asm: &'a mut Assembler, context: ProgramContext, view: View, len: usize) -> Self {
        let begins = (0..len).map(|_| asm.label()).collect();
        let (accept, reject) = (asm.label(), asm.label());
        Self { accesses: Accesses::new(context, view, reject), asm, begins, accept, reject }
    }

    fn run(mut self, ops: &[(usize, Op)], verdicts: &Verdicts) {
        self.accesses.begin(self.asm, ops.iter().map(|(_, op)| op));
        for (position, (index, op)) in ops.iter().enumerate() {
            let next = ops.get(position + 1).map(|(next, _)| *next);
            self.asm.bind(self.begins[*index]);
            self.op(*op, next);
        }
        self.accesses.finish(self.asm);
        if self.asm.is_used(self.reject) {
            self.asm.bind(self.reject);
            verdict::reject(self.asm, verdicts);
        }
        if self.asm.is_used(self.accept) {
            self.asm.bind(self.accept);
            verdict::accept(self.asm, verdicts);
        }
    }

    fn op(&mut self, op: Op, next: Option<usize>) {
        match op {
            Op::Set(to, k) => self.asm.alu32(Alu::Mov, register(to), Src::Imm(k as i32)),
            Op::Length(to) => self.accesses.length(self.asm, register(to)),
            Op::Recall(to, word) => self.asm.load(Width::U32, register(to), FP, scratch(word)),
            Op::Store(from, word) => self.asm.store(Width::U32, FP, scratch(word), register(from)),
            Op::Load(size, at) => self.accesses.load(self.asm, A, size, at),
            Op::LoadIndexed(size, at) => self.accesses.load_indexed(self.asm, A, size, X, at),
            Op::HeaderLength(at) => {
                self.accesses.load(self.asm, X, Size::Byte, at);
                self.asm.alu32(Alu::And, X, Src::Imm(0xf));
                self.asm.alu32(Alu::Lsh, X, Src::Imm(2));
            }
            Op::Arithmetic(op, operand) => self.arithmetic(op, operand),
            Op::Negate => self.asm.alu32(Alu::Neg, A, Src::Imm(0)),
            Op::CopyAToX => self.asm.alu32(Alu::Mov, X, Src::Reg(A)),
            Op::CopyXToA => self.asm.alu32(Alu::Mov, A, Src::Reg(X)),
            Op::Jump(target) => self.go(target, next),
            Op::Branch { test, operand, then, otherwise } => {
                self.branch(test, operand, [then, otherwise], next);
            }
            Op::Return(0) => self.asm.jump(self.reject),
            Op::Return(_) => self.asm.jump(self.accept),
            Op::ReturnA => {
                self.asm.jump_if32(Cond::Eq, A, Src::Imm(0), self.reject);
                self.asm.jump(self.accept);
            }
        }
    }

    fn go(&mut self, target: usize, next: Option<usize>) {
        if next != Some(target) {
            self.asm.jump(self.begins[target]);
        }
    }

    fn branch(&mut self, test: Test, operand: Operand, [then, otherwise]: [usize; 2], next: Option<usize>) {
        if then == otherwise {
            return self.go(then, next);
        }
        let (cond, inverse) = match test {
            Test::Equal => (Cond::Eq, Some(Cond::Ne)),
            Test::Greater => (Cond::Gt, Some(Cond::Le)),
            Test::GreaterOrEqual => (Cond::Ge, Some(Cond::Lt)),
            Test::BitsSet => (Cond::Set, None),
        };
        match inverse.filter(|_| next == Some(then)) {
            Some(inverse) => self.asm.jump_if32(inverse, A, source(operand), self.begins[otherwise]),
            None => {
                self.asm.jump_if32(cond, A, source(operand), self.begins[then]);
                self.go(otherwise, next);
            }
        }
    }

    fn arithmetic(&mut self, op: Arithmetic, operand: Operand) {
        let alu = match op {
            Arithmetic::Add => Alu::Add,
            Arithmetic::Sub => Alu::Sub,
            Arithmetic::Mul => Alu::Mul,
            Arithmetic::Or => Alu::Or,
            Arithmetic::And => Alu::And,
            Arithmetic::Xor => Alu::Xor,
            Arithmetic::Div => return self.divide(Alu::Div, operand),
            Arithmetic::Mod => return self.divide(Alu::Mod, operand),
            Arithmetic::ShiftLeft => return self.shift(Alu::Lsh, operand),
            Arithmetic::ShiftRight => return self.shift(Alu::Rsh, operand),
        };
        self.asm.alu32(alu, A, source(operand));
    }

    /// eBPF divides by zero without complaint; here it is a rejection.
    fn divide(&mut self, alu: Alu, operand: Operand) {
        match operand {
            // Never zero: that has been decoded as a rejection.
            Operand::Constant(_) => {}
            Operand::X => self.asm.jump_if32(Cond::Eq, X, Src::Imm(0), self.reject),
        }
        self.asm.alu32(alu, A, source(operand));
    }

    /// eBPF looks at the lower five bits of a distance; here more shifts everything out.
    fn shift(&mut self, alu: Alu, operand: Operand) {
        match operand {
            Operand::Constant(0..32) => self.asm.alu32(alu, A, source(operand)),
            Operand::Constant(_) => self.asm.alu32(Alu::Mov, A, Src::Imm(0)),
            Operand::X => {
                let (within, done) = (self.asm.label(), self.asm.label());
                self.asm.jump_if32(Cond::Lt, X, Src::Imm(32), within);
                self.asm.alu32(Alu::Mov, A, Src::Imm(0));
                self.asm.jump(done);
                self.asm.bind(within);
                self.asm.alu32(alu, A, source(operand));
                self.asm.bind(done);
            }
        }
    }
}
