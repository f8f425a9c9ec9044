//! Notes for the operator on EtherTypes that the classifier does not know: each once, and at most
//! [`UnknownEtherTypes::MAX`] of them by number.

use pktvisor_common::classify::UnknownEtherTypes;

/// The EtherTypes that have been reported.
#[derive(Clone, Debug, Default)]
pub(crate) struct EtherTypeNotes {
    reported: Vec<u64>,
    has_reported_others: bool,
}

impl EtherTypeNotes {
    /// Returns a sentence for each EtherType that has not been reported; `packets` have been
    /// counted so far.
    pub(crate) fn take_new(&mut self, seen: &UnknownEtherTypes, packets: u64) -> Vec<String> {
        let mut new = Vec::new();
        for count in seen.counts() {
            if !self.reported.contains(&count.ethertype) && self.reported.len() < UnknownEtherTypes::MAX {
                self.reported.push(count.ethertype);
                new.push(format!(
                    "EtherType {:#06x} is not supported: {} with it count as non-IP",
                    count.ethertype,
                    share(count.packets, packets)
                ));
            }
        }
        if seen.others() > 0 && !std::mem::replace(&mut self.has_reported_others, true) {
            new.push(format!(
                "more than {} EtherTypes are not supported: {} with other ones count as non-IP",
                UnknownEtherTypes::MAX,
                share(seen.others(), packets)
            ));
        }
        new
    }
}

fn share(part: u64, packets: u64) -> String {
    let percent = 100.0 * part as f64 / packets.max(1) as f64;
    format!("{part} of {packets} packets ({percent:.1} %)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ethertype_is_reported_once_with_its_share() {
        let (mut notes, mut seen) = (EtherTypeNotes::default(), UnknownEtherTypes::default());
        assert!(notes.take_new(&seen, 100).is_empty());
        seen.add(0x88e5, 3);
        let report = "EtherType 0x88e5 is not supported: 3 of 100 packets (3.0 %) with it count as non-IP";
        assert_eq!(notes.take_new(&seen, 100), [report]);
        seen.add(0x88e5, 3);
        assert!(notes.take_new(&seen, 200).is_empty());
        seen.add(0x0700, 1);
        let report = "EtherType 0x0700 is not supported: 1 of 300 packets (0.3 %) with it count as non-IP";
        assert_eq!(notes.take_new(&seen, 300), [report]);
    }

    #[test]
    fn all_possible_ethertypes_give_a_bounded_number_of_sentences() {
        let (mut notes, mut seen) = (EtherTypeNotes::default(), UnknownEtherTypes::default());
        let mut sentences = Vec::new();
        for ethertype in 0x9200..=u16::MAX {
            seen.add(ethertype, 1);
            sentences.extend(notes.take_new(&seen, 1_000_000));
        }
        assert_eq!(sentences.len(), UnknownEtherTypes::MAX + 1);
        assert!(
            sentences[16].starts_with("more than 16 EtherTypes are not supported: 1 of"),
            "{}",
            sentences[16]
        );
    }
}
