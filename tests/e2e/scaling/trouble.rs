//! Scaling that cannot be set up: told, retried, and never a reason to touch what is somebody else's.

use super::{condition, status_until};
use aws_sim::{Fault, FaultKind};
use privateservice_tests::{Options, World};
use serde_json::json;

const WEB: &str = "{source: {image: {name: 'web:1'}}}";

#[tokio::test]
async fn a_missing_permission_is_named_and_what_it_was_for_made_up_for() {
    let world = World::start(Options::default()).await.unwrap();
    let denied = Fault::always("monitoring:PutMetricAlarm", FaultKind::AccessDenied);
    world.simulator.fault(denied);
    world.apply_service("web", WEB).await.unwrap();
    let message = world.refused("web", "AccessDenied").await.unwrap();
    assert!(message.contains("cloudwatch:PutMetricAlarm"), "{message}");
    let status = world.service("web").await.unwrap().status.unwrap();
    let found = condition(&status).unwrap();
    assert_eq!(
        (found.status.as_str(), found.reason.as_str()),
        ("False", "AccessDenied")
    );
    world.simulator.clear_faults();
    world.ready("web").await.unwrap();
    assert_eq!(world.alarms("web").len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_alarm_of_that_name_that_is_somebody_elses_is_left_alone() {
    let world = World::start(Options::default()).await.unwrap();
    let theirs = json!({"AlarmName": "staging/web/cpu-high", "MetricName": "Queue", "Namespace": "App",
        "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold"});
    world
        .aws
        .call("monitoring:PutMetricAlarm", theirs)
        .await
        .unwrap();
    world.apply_service("web", WEB).await.unwrap();
    let message = world.refused("web", "NameConflict").await.unwrap();
    assert!(message.contains("staging/web/cpu-high"), "{message}");
    assert_eq!(world.alarms("web")[0]["Namespace"], "App");
    let names = json!({"AlarmNames": ["staging/web/cpu-high"]});
    world
        .aws
        .call("monitoring:DeleteAlarms", names)
        .await
        .unwrap();
    world.reconcile("web", "look").await.unwrap();
    world.ready("web").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn throttling_costs_time_and_nothing_else() {
    let world = World::start(Options::default()).await.unwrap();
    for operation in ["application-autoscaling:*", "monitoring:*"] {
        world.simulator.fault(Fault {
            probability: Some(0.3),
            ..Fault::always(operation, FaultKind::Throttle)
        });
    }
    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();
    world.simulator.clear_faults();
    assert_eq!(world.alarms("web").len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn retain_leaves_scaling_at_work_and_lets_go_of_it() {
    let world = World::start(Options::default()).await.unwrap();
    let spec = WEB.replace("{source", "{deletionPolicy: Retain, source");
    world.apply_service("web", &spec).await.unwrap();
    world.ready("web").await.unwrap();
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    let target = world.scalable_target("web").unwrap();
    let asked = json!({"ResourceARN": target["ScalableTargetARN"]});
    let tags = world
        .aws
        .call("application-autoscaling:ListTagsForResource", asked)
        .await
        .unwrap();
    assert_eq!(tags["Tags"].get("flexstack.dev/owner"), None, "{tags}");
    assert_eq!(world.alarms("web").len(), 2);

    // And is taken over again where that is asked for and granted.
    let grants = json!([{"namespaces": [world.namespace], "adopt": true}]);
    let patch = json!({"spec": {"grants": grants}});
    world.patch_environment("staging", &patch).await.unwrap();
    world.environment_ready("staging").await.unwrap();
    let adopting = WEB.replace("{source", "{adopt: true, source");
    world.apply_service("web", &adopting).await.unwrap();
    world.ready("web").await.unwrap();
    status_until(&world, "web", "scaling to be ours again", |status| {
        condition(status).is_some_and(|one| one.status == "True")
    })
    .await;
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}
