//! What was written, at work: bounds, pauses and schedules.

use super::{Scaled, cpu};
use aws_sim::Options;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_bound_and_a_count_beyond_it_are_moved_by_registering() {
    let mut scaled = Scaled::new(Options::default(), &json!({"scaling": {"maxTasks": 4}})).await;
    scaled.converge().await;
    scaled.edit(&json!({"scaling": {"minTasks": 3, "maxTasks": 4}}));
    let called = scaled.converge().await;
    assert_eq!(called, ["application-autoscaling:RegisterScalableTarget"]);
    assert_eq!(scaled.count(), 3);
    // By hand, beyond the bounds.
    scaled.set(9).await;
    scaled.world.sim.advance(Duration::from_mins(1));
    scaled.look().await;
    let called = scaled.converge().await;
    assert_eq!(called, ["application-autoscaling:RegisterScalableTarget"]);
    assert_eq!(scaled.count(), 4);
}

#[tokio::test]
async fn a_pause_stops_every_task_whatever_the_load_and_ends_with_as_many_as_before() {
    let spec = json!({"scaling": {"maxTasks": 6, "cooldownSeconds": 60,
        "schedules": [{"name": "often", "schedule": "rate(1 minute)", "minTasks": 2, "maxTasks": 6}]}});
    let mut scaled = Scaled::new(Options::default(), &spec).await;
    scaled.converge().await;
    scaled.minutes(&cpu(95.0), 6);
    scaled.look().await;
    scaled.converge().await;
    let before = scaled.count().as_i64().unwrap();
    assert!(before >= 2);
    let mut paused = spec.clone();
    paused["paused"] = json!(true);
    scaled.edit(&paused);
    let called = scaled.converge().await;
    assert_eq!(
        called,
        [
            "application-autoscaling:RegisterScalableTarget",
            "ecs:UpdateService"
        ]
    );
    let counts = scaled.minutes(&cpu(95.0), 10);
    assert!(counts.iter().all(|count| *count == 0), "{counts:?}");
    scaled.look().await;
    assert!(scaled.plan().is_settled());
    scaled.edit(&spec);
    let called = scaled.converge().await;
    assert_eq!(
        called,
        [
            "ecs:UpdateService",
            "application-autoscaling:RegisterScalableTarget"
        ]
    );
    assert_eq!(scaled.count(), before);
}

#[tokio::test]
async fn a_schedule_sets_bounds_that_nobody_repairs() {
    let spec = json!({"scaling": {"minTasks": 2, "maxTasks": 6, "cpuThreshold": 0,
        "schedules": [{"name": "often", "schedule": "rate(5 minutes)", "minTasks": 4, "maxTasks": 5}]}});
    let mut scaled = Scaled::new(Options::default(), &spec).await;
    scaled.converge().await;
    assert_eq!(scaled.count(), 2);
    scaled.world.sim.advance(Duration::from_mins(6));
    assert_eq!(scaled.count(), 4);
    scaled.look().await;
    assert!(scaled.plan().is_settled(), "{:?}", scaled.plan());
    let observed = scaled.world.link.observed(&scaled.scope);
    let effective = privateservice_core::scaling::effective(&scaled.desired.scaling, &observed);
    assert_eq!((effective.min_tasks, effective.max_tasks), (4, 5));
    assert_eq!(effective.schedule.as_deref(), Some("often"));
}
