//! From a judgement of an Environment to its verdict. Pure.

use privateservice_api::EnvironmentStatus;
use privateservice_api::conditions::{ConditionType, Reason};
use privateservice_core::conditions::{Ready, Verdict};
use privateservice_core::environment;
use privateservice_core::problem::Problem;

/// After so many sweep intervals without an answer from AWS, Ready is Unknown.
pub(super) const MISSED_SWEEPS: u32 = 3;

/// Concludes. `None` leaves the conditions as they are: AWS did not answer, and what it said before about this generation
/// (`judged_before`) still holds, unless that is `long` ago.
pub(super) fn conclude(
    judgement: &Result<(), Problem>,
    judged_before: bool,
    long: bool,
) -> Option<Verdict> {
    match judgement {
        Ok(()) => Some(verdict(
            Ready::True,
            Reason::Succeeded,
            "services can run here",
        )),
        Err(found) if !environment::is_transient(found) => Some(problem(found)),
        Err(_) if judged_before && !long => None,
        Err(silence) => {
            let ready = if long { Ready::Unknown } else { Ready::Kept };
            // What a rollout's reasons say would mislead here.
            let reason = match silence.reason {
                Reason::Throttled => Reason::Throttled,
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

/// True if the status says Ready.
pub(super) fn is_ready(status: &EnvironmentStatus) -> bool {
    status.conditions.iter().any(|condition| {
        condition.type_ == ConditionType::Ready.as_str() && condition.status == "True"
    })
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

    fn silence() -> Result<(), Problem> {
        Err(Problem::new(Reason::Deploying, "no answer"))
    }

    #[test]
    fn silence_leaves_what_is_known_until_it_lasts_too_long() {
        assert_eq!(conclude(&silence(), true, false), None);
        let unknown = conclude(&silence(), true, true).unwrap();
        assert_eq!(
            (unknown.ready, unknown.reason),
            (Ready::Unknown, Reason::EnvironmentNotReady)
        );
    }

    #[test]
    fn silence_about_a_new_generation_keeps_ready_and_says_why_it_is_not_settled() {
        let kept = conclude(&silence(), false, false).unwrap();
        assert_eq!(kept.ready, Ready::Kept);
    }

    #[test]
    fn what_aws_says_is_told_at_once() {
        let denied = Err(Problem::new(Reason::AccessDenied, "no"));
        let verdict = conclude(&denied, true, false).unwrap();
        assert_eq!(
            (verdict.ready, verdict.reason),
            (Ready::False, Reason::AccessDenied)
        );
        assert_eq!(conclude(&Ok(()), true, false).unwrap().ready, Ready::True);
    }
}
