//! EtherTypes that end the way to an IP header: which are no surprise, and how often the others
//! came.

use super::class::Class;
use super::verifier::note_offset;

/// Whether frames with this EtherType are ordinary ones without IP: what hosts, bridges and
/// switches say to one another, and protocols of local and industrial networks that carry no IP.
/// Everything else may hide packets that should count, as MACsec, TRILL, NSH or a switch's own tag
/// do.
///
/// Source: <https://www.iana.org/assignments/ieee-802-numbers>.
#[inline(always)]
fn is_expected(ethertype: u16) -> bool {
    matches!(
        ethertype,
        // ARP, Wake-on-LAN, MSRP, AVTP, DEC, RARP, AppleTalk and its ARP, loop detection.
        0x0806 | 0x0842 | 0x22ea | 0x22f0 | 0x6000..=0x6009 | 0x8035 | 0x809b | 0x80f3 | 0x8102 | 0x899b
        // IPX, flow control, slow protocols (LACP, OAM), PPPoE discovery, HomePlug, 802.1X,
        // PROFINET, EtherCAT.
        | 0x8137 | 0x8138 | 0x8808 | 0x8809 | 0x8863 | 0x887b | 0x888e | 0x8892 | 0x88a4
        // ATA over Ethernet, POWERLINK, WAPI, local experiments, GOOSE and other substation buses,
        // 802.1X preauthentication.
        | 0x88a2 | 0x88ab | 0x88b4..=0x88ba | 0x88c7
        // LLDP, SERCOS, HomePlug AV, LLTD, MRP, PTP, NC-SI, PRP, MVRP, MMRP.
        | 0x88cc | 0x88cd | 0x88d9 | 0x88e1 | 0x88e3 | 0x88f5..=0x88f8 | 0x88fb
        // Connectivity faults, Fibre Channel and its start, RDMA, HSR, 1905.1, configuration test.
        | 0x8902 | 0x8906 | 0x8914 | 0x8915 | 0x892f | 0x893a | 0x9000
    )
}

/// Leaves in `out` only an unexpected EtherType.
#[inline(always)]
pub(super) fn keep_unexpected(out: &mut Class) {
    let ethertype = usize::from(out.unknown_ethertype);
    if is_expected(note_offset(&mut out.unknown_ethertype, ethertype) as u16) {
        out.unknown_ethertype = 0;
    }
}

/// Frames of one EtherType.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct EtherTypeCount {
    /// The EtherType; 0 for an entry that is not in use.
    pub ethertype: u64,
    /// Frames.
    pub packets: u64,
}

/// The number of frames with unexpected EtherTypes: the value of
/// [`Class::unknown_ethertype`](super::Class::unknown_ethertype), counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct UnknownEtherTypes {
    /// In the order of their first frames.
    entries: [EtherTypeCount; UnknownEtherTypes::MAX],
    /// Frames of further EtherTypes.
    others: u64,
}

impl UnknownEtherTypes {
    /// How many different EtherTypes are counted one by one. A sender of all EtherTypes must not
    /// fill memory or the log.
    pub const MAX: usize = 16;

    /// Counts frames.
    #[inline(always)]
    pub fn add(&mut self, ethertype: u16, packets: u64) {
        let mut i = 0;
        while i < Self::MAX {
            let entry = &mut self.entries[i];
            if entry.ethertype == 0 || entry.ethertype == u64::from(ethertype) {
                entry.ethertype = u64::from(ethertype);
                entry.packets = entry.packets.wrapping_add(packets);
                return;
            }
            i += 1;
        }
        self.others = self.others.wrapping_add(packets);
    }

    /// Adds what `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for EtherTypeCount { ethertype, packets } in other.counts() {
            self.add(ethertype as u16, packets);
        }
        self.others = self.others.wrapping_add(other.others);
    }

    /// Those that came, in the order of their first frames.
    pub fn counts(&self) -> impl Iterator<Item = EtherTypeCount> + '_ {
        self.entries.iter().copied().take_while(|entry| entry.ethertype != 0)
    }

    /// Frames of EtherTypes beyond the first [`MAX`](Self::MAX).
    pub fn others(&self) -> u64 {
        self.others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_count_by_their_ethertype_and_beyond_the_ceiling_together() {
        let mut unknown = UnknownEtherTypes::default();
        for round in 0..3 {
            for ethertype in 0x9200..0x9200 + 20 + round {
                unknown.add(ethertype, 2);
            }
        }
        let counts: Vec<_> = unknown.counts().map(|count| (count.ethertype, count.packets)).collect();
        assert_eq!(counts, (0x9200..0x9210).map(|ethertype| (ethertype, 6)).collect::<Vec<_>>());
        assert_eq!(unknown.others(), 2 * (4 + 5 + 6));
        let mut sum = UnknownEtherTypes::default();
        sum.add(0x9205, 1);
        sum.merge(&unknown);
        assert_eq!(sum.counts().next().map(|count| (count.ethertype, count.packets)), Some((0x9205, 7)));
        assert_eq!((sum.counts().count(), sum.others()), (16, unknown.others()));
    }
}
