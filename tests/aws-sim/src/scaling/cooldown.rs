//! Cooldowns. In: the last scaling of a target and what a policy asks for. Out: whether and how far it may scale. Pure.
//! Rules: Application Auto Scaling user guide, Step scaling policies, Cooldown period; the same for target tracking.

use std::time::Duration;

use crate::clock::Moment;

/// Which way a target was scaled last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Out,
    In,
}

/// The wait after a scaling by a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cooldown {
    pub(super) direction: Direction,
    /// The capacity before the scale-out that began it.
    pub(super) base: u32,
    pub(super) length: Duration,
    /// Since the scaling was fulfilled; `None` until then.
    pub(super) since: Option<Moment>,
}

impl Cooldown {
    pub(super) fn is_over(self, now: Moment) -> bool {
        self.since.is_some_and(|since| since + self.length <= now)
    }
}

/// The bounds of a target, and what may not happen now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) capacity: u32,
    pub(super) minimum: u32,
    pub(super) maximum: u32,
    pub(super) may_scale_out: bool,
    pub(super) may_scale_in: bool,
    /// One that is not over.
    pub(super) cooldown: Option<Cooldown>,
    /// Whether a scale-out's cooldown also blocks scaling in.
    pub(super) out_blocks_in: bool,
}

impl Situation {
    /// What a policy may do: `wish` is the capacity it asks for, given the one it starts from. `None` is nothing.
    pub(super) fn allowed(&self, wish: impl Fn(u32) -> Option<i64>) -> Option<u32> {
        let fits = |wish: i64| u32::try_from(wish.max(0)).unwrap_or(u32::MAX);
        let wished = fits(wish(self.capacity)?);
        if wished > self.capacity {
            let base = match self.cooldown {
                // Capacity that the last scale-out has added is part of this one.
                Some(cooldown) if cooldown.direction == Direction::Out => cooldown.base,
                _ => self.capacity,
            };
            let to = fits(wish(base)?).clamp(self.minimum, self.maximum);
            // Nor does a bound turn a scale-out into a scale-in.
            return Some(to).filter(|to| self.may_scale_out && *to > self.capacity);
        }
        let is_blocked = self
            .cooldown
            .is_some_and(|cooldown| cooldown.direction == Direction::In || self.out_blocks_in);
        let to = wished.clamp(self.minimum, self.maximum);
        Some(to).filter(|to| self.may_scale_in && !is_blocked && *to < self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Situation = Situation {
        capacity: 5,
        minimum: 1,
        maximum: 10,
        may_scale_out: true,
        may_scale_in: true,
        cooldown: None,
        out_blocks_in: true,
    };

    fn after(direction: Direction, base: u32) -> Cooldown {
        Cooldown {
            direction,
            base,
            length: Duration::from_mins(5),
            since: None,
        }
    }

    #[test]
    fn what_a_policy_may_do() {
        let out = Some(after(Direction::Out, 3));
        let inwards = Some(after(Direction::In, 6));
        let cases = [
            ("freely", FREE, 2, Some(7)),
            ("freely in", FREE, -2, Some(3)),
            ("nothing", FREE, 0, None),
            ("to the maximum", FREE, 9, Some(10)),
            ("to the minimum", FREE, -9, Some(1)),
            ("at the maximum", Situation { maximum: 5, ..FREE }, 2, None),
            ("at the minimum", Situation { minimum: 5, ..FREE }, -2, None),
            (
                "above the maximum",
                Situation { maximum: 4, ..FREE },
                2,
                None,
            ),
            (
                "below the minimum",
                Situation { minimum: 6, ..FREE },
                -2,
                None,
            ),
            (
                "out suspended",
                Situation {
                    may_scale_out: false,
                    ..FREE
                },
                2,
                None,
            ),
            (
                "out while in is suspended",
                Situation {
                    may_scale_in: false,
                    ..FREE
                },
                2,
                Some(7),
            ),
            (
                "in suspended",
                Situation {
                    may_scale_in: false,
                    ..FREE
                },
                -2,
                None,
            ),
            (
                "as much again, in cooldown",
                Situation {
                    cooldown: out,
                    ..FREE
                },
                2,
                None,
            ),
            (
                "more, in cooldown",
                Situation {
                    cooldown: out,
                    ..FREE
                },
                3,
                Some(6),
            ),
            (
                "in, in an out cooldown",
                Situation {
                    cooldown: out,
                    ..FREE
                },
                -1,
                None,
            ),
            (
                "in, in an out cooldown that does not block",
                Situation {
                    cooldown: out,
                    out_blocks_in: false,
                    ..FREE
                },
                -1,
                Some(4),
            ),
            (
                "in, in an in cooldown",
                Situation {
                    cooldown: inwards,
                    ..FREE
                },
                -1,
                None,
            ),
            (
                "out, in an in cooldown",
                Situation {
                    cooldown: inwards,
                    ..FREE
                },
                1,
                Some(6),
            ),
        ];
        for (what, situation, change, expected) in cases {
            let wish = |from: u32| Some(i64::from(from) + change);
            assert_eq!(situation.allowed(wish), expected, "{what}");
        }
        assert_eq!(FREE.allowed(|_| None), None);
    }

    #[test]
    fn a_cooldown_begins_when_the_scaling_is_fulfilled() {
        let mut cooldown = after(Direction::Out, 1);
        let now = Moment(1_000_000);
        assert!(!cooldown.is_over(now));
        cooldown.since = Some(now);
        assert!(!cooldown.is_over(now + Duration::from_secs(299)));
        assert!(cooldown.is_over(now + Duration::from_mins(5)));
    }
}
