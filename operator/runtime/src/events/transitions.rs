//! Which Events a change of status is worth. Pure.

use super::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use privateservice_api::conditions::{ConditionType, Reason, ReasonClass};
use privateservice_api::privateservice::{RolloutPhase, TaskFailure};
use privateservice_api::{EnvironmentStatus, PrivateServiceStatus};
use privateservice_core::evidence;

/// The Events of a PrivateService's change of status.
pub fn transition_events(
    previous: &PrivateServiceStatus,
    next: &PrivateServiceStatus,
) -> Vec<Event> {
    let mut events = vec![];
    if previous.service_arn.is_none()
        && let Some(arn) = &next.service_arn
    {
        events.push(Event::normal(
            "ServiceCreated",
            format!("ECS service {arn}"),
            "Execute",
        ));
    }
    events.extend(failure_events(&previous.failures, &next.failures));
    let phases = phase_event(previous, next);
    let told = phases.is_some();
    events.extend(phases);
    let words: Vec<String> = events.iter().map(|event| event.reason.clone()).collect();
    events.extend(
        ready_event(&previous.conditions, &next.conditions).filter(|event| {
            if words.contains(&event.reason) {
                return false;
            }
            // What the rollout itself tells needs no second Event; a turn in the queue is not worth one.
            match Reason::parse(&event.reason) {
                Some(Reason::Throttled | Reason::Deploying | Reason::RollingBack) => false,
                Some(Reason::Succeeded | Reason::RolledBack | Reason::RolloutFailed) => !told,
                _ => true,
            }
        }),
    );
    events
}

/// The Events of an Environment's change of status.
pub fn environment_events(previous: &EnvironmentStatus, next: &EnvironmentStatus) -> Vec<Event> {
    ready_event(&previous.conditions, &next.conditions)
        .into_iter()
        .collect()
}

/// Tasks that failed since: one Event for each cause, about the newest.
fn failure_events(previous: &[TaskFailure], next: &[TaskFailure]) -> Vec<Event> {
    let new = next
        .iter()
        .filter(|failure| !previous.iter().any(|known| known.task == failure.task));
    let mut events: Vec<Event> = Vec::new();
    for failure in new {
        let cause = evidence::cause(failure);
        if events
            .iter()
            .any(|event| event.reason == cause.event_reason())
        {
            continue;
        }
        let revision = failure.task_definition.as_deref().unwrap_or("?");
        events.push(Event::warning(
            cause.event_reason(),
            format!(
                "task {} ({revision}) stopped: {}",
                failure.task,
                cause.sentence(failure)
            ),
            "Observe",
        ));
    }
    events
}

/// The rollout went into another phase, or another rollout began.
fn phase_event(previous: &PrivateServiceStatus, next: &PrivateServiceStatus) -> Option<Event> {
    let rollout = next.rollout.as_ref()?;
    let phase = rollout.phase?;
    let before = previous.rollout.as_ref();
    let another = before.is_none_or(|before| before.started_at != rollout.started_at);
    if before.and_then(|before| before.phase) == Some(phase)
        && !(another && phase == RolloutPhase::Progressing)
    {
        return None;
    }
    let revision = next
        .task_definition_arn
        .as_deref()
        .unwrap_or("the new revision");
    // What Ready says names the cause; AWS's own words seldom do.
    let words = next
        .conditions
        .iter()
        .find(|condition| condition.type_ == ConditionType::Ready.as_str())
        .map(|condition| condition.message.clone())
        .or_else(|| rollout.reason.clone())
        .unwrap_or_else(|| "ECS gave no reason".to_owned());
    Some(match phase {
        RolloutPhase::Progressing => {
            Event::normal("RolloutStarted", "the rollout has begun", "Execute")
        }
        RolloutPhase::Complete => {
            Event::normal("RolloutComplete", format!("{revision} serves"), "Assess")
        }
        RolloutPhase::RollingBack => Event::warning("RollingBack", words, "Assess"),
        RolloutPhase::RolledBack => Event::warning("RolledBack", words, "Assess"),
        RolloutPhase::Failed => Event::warning("RolloutFailed", words, "Assess"),
    })
}

