//! The memory of a queue, cut into frames, each of which holds a packet.

use std::fs;

use super::error::TapError;

/// Locked for each queue, where so much may be.
const MEMORY_BYTES: u32 = 32 << 20;
/// With fewer frames there is no use in trying.
const COUNT_MIN: u32 = 256;
/// The kernel takes frames of half a page, and of a page.
const SMALL_BYTES: u32 = 2048;
const LARGE_BYTES: u32 = 4096;
/// The kernel keeps so much before a packet (XDP_PACKET_HEADROOM); the program's record lies in it.
const HEADROOM_BYTES: u32 = 256;
/// What an interface's MTU does not count: the Ethernet header, and two VLAN tags.
const LINK_BYTES: u32 = 14 + 2 * 4;

/// How many frames there are, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frames {
    /// A power of two.
    pub(super) count: u32,
    /// Size of each in bytes.
    pub(super) bytes: u32,
}

impl Frames {
    /// Frames that hold what the interface takes in: the smaller they are, the more there are.
    pub(super) fn of(interface: &str) -> Result<Self, TapError> {
        let path = format!("/sys/class/net/{interface}/mtu");
        match fs::read_to_string(&path) {
            Ok(mtu) => Ok(Self::for_mtu(mtu.trim().parse().unwrap_or(u32::MAX))),
            Err(reason) => Err(TapError::Unknown { path, reason }),
        }
    }

    /// Frames for packets of `mtu` bytes with their headroom, or the largest there are.
    fn for_mtu(mtu: u32) -> Self {
        let fits = mtu.saturating_add(LINK_BYTES + HEADROOM_BYTES) <= SMALL_BYTES;
        let bytes = if fits { SMALL_BYTES } else { LARGE_BYTES };
        Self { count: MEMORY_BYTES / bytes, bytes }
    }

    /// Half as many, if that is enough to go on.
    pub(super) fn fewer(self) -> Option<Self> {
        (self.count > COUNT_MIN).then_some(Self { count: self.count / 2, ..self })
    }

    /// How many of them may wait in one of `among` sockets that share them: twice its share,
    /// because load is uneven.
    pub(super) fn share(self, among: u32) -> u32 {
        (self.count / among.max(1) * 2).next_power_of_two().min(self.count)
    }

    /// Of all of them.
    pub(super) fn memory_bytes(self) -> u64 {
        u64::from(self.count) * u64::from(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_ethernet_fit_into_half_a_page_and_longer_ones_into_a_page() {
        let small = Frames { count: 16384, bytes: 2048 };
        let large = Frames { count: 8192, bytes: 4096 };
        assert_eq!((Frames::for_mtu(1500), Frames::for_mtu(1770)), (small, small));
        assert_eq!((Frames::for_mtu(1771), Frames::for_mtu(9000)), (large, large));
        assert_eq!((Frames::for_mtu(0), Frames::for_mtu(u32::MAX)), (small, large));
    }

    #[test]
    fn a_socket_may_have_twice_its_share_of_frames_and_never_more_than_all() {
        let frames = Frames { count: 16384, bytes: 2048 };
        assert_eq!([1, 2, 3, 4, 64].map(|among| frames.share(among)), [16384, 16384, 16384, 8192, 512]);
    }

    #[test]
    fn frames_are_halved_until_there_is_no_use_in_fewer() {
        let mut frames = Frames::for_mtu(1500);
        assert_eq!(frames.memory_bytes(), 32 << 20);
        while let Some(fewer) = frames.fewer() {
            assert_eq!(fewer.memory_bytes() * 2, frames.memory_bytes());
            frames = fewer;
        }
        assert_eq!(frames.count, COUNT_MIN);
    }
}
