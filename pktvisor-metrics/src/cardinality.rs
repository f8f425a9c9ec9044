//! The number of distinct items: HyperLogLog registers as Apache DataSketches keeps them.
//!
//! The registers are filled by the rules of [`pktvisor_common::hll`], in the kernel and here alike,
//! and merge by their maxima. The estimate is the composite one of the `datasketches` crate, which
//! does not depend on the order of arrival: file, kernel and fleet agree to the digit. With 2^14
//! registers its relative standard error is 0.8 %.

use datasketches::hll::HllSketch;
use pktvisor_api as api;
use pktvisor_common::address::Address;
use pktvisor_common::hll::{self, Coupon};

/// A count of distinct byte strings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cardinality {
    /// Registers of 8 bits; `None` before the first item.
    registers: Option<Box<[u8; hll::REGISTERS]>>,
}

impl Cardinality {
    /// Counts the item that has this [hash](hll::murmur3_x64_128) with the [seed](hll::SEED) of
    /// DataSketches.
    #[inline]
    pub(crate) fn add_hash(&mut self, hash: (u64, u64)) {
        Coupon::of_hash(hash).update(self.registers());
    }

    /// Counts an address.
    #[inline]
    pub(crate) fn add_address(&mut self, address: Address<'_>) {
        Coupon::of_address(address).update(self.registers());
    }

    #[inline]
    fn registers(&mut self) -> &mut [u8; hll::REGISTERS] {
        self.registers.get_or_insert_with(|| Box::new([0; hll::REGISTERS]))
    }

    /// Adds the items of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        if let Some(theirs) = &other.registers {
            self.merge_registers(theirs);
        }
    }

    /// Adds the items of other registers, for example those of the kernel.
    pub(crate) fn merge_registers(&mut self, theirs: &[u8; hll::REGISTERS]) {
        match &mut self.registers {
            None => self.registers = Some(Box::new(*theirs)),
            Some(ours) => {
                for (ours, theirs) in ours.iter_mut().zip(theirs) {
                    *ours = (*ours).max(*theirs);
                }
            }
        }
    }

    /// The image of the sketch; `None` if there are no items.
    pub(crate) fn hll_image(&self) -> Option<api::HllImage> {
        let registers = self.registers.as_ref().filter(|registers| registers.iter().any(|r| *r > 0))?;
        Some(api::HllImage::of_registers(registers))
    }

    /// The estimated number of distinct items.
    pub(crate) fn estimate(&self) -> u64 {
        match &self.registers {
            None => 0,
            // The crate accepts every image that follows the format. If it ever rejects one, 0 is
            // more honest than a wrong count.
            Some(registers) => HllSketch::deserialize(&api::HllImage::of_registers(registers).0)
                .map_or(0, |sketch| sketch.composite_estimate().round() as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: std::ops::Range<u32>) -> Cardinality {
        let mut cardinality = Cardinality::default();
        for n in range {
            Coupon::of_bytes(&n.to_be_bytes()).update(cardinality.registers());
        }
        cardinality
    }

    #[test]
    fn nothing_counts_zero_and_few_count_exactly_unless_they_share_a_register() {
        assert_eq!(Cardinality::default().estimate(), 0);
        for n in [1, 2, 10] {
            assert_eq!(of(0..n).estimate(), u64::from(n));
        }
        // Two of these twenty share a register.
        assert_eq!(of(0..20).estimate(), 19);
    }

    #[test]
    fn large_counts_are_within_two_percent() {
        for n in [1_000, 10_000, 100_000, 1_000_000] {
            let estimate = of(0..n).estimate() as f64;
            assert!((estimate / f64::from(n) - 1.0).abs() < 0.02, "{estimate} for {n}");
        }
    }

    #[test]
    fn repeating_an_item_changes_nothing() {
        let mut cardinality = of(0..100);
        cardinality.merge(&of(50..100));
        assert_eq!(cardinality.estimate(), of(0..100).estimate());
    }

    #[test]
    fn merging_equals_counting_together() {
        let mut merged = of(0..6_000);
        merged.merge(&of(4_000..10_000));
        assert_eq!(merged.estimate(), of(0..10_000).estimate());
    }

    #[test]
    fn the_estimate_is_that_of_datasketches_for_the_same_items() {
        let mut theirs = HllSketch::new(hll::LG_K, datasketches::hll::HllType::Hll8).unwrap();
        for n in 0..100_000u32 {
            theirs.update(datasketches::hash::value::raw_bytes::from_vec(n.to_be_bytes().to_vec()));
        }
        assert_eq!(of(0..100_000).estimate(), theirs.composite_estimate().round() as u64);
    }
}
