//! The way out of analysis: whoever remembers what was found implements [`Observer`].

/// Something reassembly had to give up or put right; each is a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReassemblyEvent {
    /// A TCP stream lost its message boundaries.
    Unsynchronised,
    /// A gap in a TCP stream was given up.
    Gap,
    /// A TCP segment brought nothing new.
    RetransmittedSegment,
    /// A TCP stream was dropped to stay within the memory budget.
    StreamEvicted,
    /// A fragmented datagram was put together.
    DatagramReassembled,
    /// A fragmented datagram with a DNS port was not complete after 30 s.
    DatagramIncomplete,
    /// The first fragment of a datagram did not come within 30 s: whether it was DNS is not known.
    DatagramUnidentified,
    /// A fragmented datagram was dropped to stay within the memory budget, or for its number of fragments.
    DatagramEvicted,
    /// A fragment's headers were cut, or contradicted themselves or other fragments; it was left out.
    FragmentMalformed,
}

/// Receives what analysis finds, in the order of the packets.
pub trait Observer {
    /// Reassembly gave something up or put it right.
    fn reassembly(&mut self, event: ReassemblyEvent);
}
