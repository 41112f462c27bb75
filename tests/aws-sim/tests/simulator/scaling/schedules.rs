use aws_sdk_applicationautoscaling::operation::put_scheduled_action::builders::PutScheduledActionFluentBuilder;
use aws_sdk_applicationautoscaling::types::{
    ScalableTargetAction, ScheduledAction, ServiceNamespace,
};
use aws_sdk_ecs::primitives::DateTime;
use aws_sim::Options;

use super::{DIMENSION, resource};
use crate::harness::{Harness, refusal, start};

pub(super) fn bounds(minimum: Option<i32>, maximum: Option<i32>) -> ScalableTargetAction {
    ScalableTargetAction::builder()
        .set_min_capacity(minimum)
        .set_max_capacity(maximum)
        .build()
}

impl Harness {
    pub(super) fn scheduled(&self, service: &str, name: &str) -> PutScheduledActionFluentBuilder {
        self.scaling
            .put_scheduled_action()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(DIMENSION)
            .resource_id(resource(service))
            .scheduled_action_name(name)
    }
}

async fn actions(harness: &Harness) -> Vec<ScheduledAction> {
    let asked = harness.scaling.describe_scheduled_actions();
    let found = asked.service_namespace(ServiceNamespace::Ecs).send().await;
    found.unwrap().scheduled_actions().to_vec()
}

#[tokio::test]
async fn a_scheduled_action_is_kept_changed_and_deleted() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    harness
        .scheduled("api", "morning")
        .schedule("cron(0 8 ? * MON-FRI *)")
        .timezone("Europe/Berlin")
        .start_time(DateTime::from_secs(4_000_000_000))
        .scalable_target_action(bounds(Some(2), Some(8)))
        .send()
        .await
        .unwrap();
    let first = actions(&harness).await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].schedule(), "cron(0 8 ? * MON-FRI *)");
    assert_eq!(first[0].timezone(), Some("Europe/Berlin"));
    assert_eq!(
        first[0].start_time(),
        Some(&DateTime::from_secs(4_000_000_000))
    );
    let change = harness.scheduled("api", "morning");
    let change = change.scalable_target_action(bounds(Some(3), None));
    change.send().await.unwrap();
    let second = actions(&harness).await;
    assert_eq!(
        second[0].scheduled_action_arn(),
        first[0].scheduled_action_arn()
    );
    assert_eq!(
        second[0].schedule(),
        first[0].schedule(),
        "what is not named stays"
    );
    assert_eq!(second[0].start_time(), None, "but the times go");
    let shown = second[0].scalable_target_action().unwrap();
    assert_eq!(
        (shown.min_capacity(), shown.max_capacity()),
        (Some(3), Some(8))
    );
    let delete = || {
        harness
            .scaling
            .delete_scheduled_action()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(DIMENSION)
            .resource_id(resource("api"))
            .scheduled_action_name("morning")
            .send()
    };
    delete().await.unwrap();
    assert!(refusal(delete().await).starts_with("ObjectNotFoundException"));
    assert!(actions(&harness).await.is_empty());
}

#[tokio::test]
async fn a_scheduled_action_that_makes_no_sense_is_refused() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let daily = |name: &str| harness.scheduled("api", name).schedule("rate(1 day)");
    let some = || bounds(Some(1), Some(2));
    let time = DateTime::from_secs;
    let cases = [
        (
            "no schedule",
            harness.scheduled("api", "a").scalable_target_action(some()),
        ),
        ("no bounds", daily("a")),
        (
            "empty bounds",
            daily("a").scalable_target_action(bounds(None, None)),
        ),
        (
            "crossed bounds",
            daily("a").scalable_target_action(bounds(Some(3), Some(2))),
        ),
        (
            "a name with a slash",
            daily("a/b").scalable_target_action(some()),
        ),
        (
            "a cron of five fields",
            harness
                .scheduled("api", "a")
                .schedule("cron(0 8 * * *)")
                .scalable_target_action(some()),
        ),
        (
            "a zone that is none",
            daily("a")
                .timezone("Mars/Base")
                .scalable_target_action(some()),
        ),
        (
            "an end before the start",
            daily("a")
                .start_time(time(200))
                .end_time(time(100))
                .scalable_target_action(some()),
        ),
    ];
    for (what, asked) in cases {
        let refused = refusal(asked.send().await);
        assert!(
            refused.starts_with("ValidationException"),
            "{what}: {refused}"
        );
    }
    let unregistered = harness.scheduled("other", "a").schedule("rate(1 day)");
    let unregistered = unregistered.scalable_target_action(some());
    let refused = refusal(unregistered.send().await);
    assert!(refused.starts_with("ObjectNotFoundException"), "{refused}");
    assert!(actions(&harness).await.is_empty());
}
