//! The simulator's only source of randomness. In: a seed. Out: numbers and identifiers that are the
//! same for the same seed. Does no IO.

/// A splitmix64 generator: small, seedable, and good enough for identifiers and fault dice.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn fraction(&mut self) -> f64 {
        let top = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(top) / (f64::from(u32::MAX) + 1.0)
    }

    /// 32 hexadecimal digits, as in task ids.
    pub(crate) fn hex32(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }

    /// 19 decimal digits, as in deployment and service revision ids.
    pub(crate) fn digits(&mut self) -> String {
        format!("{:019}", self.next() % 10_000_000_000_000_000_000)
    }

    /// A letter or digit, as in the suffix of a secret's ARN.
    pub(crate) fn letter(&mut self) -> char {
        let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9');
        let chosen = usize::try_from(self.next() % 62).unwrap_or(0);
        letters.clone().nth(chosen).unwrap_or('a')
    }

    /// A UUID-shaped request id.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex32();
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}
