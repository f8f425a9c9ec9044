//! A source of punted records: a ring buffer or a socket.

use std::io;

use pktvisor_common::kernel::record::RecordHeader;

/// Records wait here in the order of their arrival.
pub trait RecordSource {
    /// How long after its time stamp a record may come in, in nanoseconds.
    const DELAY_NS: u64;

    /// The time stamp and epoch of the next record, which stays.
    fn next(&mut self) -> Option<NextRecord>;

    /// The time stamp of the next record; 0 for one that has none.
    fn next_ns(&mut self) -> Option<u64> {
        self.next().map(|next| next.timestamp_ns)
    }

    /// Lends the next record to `take` and removes it; does nothing without a record.
    fn take_next(&mut self, take: impl FnMut(&RecordHeader, &[u8]));

    /// Gives the room of records that were taken back to the kernel, and wakes it where it waits
    /// for room.
    fn release(&mut self);

    /// The used share, from 0 to 1.
    fn fill(&mut self) -> f64;

    /// Checks the source; call it about ten times a second.
    ///
    /// # Errors
    ///
    /// The source has ended; reported once.
    fn upkeep(&mut self) -> io::Result<()>;
}

/// The next record of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextRecord {
    /// When its packet was seen; 0 if the record does not say.
    pub timestamp_ns: u64,
    /// The [epoch](pktvisor_common::kernel::control::epoch) that its packet was counted in;
    /// [`NextRecord::NO_EPOCH`] if the record does not say.
    pub epoch: u32,
}

impl NextRecord {
    /// No record is of this epoch.
    pub const NO_EPOCH: u32 = u32::MAX;
}
