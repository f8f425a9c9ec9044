//! The few bpf(2) commands that a program made at run time needs: aya loads programs from ELF
//! objects only.
//!
//! Commands and their attributes are aya's bindings of `<linux/bpf.h>`. An older kernel accepts
//! attributes that are longer than its own as long as the rest is zero.

use std::ffi::{CStr, c_char, c_long};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use aya_obj::generated::bpf_attach_type::{self, BPF_TCX_EGRESS, BPF_TCX_INGRESS, BPF_XDP};
use aya_obj::generated::bpf_cmd::{
    self, BPF_LINK_CREATE, BPF_MAP_CREATE, BPF_MAP_UPDATE_ELEM, BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_LOAD,
};
use aya_obj::generated::bpf_map_type::{self, BPF_MAP_TYPE_PROG_ARRAY};
use aya_obj::generated::bpf_prog_type::{self, BPF_PROG_TYPE_XDP};
use aya_obj::generated::{XDP_FLAGS_DRV_MODE, bpf_attr, bpf_link_info};

use super::assembler::Instruction;

/// Bytes of a name with its terminator (`BPF_OBJ_NAME_LEN`).
const NAME_LEN: usize = 16;

/// A program to load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    pub(crate) program_type: bpf_prog_type,
    pub(crate) name: &'static CStr,
    pub(crate) instructions: &'a [Instruction],
    pub(crate) flags: u32,
}

/// Why the kernel did not take a program.
#[derive(Debug)]
pub(crate) struct LoadRefusal {
    pub(crate) source: io::Error,
    /// The verifier's words, as far as they fit.
    pub(crate) log: String,
}

/// Loads a program. It is unloaded when the last descriptor and attachment are gone.
///
/// Minimum kernel version: 4.17 (attach types).
pub(crate) fn load(load: &Load<'_>) -> Result<OwnedFd, LoadRefusal> {
    let error = match load_with_log(load, &mut []) {
        Ok(program) => return Ok(program),
        Err(error) => error,
    };
    // A log costs time and may itself be too small, so it is requested only after a failure.
    let mut log = vec![0; 1 << 20];
    match load_with_log(load, &mut log) {
        Ok(program) => Ok(program),
        Err(_) => {
            let len = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
            Err(LoadRefusal {
                source: error,
                log: String::from_utf8_lossy(&log[..len]).trim_end().to_owned(),
            })
        }
    }
}

fn load_with_log(load: &Load<'_>, log: &mut [u8]) -> io::Result<OwnedFd> {
    let too_long = || io::Error::from_raw_os_error(libc::E2BIG);
    let mut attributes = attributes();
    // SAFETY: all members of the union are integers, for which every value is valid.
    let program = unsafe { &mut attributes.__bindgen_anon_3 };
    program.prog_type = load.program_type as u32;
    program.insn_cnt = u32::try_from(load.instructions.len()).map_err(|_| too_long())?;
    program.insns = load.instructions.as_ptr() as u64;
    // Some helpers are open to programs under the GPL or a compatible licence only, as in the
    // kernel programs.
    program.license = c"Dual MIT/GPL".as_ptr() as u64;
    if !log.is_empty() {
        program.log_level = 1;
        program.log_size = u32::try_from(log.len()).map_err(|_| too_long())?;
        program.log_buf = log.as_mut_ptr() as u64;
    }
    program.prog_flags = load.flags;
    program.prog_name = name(load.name);
    // tc programs are loaded without one; both programs of a tail call must have the same.
    if load.program_type == BPF_PROG_TYPE_XDP {
        program.expected_attach_type = BPF_XDP as u32;
    }
    loop {
        // SAFETY: the pointers are to slices and a string that outlive the call, with their true
        // lengths.
        match unsafe { bpf_fd(BPF_PROG_LOAD, &mut attributes) } {
            // A signal came while the verifier ran.
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {}
            result => return result,
        }
    }
}

/// Makes an array of one program. The kernel empties it when the last descriptor is closed,
/// attached or not.
pub(crate) fn program_array(name: &CStr, program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let map = create_map(BPF_MAP_TYPE_PROG_ARRAY, size_of::<u32>(), 1, name)?;
    fill(&map, program)?;
    Ok(map)
}

/// Makes an array.
pub(super) fn create_map(
    map_type: bpf_map_type,
    value_size: usize,
    entries: u32,
    map_name: &CStr,
) -> io::Result<OwnedFd> {
    let mut attributes = attributes();
    // SAFETY: all members of the union are integers, for which every value is valid.
    let map = unsafe { &mut attributes.__bindgen_anon_1 };
    map.map_type = map_type as u32;
    map.key_size = size_of::<u32>() as u32;
    map.value_size = value_size as u32;
    map.max_entries = entries;
    map.map_name = name(map_name);
    // SAFETY: the attributes hold no pointers.
    unsafe { bpf_fd(BPF_MAP_CREATE, &mut attributes) }
}

