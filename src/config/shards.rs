//! `turn.shards`: over how many threads the relay spreads.

use std::fmt;
use std::num::NonZeroU8;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// So many, or as many as the box is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shards {
    /// By the number of cores.
    #[default]
    Auto,
    /// 1 to 16.
    Fixed(NonZeroU8),
}

impl Shards {
    /// How many on so many cores: one on two or fewer; beyond, all but one, which has the page and the handshakes, and four at most, which
    /// relay more than any line of a school brings.
    pub fn on(self, cores: usize) -> NonZeroU8 {
        match self {
            Self::Fixed(number) => number,
            Self::Auto => {
                let spare = u8::try_from(cores.saturating_sub(1)).unwrap_or(u8::MAX);
                NonZeroU8::new(spare.min(AUTO_MAX)).unwrap_or(NonZeroU8::MIN)
            }
        }
    }
}

impl Serialize for Shards {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str(AUTO),
            Self::Fixed(number) => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Shards {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AutoOrNumber)
    }
}

struct AutoOrNumber;

impl Visitor<'_> for AutoOrNumber {
    type Value = Shards;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{AUTO}\" or a number from 1 to {SHARDS_MAX}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Shards, E> {
        if text == AUTO { Ok(Shards::Auto) } else { Err(E::invalid_value(Unexpected::Str(text), &self)) }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Shards, E> {
        let within = u8::try_from(number).ok().filter(|number| *number <= SHARDS_MAX).and_then(NonZeroU8::new);
        within.map(Shards::Fixed).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

const AUTO: &str = "auto";
const AUTO_MAX: u8 = 4;
const SHARDS_MAX: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cores_have_one_shard_and_larger_boxes_all_cores_but_one_up_to_four() {
        let told = [0, 1, 2, 3, 4, 5, 6, 128].map(|cores| Shards::Auto.on(cores).get());
        assert_eq!(told, [1, 1, 1, 2, 3, 4, 4, 4]);
        let three = NonZeroU8::new(3).unwrap();
        assert_eq!(Shards::Fixed(three).on(1), three);
    }
}
