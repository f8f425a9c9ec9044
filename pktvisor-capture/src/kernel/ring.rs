//! Reads one BPF ring buffer.
//!
//! Layout (kernel/bpf/ringbuf.c): a page with the consumer's position, a page with the producer's,
//! then the data, mapped twice in a row so that no record is cut. A record is a header of 8 bytes
//! (length with two flags, and a page offset), then the data, rounded up to 8 bytes. Positions
//! count bytes and never decrease.
//!
//! Unlike aya's reader this one can look at a record without taking it, and takes many at a time.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use aya::maps::{MapData, MapError};
use aya_obj::generated::bpf_map_type::BPF_MAP_TYPE_RINGBUF;
use memmap2::MmapRaw;
use pktvisor_common::kernel::record::RecordHeader;
use pktvisor_memory::prefetch::prefetch_address;

use super::error::KernelError;
use super::mapping::{Access, page_size, share};
use super::source::{NextRecord, RecordSource};

const NAME: &str = "DEEP";
/// The record is not yet complete.
const BUSY: u32 = 1 << 31;
/// The program discarded the record.
const DISCARDED: u32 = 1 << 30;
/// Bytes of a record's header.
const RECORD_HEADER: usize = 8;

/// The consumer's end of a ring buffer.
#[derive(Debug)]
pub struct RecordRing {
    /// `None`: its memory is not that of a map.
    map: Option<MapData>,
    consumer: MmapRaw,
    producer: MmapRaw,
    size: usize,
    /// Where the next record begins.
    position: u64,
    /// The position that the kernel was given last.
    released: u64,
    /// The producer's position when it was last read.
    produced: u64,
}

impl RecordRing {
    /// Makes a ring buffer of at least `bytes`: the kernel wants a power of two of pages.
    ///
    /// # Errors
    ///
    /// There is no memory or no permission.
    pub(super) fn create(bytes: u32) -> Result<Self, KernelError> {
        let page = page_size();
        let size = (bytes as usize).clamp(page, 1 << 30).next_power_of_two();
        let map_error = |source: MapError| KernelError::Map { name: NAME, source };
        let definition = aya_obj::Map::new_from_params(BPF_MAP_TYPE_RINGBUF as u32, 0, 0, size as u32, 0);
        let map = MapData::create(definition, "DEEP_RING", None).map_err(map_error)?;
        let ring = Self::of_memory(map.fd().as_fd(), size)
            .map_err(|source| KernelError::Mapping { name: NAME, source })?;
        Ok(Self { map: Some(map), ..ring })
    }

    /// A ring buffer of `size` bytes, a power of two of pages, in memory with the layout of the
    /// kernel's. In a file the second copy of the data is a copy.
    ///
    /// # Errors
    ///
    /// The memory cannot be mapped.
    pub fn of_memory(memory: BorrowedFd<'_>, size: usize) -> io::Result<Self> {
        let page = page_size();
        if !size.is_power_of_two() || size < page {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let consumer = share(memory, 0, page, Access::ReadWrite)?;
        let producer = share(memory, page, page + 2 * size, Access::Read)?;
        Ok(Self { map: None, consumer, producer, size, position: 0, released: 0, produced: 0 })
    }

    /// The map, for the programs' array of rings.
    pub(super) fn map(&self) -> Option<&MapData> {
        self.map.as_ref()
    }

    /// The next record; `None` if the ring is empty or the record is not yet complete.
    #[inline]
    fn peek(&mut self) -> Option<&[u8]> {
        loop {
            // Never beyond, also if the lengths of records are wrong.
            if self.position >= self.produced {
                self.produced = self.producer_position().load(Ordering::Acquire);
                if self.position >= self.produced {
                    return None;
                }
            }
            let header = self.record_header().load(Ordering::Acquire);
            if header & BUSY != 0 {
                return None;
            }
            let len = (header & !(BUSY | DISCARDED)) as usize;
            let is_possible = len <= self.size - RECORD_HEADER;
            if header & DISCARDED == 0 && is_possible {
                return Some(self.data(len));
            }
            self.skip(len);
        }
    }

    /// Removes the record that was peeked at, of this length. The kernel learns it by
    /// [`RecordSource::release`].
    #[inline]
    fn skip(&mut self, len: usize) {
        let behind = self.position + (RECORD_HEADER + len).next_multiple_of(8) as u64;
        // An impossible length must not lead beyond the bytes that the kernel has produced.
        self.position = behind.min(self.produced);
        // Early, so that programs find room before a long poll ends.
        if self.position - self.released > (self.size / 8) as u64 {
            self.release_taken();
        }
    }

    fn release_taken(&mut self) {
        if self.position != self.released {
            self.released = self.position;
            self.consumer_position().store(self.position, Ordering::Release);
        }
    }

    fn consumer_position(&self) -> &AtomicU64 {
        // SAFETY: the first word of a page that stays mapped as long as `self`; both sides access
        // it atomically.
        unsafe { AtomicU64::from_ptr(self.consumer.as_mut_ptr().cast()) }
    }

    fn producer_position(&self) -> &AtomicU64 {
        // SAFETY: as above; it is only read here.
        unsafe { AtomicU64::from_ptr(self.producer.as_mut_ptr().cast()) }
    }

    /// The data, `size` bytes twice.
    fn data_start(&self) -> *mut u8 {
        // SAFETY: the data begin behind the first page of the mapping.
        unsafe { self.producer.as_mut_ptr().add(self.producer.len() - 2 * self.size) }
    }

    /// Of the record at `position`.
    fn record_offset(&self) -> usize {
        self.position as usize & (self.size - 1)
    }

    fn record_header(&self) -> &AtomicU32 {
        // SAFETY: records begin at multiples of 8 within the data; the kernel writes this word
        // atomically.
        unsafe { AtomicU32::from_ptr(self.data_start().add(self.record_offset()).cast()) }
    }

    /// The bytes of the record at `position`: at most as many as the data has behind its header.
    fn data(&self, len: usize) -> &[u8] {
        let len = len.min(self.size - RECORD_HEADER);
        // SAFETY: begins within the first copy of the data and is no longer than one; the kernel
        // does not write to a complete record before its room is released, which takes `&mut self`.
        unsafe {
            let start = self.data_start().add(self.record_offset() + RECORD_HEADER);
            std::slice::from_raw_parts(start, len)
        }
    }
}

impl RecordSource for RecordRing {
    const DELAY_NS: u64 = 0;

