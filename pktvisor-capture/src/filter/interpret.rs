//! Classic BPF run over captured packets, by libpcap's interpreter.

use std::ffi::{c_uint, c_void};

use pcap::BpfProgram;

use super::classic::BpfInsn;

/// Whether a program, which must be one of libpcap's, accepts a packet of which `data` was
/// captured.
pub(super) fn accepts(instructions: &[BpfInsn], data: &[u8], wire_len: u32) -> bool {
    let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
    // SAFETY: libpcap compiled the instructions, which stay borrowed; they are passed in libpcap's
    // own layout (`struct bpf_insn`). They were put together such that jumps stay among them. The
    // interpreter reads at most `captured` bytes of the packet, which are there.
    unsafe { bpf_filter(instructions.as_ptr().cast(), data.as_ptr(), wire_len, captured) != 0 }
}

/// The instructions of a program, which the `pcap` crate shows as text only.
pub(super) fn instructions(program: &BpfProgram) -> Vec<BpfInsn> {
    let instructions = program.get_instructions();
    let first: *const BpfInsn = instructions.as_ptr().cast();
    // SAFETY: `BpfInstruction` is a transparent `struct bpf_insn`, of which `BpfInsn` has the
    // layout.
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
