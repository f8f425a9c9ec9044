//! A program as small as can be that does to the sockets what the real one does: before each packet
//! with IPv4 it leaves a record and hands it to the socket of its queue; all others it drops.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::c_long;

// Numbers of linux/bpf.h.
const BPF_MAP_CREATE: c_long = 0;
const BPF_MAP_UPDATE_ELEM: c_long = 2;
const BPF_PROG_LOAD: c_long = 5;
const BPF_LINK_CREATE: c_long = 28;
const BPF_MAP_TYPE_XSKMAP: u32 = 17;
const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_XDP: u32 = 37;

/// Native XDP, not the one for every driver.
const XDP_FLAGS_DRV_MODE: u32 = 4;

/// The map of sockets, and the program attached to an interface; both go with this value.
pub(crate) struct Attached {
    sockets: OwnedFd,
    link: Option<OwnedFd>,
}

impl Attached {
    /// A map with room for this many queues; nothing is attached yet.
    pub(crate) fn new(queues: u32) -> Self {
        let attributes = [BPF_MAP_TYPE_XSKMAP, 4, 4, queues, 0];
        Self { sockets: bpf(BPF_MAP_CREATE, &attributes).unwrap(), link: None }
    }

    pub(crate) fn insert(&self, queue: u32, socket: BorrowedFd<'_>) -> io::Result<()> {
        let socket = socket.as_raw_fd();
        let [key, value] = [&raw const queue as u64, &raw const socket as u64];
        let map = u64::from(self.sockets.as_raw_fd().cast_unsigned());
        call(BPF_MAP_UPDATE_ELEM, &[map, key, value, 0]).map(drop)
    }

    /// Attaches the program to the interface with this index of the calling thread's namespace.
    pub(crate) fn attach(&mut self, ifindex: u32) {
        self.attach_program(load(&with_record(self.sockets.as_fd())), ifindex);
    }

    /// Attaches the program for drivers that have no room for records.
    pub(crate) fn attach_without_record(&mut self, ifindex: u32) {
        self.attach_program(load(&without_record(self.sockets.as_fd())), ifindex);
    }

    fn attach_program(&mut self, program: OwnedFd, ifindex: u32) {
        let attributes = [program.as_raw_fd().cast_unsigned(), ifindex, BPF_XDP, XDP_FLAGS_DRV_MODE];
        self.link = Some(bpf(BPF_LINK_CREATE, &attributes).unwrap());
    }

    pub(crate) fn detach(&mut self) {
        self.link = None;
    }
}

/// One instruction (RFC 9669 section 3).
fn code(opcode: u8, destination: u8, source: u8, offset: i16, immediate: i32) -> u64 {
    let [low, high] = offset.to_le_bytes();
    let [a, b, c, d] = immediate.to_le_bytes();
    u64::from_le_bytes([opcode, source << 4 | destination, low, high, a, b, c, d])
}

/// Hands over every packet as it is.
fn without_record(sockets: BorrowedFd<'_>) -> Vec<u64> {
    vec![
        code(0x61, 2, 1, 16, 0), // the queue
        code(0x18, 1, 1, 0, sockets.as_raw_fd()),
        0,
        code(0xb7, 3, 0, 0, 1),
        code(0x85, 0, 0, 0, 51), // bpf_redirect_map
        code(0x95, 0, 0, 0, 0),
    ]
}

