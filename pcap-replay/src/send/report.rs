//! The report of sent packets, in one line.

use std::fmt;
use std::time::Duration;

use capture_file::ReadWarning;

use super::via::Via;

/// The result of [`send`](super::send).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Packets that the kernel took.
    pub packets: u64,
    /// Their bytes, from the Ethernet header on, without checksum.
    pub bytes: u64,
    /// Of those packets, how many the interface's driver dropped because its queue was full, as far
    /// as the kernel reports.
    pub dropped: u64,
    /// Of those packets, how many were captured, and therefore sent, only in part.
    pub cut_short: u64,
    /// Packets that were not sent.
    pub not_sent: NotSent,
    /// From the first packet to the last.
    pub elapsed: Duration,
    /// The kind of socket.
    pub via: Via,
    /// The number of transmit queues.
    pub queues: u32,
    /// Why the packets end before the capture does.
    pub warning: Option<ReadWarning>,
}

/// Why a packet cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Longer than the interface's MTU allows.
    TooLong,
    /// Shorter than an Ethernet header.
    TooShort,
    /// Captured with another link-layer header.
    NotEthernet,
}

/// Packets that were not sent, by reason.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct NotSent {
    /// [`Unfit::TooLong`].
    pub too_long: u64,
    /// [`Unfit::TooShort`].
    pub too_short: u64,
    /// [`Unfit::NotEthernet`].
    pub not_ethernet: u64,
}

impl NotSent {
    pub(super) fn count(&mut self, reason: Unfit) {
        *match reason {
            Unfit::TooLong => &mut self.too_long,
            Unfit::TooShort => &mut self.too_short,
            Unfit::NotEthernet => &mut self.not_ethernet,
        } += 1;
    }
}

impl Report {
    pub(super) fn new(via: Via, queues: u32) -> Self {
        Self {
            packets: 0,
            bytes: 0,
            dropped: 0,
            cut_short: 0,
            not_sent: NotSent::default(),
            elapsed: Duration::ZERO,
            via,
            queues,
            warning: None,
        }
    }

    /// Adds the report of another thread that sent at the same time.
    pub(super) fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.dropped += other.dropped;
        self.cut_short += other.cut_short;
        self.not_sent.too_long += other.not_sent.too_long;
        self.not_sent.too_short += other.not_sent.too_short;
        self.not_sent.not_ethernet += other.not_sent.not_ethernet;
        self.elapsed = self.elapsed.max(other.elapsed);
    }

    /// Packets per second achieved.
    pub fn rate(&self) -> f64 {
        self.packets as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packets, bytes, elapsed, via, queues, .. } = self;
        let seconds = elapsed.as_secs_f64();
        let megabits = *bytes as f64 * 8e-6 / seconds.max(1e-9);
        write!(
            f,
            "sent {packets} packets, {bytes} bytes in {seconds:.3} s: {:.0} packets/s, {megabits:.0} Mbit/s \
             ({via}, {queues} queue{})",
            self.rate(),
            if *queues == 1 { "" } else { "s" },
        )?;
        let NotSent { too_long, too_short, not_ethernet } = self.not_sent;
        let remarks = [
            (self.dropped, "dropped by the interface"),
            (self.cut_short, "sent as short as they were captured"),
            (too_long, "not sent: longer than the MTU"),
            (too_short, "not sent: shorter than an Ethernet header"),
            (not_ethernet, "not sent: not captured from Ethernet"),
        ];
        for (count, what) in remarks.iter().filter(|(count, _)| *count > 0) {
            write!(f, "; {count} {what}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line_without_counts_of_zero() {
        let report = Report {
            packets: 1000,
            bytes: 100_000,
            elapsed: Duration::from_millis(500),
            ..Report::new(Via::AfXdp, 1)
        };
        assert_eq!(
            report.to_string(),
            "sent 1000 packets, 100000 bytes in 0.500 s: 2000 packets/s, 2 Mbit/s (AF_XDP, 1 queue)"
        );
    }

    #[test]
    fn a_report_counts_the_packets_not_sent_by_reason() {
        let mut report = Report { dropped: 7, cut_short: 6, ..Report::new(Via::AfPacket, 4) };
        for reason in [Unfit::TooLong, Unfit::TooLong, Unfit::TooShort, Unfit::NotEthernet] {
            report.not_sent.count(reason);
        }
        let text = report.to_string();
        assert!(
            text.ends_with(
                "(AF_PACKET, 4 queues); 7 dropped by the interface; 6 sent as short as they were captured; \
                 2 not sent: longer than the MTU; 1 not sent: shorter than an Ethernet header; \
                 1 not sent: not captured from Ethernet"
            ),
            "{text}"
        );
    }
}
