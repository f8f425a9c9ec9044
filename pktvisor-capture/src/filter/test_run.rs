//! Filter programs run by the kernel on given packets (`BPF_PROG_TEST_RUN`), without an interface.
//! For tests and fuzzing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use aya_obj::generated::BPF_F_XDP_HAS_FRAGS;
use aya_obj::generated::bpf_cmd::{BPF_MAP_LOOKUP_ELEM, BPF_PROG_TEST_RUN};
use aya_obj::generated::bpf_map_type::BPF_MAP_TYPE_PERCPU_ARRAY;
use aya_obj::generated::bpf_prog_type::{self, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP};
use pktvisor_common::classify::LinkType;
use pktvisor_common::kernel::filtered::{FILTERED, FILTERED_ENTRIES, FILTERED_TAGGED};

use crate::filter::assembler::{Alu, Assembler, Helper, Instruction, R0, R1, R2, R3, R6, Src, Width};
use crate::filter::bpf::{self, Load};
use crate::filter::verdict::{self, TaggedPackets, Verdicts};
use crate::filter::{Filter, FilterProgram, FilterProgramError, FilterSite, ProgramContext, Rejected};

/// What the stand-in for the main program returns: nothing that a filter program would.
const MAIN_RAN: u32 = 3;

/// A VLAN tag to be in the metadata.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// 0x8100 or 0x88a8.
    pub tpid: u16,
    /// Priority and number.
    pub tci: u16,
}

/// A filter before a main program that does nothing.
#[derive(Debug)]
pub struct FilterChain {
    pub(super) filter: FilterProgram,
    /// Puts a tag into the metadata, then goes on to the filter.
    tagger: Option<(OwnedFd, OwnedFd)>,
    passed: OwnedFd,
    filtered: OwnedFd,
    context: ProgramContext,
    _main: OwnedFd,
}

/// Why no program can be loaded here, if none can.
pub fn unavailable() -> Option<String> {
    match main(ProgramContext::Tc) {
        Ok(_) => None,
        Err(refused) => Some(format!("BPF programs cannot be loaded here: {}", refused.source)),
    }
}

fn program_type(context: ProgramContext) -> (bpf_prog_type, u32) {
    match context {
        ProgramContext::Xdp { frags } => (BPF_PROG_TYPE_XDP, if frags { BPF_F_XDP_HAS_FRAGS } else { 0 }),
        ProgramContext::Tc => (BPF_PROG_TYPE_SCHED_CLS, 0),
    }
}

fn load_program(context: ProgramContext, instructions: &[Instruction]) -> Result<OwnedFd, bpf::LoadRefusal> {
    let (program_type, flags) = program_type(context);
    bpf::load(&Load { program_type, name: c"pktvisor_test", instructions, flags })
}

fn main(context: ProgramContext) -> Result<OwnedFd, bpf::LoadRefusal> {
    let mut asm = Assembler::default();
    asm.alu32(Alu::Mov, R0, Src::Imm(MAIN_RAN as i32));
    asm.exit();
    load_program(context, &asm.finish().unwrap())
}

/// A main program that counts and lets pass.
fn counting_main(context: ProgramContext, passed: &OwnedFd) -> OwnedFd {
    let action = if context == ProgramContext::Tc { -1 } else { 2 };
    let count = Verdicts {
        context,
        programs: -1,
        filtered: passed.as_raw_fd(),
        action,
        tags: TaggedPackets::Ignored,
    };
    let mut asm = Assembler::default();
    asm.alu64(Alu::Mov, R6, Src::Reg(R1));
    verdict::reject(&mut asm, &count);
    load_program(context, &asm.finish().unwrap()).unwrap()
}

/// A map of two numbers a CPU.
fn counter() -> OwnedFd {
    bpf::create_map(BPF_MAP_TYPE_PERCPU_ARRAY, 8, FILTERED_ENTRIES as u32, c"counter").unwrap()
}

/// A program without any work, to compare times with.
pub fn empty(context: ProgramContext) -> OwnedFd {
    main(context).unwrap()
}

fn tagger(filter: &FilterProgram) -> (OwnedFd, OwnedFd) {
    let programs = bpf::program_array(c"filter", filter.as_fd()).unwrap();
    let mut asm = Assembler::default();
    asm.alu64(Alu::Mov, R6, Src::Reg(R1));
    // `priority` and `mark`, which a test run sets.
    asm.load(Width::U32, R2, R1, 32);
    asm.load(Width::U32, R3, R1, 8);
    asm.call(Helper::SkbVlanPush);
    asm.alu64(Alu::Mov, R1, Src::Reg(R6));
    asm.load_map(R2, programs.as_raw_fd());
    asm.alu32(Alu::Mov, R3, Src::Imm(0));
    asm.call(Helper::TailCall);
    asm.alu32(Alu::Mov, R0, Src::Imm(77));
    asm.exit();
    (load_program(ProgramContext::Tc, &asm.finish().unwrap()).unwrap(), programs)
}

impl FilterChain {
    /// For test runs.
    pub fn new(expression: &str, context: ProgramContext, link_type: LinkType) -> Self {
        Self::load(expression, context, link_type)
            .unwrap_or_else(|error| panic!("{expression} at {context:?}: {error}"))
    }

    /// As [`FilterChain::new`], for an expression that may be a bad one.
    ///
    /// # Errors
    ///
    /// Those of [`FilterProgram::load`].
    pub fn load(
        expression: &str,
        context: ProgramContext,
        link_type: LinkType,
    ) -> Result<Self, FilterProgramError> {
        Self::before(main(context).unwrap(), counter(), expression, context, link_type)
    }

