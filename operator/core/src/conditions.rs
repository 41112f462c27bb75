//! From a verdict to conditions, by the rules of kstatus and the table of reasons. Pure; time is an argument.
//!
//! Invariants: `Ready` is always there; `Reconciling` and `Stalled` only while True and never both; a time stamp changes only when the
//! condition does.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::conditions::{ConditionType, Reason, ReasonClass};

/// After this long, a wait for something outside is also told as `Stalled` (and still retried).
pub const STALLED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// The longest message a condition carries, in characters (metav1.Condition allows 32768; people read one line).
const MESSAGE_LIMIT: usize = 1024;

/// The state of `Ready`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// True.
    True,
    /// False.
    False,
    /// Unknown: AWS has not answered for long.
    Unknown,
    /// Whatever it was before; False if there was nothing.
    Kept,
}

/// One finding that is not Ready itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which condition.
    pub kind: ConditionType,
    /// True or False.
    pub holds: bool,
    /// Why.
    pub reason: Reason,
    /// One sentence.
    pub message: String,
}

/// What one pass concludes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// State of `Ready`.
    pub ready: Ready,
    /// Reason of `Ready`, and of `Reconciling` or `Stalled`.
    pub reason: Reason,
    /// Message of all of these.
    pub message: String,
    /// Further conditions.
    pub findings: Vec<Finding>,
}

/// Builds the conditions of an object of this generation.
pub fn conditions(
    previous: &[Condition],
    verdict: &Verdict,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let before = |kind: ConditionType| previous.iter().find(|c| c.type_ == kind.as_str());
    let message = shortened(&verdict.message);
    let build = |kind: ConditionType, status: &str, reason: Reason, message: &str| Condition {
        type_: kind.as_str().into(),
        status: status.into(),
        reason: reason.as_str().into(),
        message: message.into(),
        observed_generation: generation,
        last_transition_time: before(kind)
            .filter(|old| old.status == status)
            .map_or(Time(now), |old| old.last_transition_time.clone()),
    };
    let ready = match verdict.ready {
        Ready::True => "True",
        Ready::False => "False",
        Ready::Unknown => "Unknown",
        Ready::Kept => before(ConditionType::Ready).map_or("False", |old| old.status.as_str()),
    };
    let mut conditions = vec![build(ConditionType::Ready, ready, verdict.reason, &message)];
    match negative(verdict.reason, previous, now) {
        Some(Negative::Stalled) => {
            conditions.push(build(
                ConditionType::Stalled,
                "True",
                verdict.reason,
                &message,
            ));
        }
        Some(Negative::Reconciling) => {
            let mut reconciling =
                build(ConditionType::Reconciling, "True", verdict.reason, &message);
            // Its time stamp tells since when this reason holds: the ten minutes until Stalled count from it.
            if let Some(since) = since(verdict.reason, previous) {
                reconciling.last_transition_time = since;
            } else {
                reconciling.last_transition_time = Time(now);
            }
            conditions.push(reconciling);
        }
        None => {}
    }
    if verdict.ready == Ready::Kept && verdict.findings.is_empty() {
        // Nothing was looked at: what was found before stays.
        let core = [
            ConditionType::Ready,
            ConditionType::Reconciling,
            ConditionType::Stalled,
        ];
        let found = previous
            .iter()
            .filter(|old| core.iter().all(|kind| old.type_ != kind.as_str()));
        conditions.extend(found.cloned().map(|old| Condition {
            observed_generation: generation,
            ..old
        }));
    }
    for finding in &verdict.findings {
        let status = if finding.holds { "True" } else { "False" };
        conditions.push(build(
            finding.kind,
            status,
            finding.reason,
            &shortened(&finding.message),
        ));
    }
    conditions
}

/// True if `Ready` is True.
pub fn is_ready(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| {
        condition.type_ == ConditionType::Ready.as_str() && condition.status == "True"
    })
}

/// The reason of `Ready`.
pub fn ready_reason(conditions: &[Condition]) -> Option<Reason> {
    conditions
        .iter()
        .find(|condition| condition.type_ == ConditionType::Ready.as_str())
        .and_then(|condition| Reason::parse(&condition.reason))
}

/// How long from now until a waiting object becomes Stalled, if it is waiting.
pub fn until_stalled(conditions: &[Condition], now: Timestamp) -> Option<SignedDuration> {
    let reconciling = conditions
        .iter()
        .find(|c| c.type_ == ConditionType::Reconciling.as_str())?;
    let patient = Reason::parse(&reconciling.reason)
        .is_some_and(|reason| reason.class() == ReasonClass::Patient);
    patient.then(|| {
        STALLED_AFTER.saturating_sub(now.duration_since(reconciling.last_transition_time.0))
    })
}

enum Negative {
    Reconciling,
    Stalled,
}

