//! A gap in a stream, and the bytes behind it.

use super::GAP_TIMEOUT_NS;
use super::arrival::{Arrival, Order, REORDERING_NS};
use super::waiting::{Piece, Waiting};

/// The sign that bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Data or the FIN behind them.
    Segment,
    /// Only the acknowledgement of the peer, which may have overtaken them.
    Acknowledgement,
}

/// Whether message boundaries are known. If they are not, missing data belongs to bytes that are
/// skipped anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Synchronised {
    Yes,
    No,
}

/// The first gap of a stream.
#[derive(Clone, Copy)]
pub(super) struct Gap {
    /// The first missing byte.
    pub(super) start: u32,
    /// The first byte behind it that is not missing.
    pub(super) end: u32,
    pub(super) evidence: Evidence,
    /// The place of the sign of the gap, and of the bytes behind it. The peer's segments from there
    /// on wait.
    order: Order,
    /// The start of its wait, in the table's time.
    since_ns: u64,
    /// The acknowledgement beyond the gap.
    passed: Option<Acknowledgement>,
}

impl Gap {
    /// The gap is given up when the table's time is later than this.
    pub(super) fn deadline_ns(&self) -> u64 {
        let passed_ns = self.passed.map_or(u64::MAX, |passed| passed.at_ns.saturating_add(REORDERING_NS));
        match self.evidence {
            Evidence::Segment => passed_ns.min(self.since_ns.saturating_add(GAP_TIMEOUT_NS)),
            Evidence::Acknowledgement => passed_ns,
        }
    }
}

/// The peer's highest acknowledgement of bytes that were not captured.
#[derive(Clone, Copy)]
pub(super) struct Acknowledgement {
    pub(super) number: u32,
    order: Order,
    at_ns: u64,
    /// Nothing waits any longer for the acknowledged bytes, unless data behind them arrives.
    is_expired: bool,
}

impl Acknowledgement {
    /// Whether everything before `end` is acknowledged.
    fn reaches(&self, end: u32) -> bool {
        self.number.wrapping_sub(end).cast_signed() >= 0
    }
}

/// The bytes of a stream that are not in order, and its gap.
#[derive(Default)]
pub(super) struct Behind {
    pub(super) waiting: Waiting,
    pub(super) gap: Option<Gap>,
    acknowledgement: Option<Acknowledgement>,
    /// The last segment to arrive of those taken since the last gap was given up: its number and
    /// time stamp.
    completed_by: (u64, u64),
}

impl Behind {
    /// Memory on the heap, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.waiting.heap_bytes()
    }

    /// The peer has received everything before `number`, which lies behind `next`.
    pub(super) fn acknowledge(&mut self, number: u32, next: u32, arrival: Arrival) {
        let is_news = self
            .acknowledgement
            .is_none_or(|before| number.wrapping_sub(next) > before.number.wrapping_sub(next));
        if is_news {
            let (order, at_ns) = (arrival.order(), arrival.now_ns);
            self.acknowledgement = Some(Acknowledgement { number, order, at_ns, is_expired: false });
        }
    }

    /// Stops waiting for bytes that are missing only by an acknowledgement.
    pub(super) fn expire_acknowledgement(&mut self) {
        if let Some(acknowledgement) = &mut self.acknowledgement {
            acknowledgement.is_expired = true;
        }
    }

    /// Records that a gap precedes the next bytes: earlier segments do not decide when they are
    /// complete.
    pub(super) fn forget_completion(&mut self) {
        self.completed_by = (0, 0);
    }

    /// The time of a message that `piece` completes: that of the latest segment among it and
    /// everything before it.
    pub(super) fn completion_ns(&mut self, piece: &Piece) -> u64 {
        if piece.arrival.number == 0 {
            return piece.arrival.time_ns; // Only the capture was late.
        }
        let by_piece = (piece.arrival.number, piece.arrival.time_ns);
        if by_piece.0 >= self.completed_by.0 {
            self.completed_by = by_piece;
        }
        self.completed_by.1
    }

    /// If the peer had a piece before it was captured, only the capture is late. The piece is taken
    /// before its acknowledgement, and completes only itself.
    pub(super) fn backdate(&self, piece: &mut Piece<&[u8]>) {
        let end = piece.sequence.wrapping_add(piece.wire_len());
        let first = self.gap.and_then(|gap| gap.passed).filter(|ack| ack.reaches(end));
        if let Some(acknowledgement) = first.or(self.acknowledgement.filter(|ack| ack.reaches(end))) {
            piece.order = piece.order.min(acknowledgement.order.just_before());
            piece.arrival.number = 0;
        }
    }

    /// Updates the first gap after bytes were taken, added or acknowledged. `next` is the first
    /// byte that was not taken, `fin` the place of the FIN if it was seen and not reached.
    pub(super) fn find_gap(&mut self, next: u32, fin: Option<u32>, synchronised: Synchronised, now: Arrival) {
        self.acknowledgement =
            self.acknowledgement.filter(|ack| ack.number.wrapping_sub(next).cast_signed() > 0);
        let found = match self.waiting.front() {
            Some(piece) if piece.sequence == next || synchronised == Synchronised::No => None,
            Some(piece) => Some((piece.sequence, Evidence::Segment, piece.order, piece.arrival.now_ns)),
            None => fin.map(|fin| (fin, Evidence::Segment, now.order(), now.now_ns)).or_else(|| {
                let ack = self.acknowledgement?;
                // A single byte is nearly always a FIN that was not captured.
                let is_fin = ack.number == next.wrapping_add(1);
                if ack.is_expired || is_fin || synchronised == Synchronised::No {
                    return None;
                }
                Some((ack.number, Evidence::Acknowledgement, ack.order, ack.at_ns))
            }),
        };
        let before = self.gap.filter(|gap| gap.start == next);
        self.gap = found.map(|(end, evidence, order, since_ns)| {
            let known = before.filter(|gap| gap.evidence == evidence);
            let mut gap = known.unwrap_or(Gap { start: next, end, evidence, order, since_ns, passed: None });
            gap.end = end;
            gap.order = before.map_or(order, |before| before.order.min(order));
            gap.passed = gap.passed.or(self.acknowledgement.filter(|ack| ack.reaches(end)));
            // The peer acknowledged the missing bytes, and may respond to them with the same
            // segment.
            gap.order = gap.passed.map_or(gap.order, |passed| passed.order.min(gap.order));
            gap
        });
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.gap.is_none() && self.acknowledgement.is_none()
    }

    /// The place from which the peer's segments wait for a gap.
    pub(super) fn gap_order(&self) -> Option<Order> {
        self.gap.map(|gap| gap.order)
    }
}
