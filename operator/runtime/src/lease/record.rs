//! What a Lease says, and what to write into it next. Pure: times are arguments.
//!
//! Invariant: nobody's clock is compared with another's. How long a holder has been silent is measured by the clock of the one who
//! listens, from when it first saw the record as it stands.

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// What a candidate may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody holds it, or its holder has been silent for as long as it promised to be heard.
    Free,
    /// Somebody holds it, for at least this much longer.
    Held {
        /// Who.
        holder: String,
        /// Time left if it stays silent.
        left: Duration,
    },
}

/// The record a candidate saw last, and since when.
#[derive(Debug, Default)]
pub(super) struct Sighting {
    last: Option<(LeaseSpec, Instant)>,
}

impl Sighting {
    /// Looks at the Lease as it was read by a request that had its answer at `now`. A holder's promise counts for at least
    /// `minimum`.
    pub(super) fn look(&mut self, lease: &Lease, now: Instant, minimum: Duration) -> Standing {
        let record = lease.spec.clone().unwrap_or_default();
        let holder = record.holder_identity.clone().unwrap_or_default();
        if holder.is_empty() {
            return Standing::Free;
        }
        let promised = record
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(minimum, |seconds| Duration::from_secs(seconds).max(minimum));
        let since = match &self.last {
            Some((last, since)) if *last == record => *since,
            _ => now,
        };
        self.last = Some((record, since));
        let left = (since + promised).saturating_duration_since(now);
        if left.is_zero() {
            Standing::Free
        } else {
            Standing::Held { holder, left }
        }
    }
}

/// The Lease with a new holder. `found` is what was read, if it exists: its version goes along, so that of two claims one fails.
pub(super) fn claimed(
    found: Option<Lease>,
    name: &str,
    identity: &str,
    duration: Duration,
    at: Timestamp,
) -> Lease {
    let transitions = found
        .as_ref()
        .and_then(|lease| lease.spec.as_ref()?.lease_transitions)
        .map_or(0, |transitions| transitions.saturating_add(1));
    let metadata = found.map_or_else(
        || ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        |lease| lease.metadata,
    );
    Lease {
        metadata,
        spec: Some(LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: Some(i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)),
            acquire_time: Some(MicroTime(at)),
            renew_time: Some(MicroTime(at)),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }),
    }
}

/// The Lease with a new time of renewal.
pub(super) fn renewed(held: &Lease, at: Timestamp) -> Lease {
    with(held, |record| record.renew_time = Some(MicroTime(at)))
}

/// The Lease without a holder: whoever sees it may claim it at once.
pub(super) fn released(held: &Lease, at: Timestamp) -> Lease {
    with(held, |record| {
        record.holder_identity = None;
        record.renew_time = Some(MicroTime(at));
    })
}

/// Who holds it.
pub(super) fn holder(lease: &Lease) -> &str {
    lease
        .spec
        .as_ref()
        .and_then(|record| record.holder_identity.as_deref())
        .unwrap_or_default()
}

fn with(held: &Lease, change: impl FnOnce(&mut LeaseSpec)) -> Lease {
    let mut lease = held.clone();
    change(lease.spec.get_or_insert_default());
    lease
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LEAST: Duration = Duration::from_secs(15);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn held_by_another() -> Lease {
        claimed(None, "operator", "another", LEAST, at(0))
    }

    fn held(left: Duration) -> Standing {
        Standing::Held {
            holder: "another".to_owned(),
            left,
        }
    }

    #[test]
    fn a_silent_holder_is_waited_for_from_when_it_was_first_seen() {
        let mut sighting = Sighting::default();
        let (lease, now) = (held_by_another(), Instant::now());
        // However old the time in it is.
        assert_eq!(sighting.look(&lease, now, LEAST), held(LEAST));
        assert_eq!(
            sighting.look(&lease, now + 14 * SECOND, LEAST),
            held(SECOND)
        );
        assert_eq!(
            sighting.look(&lease, now + 15 * SECOND, LEAST),
            Standing::Free
        );
    }

    #[test]
    fn each_renewal_starts_the_wait_again() {
        let mut sighting = Sighting::default();
        let (lease, now) = (held_by_another(), Instant::now());
        sighting.look(&lease, now, LEAST);
        let lease = renewed(&lease, at(10));
        assert_eq!(sighting.look(&lease, now + 14 * SECOND, LEAST), held(LEAST));
        assert_eq!(
            sighting.look(&lease, now + 28 * SECOND, LEAST),
            held(SECOND)
        );
    }

    #[test]
    fn a_holder_that_promises_more_is_waited_for_longer_and_one_that_promises_less_is_not() {
        let now = Instant::now();
        for (promised, expected) in [(40, 40), (1, 15), (0, 15), (-7, 15)] {
            let mut lease = held_by_another();
            lease.spec.as_mut().unwrap().lease_duration_seconds = Some(promised);
            let standing = Sighting::default().look(&lease, now, LEAST);
            assert_eq!(standing, held(expected * SECOND), "{promised}");
        }
    }

    #[test]
    fn a_released_lease_is_free_at_once_and_claiming_it_counts_a_transition() {
        let lease = released(&held_by_another(), at(5));
        let standing = Sighting::default().look(&lease, Instant::now(), LEAST);
        assert_eq!(standing, Standing::Free);
        let lease = claimed(Some(lease), "operator", "me", LEAST, at(6));
        assert_eq!(holder(&lease), "me");
        let record = lease.spec.unwrap();
        assert_eq!(record.lease_transitions, Some(1));
        assert_eq!(record.lease_duration_seconds, Some(15));
        assert_eq!(record.acquire_time, Some(MicroTime(at(6))));
    }

    #[test]
    fn what_is_written_carries_the_version_that_was_read() {
        let mut lease = held_by_another();
        lease.metadata.resource_version = Some("7".to_owned());
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        let expected = Some("7".to_owned());
        assert_eq!(version(&renewed(&lease, at(1))), expected);
        assert_eq!(version(&released(&lease, at(1))), expected);
        let claim = claimed(Some(lease), "operator", "me", LEAST, at(1));
        assert_eq!(version(&claim), expected);
    }
}
