//! What an operator is told of EtherTypes that are not understood: each once, and at most
//! [`UnknownEtherTypes::MAX`] of them by number.

use pktvisor_common::classify::UnknownEtherTypes;

/// What has been told.
#[derive(Clone, Debug, Default)]
pub(crate) struct EtherTypeNotes {
    told: Vec<u64>,
    has_told_of_others: bool,
}

impl EtherTypeNotes {
    /// A sentence for each EtherType that was not told of yet; `packets` is how many packets have been counted.
    pub(crate) fn news(&mut self, seen: &UnknownEtherTypes, packets: u64) -> Vec<String> {
        let mut news = Vec::new();
        for count in seen.counts() {
            if !self.told.contains(&count.ethertype) && self.told.len() < UnknownEtherTypes::MAX {
                self.told.push(count.ethertype);
                news.push(format!(
                    "EtherType {:#06x} is not understood: {} with it count as non-IP",
                    count.ethertype,
                    share(count.packets, packets)
                ));
            }
        }
        if seen.others() > 0 && !std::mem::replace(&mut self.has_told_of_others, true) {
            news.push(format!(
                "more than {} EtherTypes are not understood: {} with further ones count as non-IP",
                UnknownEtherTypes::MAX,
                share(seen.others(), packets)
            ));
        }
        news
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
    fn each_ethertype_is_told_of_once_with_its_share() {
        let (mut notes, mut seen) = (EtherTypeNotes::default(), UnknownEtherTypes::default());
        assert!(notes.news(&seen, 100).is_empty());
        seen.add(0x88e5, 3);
        let told = "EtherType 0x88e5 is not understood: 3 of 100 packets (3.0 %) with it count as non-IP";
        assert_eq!(notes.news(&seen, 100), [told]);
        seen.add(0x88e5, 3);
        assert!(notes.news(&seen, 200).is_empty());
        seen.add(0x0700, 1);
        let told = "EtherType 0x0700 is not understood: 1 of 300 packets (0.3 %) with it count as non-IP";
        assert_eq!(notes.news(&seen, 300), [told]);
    }

    #[test]
    fn all_ethertypes_there_are_give_a_bounded_number_of_sentences() {
        let (mut notes, mut seen) = (EtherTypeNotes::default(), UnknownEtherTypes::default());
        let mut sentences = Vec::new();
        for ethertype in 0x9200..=u16::MAX {
            seen.add(ethertype, 1);
            sentences.extend(notes.news(&seen, 1_000_000));
        }
        assert_eq!(sentences.len(), UnknownEtherTypes::MAX + 1);
        assert!(
            sentences[16].starts_with("more than 16 EtherTypes are not understood: 1 of"),
            "{}",
            sentences[16]
        );
    }
}
