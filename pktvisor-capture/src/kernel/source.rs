//! Where records that the kernel handed up are taken from.

use std::io;

use pktvisor_common::kernel::record::RecordHeader;

/// Where records wait, in the order in which they came.
pub trait RecordSource {
    /// How long after its time stamp a record may come in, in nanoseconds.
    const DELAY_NS: u64;

    /// What is known of the next record before it is taken.
    fn next(&mut self) -> Option<NextRecord>;

    /// The time stamp of the next record; 0 for one that has none.
    fn next_ns(&mut self) -> Option<u64> {
        self.next().map(|next| next.timestamp_ns)
    }

    /// Lends the next record to `take` and is done with it; does nothing where there is none.
    fn take_next(&mut self, take: impl FnMut(&RecordHeader, &[u8]));

    /// Gives the room of records that were taken back to the kernel, and wakes it where it waits for room.
    fn release(&mut self);

    /// The part that is in use, from 0 to 1.
    fn fill(&mut self) -> f64;

    /// To be called some ten times a second.
    ///
    /// # Errors
    ///
    /// Nothing will come from here any more; told once.
    fn upkeep(&mut self) -> io::Result<()>;
}

/// The next record of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextRecord {
    /// When its packet was seen; 0 if the record does not tell.
    pub timestamp_ns: u64,
    /// The [epoch](pktvisor_common::kernel::control::epoch) that its packet was counted in; [`NextRecord::NO_EPOCH`] if the record
    /// does not tell.
    pub epoch: u32,
}

impl NextRecord {
    /// No record is of this epoch.
    pub const NO_EPOCH: u32 = u32::MAX;
}