    /// For Ethernet interfaces: what passes is counted as well.
    pub fn counting(expression: &str, context: ProgramContext) -> Self {
        let passed = counter();
        Self::before(counting_main(context, &passed), passed, expression, context, LinkType::ETHERNET)
            .unwrap_or_else(|error| panic!("{expression} at {context:?}: {error}"))
    }

    fn before(
        main: OwnedFd,
        passed: OwnedFd,
        expression: &str,
        context: ProgramContext,
        link_type: LinkType,
    ) -> Result<Self, FilterProgramError> {
        let filtered = counter();
        let site = FilterSite {
            context,
            link_type,
            rejected: Rejected::Passes,
            main: main.as_fd(),
            filtered: filtered.as_fd(),
        };
        let filter = FilterProgram::load(&Filter::new(expression), &site)?;
        let tagger =
            (context == ProgramContext::Tc && link_type == LinkType::ETHERNET).then(|| tagger(&filter));
        Ok(Self { filter, tagger, passed, filtered, context, _main: main })
    }

    /// Whether the main program ran; nothing if the kernel refuses the packet.
    pub fn passes(&self, packet: &[u8]) -> Option<bool> {
        self.run(self.filter.as_fd(), packet, None)
    }

    /// As [`FilterChain::passes`], for a packet whose tag is in the metadata.
    pub fn passes_with(&self, packet: &[u8], tag: Tag) -> Option<bool> {
        let (tagger, _) = self.tagger.as_ref().unwrap();
        self.run(tagger.as_fd(), packet, Some(tag))
    }

    fn run(&self, program: BorrowedFd<'_>, packet: &[u8], tag: Option<Tag>) -> Option<bool> {
        if self.context == ProgramContext::Tc && is_cut_before_ip_ends(packet) {
            return None;
        }
        let retval = test_run(program, packet, tag, 1).unwrap().retval;
        let filter_returned = [2, u32::MAX];
        assert!(retval == MAIN_RAN || filter_returned.contains(&retval), "{retval}");
        Some(retval == MAIN_RAN)
    }

    /// Runs with a packet for what is counted.
    pub fn passes_or_not(&self, packet: &[u8]) {
        test_run(self.filter.as_fd(), packet, None, 1).unwrap();
    }

    /// How many packets a counting main program has seen.
    pub fn passed(&self) -> u64 {
        sum(&self.passed, FILTERED)
    }

    /// How many packets were counted as filtered.
    pub fn filtered(&self) -> u64 {
        sum(&self.filtered, FILTERED)
    }

    /// How many of these were counted as tagged.
    pub fn filtered_tagged(&self) -> u64 {
        sum(&self.filtered, FILTERED_TAGGED)
    }
}

/// The sum of one entry over all CPUs.
fn sum(counter: &OwnedFd, key: u32) -> u64 {
    let mut values = vec![0_u64; aya::util::nr_cpus().unwrap()];
    let mut lookup = bpf::attributes();
    // SAFETY: all members of the union are integers, for which every value is valid.
    let element = unsafe { &mut lookup.__bindgen_anon_2 };
    element.map_fd = counter.as_raw_fd().cast_unsigned();
    element.key = &raw const key as u64;
    element.__bindgen_anon_1.value = values.as_mut_ptr() as u64;
    // SAFETY: one key of the map's length, and a value for every possible CPU.
    unsafe { bpf::bpf(BPF_MAP_LOOKUP_ELEM, &mut lookup) }.unwrap();
    values.iter().sum()
}

/// Packets for which the kernel makes no socket buffer in a test run.
fn is_cut_before_ip_ends(packet: &[u8]) -> bool {
    match packet.get(12..14) {
        Some([0x08, 0x00]) => packet.len() < 14 + 20,
        Some([0x86, 0xdd]) => packet.len() < 14 + 40,
        _ => false,
    }
}

/// The result of a test run.
#[derive(Debug)]
pub struct TestRunOutcome {
    /// Of the program.
    pub retval: u32,
    /// Mean of all repetitions.
    pub duration_ns: u32,
}

/// Runs a program on a packet.
///
/// # Errors
///
/// The kernel refuses the packet.
pub fn test_run(
    program: BorrowedFd<'_>,
    packet: &[u8],
    tag: Option<Tag>,
    repeat: u32,
) -> io::Result<TestRunOutcome> {
    let mut context = [0_u32; 48];
    if let Some(Tag { tpid, tci }) = tag {
        context[8] = u32::from(tpid.to_be());
        context[2] = u32::from(tci);
    }
    let mut attributes = bpf::attributes();
    // SAFETY: all members of the union are integers, for which every value is valid.
    let run = unsafe { &mut attributes.test };
    run.prog_fd = program.as_raw_fd().cast_unsigned();
    run.data_size_in = packet.len() as u32;
    run.data_in = packet.as_ptr() as u64;
    run.repeat = repeat;
    if tag.is_some() {
        run.ctx_size_in = size_of_val(&context) as u32;
        run.ctx_in = context.as_ptr() as u64;
    }
    // SAFETY: packet and context are read up to their lengths, nothing is written beside the
    // attributes.
    unsafe { bpf::bpf(BPF_PROG_TEST_RUN, &mut attributes)? };
    // SAFETY: the kernel filled in this member.
    let run = unsafe { attributes.test };
    Ok(TestRunOutcome { retval: run.retval, duration_ns: run.duration })
}
