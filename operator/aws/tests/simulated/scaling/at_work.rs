//! What was written, at work: the number of tasks under loads, minute by minute.

use super::{Scaled, cpu};
use aws_sim::{Load, Options};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test]
async fn three_minutes_above_make_more_tasks_and_a_quiet_cooldown_makes_one_fewer() {
    let spec = json!({"scaling": {"maxTasks": 12, "cooldownSeconds": 120}});
    let mut scaled = Scaled::new(Options::default(), &spec).await;
    scaled.converge().await;
    assert_eq!(scaled.minutes(&cpu(95.0), 2), [1, 1], "two are not enough");
    assert_eq!(
        scaled.minutes(&cpu(95.0), 1),
        [2],
        "15 points above: 25 %, one at least"
    );
    // Calm, but not below the threshold by five points.
    let calm = scaled.minutes(&cpu(76.0), 10);
    assert!(calm.iter().all(|count| *count == 2), "{calm:?}");
    let quiet = scaled.minutes(&cpu(10.0), 10);
    assert_eq!(quiet.last(), Some(&1), "{quiet:?}");
    let idle = scaled.minutes(&cpu(10.0), 5);
    assert!(
        idle.iter().all(|count| *count == 1),
        "not below the fewest: {idle:?}"
    );
}

#[tokio::test]
async fn the_farther_above_the_more() {
    let spec = json!({"scaling": {"minTasks": 8, "maxTasks": 100, "cpuThreshold": 50, "cooldownSeconds": 600}});
    for (load, count) in [(55.0, 8), (62.0, 10), (90.0, 12)] {
        let mut scaled = Scaled::new(Options::default(), &spec).await;
        scaled.converge().await;
        scaled.world.sim.advance(Duration::from_mins(1));
        let counts = scaled.minutes(&cpu(load), 3);
        // 10 % of 8 is one task by the least change.
        let wanted = if load < 60.0 { 9 } else { count };
        assert_eq!(counts.last(), Some(&wanted), "{load}: {counts:?}");
    }
}

#[tokio::test]
async fn an_idle_metric_never_shrinks_a_busy_service_and_missing_data_shrinks_nothing() {
    let spec = json!({"scaling": {"minTasks": 1, "maxTasks": 8, "memoryThreshold": 60, "cooldownSeconds": 60}});
    let mut scaled = Scaled::new(Options::default(), &spec).await;
    scaled.converge().await;
    let busy = Load {
        cpu_percent: Some(5.0),
        memory_percent: Some(80.0),
        ..Load::default()
    };
    let grown = scaled.minutes(&busy, 4);
    assert_eq!(grown.last(), Some(&2), "memory alone is enough: {grown:?}");
    let held = Load {
        memory_percent: Some(58.0),
        ..busy
    };
    let counts = scaled.minutes(&held, 12);
    assert!(counts.iter().all(|count| *count == 2), "{counts:?}");
    // Nothing is reported for one of them, and then for both.
    for load in [
        Load {
            cpu_percent: Some(5.0),
            ..Load::default()
        },
        Load::default(),
    ] {
        let counts = scaled.minutes(&load, 12);
        assert!(
            counts.iter().all(|count| *count == 2),
            "{load:?}: {counts:?}"
        );
    }
    let low = scaled.minutes(&cpu(5.0), 12);
    assert_eq!(low.last(), Some(&1), "{low:?}");
}

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

#[tokio::test]
async fn requests_are_counted_per_task() {
    // The simulator counts requests of ports with an application protocol.
    let spec = json!({"ports": [{"name": "default", "port": 8080, "protocol": "http"}],
        "scaling": {"cpuThreshold": 0, "requestThreshold": 100, "maxTasks": 9, "cooldownSeconds": 60}});
    let mut scaled = Scaled::http(&["default"], &spec).await;
    scaled.converge().await;
    let load = |requests: f64| Load {
        cpu_percent: Some(10.0),
        requests_per_minute: BTreeMap::from([("api_default".to_owned(), requests)]),
        ..Load::default()
    };
    let counts = scaled.minutes(&load(90.0), 5);
    assert!(counts.iter().all(|count| *count == 1), "{counts:?}");
    let counts = scaled.minutes(&load(180.0), 4);
    assert_eq!(counts.last(), Some(&2), "90 for each of two: {counts:?}");
    let counts = scaled.minutes(&load(196.0), 10);
    assert!(
        counts.iter().all(|count| *count == 2),
        "98 of 100: {counts:?}"
    );
    // No request at all is no data of requests, and 0 as long as tasks report.
    let none = Load {
        cpu_percent: Some(10.0),
        ..Load::default()
    };
    let counts = scaled.minutes(&none, 10);
    assert_eq!(counts.last(), Some(&1), "{counts:?}");
}
