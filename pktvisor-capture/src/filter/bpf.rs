//! The few bpf(2) commands that a program made at run time needs: what aya offers loads ELF objects only.
//!
//! Every attribute structure is as long as the command's fields in use; the kernel takes what is missing as zero.

use std::ffi::{CStr, c_long};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::assembler::Instruction;

const BPF_MAP_CREATE: c_long = 0;
const BPF_MAP_UPDATE_ELEM: c_long = 2;
const BPF_PROG_LOAD: c_long = 5;
const BPF_LINK_CREATE: c_long = 28;

const BPF_MAP_TYPE_PROG_ARRAY: u32 = 3;

/// Which context a program gets (`enum bpf_prog_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProgramType {
    SchedCls = 3,
    Xdp = 6,
}

/// Where a link attaches (`enum bpf_attach_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AttachType {
    Xdp = 37,
    TcxIngress = 46,
    TcxEgress = 47,
}

/// A program may handle packets that lie in several pieces (`BPF_F_XDP_HAS_FRAGS`).
pub(crate) const XDP_HAS_FRAGS: u32 = 1 << 5;

/// Bytes of a name with its terminator (`BPF_OBJ_NAME_LEN`).
const NAME_LEN: usize = 16;

/// A program to load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    pub(crate) program_type: ProgramType,
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
    let quiet = match load_with_log(load, &mut []) {
        Ok(program) => return Ok(program),
        Err(error) => error,
    };
    // A log costs time and may itself be too small, so it is asked for only after a failure.
    let mut log = vec![0; 1 << 20];
    match load_with_log(load, &mut log) {
        Ok(program) => Ok(program),
        Err(_) => {
            let len = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
            Err(LoadRefusal {
                source: quiet,
                log: String::from_utf8_lossy(&log[..len]).trim_end().to_owned(),
            })
        }
    }
}

fn load_with_log(load: &Load<'_>, log: &mut [u8]) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Attributes {
        prog_type: u32,
        insn_cnt: u32,
        insns: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log_buf: u64,
        kern_version: u32,
        prog_flags: u32,
        prog_name: [u8; NAME_LEN],
        prog_ifindex: u32,
        expected_attach_type: u32,
    }
    let too_long = || io::Error::from_raw_os_error(libc::E2BIG);
    let mut attributes = Attributes {
        prog_type: load.program_type as u32,
        insn_cnt: u32::try_from(load.instructions.len()).map_err(|_| too_long())?,
        insns: load.instructions.as_ptr() as u64,
        // Some helpers are open to programs under the GPL or a compatible licence only, as in the kernel programs.
        license: c"Dual MIT/GPL".as_ptr() as u64,
        log_level: u32::from(!log.is_empty()),
        log_size: u32::try_from(log.len()).map_err(|_| too_long())?,
        log_buf: if log.is_empty() { 0 } else { log.as_mut_ptr() as u64 },
        kern_version: 0,
        prog_flags: load.flags,
        prog_name: name(load.name),
        prog_ifindex: 0,
        // tc programs are loaded without one; both programs of a tail call must have the same.
        expected_attach_type: match load.program_type {
            ProgramType::Xdp => AttachType::Xdp as u32,
            ProgramType::SchedCls => 0,
        },
    };
    loop {
        // SAFETY: the pointers are to slices and a string that outlive the call, with their true lengths.
        match unsafe { bpf_fd(BPF_PROG_LOAD, &mut attributes) } {
            // A signal came while the verifier ran.
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {}
            result => return result,
        }
    }
}

/// Makes an array of one program. The kernel empties it when the last descriptor is closed, attached or not.
pub(crate) fn program_array(name: &CStr, program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let map = create_map(BPF_MAP_TYPE_PROG_ARRAY, size_of::<u32>(), 1, name)?;
    fill(&map, program)?;
    Ok(map)
}

/// Makes an array.
pub(super) fn create_map(
    map_type: u32,
    value_size: usize,
    entries: u32,
    map_name: &CStr,
) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Attributes {
        map_type: u32,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        map_flags: u32,
        inner_map_fd: u32,
        numa_node: u32,
        map_name: [u8; NAME_LEN],
    }
    let mut attributes = Attributes {
        map_type,
        key_size: size_of::<u32>() as u32,
        value_size: value_size as u32,
        max_entries: entries,
        map_flags: 0,
        inner_map_fd: 0,
        numa_node: 0,
        map_name: name(map_name),
    };
    // SAFETY: the structure holds no pointers.
    unsafe { bpf_fd(BPF_MAP_CREATE, &mut attributes) }
}