/// Puts a program into the first slot. Fails where the two programs do not go together.
fn fill(map: &OwnedFd, program: BorrowedFd<'_>) -> io::Result<()> {
    let key = 0_u32;
    let value = program.as_raw_fd();
    let mut attributes = attributes();
    // SAFETY: all members of the union are integers, for which every value is valid.
    let element = unsafe { &mut attributes.__bindgen_anon_2 };
    element.map_fd = map.as_raw_fd().cast_unsigned();
    element.key = &raw const key as u64;
    element.__bindgen_anon_1.value = &raw const value as u64;
    // SAFETY: key and value are as long as the map's and outlive the call.
    unsafe { bpf(BPF_MAP_UPDATE_ELEM, &mut attributes) }.map(drop)
}

/// Attaches a program to the driver's XDP hook (native mode) for as long as the returned link is
/// held.
///
/// Minimum kernel version: 5.9.
///
/// # Errors
///
/// EBUSY: another program is there. EOPNOTSUPP: the driver has no XDP. ERANGE: frames are too long
/// for it.
pub(crate) fn attach_xdp(program: BorrowedFd<'_>, interface_index: u32) -> io::Result<OwnedFd> {
    create_link(program, interface_index, BPF_XDP, XDP_FLAGS_DRV_MODE)
}

/// Attaches a program behind the tcx programs of received packets for as long as the returned link
/// is held.
///
/// Minimum kernel version: 6.6. Below there is [`clsact`](crate::clsact).
///
/// # Errors
///
/// EINVAL: the kernel does not know tcx.
pub(crate) fn attach_tcx_ingress(program: BorrowedFd<'_>, interface_index: u32) -> io::Result<OwnedFd> {
    create_link(program, interface_index, BPF_TCX_INGRESS, 0)
}

/// As [`attach_tcx_ingress`], for packets sent.
///
/// # Errors
///
/// EINVAL: the kernel does not know tcx.
pub(crate) fn attach_tcx_egress(program: BorrowedFd<'_>, interface_index: u32) -> io::Result<OwnedFd> {
    create_link(program, interface_index, BPF_TCX_EGRESS, 0)
}

/// Attaches a program to an interface, for as long as the link lives.
fn create_link(
    program: BorrowedFd<'_>,
    interface_index: u32,
    attach_type: bpf_attach_type,
    flags: u32,
) -> io::Result<OwnedFd> {
    let mut attributes = attributes();
    // SAFETY: all members of the union are integers, for which every value is valid.
    let link = unsafe { &mut attributes.link_create };
    link.__bindgen_anon_1.prog_fd = program.as_raw_fd().cast_unsigned();
    link.__bindgen_anon_2.target_ifindex = interface_index;
    link.attach_type = attach_type as u32;
    link.flags = flags;
    // SAFETY: the attributes hold no pointers.
    unsafe { bpf_fd(BPF_LINK_CREATE, &mut attributes) }
}

/// The index of the interface that a link of XDP or tcx holds its program on: 0 once the interface
/// is gone or somebody has detached the program, `None` where the kernel does not say.
///
/// Minimum kernel version: 5.9.
pub(crate) fn link_interface(link: &OwnedFd) -> Option<u32> {
    // SAFETY: a struct and unions of integers, for which all zeros is a value.
    let mut info: bpf_link_info = unsafe { std::mem::zeroed() };
    let mut attributes = attributes();
    attributes.info.bpf_fd = link.as_raw_fd().cast_unsigned();
    attributes.info.info_len = size_of::<bpf_link_info>() as u32;
    attributes.info.info = &raw mut info as u64;
    // SAFETY: the kernel writes at most `info_len` bytes, which are integers, to a structure that
    // outlives the call.
    unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attributes) }.ok()?;
    // SAFETY: an integer, which every type of link has zeroed or written; that of tcx begins with
    // the same field.
    Some(unsafe { info.__bindgen_anon_1.xdp.ifindex })
}

/// Attributes with nothing set.
pub(super) fn attributes() -> bpf_attr {
    // SAFETY: a union of structs of integers, for which all zeros is a value.
    unsafe { std::mem::zeroed() }
}

/// As a name in the kernel's listings, cut to its length.
fn name(text: &CStr) -> [c_char; NAME_LEN] {
    let mut name = [0; NAME_LEN];
    for (to, from) in name.iter_mut().take(NAME_LEN - 1).zip(text.to_bytes()) {
        *to = *from as c_char;
    }
    name
}

/// A command that makes a descriptor.
///
/// # Safety
///
/// As [`bpf`].
unsafe fn bpf_fd(command: bpf_cmd, attributes: &mut bpf_attr) -> io::Result<OwnedFd> {
    // SAFETY: promised by the caller.
    let fd = unsafe { bpf(command, attributes)? };
    // SAFETY: the kernel has just made it for us; descriptors fit an int.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// # Safety
///
/// Pointers in `attributes` must be valid for what the command does with them.
pub(crate) unsafe fn bpf(command: bpf_cmd, attributes: &mut bpf_attr) -> io::Result<c_long> {
    let size = size_of::<bpf_attr>();
    // SAFETY: the kernel reads and writes no more than the given size; the rest was promised by the
    // caller.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command as c_long, &raw mut *attributes, size) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
