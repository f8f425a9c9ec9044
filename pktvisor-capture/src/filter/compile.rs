//! libpcap's compiler, for packets of a known origin, and within bounds of time and stack.

use std::io::{self, Write};
use std::os::fd::IntoRawFd;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use pcap::{BpfProgram, Capture, Linktype};
use pktvisor_common::classify::LinkType;

use super::classic::BpfInsn;
use super::interpret;
use super::split::{self, Pieces};

/// The byte order of a capture file's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// The least significant byte comes first.
    Little,
    /// The most significant byte comes first.
    Big,
}

impl Endian {
    /// The order of the machine that this runs on.
    pub const NATIVE: Self = if cfg!(target_endian = "little") { Self::Little } else { Self::Big };
}

/// Where packets come from, on which some programs depend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketOrigin {
    /// An interface of this machine.
    Live,
    /// A capture file, or a section of one. It may come from another system, whose numbers for
    /// address families differ.
    File(Endian),
}

/// Expressions up to this length are compiled on the calling thread: libpcap needs no noticeable
/// time for them.
const SHORT_BYTES: usize = 1000;
/// Longer expressions that are no chain of [`split`] are not optimised: that takes longest, and the
/// verdicts are the same.
const OPTIMIZED_BYTES: usize = 2000;
/// The longest time to compile. libpcap cannot be interrupted.
const PATIENCE: Duration = Duration::from_secs(10);
/// libpcap descends once for every test of a program. Untouched pages cost nothing.
const STACK_BYTES: usize = 512 << 20;

/// libpcap's message for a program that rejects all packets, which is legal for a piece of a chain.
const REJECTS_ALL: &str = "expression rejects all packets";

/// The program of an expression, or the reason that there is none.
pub(super) fn compile(
    expression: &str,
    link_type: LinkType,
    source: PacketOrigin,
) -> Result<Vec<BpfInsn>, String> {
    if expression.len() <= SHORT_BYTES {
        return whole(expression, link_type, source);
    }
    let expression = expression.to_owned();
    let (sender, receiver) = sync_channel(1);
    thread::Builder::new()
        .name("filter".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let began = Instant::now();
            let program = match split::pieces(&expression) {
                Some(pieces) => joined(&pieces, link_type, source, began),
                None => whole(&expression, link_type, source),
            };
            // The receiver is gone once the time is up.
            let _ = sender.send(program);
        })
        .map_err(|error| format!("cannot start a thread for it: {error}"))?;
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(too_long()))
}

fn too_long() -> String {
    format!(
        "it is too long, libpcap needs more than {} s for it: give networks instead of single addresses, or fewer",
        PATIENCE.as_secs()
    )
}

fn joined(
    pieces: &Pieces,
    link_type: LinkType,
    source: PacketOrigin,
    began: Instant,
) -> Result<Vec<BpfInsn>, String> {
    let reject = vec![BpfInsn { code: 0x06, jt: 0, jf: 0, k: 0 }];
    let mut programs = Vec::new();
    for expression in &pieces.expressions {
        if began.elapsed() > PATIENCE {
            return Err(too_long());
        }
        programs.push(match whole(expression, link_type, source) {
            Err(reason) if reason == REJECTS_ALL => reject.clone(),
            program => program?,
        });
    }
    if programs.iter().all(|program| *program == reject) {
        return Err(REJECTS_ALL.to_owned());
    }
    split::join(programs, pieces.junction).ok_or_else(|| "libpcap's programs cannot be joined".to_owned())
}

fn whole(expression: &str, link_type: LinkType, source: PacketOrigin) -> Result<Vec<BpfInsn>, String> {
    let optimize = expression.len() <= OPTIMIZED_BYTES;
    let compiled = match source {
        PacketOrigin::Live => {
            Capture::dead(link_of(link_type)).and_then(|live| live.compile(expression, optimize))
        }
        PacketOrigin::File(order) => {
            let file = savefile(link_type, order).map_err(|error| format!("no pipe to libpcap: {error}"))?;
            file.and_then(|file| file.compile(expression, optimize))
        }
    };
    let words = |error| match error {
        pcap::Error::PcapError(words) => words,
        other => other.to_string(),
    };
    let program = compiled.map(|program: BpfProgram| interpret::instructions(&program)).map_err(words)?;
    if program.iter().any(asks_the_kernel) {
        return Err("`inbound`, `outbound` and `ifindex` are not in these packets: they cannot be asked for"
            .to_owned());
    }
    Ok(program)
}

/// A capture file without packets: from its header libpcap learns that it is one, and the byte
/// order of its numbers.
fn savefile(link_type: LinkType, order: Endian) -> io::Result<Result<Capture<pcap::Offline>, pcap::Error>> {
    const SNAP_LEN: u32 = 262_144;
    // libpcap knows OpenBSD's number for raw IP in files only.
    let link_type = if link_type == LinkType::RAW_OPENBSD { LinkType::RAW } else { link_type };
    let version = 2_u32 << 16 | 4;
    let numbers = [0xa1b2_c3d4, version, 0, 0, SNAP_LEN, u32::from(link_type.0)];
    let mut header = Vec::with_capacity(24);
    for (index, number) in numbers.into_iter().enumerate() {
        // Two numbers of 16 bits.
        let number = if index == 1 && order == Endian::Little { number.rotate_left(16) } else { number };
        header.extend(match order {
            Endian::Little => number.to_le_bytes(),
            Endian::Big => number.to_be_bytes(),
        });
    }
    let (reader, mut writer) = io::pipe()?;
    // Fits into any pipe.
    writer.write_all(&header)?;
    drop(writer);
    // SAFETY: the descriptor is open and given away: nobody else has it.
    Ok(unsafe { Capture::from_raw_fd(reader.into_raw_fd()) })
}

/// Whether an instruction loads what a packet does not hold but the kernel knows of it
/// (`SKF_AD_OFF`), which only the kernel's own interpreter could.
fn asks_the_kernel(insn: &BpfInsn) -> bool {
    const SKF_AD_OFF: u32 = 0xffff_f000;
    matches!(insn.code, 0x20 | 0x28 | 0x30) && (SKF_AD_OFF..SKF_AD_OFF + 0x100).contains(&insn.k)
}

/// The number libpcap uses in memory where it is not the one in files (pcap-linktype(7)).
fn link_of(link_type: LinkType) -> Linktype {
    Linktype(match link_type {
        LinkType::RAW | LinkType::RAW_OPENBSD => 12,
        LinkType(100) => 11,
        LinkType(other) => i32::from(other),
    })
}

/// A link type by number and, where libpcap knows it, by name.
pub(super) fn name_of(link_type: LinkType) -> String {
    link_of(link_type)
        .get_name()
        .map_or_else(|_| link_type.0.to_string(), |name| format!("{} ({name})", link_type.0))
}
