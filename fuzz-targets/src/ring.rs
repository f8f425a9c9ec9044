//! What the kernel hands to userspace: ring buffers in memory that two sides share, and the records in
//! them.
//!
//! The kernel is trusted to write what its programs say. Even so, with any content of the memory, only
//! bytes of the ring are read, and reading ends.

use std::cell::Cell;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use arbitrary::{Arbitrary, Unstructured};
use memmap2::MmapMut;
use nix::sys::memfd::{MFdFlags, memfd_create};
use pktvisor_capture::kernel::{Deep, RecordRing, RecordSource};
use pktvisor_common::classify::{Class, DnsPorts, classify};
use pktvisor_common::kernel::record::{CAPTURED_MAX, HEADER_LEN};

const PAGE: usize = 4096;
/// The data of each ring, once.
const SIZE: usize = PAGE;
const DISCARDED: u32 = 1 << 30;
/// Bytes before each record.
const RECORD_HEADER: usize = 8;
const OPERATIONS_MAX: usize = 64;

#[derive(Arbitrary, Debug)]
enum RingOperation {
    /// A record as programs write it.
    Record {
        ring: bool,
        later_ns: u8,
        captured: u16,
        epoch: u8,
        is_discarded: bool,
        bytes: [u8; 16],
    },
    /// A record that no program writes.
    Odd {
        ring: bool,
        header: u32,
        header_bytes: [u8; HEADER_LEN],
        produced: u16,
    },
    Poll {
        until_ns: u16,
        records: u8,
        held: Option<u8>,
    },
}

thread_local! {
    /// The memory of every input's rings: to make it takes longer than most inputs.
    static SIDES: Cell<Option<[KernelSide; 2]>> = const { Cell::new(None) };
}

/// The kernel's side of a ring.
struct KernelSide {
    file: File,
    memory: MmapMut,
    position: u64,
}

impl KernelSide {
    fn new() -> Self {
        let file: OwnedFd = memfd_create("ring", MFdFlags::MFD_CLOEXEC).expect("memory");
        let file = File::from(file);
        file.set_len((2 * PAGE + 2 * SIZE) as u64).expect("room");
        // SAFETY: nobody else has the file, and it is not made shorter. The ring reads it on this
        // thread, when nothing here borrows it.
        let memory = unsafe { MmapMut::map_mut(&file) }.expect("it can be mapped");
        Self { file, memory, position: 0 }
    }

    /// An empty ring in this memory.
    fn empty(&mut self) -> RecordRing {
        self.memory.fill(0);
        self.position = 0;
        RecordRing::of_memory(self.file.as_fd(), SIZE).expect("it can be mapped")
    }

    /// Writes bytes at a position of the data, which is there twice.
    fn write(&mut self, position: u64, bytes: &[u8]) {
        let place = position as usize % SIZE;
        let here = bytes.len().min(SIZE - place);
        for copy in [0, SIZE] {
            let data = &mut self.memory[2 * PAGE + copy..][..SIZE];
            data[place..place + here].copy_from_slice(&bytes[..here]);
            data[..bytes.len() - here].copy_from_slice(&bytes[here..]);
        }
    }

    fn taken(&self) -> u64 {
        self.memory.first_chunk().map_or(0, |word| u64::from_ne_bytes(*word))
    }

    fn produce(&mut self, len: u64) {
        self.position += len;
        self.memory[PAGE..PAGE + 8].copy_from_slice(&self.position.to_ne_bytes());
    }

    /// Reserves, writes and submits a record, if there is room.
    fn submit(&mut self, flags: u32, record: &[u8]) -> bool {
        let len = (RECORD_HEADER + record.len()).next_multiple_of(8) as u64;
        if self.position + len - self.taken() > SIZE as u64 {
            return false;
        }
        self.write(self.position, &(record.len() as u32 | flags).to_ne_bytes());
        self.write(self.position + RECORD_HEADER as u64, record);
        self.produce(len);
        true
    }
}

/// The operations.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let [mut first, mut second] = SIDES.take().unwrap_or_else(|| [KernelSide::new(), KernelSide::new()]);
    let mut deep = Deep::new(vec![first.empty(), second.empty()]);
    let (mut now_ns, mut submitted, mut taken, mut is_odd) = (0_u64, 0, 0, false);
    for _ in 0..OPERATIONS_MAX {
        let Ok(operation) = input.arbitrary() else { break };
        match operation {
            RingOperation::Record { ring, later_ns, captured, epoch, is_discarded, bytes } => {
                now_ns += u64::from(later_ns);
                let record = record(now_ns, usize::from(captured) % 400, epoch, &bytes);
                let shared = if ring { &mut second } else { &mut first };
                let is_there = shared.submit(if is_discarded { DISCARDED } else { 0 }, &record);
                submitted += usize::from(is_there && !is_discarded);
            }
            RingOperation::Odd { ring, header, header_bytes, produced } => {
                is_odd = true;
                let shared = if ring { &mut second } else { &mut first };
                shared.write(shared.position, &header.to_ne_bytes());
                shared.write(shared.position + RECORD_HEADER as u64, &header_bytes);
                shared.produce(u64::from(produced % (SIZE as u16 / 2)) / 8 * 8);
            }
            RingOperation::Poll { until_ns, records, held } => {
                deep.hold(held.map(u32::from));
                taken += poll(&mut deep, u64::from(until_ns), usize::from(records), is_odd);
            }
        }
        if input.is_empty() {
            break;
        }
    }
    deep.hold(None);
    // Ends, because no more is produced.
    loop {
        match poll(&mut deep, u64::MAX - 1, 64, is_odd) {
            0 => break,
            count => taken += count,
        }
    }
    assert!(is_odd || taken == submitted, "{taken} of {submitted} records");
    if !is_odd {
        assert_eq!((first.taken(), second.taken()), (first.position, second.position));
        assert!(deep.fill() == 0.0);
    }
    drop(deep);
    SIDES.set(Some([first, second]));
}

/// A record of a packet of this many bytes.
fn record(now_ns: u64, captured: usize, epoch: u8, bytes: &[u8; 16]) -> Vec<u8> {
    let mut record = now_ns.to_ne_bytes().to_vec();
    record.extend(7_u32.to_ne_bytes());
    record.extend((captured as u32).to_ne_bytes());
    record.extend((captured as u16).to_ne_bytes());
    record.extend(1_u16.to_ne_bytes());
    record.extend(u16::from(bytes[0] % 2).to_ne_bytes());
    record.extend([bytes[1] % 4, epoch << 4]);
    assert_eq!(record.len(), HEADER_LEN);
    record.extend(bytes.iter().copied().cycle().take(captured));
    record
}

/// Polls once, and analyses what comes as far as the classifier.
fn poll<S: RecordSource>(deep: &mut Deep<S>, until_ns: u64, records: usize, is_odd: bool) -> usize {
    let (mut before_ns, mut seen) = (0, 0);
    let taken = deep.poll(until_ns, records, |header, bytes| {
        assert!(bytes.len() == usize::from(header.captured_len) && bytes.len() <= CAPTURED_MAX);
        assert!(is_odd || (before_ns..=until_ns).contains(&header.timestamp_ns), "out of order");
        before_ns = header.timestamp_ns;
        seen += 1;
        let mut class = Class::default();
        classify(bytes, header.link_type(), &DnsPorts::default(), &mut class);
    });
    assert!(taken <= records && (is_odd || taken == seen));
    taken
}
