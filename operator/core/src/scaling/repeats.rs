//! How often the same step was made and was due again: an AWS that does not keep what it is sent, or somebody who keeps changing it, would
//! otherwise be sent it for ever. Pure; kept in memory only, since a restart that tries once more does no harm.

use super::step::ScalingStep;
use crate::hash::Hash;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// So many repetitions are immediate, if each of them held for a while: somebody tries something out.
const PATIENCE: u32 = 3;
/// Otherwise the next one waits this long, then twice as long, and so on: AWS shows what was written only after seconds.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(20);
/// The longest pause.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// The steps of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeats(BTreeMap<Hash, Repeat>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Repeat {
    last: Timestamp,
    times: u32,
    /// True if it was not due for a while after it was made.
    held: bool,
}

impl Repeats {
    /// Takes note of everything that is due now.
    pub fn seen<'a>(&mut self, due: impl Iterator<Item = &'a ScalingStep>, now: Timestamp) {
        let due: Vec<Hash> = due.map(Hash::of).collect();
        self.0.retain(|step, repeat| {
            repeat.held |= !due.contains(step);
            now.duration_since(repeat.last) < LONGEST_PAUSE * 2
        });
    }

    /// True if a step may be made now.
    pub fn allow(&self, step: &ScalingStep, now: Timestamp) -> bool {
        self.0
            .get(&Hash::of(step))
            .is_none_or(|repeat| now.duration_since(repeat.last) >= repeat.pause())
    }

    /// How long until a step that is held back may be made.
    pub fn until_next(&self, now: Timestamp) -> Option<SignedDuration> {
        self.0
            .values()
            .filter(|repeat| !repeat.held)
            .map(|repeat| repeat.pause() - now.duration_since(repeat.last))
            .filter(SignedDuration::is_positive)
            .min()
    }

    /// Takes note of a step that was made.
    pub fn made(&mut self, step: &ScalingStep, now: Timestamp) {
        let repeat = self.0.entry(Hash::of(step)).or_insert(Repeat {
            last: now,
            times: 0,
            held: false,
        });
        *repeat = Repeat {
            last: now,
            times: repeat.times.saturating_add(1),
            held: false,
        };
    }
}

impl Repeat {
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

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn step() -> ScalingStep {
        ScalingStep::DeletePolicy { name: "a".into() }
    }

    #[test]
    fn a_step_that_does_not_hold_is_made_ever_more_rarely() {
        let (mut repeats, step) = (Repeats::default(), step());
        assert!(repeats.allow(&step, at(0)));
        repeats.made(&step, at(0));
        repeats.seen(std::iter::once(&step), at(1));
        assert!(!repeats.allow(&step, at(19)));
        assert_eq!(
            repeats.until_next(at(19)),
            Some(SignedDuration::from_secs(1))
        );
        assert!(repeats.allow(&step, at(20)));
        repeats.made(&step, at(20));
        repeats.seen(std::iter::once(&step), at(21));
        assert!(!repeats.allow(&step, at(59)));
        assert!(repeats.allow(&step, at(60)));
    }

    #[test]
    fn one_that_held_is_made_at_once_but_not_for_ever() {
        let (mut repeats, step) = (Repeats::default(), step());
        for second in 0..3 {
            assert!(repeats.allow(&step, at(second)));
            repeats.made(&step, at(second));
            repeats.seen(std::iter::empty(), at(second));
        }
        repeats.made(&step, at(3));
        repeats.seen(std::iter::empty(), at(3));
        assert!(!repeats.allow(&step, at(4)));
    }
}
