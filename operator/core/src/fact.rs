//! What is known of a thing in AWS, and since when.
//!
//! A failed page, a missing permission and "not read yet" are all `Unknown`; nothing is created or deleted on `Unknown`.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How far apart two reads must be before a thing that once existed is believed to be gone.
///
/// DescribeServices may report a service MISSING for some seconds after it was created (read-after-write lag seen by
/// many tools); half a minute is well beyond what was reported.
pub const ABSENCE_CONFIRMED_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// A fact about one AWS resource, with the time it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Fact<T> {
    /// Not read yet, the read failed, or we have written since.
    #[default]
    Unknown,
    /// AWS said explicitly, in a complete answer, that there is none.
    Absent {
        /// Start of the first of the uninterrupted reads that said so.
        first: Timestamp,
        /// Start of the latest read that said so.
        last: Timestamp,
    },
    /// AWS described it.
    Present {
        /// What AWS described.
        value: T,
        /// When the read began.
        at: Timestamp,
    },
}

impl<T> Fact<T> {
    /// The value, if present.
    pub const fn present(&self) -> Option<&T> {
        match self {
            Self::Present { value, .. } => Some(value),
            Self::Unknown | Self::Absent { .. } => None,
        }
    }

    /// True if nothing is known.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// True if two reads at least [`ABSENCE_CONFIRMED_AFTER`] apart, and every read between them, said "absent".
    pub fn is_absence_confirmed(&self) -> bool {
        match self {
            Self::Absent { first, last } => last.duration_since(*first) >= ABSENCE_CONFIRMED_AFTER,
            Self::Unknown | Self::Present { .. } => false,
        }
    }

    /// The fact after one more read that began at `at` and said "absent".
    #[must_use]
    pub fn absent_again(&self, at: Timestamp) -> Self {
        match self {
            Self::Absent { first, .. } => Self::Absent {
                first: *first,
                last: at,
            },
            Self::Unknown | Self::Present { .. } => Self::Absent {
                first: at,
                last: at,
            },
        }
    }

    /// The fact that results from a read of something.
    pub const fn seen(value: T, at: Timestamp) -> Self {
        Self::Present { value, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).unwrap()
    }

    #[test]
    fn one_absent_read_is_not_confirmed_however_old() {
        assert!(
            !Fact::<()>::Unknown
                .absent_again(at(0))
                .is_absence_confirmed()
        );
    }

    #[test]
    fn two_absent_reads_confirm_only_when_thirty_seconds_apart() {
        let first = Fact::<()>::Unknown.absent_again(at(0));
        assert!(!first.absent_again(at(29)).is_absence_confirmed());
        assert!(first.absent_again(at(30)).is_absence_confirmed());
    }

    #[test]
    fn a_sighting_between_two_absences_starts_over() {
        let seen = Fact::seen((), at(10));
        assert!(!seen.absent_again(at(40)).is_absence_confirmed());
    }
}
