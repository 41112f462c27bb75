use std::time::Duration;

use aws_sdk_applicationautoscaling::operation::put_scheduled_action::builders::PutScheduledActionFluentBuilder;
use aws_sdk_applicationautoscaling::types::{
    ScalableTargetAction, ScheduledAction, ServiceNamespace, SuspendedState,
};
use aws_sdk_ecs::primitives::DateTime;
use aws_sim::Options;
use jiff::Timestamp;

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

impl Harness {
    /// Simulated time in some seconds, as AWS writes it, in a time zone.
    fn local(&self, seconds: u64, zone: &str) -> String {
        let at = self.simulator.now() + Duration::from_secs(seconds);
        let at = Timestamp::from_millisecond(i64::try_from(at.0).unwrap()).unwrap();
        let at = at.in_tz(zone).unwrap();
        at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    async fn bounds_in_force(&self) -> (i32, i32) {
        let asked = self.scaling.describe_scalable_targets();
        let found = asked.service_namespace(ServiceNamespace::Ecs).send().await;
        let found = found.unwrap();
        let target = &found.scalable_targets()[0];
        (target.min_capacity(), target.max_capacity())
    }

    fn in_seconds(&self, seconds: u64) -> DateTime {
        let at = self.simulator.now() + Duration::from_secs(seconds);
        DateTime::from_millis(i64::try_from(at.0).unwrap())
    }
}

#[tokio::test]
async fn at_its_time_an_action_sets_the_bounds_and_the_count() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let up = harness.scheduled("api", "up").timezone("America/New_York");
    let up = up.schedule(format!("at({})", harness.local(600, "America/New_York")));
    let up = up.scalable_target_action(bounds(Some(6), Some(9)));
    up.send().await.unwrap();
    let down = harness.scheduled("api", "down");
    let down = down.schedule(format!("at({})", harness.local(1200, "UTC")));
    let down = down.scalable_target_action(bounds(Some(0), Some(2)));
    down.send().await.unwrap();
    harness.advance(598);
    assert_eq!(
        (
            harness.bounds_in_force().await,
            harness.desired("api").await
        ),
        ((1, 4), 1)
    );
    // At the full second.
    harness.advance(2);
    assert_eq!(
        (
            harness.bounds_in_force().await,
            harness.desired("api").await
        ),
        ((6, 9), 6)
    );
    harness.advance(600);
    assert_eq!(
        (
            harness.bounds_in_force().await,
            harness.desired("api").await
        ),
        ((0, 2), 2)
    );
    let activities = harness.simulator.scaling_activities("api");
    let causes: Vec<&str> = activities.iter().map(|one| one.cause.as_str()).collect();
    assert_eq!(
        causes,
        [
            "minimum capacity was set to 6",
            "maximum capacity was set to 2"
        ]
    );
    // Once.
    harness
        .target("api")
        .min_capacity(1)
        .max_capacity(4)
        .send()
        .await
        .unwrap();
    harness.advance(86_400);
    assert_eq!(harness.bounds_in_force().await, (1, 4));
}

#[tokio::test]
async fn a_rate_counts_from_the_start_and_ends_at_the_end() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 9).await;
    harness
        .scheduled("api", "every")
        .schedule("rate(5 minutes)")
        .start_time(harness.in_seconds(100))
        .end_time(harness.in_seconds(100 + 650))
        .scalable_target_action(bounds(Some(3), None))
        .send()
        .await
        .unwrap();
    let mut raised = Vec::new();
    for second in (0..2000).step_by(50) {
        if harness.bounds_in_force().await.0 == 3 {
            raised.push(second);
            harness.target("api").min_capacity(1).send().await.unwrap();
        }
        harness.advance(50);
    }
    assert_eq!(raised, [100, 400, 700]);
}

#[tokio::test]
async fn a_cron_recurs() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 9).await;
    let put = harness
        .scheduled("api", "nightly")
        .schedule("cron(30 1 * * ? *)");
    let put = put.scalable_target_action(bounds(None, Some(2)));
    put.send().await.unwrap();
    let mut times = Vec::new();
    for _ in 0..(3 * 24 * 12) {
        harness.advance(300);
        if harness.bounds_in_force().await.1 == 2 {
            times.push(harness.simulator.now().seconds() % 86_400.0);
            harness.target("api").max_capacity(9).send().await.unwrap();
        }
    }
    assert_eq!(times.len(), 3);
    let half_past_one = 1.5 * 3600.0;
    let late = times.iter().map(|time| time - half_past_one);
    assert!(
        late.clone().all(|late| (0.0..300.0).contains(&late)),
        "{times:?}"
    );
}

#[tokio::test]
async fn suspended_and_crossed_actions_do_nothing() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let suspend = |scheduled: bool| {
        let state = SuspendedState::builder().scheduled_scaling_suspended(scheduled);
        harness.target("api").suspended_state(state.build()).send()
    };
    let put = harness.scheduled("api", "a").schedule("rate(10 minutes)");
    let put = put.scalable_target_action(bounds(Some(3), None));
    put.send().await.unwrap();
    suspend(true).await.unwrap();
    harness.advance(1500);
    assert_eq!(harness.bounds_in_force().await, (1, 4));
    suspend(false).await.unwrap();
    harness.advance(200);
    assert_eq!(
        harness.bounds_in_force().await,
        (1, 4),
        "what was missed is not made up for"
    );
    harness.advance(100);
    assert_eq!(harness.bounds_in_force().await, (3, 4));
    // A minimum above the maximum that it leaves.
    let put = harness.scheduled("api", "a");
    let put = put.scalable_target_action(bounds(Some(7), None));
    put.send().await.unwrap();
    harness.advance(1200);
    assert_eq!(harness.bounds_in_force().await, (3, 4));
}

#[tokio::test]
async fn policies_scale_within_the_bounds_of_the_last_action() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 9).await;
    harness.scaled_by_cpu("api", 3, 1, 0).await;
    harness.align();
    let put = harness
        .scheduled("api", "a")
        .schedule(format!("at({})", harness.local(90, "UTC")));
    let put = put.scalable_target_action(bounds(Some(1), Some(2)));
    put.send().await.unwrap();
    assert_eq!(harness.counts("api", &[95.0; 6]).await, [1, 1, 2, 2, 2, 2]);
}