/// `Ready` has another reason than before.
fn ready_event(previous: &[Condition], next: &[Condition]) -> Option<Event> {
    let ready = |conditions: &[Condition]| {
        conditions
            .iter()
            .find(|condition| condition.type_ == ConditionType::Ready.as_str())
            .cloned()
    };
    let after = ready(next)?;
    if ready(previous).is_some_and(|before| before.reason == after.reason) {
        return None;
    }
    let class = Reason::parse(&after.reason).map(Reason::class);
    let warning = matches!(class, Some(ReasonClass::Terminal | ReasonClass::Patient));
    Some(Event {
        warning,
        ..Event::normal(&after.reason, after.message, "Assess")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;
    use privateservice_api::privateservice::RolloutStatus;

    fn ready(reason: Reason) -> Vec<Condition> {
        vec![Condition {
            type_: "Ready".into(),
            status: "False".into(),
            reason: reason.as_str().into(),
            message: "because".into(),
            observed_generation: Some(1),
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        }]
    }

    fn status(reason: Reason, phase: Option<RolloutPhase>, started: i64) -> PrivateServiceStatus {
        PrivateServiceStatus {
            conditions: ready(reason),
            service_arn: Some("arn".into()),
            rollout: phase.map(|phase| RolloutStatus {
                phase: Some(phase),
                started_at: Timestamp::from_second(started).ok().map(Time),
                ..RolloutStatus::default()
            }),
            ..PrivateServiceStatus::default()
        }
    }

    fn told(previous: &PrivateServiceStatus, next: &PrivateServiceStatus) -> Vec<(String, bool)> {
        transition_events(previous, next)
            .into_iter()
            .map(|event| (event.reason, event.warning))
            .collect()
    }

    #[test]
    fn an_unchanged_status_tells_nothing() {
        let same = status(Reason::Succeeded, Some(RolloutPhase::Complete), 1);
        assert_eq!(told(&same, &same), []);
    }

    #[test]
    fn a_first_rollout_tells_of_the_service_and_the_rollout_once_each() {
        let started = status(Reason::Deploying, Some(RolloutPhase::Progressing), 1);
        assert_eq!(
            told(&PrivateServiceStatus::default(), &started),
            [
                ("ServiceCreated".into(), false),
                ("RolloutStarted".into(), false)
            ]
        );
        let complete = status(Reason::Succeeded, Some(RolloutPhase::Complete), 1);
        assert_eq!(
            told(&started, &complete),
            [("RolloutComplete".into(), false)]
        );
    }

    #[test]
    fn a_second_rollout_during_the_first_is_told() {
        let first = status(Reason::Deploying, Some(RolloutPhase::Progressing), 1);
        let second = status(Reason::Deploying, Some(RolloutPhase::Progressing), 2);
        assert_eq!(told(&first, &second), [("RolloutStarted".into(), false)]);
    }

    #[test]
    fn failures_of_a_rollout_are_warnings_told_once() {
        let before = status(Reason::Deploying, Some(RolloutPhase::Progressing), 1);
        let back = status(Reason::RolledBack, Some(RolloutPhase::RolledBack), 1);
        assert_eq!(told(&before, &back), [("RolledBack".into(), true)]);
        let failed = status(Reason::RolloutFailed, Some(RolloutPhase::Failed), 1);
        assert_eq!(told(&before, &failed), [("RolloutFailed".into(), true)]);
    }

    #[test]
    fn tasks_that_failed_are_told_once_by_cause() {
        let failure = |task: &str, reason: &str| TaskFailure {
            task: task.into(),
            reason: Some(reason.into()),
            ..TaskFailure::default()
        };
        let with = |failures: Vec<TaskFailure>| PrivateServiceStatus {
            failures,
            ..status(Reason::Deploying, None, 0)
        };
        let one = failure("t1", "CannotPullContainerError: shop:9: not found");
        let two = failure("t2", "CannotPullContainerError: shop:9: not found");
        let oom = failure("t3", "OutOfMemoryError: Container killed");
        let before = with(vec![]);
        let after = with(vec![oom, two, one]);
        assert_eq!(
            told(&before, &after),
            [("OutOfMemory".into(), true), ("ImageNotFound".into(), true)]
        );
        assert_eq!(told(&after, &after), []);
    }

    #[test]
    fn another_reason_of_ready_is_told_as_its_class_says_but_not_a_turn_in_the_queue() {
        let good = status(Reason::Succeeded, None, 0);
        let denied = status(Reason::AccessDenied, None, 0);
        assert_eq!(told(&good, &denied), [("AccessDenied".into(), true)]);
        assert_eq!(told(&denied, &good), [("Succeeded".into(), false)]);
        assert_eq!(told(&good, &status(Reason::Throttled, None, 0)), []);
    }

    #[test]
    fn an_environment_tells_when_the_reason_of_ready_changes() {
        let of = |reason| EnvironmentStatus {
            conditions: ready(reason),
            ..Default::default()
        };
        let (good, bad) = (of(Reason::Succeeded), of(Reason::NameConflict));
        assert_eq!(environment_events(&good, &good), []);
        assert!(
            environment_events(&good, &bad)
                .iter()
                .all(|event| event.warning)
        );
        assert_eq!(
            environment_events(&EnvironmentStatus::default(), &good).len(),
            1
        );
    }
}
