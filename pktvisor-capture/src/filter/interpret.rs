//! Classic BPF run over captured packets, by libpcap's interpreter.

use std::ffi::{c_uint, c_void};

use pcap::BpfProgram;

use super::classic::BpfInsn;

/// Whether a program accepts a packet of which `data` was captured.
pub(super) fn accepts(program: &BpfProgram, data: &[u8], wire_len: u32) -> bool {
    let instructions = program.get_instructions();
    let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
    // SAFETY: libpcap compiled the instructions and they live as long as `program`; they are passed in libpcap's own
    // layout (`BpfInstruction` is a transparent `struct bpf_insn`). The interpreter reads at most `captured` bytes of
    // the packet, which are there.
    unsafe { bpf_filter(instructions.as_ptr().cast(), data.as_ptr(), wire_len, captured) != 0 }
}

/// The instructions of a program, which the `pcap` crate shows as text only.
pub(super) fn instructions(program: &BpfProgram) -> Vec<BpfInsn> {
    let instructions = program.get_instructions();
    let first: *const BpfInsn = instructions.as_ptr().cast();
    // SAFETY: `BpfInstruction` is a transparent `struct bpf_insn`, of which `BpfInsn` has the layout.
    unsafe { std::slice::from_raw_parts(first, instructions.len()) }.to_vec()
}

unsafe extern "C" {
    /// libpcap's interpreter of classic BPF.
    fn bpf_filter(
        instructions: *const c_void,
        packet: *const u8,
        wire_len: c_uint,
        captured_len: c_uint,
    ) -> c_uint;
}