fn with_record(sockets: BorrowedFd<'_>) -> Vec<u64> {
    const MOV: u8 = 0xbf;
    const MOV_K: u8 = 0xb7;
    const ADD_K: u8 = 0x07;
    const SUB: u8 = 0x1f;
    const CALL: u8 = 0x85;
    const EXIT: u8 = 0x95;
    const JGT: u8 = 0x2d;
    const JNE_K: u8 = 0x55;
    const LOAD_32: u8 = 0x61;
    const LOAD_16: u8 = 0x69;
    const STORE_64: u8 = 0x7b;
    const STORE_32: u8 = 0x63;
    const STORE_16: u8 = 0x6b;
    const STORE_16_K: u8 = 0x6a;
    const STORE_8_K: u8 = 0x72;
    let drop = 32;
    let to_drop = |from: i16| drop - from - 1;
    vec![
        // The context, and room for the record.
        code(MOV, 6, 1, 0, 0),
        code(MOV_K, 2, 0, 0, -24),
        code(CALL, 0, 0, 0, 54), // bpf_xdp_adjust_meta
        code(JNE_K, 0, 0, to_drop(3), 0),
        code(CALL, 0, 0, 0, 5), // bpf_ktime_get_ns
        // Metadata, data, end of data.
        code(LOAD_32, 7, 6, 8, 0),
        code(LOAD_32, 8, 6, 0, 0),
        code(LOAD_32, 9, 6, 4, 0),
        code(MOV, 1, 7, 0, 0),
        code(ADD_K, 1, 0, 0, 24),
        code(JGT, 1, 8, to_drop(10), 0),
        code(STORE_64, 7, 0, 0, 0),
        code(MOV, 1, 8, 0, 0),
        code(ADD_K, 1, 0, 0, 14),
        code(JGT, 1, 9, to_drop(14), 0),
        code(LOAD_16, 1, 8, 12, 0),
        code(JNE_K, 1, 0, to_drop(16), i32::from(0x0800_u16.to_be())),
        code(LOAD_32, 1, 6, 12, 0),
        code(STORE_32, 7, 1, 8, 0),
        code(SUB, 9, 8, 0, 0),
        code(STORE_32, 7, 9, 12, 0),
        code(STORE_16, 7, 9, 16, 0),
        code(STORE_16_K, 7, 0, 18, 1),
        code(STORE_16_K, 7, 0, 20, 1),
        code(STORE_8_K, 7, 0, 22, 1),
        code(STORE_8_K, 7, 0, 23, 1),
        // The map, the queue, and XDP_DROP where it has no socket.
        code(0x18, 1, 1, 0, sockets.as_raw_fd()),
        0,
        code(LOAD_32, 2, 6, 16, 0),
        code(MOV_K, 3, 0, 0, 1),
        code(CALL, 0, 0, 0, 51), // bpf_redirect_map
        code(EXIT, 0, 0, 0, 0),
        // drop:
        code(MOV_K, 0, 0, 0, 1),
        code(EXIT, 0, 0, 0, 0),
    ]
}

fn load(instructions: &[u64]) -> OwnedFd {
    let mut log = vec![0_u8; 1 << 16];
    let kind_and_count = u64::from(BPF_PROG_TYPE_XDP) | (instructions.len() as u64) << 32;
    let log_level_and_size = 1 | (log.len() as u64) << 32;
    let attributes = [
        kind_and_count,
        instructions.as_ptr() as u64,
        c"GPL".as_ptr() as u64,
        log_level_and_size,
        log.as_mut_ptr() as u64,
        0,
        0,
        0,
        // expected_attach_type, at byte 68.
        u64::from(BPF_XDP) << 32,
    ];
    call(BPF_PROG_LOAD, &attributes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&log)))
        .unwrap()
}

fn bpf(command: c_long, attributes: &[u32]) -> io::Result<OwnedFd> {
    let mut words = [0_u64; 9];
    for (n, attribute) in attributes.iter().enumerate() {
        words[n / 2] |= u64::from(*attribute) << (32 * (n % 2));
    }
    Ok(call(command, &words)?.unwrap())
}

/// bpf(2); the new file, for commands that make one.
fn call(command: c_long, attributes: &[u64]) -> io::Result<Option<OwnedFd>> {
    let size = size_of_val(attributes) as c_long;
    // SAFETY: the kernel reads the attributes, and through them only what the caller lent for the
    // time of the call.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size) };
    match i32::try_from(result) {
        Ok(fd) if fd > 0 => {
            // SAFETY: the file is new and nobody else's.
            Ok(Some(unsafe { OwnedFd::from_raw_fd(fd) }))
        }
        Ok(0) => Ok(None),
        _ => Err(io::Error::last_os_error()),
    }
}
