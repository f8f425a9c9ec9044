//! A number of distinct items in a form that merges: the image of a sketch.

use serde::{Deserialize, Serialize};

/// The number of registers of an [`HllImage`].
pub const HLL_REGISTERS: usize = 1 << LG_K;

/// The binary logarithm of that number.
const LG_K: u8 = 14;

/// Bytes before the registers.
const PREAMBLE: usize = 40;

/// Preamble of 10 words, serial version 1, family 7, list not used, flag "out of order", no minimum,
/// mode HLL of type HLL_8.
const HEAD: [u8; 8] = [10, 1, 7, LG_K, 0, 16, 0, 0x0a];

/// The largest value of a register: it has 6 bits in all types of the sketch.
const REGISTER_MAX: u8 = 63;

/// An Apache DataSketches HLL_8 image with 2^14 registers: a preamble of 40 bytes, then a byte for each
/// register. Base64 in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
#[serde(transparent)]
pub struct HllImage(#[serde(with = "as_base64")] pub Vec<u8>);

impl HllImage {
    /// The image of these registers, in the cross-language format of Apache DataSketches.
    pub fn of_registers(registers: &[u8; HLL_REGISTERS]) -> Self {
        let sum = |wanted: fn(u8) -> bool| -> f64 {
            registers.iter().filter(|r| wanted(**r)).map(|r| (-f64::from(*r)).exp2()).sum()
        };
        let empty = registers.iter().filter(|register| **register == 0).count() as u32;
        let mut image = Vec::with_capacity(PREAMBLE + HLL_REGISTERS);
        image.extend_from_slice(&HEAD);
        image.extend_from_slice(&0f64.to_le_bytes());
        image.extend_from_slice(&sum(|r| r < 32).to_le_bytes());
        image.extend_from_slice(&sum(|r| r >= 32).to_le_bytes());
        image.extend_from_slice(&empty.to_le_bytes());
        image.extend_from_slice(&0u32.to_le_bytes());
        image.extend_from_slice(registers);
        Self(image)
    }

    /// The registers; `None` if it is no image of this kind.
    pub fn registers(&self) -> Option<&[u8; HLL_REGISTERS]> {
        let (preamble, registers) = self.0.split_at_checked(PREAMBLE)?;
        let registers = registers.try_into().ok()?;
        let is_image = preamble.starts_with(&HEAD) && self.0[PREAMBLE..].iter().all(|r| *r <= REGISTER_MAX);
        is_image.then_some(registers)
    }
}

mod as_base64 {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        BASE64_STANDARD.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_come_back_from_their_image() {
        let mut registers = [0; HLL_REGISTERS];
        (registers[0], registers[7], registers[HLL_REGISTERS - 1]) = (1, 40, 63);
        let image = HllImage::of_registers(&registers);
        assert_eq!(image.registers(), Some(&registers));
        let json = serde_json::to_string(&image).unwrap();
        assert_eq!(serde_json::from_str::<HllImage>(&json).unwrap(), image);
    }

    #[test]
    fn other_bytes_are_no_image() {
        let image = HllImage::of_registers(&[0; HLL_REGISTERS]).0;
        let changed = |place: usize, to: u8| {
            let mut bytes = image.clone();
            bytes[place] = to;
            HllImage(bytes)
        };
        let short = HllImage(image[..image.len() - 1].to_vec());
        for bad in [HllImage::default(), short, changed(3, 12), changed(7, 8), changed(100, 64)] {
            assert_eq!(bad.registers(), None);
        }
    }
}