    #[inline]
    fn next(&mut self) -> Option<NextRecord> {
        // A record too short for a header is not ours; its time stamp of 0 makes it the next one to
        // remove.
        let next = |record: &[u8]| {
            RecordHeader::split(record)
                .map_or(NextRecord { timestamp_ns: 0, epoch: NextRecord::NO_EPOCH }, |(header, _)| {
                    NextRecord { timestamp_ns: header.timestamp_ns, epoch: header.epoch() }
                })
        };
        self.peek().map(next)
    }

    #[inline]
    fn take_next(&mut self, mut take: impl FnMut(&RecordHeader, &[u8])) {
        let Some(record) = self.peek() else { return };
        prefetch_behind(record);
        if let Some((header, bytes)) = RecordHeader::split(record) {
            take(&header, bytes);
        }
        let len = record.len();
        self.skip(len);
    }

    fn release(&mut self) {
        self.release_taken();
    }

    fn fill(&mut self) -> f64 {
        let produced = self.producer_position().load(Ordering::Relaxed);
        produced.saturating_sub(self.position) as f64 / self.size as f64
    }

    fn upkeep(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prefetches the bytes behind a record, which are most likely the next record.
#[inline]
fn prefetch_behind(record: &[u8]) {
    const LINE_BYTES: usize = 64;
    const LINES: usize = 4;
    for line in 0..LINES {
        prefetch_address(record.as_ptr().wrapping_add(record.len() + line * LINE_BYTES));
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::*;

    /// A ring in a file, of one page of data, with this header before every record that could be.
    fn ring(header: u32, produced: u64) -> (File, RecordRing) {
        let (file, page) = (tempfile::tempfile().unwrap(), page_size());
        file.set_len(4 * page as u64).unwrap();
        let data: Vec<u8> = header.to_ne_bytes().into_iter().chain([0; 4]).cycle().take(2 * page).collect();
        file.write_all_at(&data, 2 * page as u64).unwrap();
        file.write_all_at(&produced.to_ne_bytes(), page as u64).unwrap();
        let ring = RecordRing::of_memory(file.as_fd(), page).unwrap();
        (file, ring)
    }

    fn released(file: &File) -> u64 {
        let mut position = [0; 8];
        file.read_exact_at(&mut position, 0).unwrap();
        u64::from_ne_bytes(position)
    }

    #[test]
    fn discarded_records_lead_no_further_than_what_is_produced() {
        let (file, mut ring) = ring(DISCARDED, 20);
        assert_eq!(ring.next(), None);
        ring.release();
        assert_eq!(released(&file), 20);
    }

    #[test]
    fn a_record_longer_than_the_ring_does_not_stop_it_for_ever() {
        let (file, mut ring) = ring(page_size() as u32, 800);
        assert_eq!(ring.next(), None);
        let behind = record_of(&file, 800);
        assert_eq!(ring.next().map(|next| next.timestamp_ns), Some(behind));
    }

    /// Produces a record at a position, and returns its time stamp.
    fn record_of(file: &File, position: u64) -> u64 {
        const TIMESTAMP_NS: u64 = 7;
        let (page, len) = (page_size() as u64, 24_u32);
        file.write_all_at(&len.to_ne_bytes(), 2 * page + position).unwrap();
        file.write_all_at(&TIMESTAMP_NS.to_ne_bytes(), 2 * page + position + 8).unwrap();
        file.write_all_at(&[0; 16], 2 * page + position + 16).unwrap();
        file.write_all_at(&(position + 32).to_ne_bytes(), page).unwrap();
        TIMESTAMP_NS
    }
}
