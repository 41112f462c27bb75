//! When too few tasks run, and for how long that is forgiven. Pure; time is an argument.
//!
//! A task that crashed is replaced, and that is no news. A service whose tasks keep crashing is short of tasks again and again, with
//! moments in between in which all run: those moments do not make it healthy.

use crate::observed::Service;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::conditions::{ConditionType, Reason};
use privateservice_api::privateservice::PrivateServiceStatus;

/// Fewer tasks than wanted are forgiven for so long before Ready says False.
pub const SHORT_OF_TASKS_FORGIVEN: SignedDuration = SignedDuration::from_secs(120);

/// A time during which too few tasks ran, at least now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// When too few ran for the first time.
    pub began: Timestamp,
    /// When too few were seen to run last.
    pub last: Timestamp,
    /// True if too few run now.
    pub now: bool,
    /// How often it began anew.
    pub times: u32,
}

/// So many shortages in a row, each soon after the other, are a crash loop.
const CRASH_LOOP: u32 = 3;

impl Shortage {
    /// The shortage that status tells of, for a process that has just begun: otherwise a crash loop would look healthy for two minutes after
    /// every restart of the operator.
    pub fn told(status: &PrivateServiceStatus, now: Timestamp) -> Option<Self> {
        let complete = status.conditions.iter().any(|condition| {
            condition.type_ == ConditionType::RolloutComplete.as_str() && condition.status == "True"
        });
        let short = status.conditions.iter().any(|condition| {
            condition.type_ == ConditionType::Ready.as_str()
                && condition.status == "False"
                && [Reason::Deploying, Reason::CapacityUnavailable]
                    .iter()
                    .any(|reason| reason.as_str() == condition.reason)
        });
        let tasks = status
            .tasks
            .is_some_and(|tasks| tasks.running < tasks.desired);
        (complete && short).then_some(Self {
            began: now.saturating_sub(SHORT_OF_TASKS_FORGIVEN).unwrap_or(now),
            last: now,
            now: tasks,
            times: CRASH_LOOP,
        })
    }

    /// What is known of a shortage, after one more look. `enough` is how many tasks must run: no more than ECS wants to run.
    pub fn seen(
        before: Option<Self>,
        service: &Service,
        enough: i32,
        now: Timestamp,
    ) -> Option<Self> {
        let short = service.running_count < enough.min(service.desired_count);
        let before = before.filter(|shortage| {
            shortage.now || now.duration_since(shortage.last) < SHORT_OF_TASKS_FORGIVEN
        });
        match (short, before) {
            (true, before) => Some(Self {
                began: before.map_or(now, |shortage| shortage.began),
                last: now,
                now: true,
                times: match before {
                    Some(shortage) if shortage.now => shortage.times,
                    Some(shortage) => shortage.times.saturating_add(1),
                    None => 1,
                },
            }),
            // It lasted until now, as far as anybody saw.
            (false, Some(shortage)) if shortage.now => Some(Self {
                last: now,
                now: false,
                ..shortage
            }),
            (false, before) => before,
        }
    }

    /// True if it has lasted, or come back again and again, for longer than is forgiven.
    pub fn is_unforgiven(&self) -> bool {
        self.last.duration_since(self.began) >= SHORT_OF_TASKS_FORGIVEN
            && (self.now || self.times >= CRASH_LOOP)
    }

    /// How long until a further look could tell something new.
    pub fn until_news(&self, now: Timestamp) -> SignedDuration {
        let from = if self.now { self.began } else { self.last };
        SHORT_OF_TASKS_FORGIVEN.saturating_sub(now.duration_since(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, running};

    fn after(looks: &[(i64, i32)]) -> Option<Shortage> {
        looks.iter().fold(None, |before, (second, tasks)| {
            Shortage::seen(before, &running(*tasks, 2), 2, at(*second))
        })
    }

    fn is_unforgiven(looks: &[(i64, i32)]) -> bool {
        after(looks).is_some_and(|shortage| shortage.is_unforgiven())
    }

    #[test]
    fn enough_tasks_are_no_shortage() {
        assert_eq!(after(&[(0, 2), (10, 2)]), None);
        let fewer_wanted = Shortage::seen(None, &running(1, 3), 1, at(0));
        assert_eq!(fewer_wanted, None);
    }

    #[test]
    fn one_crash_is_forgiven_and_forgotten() {
        assert!(!is_unforgiven(&[(0, 1), (30, 2)]));
        assert!(!is_unforgiven(&[(0, 1), (119, 1)]));
        assert_eq!(after(&[(0, 1), (30, 2), (151, 2)]), None);
        assert!(!is_unforgiven(&[(0, 1), (30, 2), (200, 1), (230, 2)]));
    }

    #[test]
    fn a_shortage_that_lasts_is_not_forgiven() {
        assert!(is_unforgiven(&[(0, 1), (120, 1)]));
    }

    #[test]
    fn once_enough_run_again_a_single_shortage_is_over_however_long_it_was() {
        assert!(!is_unforgiven(&[(0, 1), (300, 1), (301, 2)]));
    }

    #[test]
    fn a_crash_loop_is_not_forgiven_for_its_good_moments() {
        let looks = [(0, 1), (30, 2), (60, 1), (90, 2), (121, 1), (140, 2)];
        assert!(!is_unforgiven(&looks[..4]));
        assert!(is_unforgiven(&looks));
        // ... until all tasks have been running for a while.
        let calm: Vec<(i64, i32)> = looks.into_iter().chain([(261, 2)]).collect();
        assert!(!is_unforgiven(&calm));
    }
}