/// Puts a program into the first slot. Fails where the two programs do not go together.
fn fill(map: &OwnedFd, program: BorrowedFd<'_>) -> io::Result<()> {
    #[repr(C)]
    struct Update {
        map_fd: u32,
        padding: u32,
        key: u64,
        value: u64,
        flags: u64,
    }
    let key = 0_u32;
    let value = program.as_raw_fd();
    let mut update = Update {
        map_fd: map.as_raw_fd() as u32,
        padding: 0,
        key: &raw const key as u64,
        value: &raw const value as u64,
        flags: 0,
    };
    // SAFETY: key and value are as long as the map's and outlive the call.
    unsafe { bpf(BPF_MAP_UPDATE_ELEM, &mut update) }.map(drop)
}

/// Attaches a program to the driver's XDP hook (native mode) for as long as the returned link is held.
///
/// Minimum kernel version: 5.9.
///
/// # Errors
///
/// EBUSY: another program is there. EOPNOTSUPP: the driver has no XDP. ERANGE: frames are too long for it.
pub(crate) fn attach_xdp(program: BorrowedFd<'_>, interface_index: u32) -> io::Result<OwnedFd> {
    const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;
    create_link(program, interface_index, AttachType::Xdp, XDP_FLAGS_DRV_MODE)
}

/// Attaches a program behind the tcx programs of received packets for as long as the returned link is held.
///
/// Minimum kernel version: 6.6. Below there is [`clsact`](crate::clsact).
///
/// # Errors
///
/// EINVAL: the kernel does not know tcx.
pub(crate) fn attach_tcx_ingress(program: BorrowedFd<'_>, interface_index: u32) -> io::Result<OwnedFd> {
    create_link(program, interface_index, AttachType::TcxIngress, 0)
}

/// As [`attach_tcx_ingress`], for packets sent.
///
/// # Errors
///
/// EINVAL: the kernel does not know tcx.
pub(crate) fn attach_tcx_egress(program: BorrowedFd<'_>, interface_index: u32) -> io::Result<OwnedFd> {
    create_link(program, interface_index, AttachType::TcxEgress, 0)
}

/// Attaches a program to an interface, for as long as the link lives.
fn create_link(
    program: BorrowedFd<'_>,
    interface_index: u32,
    attach_type: AttachType,
    flags: u32,
) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Attributes {
        prog_fd: u32,
        target_ifindex: u32,
        attach_type: u32,
        flags: u32,
    }
    let mut attributes = Attributes {
        prog_fd: program.as_raw_fd() as u32,
        target_ifindex: interface_index,
        attach_type: attach_type as u32,
        flags,
    };
    // SAFETY: the structure holds no pointers.
    unsafe { bpf_fd(BPF_LINK_CREATE, &mut attributes) }
}

/// The index of the interface that a link of XDP or tcx holds its program on: 0 once the interface is gone or somebody has
/// detached the program, `None` where the kernel does not say.
///
/// Minimum kernel version: 5.9.
pub(crate) fn link_interface(link: &OwnedFd) -> Option<u32> {
    const BPF_OBJ_GET_INFO_BY_FD: c_long = 15;
    /// The beginning of `struct bpf_link_info`; the union is aligned to 8 bytes.
    #[repr(C, align(8))]
    #[derive(Default)]
    struct Info {
        link_type: u32,
        id: u32,
        prog_id: u32,
        padding: u32,
        ifindex: u32,
        attach_type: u32,
    }
    #[repr(C)]
    struct Attributes {
        bpf_fd: u32,
        info_len: u32,
        info: u64,
    }
    let mut info = Info::default();
    let mut attributes = Attributes {
        bpf_fd: link.as_raw_fd() as u32,
        info_len: size_of::<Info>() as u32,
        info: &raw mut info as u64,
    };
    // SAFETY: the kernel writes at most `info_len` bytes, which are integers, to a structure that outlives the call.
    unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attributes) }.ok()?;
    Some(info.ifindex)
}

/// As a name in the kernel's listings, cut to its length.
fn name(text: &CStr) -> [u8; NAME_LEN] {
    let mut name = [0; NAME_LEN];
    for (to, from) in name.iter_mut().take(NAME_LEN - 1).zip(text.to_bytes()) {
        *to = *from;
    }
    name
}

/// A command that makes a descriptor.
///
/// # Safety
///
/// As [`bpf`].
unsafe fn bpf_fd<T>(command: c_long, attributes: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: promised by the caller.
    let fd = unsafe { bpf(command, attributes)? };
    // SAFETY: the kernel has just made it for us; descriptors fit an int.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// # Safety
///
/// Pointers in `attributes` must be valid for what the command does with them, and the structure be laid out as its
/// part of `union bpf_attr`.
pub(crate) unsafe fn bpf<T>(command: c_long, attributes: &mut T) -> io::Result<c_long> {
    // SAFETY: the kernel reads and writes no more than the size it is told; the rest was promised by the caller.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
