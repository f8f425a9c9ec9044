//! The union of distinct items: registers merge by their maxima.
//!
//! The estimate is the composite one of the `datasketches` crate, which agents use too, so that a fleet
//! and an agent that saw the same items agree to the digit.

use datasketches::hll::HllSketch;
use pktvisor_api::{HLL_REGISTERS, HllImage};

/// The union of the items of several agents.
#[derive(Clone, Debug)]
pub(crate) struct DistinctUnion {
    registers: Box<[u8; HLL_REGISTERS]>,
    /// The largest number that an agent reports of its own items. Agents count few names exactly.
    largest_part: u64,
    parts: usize,
}

impl Default for DistinctUnion {
    fn default() -> Self {
        Self { registers: Box::new([0; HLL_REGISTERS]), largest_part: 0, parts: 0 }
    }
}

impl DistinctUnion {
    /// Adds the items of an agent, which reports that there are `reported`.
    pub(crate) fn add(&mut self, registers: &[u8; HLL_REGISTERS], reported: u64) {
        for (ours, theirs) in self.registers.iter_mut().zip(registers) {
            *ours = (*ours).max(*theirs);
        }
        self.largest_part = self.largest_part.max(reported);
        self.parts += 1;
    }

    pub(crate) fn image(&self) -> HllImage {
        HllImage::of_registers(&self.registers)
    }

    /// The estimated number of items. A union is never smaller than a part of it.
    pub(crate) fn estimate(&self) -> u64 {
        if self.parts == 1 {
            return self.largest_part;
        }
        // The crate accepts every image that follows the format.
        let sketch = HllSketch::deserialize(&self.image().0);
        let estimate = sketch.map_or(0, |sketch| sketch.composite_estimate().round() as u64);
        estimate.max(self.largest_part)
    }
}
