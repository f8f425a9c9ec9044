//! The entropy of a label: how random its letters look.

/// Longest label, RFC 1035 section 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// Binary logarithms of small numbers, in 1/256 bits.
#[derive(Clone, Debug)]
pub(super) struct EntropyTable([u16; LABEL_BYTES_MAX + 1]);

impl EntropyTable {
    pub(super) fn new() -> Self {
        let log2 = |n: usize| ((n.max(1) as f64).log2() * 256.0).round() as u16;
        Self(std::array::from_fn(log2))
    }

    /// Shannon entropy of the letters of a label, in 1/256 bits for each letter.
    pub(super) fn of(&self, label: &[u8]) -> u32 {
        let label = &label[..label.len().min(LABEL_BYTES_MAX)];
        if label.is_empty() {
            return 0;
        }
        let mut counts = [0_u8; 256];
        label.iter().for_each(|&letter| counts[usize::from(letter)] += 1);
        let log2 = |n: usize| u32::from(self.0[n]);
        let repeated: u32 = label.iter().map(|&letter| log2(usize::from(counts[usize::from(letter)]))).sum();
        log2(label.len()).saturating_sub(repeated / label.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_the_letters() {
        let table = EntropyTable::new();
        for (label, bits) in
            [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0), ("0123456789abcdef", 4.0)]
        {
            assert!((f64::from(table.of(label.as_bytes())) / 256.0 - bits).abs() < 0.02, "{label}");
        }
    }
}
