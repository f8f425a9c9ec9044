//! The interface of a packet: its link type, its clock, and the longest plausible packet.

use super::byte_order::ByteOrder;
use super::error::StopReason;

const OPTION_END: u16 = 0;
const OPTION_TSRESOL: u16 = 9;
const OPTION_TSOFFSET: u16 = 14;

const NS_PER_S: u128 = 1_000_000_000;

/// The longest packet a capture of this link type plausibly holds, in bytes: what libpcap and
/// Wireshark accept. USB transfers and D-Bus messages are longer than any network's packets.
pub(super) fn packet_limit_bytes(link_type: u16) -> u32 {
    const USB_LINUX: u16 = 189;
    const USB_LINUX_MMAPPED: u16 = 220;
    const DBUS: u16 = 231;
    const USBPCAP: u16 = 249;
    match link_type {
        USB_LINUX | USB_LINUX_MMAPPED | DBUS | USBPCAP => 128 << 20,
        _ => 256 << 10,
    }
}

/// One interface of a pcapng section.
#[derive(Debug)]
pub(super) struct FileInterface {
    pub(super) link_type: u16,
    /// Most bytes captured of a packet; `u32::MAX` if there is no limit.
    pub(super) snap_len: u32,
    pub(super) packet_limit: u32,
    clock: InterfaceClock,
}

impl FileInterface {
    /// Reads an Interface Description Block: behind type and length link type, two reserved bytes,
    /// snapshot length; then its options.
    ///
    /// # Errors
    /// [`StopReason::InterfaceOptions`]: without its clock's options the interface's times would be
    /// wrong.
    pub(super) fn parse(order: ByteOrder, header: &[u8; 16], options: &[u8]) -> Result<Self, StopReason> {
        let link_type = order.u16_at(header, 8);
        let snap_len = match order.u32_at(header, 12) {
            0 => u32::MAX,
            limited => limited,
        };
        let clock = InterfaceClock::from_options(order, options).ok_or(StopReason::InterfaceOptions)?;
        Ok(Self { link_type, snap_len, packet_limit: packet_limit_bytes(link_type), clock })
    }

    /// Nanoseconds since 1970 of a time stamp of this interface; 0 before 1970, the maximum after
    /// 2554.
    #[inline(always)]
    pub(super) fn timestamp_ns(&self, ticks: u64) -> u64 {
        self.clock.timestamp_ns(ticks)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InterfaceClock {
    unit: Unit,
    offset_s: i64,
}

/// The unit of a time stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// This many nanoseconds.
    Multiple(u64),
    /// A nanosecond divided by this number.
    Part(u128),
    /// 2^-n seconds.
    Binary(u32),
}

impl Unit {
    /// From an if_tsresol value: the upper bit chooses powers of 2 over powers of 10, the rest is
    /// the negated exponent.
    fn from_tsresol(tsresol: u8) -> Self {
        let exponent = u32::from(tsresol & 0x7f);
        if tsresol & 0x80 != 0 {
            return Self::Binary(exponent);
        }
        match exponent.checked_sub(9) {
            None | Some(0) => Self::Multiple(10_u64.saturating_pow(9_u32.saturating_sub(exponent))),
            Some(finer) => Self::Part(10_u128.saturating_pow(finer)),
        }
    }
}

impl InterfaceClock {
    /// `None` if the options run over their end, or an option of the clock has a wrong length.
    fn from_options(order: ByteOrder, mut options: &[u8]) -> Option<Self> {
        let mut clock = Self { unit: Unit::from_tsresol(6), offset_s: 0 };
        // A list may also end without its end mark.
        while !options.is_empty() {
            let (header, rest) = options.split_first_chunk::<4>()?;
            let (code, len) = (order.u16_at(header, 0), usize::from(order.u16_at(header, 2)));
            let value = rest.get(..len)?;
            match code {
                OPTION_END => break,
                OPTION_TSRESOL => {
                    let &[tsresol] = value else { return None };
                    clock.unit = Unit::from_tsresol(tsresol);
                }
                OPTION_TSOFFSET => clock.offset_s = order.i64(value.try_into().ok()?),
                _ => {}
            }
            options = rest.get(len.next_multiple_of(4)..)?;
        }
        Some(clock)
    }

