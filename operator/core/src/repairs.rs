//! How often the same difference was mended and came back: two that fight over a member would otherwise roll a service for ever. Pure; kept in
//! memory only, since a restart that tries once more does no harm.

use crate::hash::Hash;
use crate::plan::Drift;
use crate::service::Member;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// So many repairs of the same difference are immediate, if each of them held for a while: somebody tries something out.
const PATIENCE: u32 = 3;
/// Otherwise the next repair waits this long, then twice as long, and so on.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(2);
/// The longest pause between two repairs of the same difference.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// The repairs of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs(BTreeMap<Member, Repair>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Repair {
    difference: (Hash, Hash),
    times: u32,
    last: Timestamp,
    /// True if AWS showed what we want after the repair.
    held: bool,
}

impl Repairs {
    /// Takes note that differences were mended.
    pub fn mended(&mut self, drift: &[Drift], now: Timestamp) {
        for drift in drift
            .iter()
            .filter(|drift| (drift.behind_our_back || !drift.member.rolls()) && !drift.futile)
        {
            let difference = (drift.want.clone(), drift.have.clone());
            let times = self
                .0
                .get(&drift.member)
                .filter(|before| before.difference == difference)
                .map_or(0, |before| before.times);
            self.0.insert(
                drift.member,
                Repair {
                    difference,
                    times: times + 1,
                    last: now,
                    held: false,
                },
            );
        }
    }

    /// How long until the next difference that is left alone may be mended again.
    pub fn until_next(&self, now: Timestamp) -> Option<SignedDuration> {
        self.0
            .values()
            .map(|repair| repair.pause() - now.duration_since(repair.last))
            .filter(SignedDuration::is_positive)
            .min()
    }

    /// Takes note of what differs now: a member that does not has kept its repair.
    pub fn seen(&mut self, drift: &[Drift]) {
        for (member, repair) in &mut self.0 {
            repair.held |= !drift.iter().any(|drift| drift.member == *member);
        }
    }

    /// The differences to leave alone now.
    pub fn futile(&self, now: Timestamp) -> BTreeMap<Member, (Hash, Hash)> {
        self.0
            .iter()
            .filter(|(_, repair)| now.duration_since(repair.last) < repair.pause())
            .map(|(member, repair)| (*member, repair.difference.clone()))
            .collect()
    }
}

impl Repair {
    fn pause(&self) -> SignedDuration {
        match (self.held, self.times.checked_sub(PATIENCE)) {
            (false, _) => pause(self.times),
            (true, None | Some(0)) => SignedDuration::ZERO,
            (true, Some(times)) => pause(times),
        }
    }
}

fn pause(times: u32) -> SignedDuration {
    let doublings = times.saturating_sub(1).min(10);
    FIRST_PAUSE
        .checked_mul(1 << doublings)
        .map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(have: &str) -> Drift {
        Drift {
            member: Member::Network,
            behind_our_back: true,
            want: "want".into(),
            have: have.into(),
            futile: false,
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    #[test]
    fn the_same_difference_is_mended_ever_more_rarely_and_another_one_at_once() {
        let mut repairs = Repairs::default();
        assert!(repairs.futile(at(0)).is_empty());
        repairs.mended(&[drift("a")], at(0));
        assert_eq!(repairs.futile(at(1)).len(), 1);
        assert!(repairs.futile(at(2)).is_empty());
        repairs.mended(&[drift("a")], at(2));
        assert_eq!(repairs.futile(at(5)).len(), 1);
        assert!(repairs.futile(at(6)).is_empty());
        repairs.mended(&[drift("b")], at(6));
        assert!(
            repairs.futile(at(8)).is_empty(),
            "another difference starts anew"
        );
    }

    #[test]
    fn repairs_that_held_are_repeated_at_once_but_not_for_ever() {
        let mut repairs = Repairs::default();
        for minute in 0..3 {
            assert!(repairs.futile(at(minute)).is_empty());
            repairs.mended(&[drift("a")], at(minute));
            repairs.seen(&[]);
        }
        repairs.mended(&[drift("a")], at(3));
        repairs.seen(&[]);
        assert_eq!(repairs.futile(at(4)).len(), 1);
    }

    #[test]
    fn the_pause_has_an_upper_bound() {
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(50), LONGEST_PAUSE);
    }
}