fn negative(reason: Reason, previous: &[Condition], now: Timestamp) -> Option<Negative> {
    match reason.class() {
        ReasonClass::Healthy | ReasonClass::Held => None,
        ReasonClass::Terminal => Some(Negative::Stalled),
        ReasonClass::Progressing => Some(Negative::Reconciling),
        ReasonClass::Patient => {
            let already = previous.iter().any(|condition| {
                condition.type_ == ConditionType::Stalled.as_str()
                    && condition.reason == reason.as_str()
            });
            let long = since(reason, previous)
                .is_some_and(|since| now.duration_since(since.0) >= STALLED_AFTER);
            Some(if already || long {
                Negative::Stalled
            } else {
                Negative::Reconciling
            })
        }
    }
}

/// Since when `Reconciling` has had this reason, if it has it.
fn since(reason: Reason, previous: &[Condition]) -> Option<Time> {
    previous
        .iter()
        .find(|condition| {
            condition.type_ == ConditionType::Reconciling.as_str()
                && condition.reason == reason.as_str()
        })
        .map(|condition| condition.last_transition_time.clone())
}

fn shortened(message: &str) -> String {
    if message.chars().count() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    message
        .chars()
        .take(MESSAGE_LIMIT - 1)
        .chain(std::iter::once('…'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(ready: Ready, reason: Reason) -> Verdict {
        Verdict {
            ready,
            reason,
            message: "because".into(),
            findings: vec![],
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + minute * 60).unwrap()
    }

    fn kinds(conditions: &[Condition]) -> Vec<(&str, &str)> {
        conditions
            .iter()
            .map(|c| (c.type_.as_str(), c.status.as_str()))
            .collect()
    }

    #[test]
    fn waiting_for_something_outside_stalls_after_ten_minutes_and_stays_so() {
        let waiting = verdict(Ready::False, Reason::EnvironmentNotFound);
        let first = conditions(&[], &waiting, Some(1), at(0));
        assert_eq!(kinds(&first), [("Ready", "False"), ("Reconciling", "True")]);
        let ninth = conditions(&first, &waiting, Some(1), at(9));
        assert_eq!(kinds(&ninth), [("Ready", "False"), ("Reconciling", "True")]);
        assert_eq!(
            until_stalled(&ninth, at(9)),
            Some(SignedDuration::from_mins(1))
        );
        let tenth = conditions(&ninth, &waiting, Some(1), at(10));
        assert_eq!(kinds(&tenth), [("Ready", "False"), ("Stalled", "True")]);
        let later = conditions(&tenth, &waiting, Some(1), at(11));
        assert_eq!(kinds(&later), [("Ready", "False"), ("Stalled", "True")]);
    }

    #[test]
    fn another_reason_starts_the_ten_minutes_anew() {
        let first = conditions(
            &[],
            &verdict(Ready::False, Reason::EnvironmentNotFound),
            Some(1),
            at(0),
        );
        let second = conditions(
            &first,
            &verdict(Ready::False, Reason::EnvironmentNotReady),
            Some(1),
            at(9),
        );
        let third = conditions(
            &second,
            &verdict(Ready::False, Reason::EnvironmentNotReady),
            Some(1),
            at(12),
        );
        assert_eq!(kinds(&third), [("Ready", "False"), ("Reconciling", "True")]);
    }

    #[test]
    fn a_time_stamp_changes_only_with_the_status() {
        let first = conditions(
            &[],
            &verdict(Ready::True, Reason::Succeeded),
            Some(1),
            at(0),
        );
        let second = conditions(
            &first,
            &verdict(Ready::True, Reason::Succeeded),
            Some(2),
            at(5),
        );
        assert_eq!(
            second[0].last_transition_time,
            first[0].last_transition_time
        );
        assert_eq!(second[0].observed_generation, Some(2));
    }

    #[test]
    fn suspended_keeps_the_last_ready() {
        let ready = conditions(
            &[],
            &verdict(Ready::True, Reason::Succeeded),
            Some(1),
            at(0),
        );
        let kept = conditions(
            &ready,
            &verdict(Ready::Kept, Reason::Suspended),
            Some(2),
            at(1),
        );
        assert_eq!(kinds(&kept), [("Ready", "True")]);
        assert_eq!(kept[0].reason, "Suspended");
    }

    #[test]
    fn never_both_reconciling_and_stalled_for_any_reason_from_any_past() {
        for past in Reason::ALL {
            let before = conditions(&[], &verdict(Ready::False, *past), Some(1), at(0));
            for reason in Reason::ALL {
                let now = conditions(&before, &verdict(Ready::False, *reason), Some(1), at(30));
                let negatives = now
                    .iter()
                    .filter(|c| c.type_ == "Reconciling" || c.type_ == "Stalled")
                    .count();
                assert!(negatives <= 1, "{past} then {reason}");
                assert_eq!(now.iter().filter(|c| c.type_ == "Ready").count(), 1);
            }
        }
    }
}