    #[inline(always)]
    fn timestamp_ns(&self, ticks: u64) -> u64 {
        match *self {
            Self { unit: Unit::Multiple(unit_ns), offset_s: 0 } => ticks.saturating_mul(unit_ns),
            _ => self.odd_timestamp_ns(ticks),
        }
    }

    /// The general case: fractions of a nanosecond, powers of two, an offset.
    #[inline(never)]
    fn odd_timestamp_ns(&self, ticks: u64) -> u64 {
        let ticks = u128::from(ticks);
        let ns = match self.unit {
            Unit::Multiple(unit_ns) => ticks * u128::from(unit_ns),
            Unit::Part(parts) => ticks / parts,
            Unit::Binary(shift) => (ticks * NS_PER_S) >> shift,
        };
        // Below 2^94 plus below 2^94: neither side can overflow.
        let shifted = ns as i128 + i128::from(self.offset_s) * NS_PER_S as i128;
        u64::try_from(shifted.max(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ns(tsresol: u8, offset_s: i64, ticks: u64) -> u64 {
        InterfaceClock { unit: Unit::from_tsresol(tsresol), offset_s }.timestamp_ns(ticks)
    }

    #[test]
    fn every_resolution_gives_the_same_second() {
        for exponent in 0..=9 {
            assert_eq!(ns(exponent, 0, 7 * 10_u64.pow(u32::from(exponent))), 7_000_000_000, "10^-{exponent}");
        }
        for exponent in 10..=18 {
            assert_eq!(ns(exponent, 0, 7 * 10_u64.pow(u32::from(exponent))), 7_000_000_000, "10^-{exponent}");
        }
        for exponent in 0..=60 {
            assert_eq!(ns(0x80 | exponent, 0, 7 << exponent), 7_000_000_000, "2^-{exponent}");
        }
    }

    #[test]
    fn time_saturates_at_both_ends() {
        assert_eq!(ns(6, 0, u64::MAX), u64::MAX);
        assert_eq!(ns(6, i64::MAX, u64::MAX), u64::MAX);
        assert_eq!(ns(6, i64::MIN, u64::MAX), 0);
        assert_eq!(ns(6, -1, 999_999), 0);
        assert_eq!(ns(6, -1, 1_000_001), 1_000);
        assert_eq!(ns(0x7f, 0, u64::MAX), 0);
        assert_eq!(ns(0xff, 0, u64::MAX), 0);
        assert_eq!(ns(0, 0, u64::MAX), u64::MAX);
        assert_eq!(ns(0x80, i64::MAX, u64::MAX), u64::MAX);
    }

    #[test]
    fn options_end_at_their_mark_or_with_the_block() {
        let order = ByteOrder::Big;
        let nanoseconds = InterfaceClock { unit: Unit::Multiple(1), offset_s: 0 };
        let cases: [&[u8]; 3] = [
            &[0, 9, 0, 1, 9, 0, 0, 0],
            &[0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0],
            &[0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 6, 0, 0, 0],
        ];
        for options in cases {
            assert_eq!(InterfaceClock::from_options(order, options), Some(nanoseconds), "{options:?}");
        }
    }

    #[test]
    fn options_that_run_over_their_end_are_damage() {
        let cases: [&[u8]; 6] = [
            &[0],
            &[0, 9, 0],
            &[0, 2, 0, 5, b'e', b't', b'h', b'0'],
            &[0, 9, 0, 1, 9],
            &[0, 9, 0, 2, 9, 9, 0, 0],
            &[0, 14, 0, 4, 0, 0, 0, 1],
        ];
        for options in cases {
            assert_eq!(InterfaceClock::from_options(ByteOrder::Big, options), None, "{options:?}");
        }
    }
}
