//! Numbers that AWS has as floats, in a form that can be compared. Pure.

use serde::{Serialize, Serializer};

/// A number in thousandths. What AWS gives more exactly than that differs from all of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

impl Decimal {
    /// A whole number.
    pub const fn whole(number: i32) -> Self {
        Self(number as i64 * 1000)
    }

    /// The nearest thousandth of AWS's number; beyond 2^53 thousandths, which no threshold is, the farthest there is.
    pub fn near(number: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast of a float saturates, and thresholds are small"
        )]
        Self((number * 1000.0).round() as i64)
    }

    /// As AWS takes it.
    pub fn as_f64(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "numbers this small are exact in a float"
        )]
        let thousandths = self.0 as f64;
        thousandths / 1000.0
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.as_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_what_comes_back_and_half_a_point_is_a_difference() {
        for number in [0, 5, 75, 80, 1_000_000] {
            assert_eq!(
                Decimal::near(Decimal::whole(number).as_f64()),
                Decimal::whole(number)
            );
        }
        assert_ne!(Decimal::near(80.5), Decimal::whole(80));
        assert_eq!(
            Decimal::near(80.000_000_000_1),
            Decimal::whole(80),
            "noise of floats"
        );
    }
}
