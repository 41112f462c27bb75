//! Whether a queue can be read, and how long to pause after a failure. Pure.

use crate::timing::Timing;
use privateservice_core::failure::Failure;
use std::time::Duration;

/// So many tries in a row have to fail for what may pass by itself to be told.
const TOLD_AFTER: u32 = 4;

/// How reading goes.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: u32,
    trouble: Option<Failure>,
}

impl Health {
    /// Why the queue cannot be read, if it cannot.
    pub(super) const fn trouble(&self) -> Option<&Failure> {
        self.trouble.as_ref()
    }

    /// A try ended. True if trouble began or ended with it.
    pub(super) fn note(&mut self, ended: Result<(), Failure>) -> bool {
        let before = self.trouble.is_some();
        match ended {
            Ok(()) => *self = Self::default(),
            Err(failure) => {
                self.failures = self.failures.saturating_add(1);
                let passing = failure.may_pass()
                    || matches!(failure, Failure::NotYet { .. } | Failure::Conflict { .. });
                if !passing || self.failures >= TOLD_AFTER {
                    self.trouble = Some(failure);
                }
            }
        }
        self.trouble.is_some() != before
    }

    /// How long to wait before the next try: longer with each failure in a row.
    pub(super) fn pause(&self, timing: &Timing) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            failures => timing.retry_pause(failures - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use privateservice_api::conditions::Reason;

    fn throttled() -> Result<(), Failure> {
        Err(Failure::Throttled { operation: "test" })
    }

    fn denied() -> Result<(), Failure> {
        Err(Failure::Waiting {
            operation: "test",
            message: "no".into(),
            reason: Reason::AccessDenied,
        })
    }

    #[test]
    fn what_passes_by_itself_is_told_once_it_does_not() {
        let mut health = Health::default();
        for _ in 0..3 {
            assert!(!health.note(throttled()));
        }
        assert!(health.note(throttled()));
        assert!(!health.note(throttled()));
        assert!(health.note(Ok(())), "it is over");
        assert!(!health.note(throttled()), "and counted anew");
    }

    #[test]
    fn what_somebody_has_to_mend_is_told_at_once_and_stays_until_a_try_succeeds() {
        let mut health = Health::default();
        assert!(health.note(denied()));
        assert!(!health.note(throttled()));
        assert!(health.trouble().is_some());
        assert!(health.note(Ok(())));
        assert!(health.trouble().is_none());
    }

    #[test]
    fn pauses_grow_up_to_the_cap() {
        let timing = Timing::default();
        let mut health = Health::default();
        assert_eq!(health.pause(&timing), Duration::ZERO);
        let mut pauses = vec![];
        for _ in 0..9 {
            health.note(denied());
            pauses.push(health.pause(&timing).as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
