//! Writes: what is asked for, whose it is, what is remembered of it, and what a deletion leaves.

use super::Scaled;
use crate::world::{owner, quick};
use aws_sim::Options;
use privateservice_api::privateservice::Autoscaling;
use privateservice_aws::{Need, Outputs};
use privateservice_core::plan::{Remains, plan_deletion};
use serde_json::json;

/// Whatever is asked for is what AWS shows afterwards, in a form that equals it: nothing is written twice.
#[tokio::test]
async fn every_kind_of_scaling_is_written_once_and_recognised() {
    let web = json!([{"name": "web", "port": 80, "protocol": "http"}]);
    let specs = [
        json!({}),
        json!({"scaling": {"memoryThreshold": 70, "cooldownSeconds": 60}}),
        json!({"ports": web, "scaling": {"requestThreshold": 600}}),
        json!({"ports": web, "scaling": {"cpuThreshold": 0, "requestThreshold": 600}}),
        json!({"ports": web, "scaling": {"policy": "TargetTracking", "memoryThreshold": 60, "requestThreshold": 600}}),
        json!({"scaling": {"minTasks": 2, "maxTasks": 2}}),
        json!({"scaling": {"cpuThreshold": 0}}),
        json!({"scaling": {"schedules": [
            {"name": "night", "schedule": "cron(0 20 ? * MON-FRI *)", "timezone": "Europe/Berlin", "maxTasks": 2},
            {"name": "often", "schedule": "rate(12 hours)", "timezone": "Europe/Berlin", "minTasks": 2},
            {"name": "once", "schedule": "at(2099-01-31T08:00:00)", "minTasks": 0, "maxTasks": 0}]}}),
        json!({"paused": true}),
    ];
    let mut scaled = Scaled::new(Options::default(), &specs[0]).await;
    for spec in specs.iter().chain(specs.iter().rev()) {
        scaled.edit(spec);
        let called = scaled.converge().await;
        assert!(called.len() <= 14, "{spec}: {called:?}");
        scaled.look().await;
        assert!(scaled.plan().is_settled(), "{spec}: {:?}", scaled.plan());
    }
    let alarms = aws_sdk_cloudwatch::Client::new(&scaled.world.sdk());
    let left = alarms.describe_alarms().send().await.unwrap();
    let left: Vec<_> = left
        .metric_alarms()
        .iter()
        .map(|alarm| alarm.alarm_name().unwrap())
        .collect();
    assert_eq!(
        left,
        ["staging/api/cpu-high", "staging/api/scale-in"],
        "nothing of what was wanted in between"
    );
}

#[tokio::test]
async fn tags_name_the_owner_and_are_read_only_when_status_forgot() {
    let mut scaled = Scaled::new(Options::default(), &json!({})).await;
    scaled.converge().await;
    assert_eq!(
        scaled
            .world
            .calls("application-autoscaling:ListTagsForResource"),
        0
    );
    // Another process, with nothing in status.
    scaled.world.link = scaled.world.another(quick()).await;
    scaled.world.track("api");
    scaled.status.autoscaling = None;
    scaled.look().await;
    assert_eq!(scaled.converge().await, [""; 0]);
    let asked = |operation: &str| scaled.world.calls(operation);
    assert_eq!(asked("application-autoscaling:ListTagsForResource"), 1);
    assert_eq!(asked("monitoring:ListTagsForResource"), 2);

    // Somebody else's tag on one of them is respected.
    let alarms = aws_sdk_cloudwatch::Client::new(&scaled.world.sdk());
    let owner = aws_sdk_cloudwatch::types::Tag::builder()
        .key("flexstack.dev/owner")
        .value("kube-2/team/api")
        .build();
    let arn = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:staging/api/cpu-high";
    let tagged = alarms.tag_resource().resource_arn(arn).tags(owner);
    tagged.send().await.unwrap();
    scaled.world.link = scaled.world.another(quick()).await;
    scaled.world.track("api");
    scaled.status.autoscaling = None;
    scaled.edit(&json!({"scaling": {"cpuThreshold": 50}}));
    scaled.look().await;
    let plan = scaled.feed().await;
    assert_eq!(plan.steps, []);
    assert_eq!(plan.conflict.unwrap().arn, arn);
}

#[tokio::test]
async fn a_deletion_leaves_nothing_and_retain_leaves_all_without_an_owner() {
    for retain in [false, true] {
        let spec = json!({"scaling": {"memoryThreshold": 70}});
        let mut scaled = Scaled::new(Options::default(), &spec).await;
        scaled.converge().await;
        let remains = Remains {
            owner: owner("api"),
            cluster_arn: scaled.world.cluster.clone(),
            existed: true,
            dns_existed: false,
            scaling: Some(scaled.memory()),
            retain,
        };
        scaled.world.link.read(&scaled.scope, &[Need::Dns]).await;
        let plan = plan_deletion(&remains, &scaled.world.link.observed(&scaled.scope));
        let mut called = Vec::new();
        for step in &plan.steps {
            let mut outputs = Outputs::default();
            let done = scaled.world.link.execute("api", step, &mut outputs).await;
            done.unwrap();
            called.push(step.operation());
        }
        scaled.look().await;
        let observed = scaled.world.link.observed(&scaled.scope);
        let seen = observed.scaling.present().unwrap();
        if retain {
            assert_eq!(seen.alarms.len(), 3);
            assert!(seen.target.is_some());
            assert!(observed.owners.values().all(Option::is_none));
        } else {
            assert!(seen.target.is_none() && seen.policies.is_empty() && seen.alarms.is_empty());
            assert_eq!(
                called,
                [
                    "cloudwatch:DeleteAlarms",
                    "application-autoscaling:DeregisterScalableTarget",
                    "ecs:DeleteService"
                ]
            );
            // Again, as after a lost answer.
            let again = plan.steps.first().unwrap();
            let mut outputs = Outputs::default();
            let done = scaled.world.link.execute("api", again, &mut outputs).await;
            done.unwrap();
        }
    }
}

#[tokio::test]
async fn status_remembers_what_is_ours() {
    let mut scaled = Scaled::new(Options::default(), &json!({})).await;
    scaled.converge().await;
    let Some(Autoscaling {
        target: Some(target),
        alarms,
        ..
    }) = scaled.status.autoscaling.clone()
    else {
        panic!("{:?}", scaled.status.autoscaling)
    };
    assert!(
        target.starts_with("arn:aws:application-autoscaling:"),
        "{target}"
    );
    assert_eq!(alarms, ["staging/api/cpu-high", "staging/api/scale-in"]);
}
