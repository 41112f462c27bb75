//! Why ECS could not start tasks, from a service's events. Pure.

use super::timestamp;
use crate::classify::readable;
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::ServiceEvent;

/// Words of events that say that tasks could not be started (ECS developer guide, Service event messages).
const TROUBLE: &[&str] = &[
    "unable to place a task",
    "failed to launch a task",
    "unable to consistently start tasks",
];

/// Words of events that end such trouble, each with what must stand after them.
const RELIEF: &[(&str, &str)] = &[
    ("has started ", " task"),
    ("has reached a steady state", ""),
    ("deployment completed", ""),
];

/// The newest event that says something about it decides. Events before `since`, when the PRIMARY deployment was created, do not count.
/// The text holds nothing that changes when ECS says the same again.
pub(super) fn trouble(events: &[ServiceEvent], since: Option<&DateTime>) -> Option<String> {
    let since = since.and_then(timestamp);
    let mut newest = None;
    for event in events {
        let (Some(at), Some(message)) = (event.created_at().and_then(timestamp), event.message())
        else {
            continue;
        };
        let Some(is_trouble) = verdict(message) else {
            continue;
        };
        // AWS lists the newest first: of two in one moment the first counts.
        let is_newer = newest.as_ref().is_none_or(|(other, _)| at > *other);
        if is_newer && since.is_none_or(|since| at >= since) {
            newest = Some((at, is_trouble.then(|| readable(without_prefix(message)))));
        }
    }
    newest.and_then(|(_, text)| text)
}

/// Whether an event tells trouble (`true`) or its end (`false`), if either.
fn verdict(message: &str) -> Option<bool> {
    let lower = message.to_lowercase();
    if TROUBLE.iter().any(|words| lower.contains(words)) {
        return Some(true);
    }
    let ends = |(words, then): &(&str, &str)| {
        lower
            .split_once(words)
            .is_some_and(|(_, rest)| rest.contains(then))
    };
    RELIEF.iter().any(ends).then_some(false)
}

/// The message without the "(service api)" and "(deployment ecs-svc/1)" before it.
fn without_prefix(message: &str) -> &str {
    let mut text = message.trim_start();
    while let Some((_, rest)) = text
        .strip_prefix('(')
        .and_then(|inner| inner.split_once(')'))
    {
        text = rest.trim_start();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(second: i64, message: &str) -> ServiceEvent {
        ServiceEvent::builder()
            .id(format!("id-{second}"))
            .created_at(DateTime::from_secs(second))
            .message(message)
            .build()
    }

    const NO_CAPACITY: &str =
        "(service api) was unable to place a task. Reason: Capacity is unavailable at this time.";

    #[test]
    fn the_newest_event_decides_whatever_the_order() {
        let started = "(service api) has started 2 tasks: (task 1) (task 2).";
        let events = [event(1, started), event(2, NO_CAPACITY)];
        let expected = "was unable to place a task. Reason: Capacity is unavailable at this time.";
        assert_eq!(trouble(&events, None).as_deref(), Some(expected));
        assert_eq!(
            trouble(&[event(3, started), event(2, NO_CAPACITY)], None),
            None
        );
    }

    #[test]
    fn saying_the_same_again_changes_nothing() {
        let once = trouble(&[event(1, NO_CAPACITY)], None);
        assert!(once.is_some());
        assert_eq!(
            once,
            trouble(&[event(9, NO_CAPACITY), event(1, NO_CAPACITY)], None)
        );
    }

    #[test]
    fn each_way_of_saying_it_is_understood() {
        for message in [
            "(service api) failed to launch a task with (error ECS was unable to assume the role).",
            "(service api) (deployment ecs-svc/1) is unable to consistently start tasks successfully.",
        ] {
            let text = trouble(&[event(1, message)], None).unwrap();
            assert!(!text.starts_with('('), "{text}");
        }
        for message in [
            "(service api) has reached a steady state.",
            "(service api) (deployment ecs-svc/1) deployment completed.",
        ] {
            let events = [event(2, message), event(1, NO_CAPACITY)];
            assert_eq!(trouble(&events, None), None, "{message}");
        }
        let stopped = event(2, "(service api) has stopped 1 running tasks: (task 1).");
        assert!(trouble(&[stopped, event(1, NO_CAPACITY)], None).is_some());
    }

    #[test]
    fn what_was_before_the_primary_deployment_does_not_count() {
        let events = [event(5, NO_CAPACITY)];
        assert!(trouble(&events, Some(&DateTime::from_secs(5))).is_some());
        assert_eq!(trouble(&events, Some(&DateTime::from_secs(6))), None);
    }
}
