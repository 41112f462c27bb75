//! From a judgement of an Environment to its verdict. Pure.

use privateservice_api::EnvironmentStatus;
use privateservice_api::conditions::{ConditionType, Reason};
use privateservice_core::conditions::{Ready, Verdict};
use privateservice_core::environment::Unfit;
use privateservice_core::problem::Problem;

/// After so many sweep intervals without an answer from AWS, Ready is Unknown.
pub(super) const MISSED_SWEEPS: u32 = 3;

/// What was known of an Environment before this look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    /// Ready was True.
    pub(super) ready: bool,
    /// Ready was False, or there was nothing yet; not Unknown, which is what silence made of True.
    pub(super) not_ready: bool,
    /// AWS has not answered for long.
    pub(super) long_unanswered: bool,
}

/// Concludes. `None` leaves the conditions as they are: AWS did not answer, and what it said before about this generation still holds,
/// unless that is long ago.
pub(super) fn conclude(judgement: &Result<(), Unfit>, before: Before) -> Option<Verdict> {
    match judgement {
        Ok(()) => Some(verdict(
            Ready::True,
            Reason::Succeeded,
            "services can run here",
        )),
        Err(Unfit::Known(found)) => Some(problem(found)),
        Err(Unfit::Unanswered(_)) if before.ready && !before.long_unanswered => None,
        Err(Unfit::Unanswered(silence)) => {
            let ready = match silence.reason {
                _ if before.ready && before.long_unanswered => Ready::Unknown,
                Reason::AccessDenied | Reason::CredentialsError if before.not_ready => Ready::False,
                _ => Ready::Kept,
            };
            // What a rollout's reasons say would mislead here.
            let reason = match silence.reason {
                Reason::Throttled | Reason::AccessDenied | Reason::CredentialsError => {
                    silence.reason
                }
                _ => Reason::EnvironmentNotReady,
            };
            Some(verdict(
                ready,
                reason,
                &format!("AWS could not be asked: {silence}"),
            ))
        }
    }
}

/// Not Ready, because of this.
pub(super) fn problem(problem: &Problem) -> Verdict {
    verdict(Ready::False, problem.reason, &problem.message)
}

/// True if the status says that it is not Ready, or nothing yet.
pub(super) fn is_not_ready(status: &EnvironmentStatus) -> bool {
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == ConditionType::Ready.as_str())
        .is_none_or(|condition| condition.status == "False")
}

fn verdict(ready: Ready, reason: Reason, message: &str) -> Verdict {
    Verdict {
        ready,
        reason,
        message: message.into(),
        findings: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: Before = Before {
        ready: true,
        not_ready: false,
        long_unanswered: false,
    };

    fn silence(reason: Reason) -> Result<(), Unfit> {
        Err(Unfit::Unanswered(Problem::new(reason, "no answer")))
    }

    #[test]
    fn silence_leaves_what_is_known_until_it_lasts_too_long() {
        for reason in [
            Reason::Deploying,
            Reason::AccessDenied,
            Reason::CredentialsError,
        ] {
            assert_eq!(conclude(&silence(reason), READY), None);
            let long = Before {
                long_unanswered: true,
                ..READY
            };
            assert_eq!(
                conclude(&silence(reason), long).unwrap().ready,
                Ready::Unknown
            );
            let unknown = Before {
                ready: false,
                ..long
            };
            assert_eq!(
                conclude(&silence(reason), unknown).unwrap().ready,
                Ready::Kept,
                "Unknown stays Unknown"
            );
        }
    }

    #[test]
    fn an_environment_that_was_never_ready_says_why_aws_cannot_be_asked() {
        let fresh = Before {
            ready: false,
            not_ready: true,
            long_unanswered: false,
        };
        let denied = conclude(&silence(Reason::AccessDenied), fresh).unwrap();
        assert_eq!(
            (denied.ready, denied.reason),
            (Ready::False, Reason::AccessDenied)
        );
        let silent = conclude(&silence(Reason::Deploying), fresh).unwrap();
        assert_eq!(
            (silent.ready, silent.reason),
            (Ready::Kept, Reason::EnvironmentNotReady)
        );
    }

    #[test]
    fn what_aws_says_is_told_at_once() {
        let wrong = Err(Unfit::Known(Problem::new(
            Reason::CredentialsError,
            "wrong account",
        )));
        assert_eq!(conclude(&wrong, READY).unwrap().ready, Ready::False);
        assert_eq!(conclude(&Ok(()), READY).unwrap().ready, Ready::True);
    }
}
