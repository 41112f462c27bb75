//! From a judgement of an Environment to its verdict. Pure.

use super::founding::{Founding, Says};
use privateservice_api::EnvironmentStatus;
use privateservice_api::conditions::{ConditionType, Reason};
use privateservice_api::environment::PendingChangeSet;
use privateservice_core::conditions::{Ready, Verdict};
use privateservice_core::environment::Unfit;
use privateservice_core::problem::Problem;

/// After so many sweep intervals without an answer from AWS, Ready is Unknown.
pub(super) const MISSED_SWEEPS: u32 = 3;

/// What was known of an Environment before this look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings")]
pub(super) struct Before {
    /// Ready was True.
    pub(super) ready: bool,
    /// Ready was False, or there was nothing yet; not Unknown, which is what silence made of True.
    pub(super) not_ready: bool,
    /// AWS has answered about this very spec.
    pub(super) observed: bool,
    /// AWS has not answered for long.
    pub(super) long_unanswered: bool,
}

/// How services can run in an Environment that is fit for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// As the spec says.
    Well,
    /// As the spec says, but for a change that waits for approval.
    Pending(PendingChangeSet),
    /// Its stack is being changed.
    Moving(String),
    /// A change of its stack failed, and it is as it was.
    WentBack(Problem),
}

/// What is said of a stack on which nobody can run.
pub(super) fn without_outputs(says: Says) -> Unfit {
    match says {
        Says::Nothing => Unfit::Known(Problem::new(
            Reason::EnvironmentNotReady,
            "the stack has made nothing",
        )),
        Says::Moving(message) => Unfit::Known(Problem::new(Reason::Deploying, message)),
        Says::Wrong(problem) => Unfit::Known(problem),
        Says::Failed(failure) => {
            Unfit::Unanswered(Problem::new(failure.reason(), failure.to_string()))
        }
    }
}

/// What is said of one on which services can.
pub(super) fn with_outputs(founding: Founding) -> Fit {
    match (founding.says, founding.pending) {
        (Says::Nothing, Some(pending)) => Fit::Pending(pending),
        (Says::Nothing, None) => Fit::Well,
        (Says::Moving(message), _) => Fit::Moving(message),
        (Says::Wrong(problem), _) => Fit::WentBack(problem),
        (Says::Failed(failure), _) => Fit::Moving(failure.to_string()),
    }
}

/// What a change that waits for approval would do, and how to approve it.
pub(super) fn approval(pending: &PendingChangeSet) -> String {
    let changes: Vec<String> = pending
        .changes
        .iter()
        .map(|change| {
            let verb = match change.action.as_str() {
                "Remove" => "remove",
                "Replace" => "replace",
                _ => "may replace",
            };
            format!("{verb} {} ({})", change.resource, change.kind)
        })
        .collect();
    format!(
        "a change of the stack waits for approval, because it would {}: to let it run, set spec.foundation.approve: {}",
        changes.join(", "),
        pending.name
    )
}

/// Concludes. `None` leaves the conditions as they are: AWS did not answer, and what it said before about this generation still holds,
/// unless that is long ago.
pub(super) fn conclude(judgement: &Result<Fit, Unfit>, before: Before) -> Option<Verdict> {
    match judgement {
        Ok(Fit::Well) => Some(verdict(
            Ready::True,
            Reason::Succeeded,
            "services can run here",
        )),
        Ok(Fit::Pending(pending)) => Some(verdict(
            Ready::True,
            Reason::Succeeded,
            &format!("services can run here; {}", approval(pending)),
        )),
        Ok(Fit::Moving(message)) => Some(verdict(
            Ready::True,
            Reason::Deploying,
            &format!("services can run here; {message}"),
        )),
        Ok(Fit::WentBack(found)) | Err(Unfit::Known(found)) => Some(problem(found)),
        // What was true of another spec says nothing of the role that this one names.
        Err(Unfit::Unanswered(silence))
            if !before.observed
                && matches!(
                    silence.reason,
                    Reason::AccessDenied | Reason::CredentialsError
                ) =>
        {
            Some(verdict(
                Ready::False,
                silence.reason,
                &format!("AWS could not be asked: {silence}"),
            ))
        }
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
    use privateservice_api::environment::PendingChange;

    const READY: Before = Before {
        ready: true,
        not_ready: false,
        observed: true,
        long_unanswered: false,
    };

    fn silence(reason: Reason) -> Result<Fit, Unfit> {
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
    fn a_role_that_is_named_afresh_and_cannot_be_assumed_is_told_at_once() {
        let edited = Before {
            observed: false,
            ..READY
        };
        let told = conclude(&silence(Reason::CredentialsError), edited).unwrap();
        assert_eq!(told.ready, Ready::False);
        assert_eq!(conclude(&silence(Reason::Throttled), edited), None);
    }

    #[test]
    fn an_environment_that_was_never_ready_says_why_aws_cannot_be_asked() {
        let fresh = Before {
            ready: false,
            not_ready: true,
            observed: true,
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
    fn what_is_going_on_with_the_stack_is_told_and_only_a_failed_change_is_not_ready() {
        let pending = PendingChangeSet {
            name: "privateservice-1".into(),
            changes: vec![PendingChange {
                resource: "Cluster".into(),
                kind: "AWS::ECS::Cluster".into(),
                action: "Replace".into(),
            }],
        };
        let waits = conclude(&Ok(Fit::Pending(pending)), READY).unwrap();
        assert_eq!(
            (waits.ready, waits.reason),
            (Ready::True, Reason::Succeeded)
        );
        for words in [
            "replace Cluster",
            "spec.foundation.approve: privateservice-1",
        ] {
            assert!(waits.message.contains(words), "{}", waits.message);
        }
        let moving = conclude(&Ok(Fit::Moving("it changes".into())), READY).unwrap();
        assert_eq!(
            (moving.ready, moving.reason),
            (Ready::True, Reason::Deploying)
        );
        let failed = Problem::new(Reason::RolledBack, "it went back");
        let back = conclude(&Ok(Fit::WentBack(failed)), READY).unwrap();
        assert_eq!(
            (back.ready, back.reason),
            (Ready::False, Reason::RolledBack)
        );
        let made = conclude(&Err(without_outputs(Says::Moving("made".into()))), READY).unwrap();
        assert_eq!((made.ready, made.reason), (Ready::False, Reason::Deploying));
    }

    #[test]
    fn what_aws_says_is_told_at_once() {
        let wrong = Err(Unfit::Known(Problem::new(
            Reason::CredentialsError,
            "wrong account",
        )));
        assert_eq!(conclude(&wrong, READY).unwrap().ready, Ready::False);
        assert_eq!(conclude(&Ok(Fit::Well), READY).unwrap().ready, Ready::True);
    }
}
