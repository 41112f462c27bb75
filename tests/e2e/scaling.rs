//! Scaling through the real API server: set up, at work, repaired, paused and removed.

mod pause;
mod tags;
mod trouble;

use anyhow::{Context, ensure};
use aws_sim::Load;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use privateservice_api::privateservice::PrivateServiceStatus;
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

/// The condition about scaling.
fn condition(status: &PrivateServiceStatus) -> Option<&Condition> {
    let mut conditions = status.conditions.iter();
    conditions.find(|one| one.type_ == "AutoscalingReady")
}

/// Waits until a status says so.
pub(crate) async fn status_until(
    world: &World,
    name: &str,
    what: &str,
    holds: impl Fn(&PrivateServiceStatus) -> bool,
) -> PrivateServiceStatus {
    eventually(DEADLINE, what, async || {
        let status = world.service(name).await?.status.context("no status")?;
        ensure!(holds(&status), "{status:?}");
        Ok(status)
    })
    .await
    .unwrap()
}

/// What was sent with UpdateService, as far as it is about a count.
fn counts_sent(world: &World) -> Vec<Value> {
    let calls = world.calls();
    let updates = calls
        .0
        .iter()
        .filter(|one| one.operation == "UpdateService");
    updates
        .filter_map(|one| one.body.get("desiredCount").cloned())
        .collect()
}

#[tokio::test]
async fn a_service_is_ready_with_its_scaling_and_an_edit_of_that_alone_unsets_nothing() {
    let world = World::start(Options::default()).await.unwrap();
    let spec =
        "{source: {image: {name: 'web:1'}}, scaling: {minTasks: 2, maxTasks: 6}, tags: {team: a}}";
    world.apply_service("web", spec).await.unwrap();
    let status = world.ready("web").await.unwrap().status.unwrap();
    assert_eq!(
        condition(&status).unwrap().message,
        "2 to 6 tasks, by CPU at 80 %"
    );
    let effective = status.effective.unwrap().scaling.unwrap();
    assert_eq!(
        json!(effective),
        json!({"minTasks": 2, "maxTasks": 6, "cpuThreshold": 80, "memoryThreshold": 0,
            "requestThreshold": 0, "cooldownSeconds": 300, "policy": "StepAlarms"})
    );
    assert_eq!(status.tasks.unwrap().desired, 2);
    let target = world.scalable_target("web").unwrap();
    assert_eq!(
        (&target["MinCapacity"], &target["MaxCapacity"]),
        (&json!(2), &json!(6))
    );
    let arn = target["ScalableTargetARN"].clone();
    let asked = json!({"ResourceARN": arn});
    let tags = world
        .aws
        .call("application-autoscaling:ListTagsForResource", asked)
        .await
        .unwrap();
    assert_eq!(tags["Tags"]["team"], "a");
    assert!(
        tags["Tags"]["flexstack.dev/owner"]
            .as_str()
            .unwrap()
            .ends_with("/web")
    );

    // Only scaling changes: what serves goes on being what is asked for.
    let since = |status: &PrivateServiceStatus| {
        let ready = status.conditions.iter().find(|one| one.type_ == "Ready");
        ready.unwrap().last_transition_time.clone()
    };
    let before = since(&world.service("web").await.unwrap().status.unwrap());
    let mark = world.mark();
    let more = spec.replace("maxTasks: 6", "maxTasks: 6, memoryThreshold: 70");
    world.apply_service("web", &more).await.unwrap();
    world.ready("web").await.unwrap();
    let status = status_until(&world, "web", "memory to count", |status| {
        condition(status).is_some_and(|one| one.message.contains("memory at 70 %"))
    })
    .await;
    assert_eq!(since(&status), before);
    let calls = world.calls_since(mark).writes().counts();
    assert_eq!(
        calls,
        [
            ("application-autoscaling:PutScalingPolicy".to_owned(), 1),
            ("monitoring:PutMetricAlarm".to_owned(), 2)
        ]
        .into()
    );
    assert_eq!(world.alarms("web").len(), 3);

    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_number_of_tasks_follows_the_load_and_no_rollout_or_restart_sets_it_back() {
    let options = Options {
        sweep_seconds: 2,
        ..Options::default()
    };
    let mut world = World::start(options).await.unwrap();
    let spec = "{source: {image: {name: 'web:1'}}, scaling: {maxTasks: 4, cooldownSeconds: 60}}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let load = |percent: f64| {
        let load = Load {
            cpu_percent: Some(percent),
            ..Load::default()
        };
        world.simulator.set_load(None, "web", Some(load));
    };
    load(99.0);
    let desired = |wanted: i32| {
        move |status: &PrivateServiceStatus| {
            status
                .tasks
                .is_some_and(|tasks| tasks.desired == wanted && tasks.running == wanted)
        }
    };
    status_until(&world, "web", "four tasks", desired(4)).await;
    let next = spec.replace("web:1", "web:2");
    world.apply_service("web", &next).await.unwrap();
    let ready = world.ready("web").await.unwrap();
    assert_eq!(ready.status.unwrap().tasks.unwrap().desired, 4);
    world.kill_operator();
    world.start_operator().await.unwrap();
    world.reconcile("web", "again").await.unwrap();
    assert_eq!(world.ecs_service("web").unwrap()["desiredCount"], 4);
    let calm = Load {
        cpu_percent: Some(1.0),
        ..Load::default()
    };
    world.simulator.set_load(None, "web", Some(calm));
    status_until(&world, "web", "one task", desired(1)).await;
    assert_eq!(counts_sent(&world), [] as [Value; 0]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_somebody_changes_is_put_back_and_what_is_not_ours_is_left_alone() {
    let world = World::start(Options::default()).await.unwrap();
    let spec = "{source: {image: {name: 'web:1'}}, scaling: {maxTasks: 6}}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let before = (world.scalable_target("web").unwrap(), world.alarms("web"));
    let resource = before.0["ResourceId"].clone();
    let register = json!({"ServiceNamespace": "ecs", "ResourceId": resource,
        "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 3, "MaxCapacity": 3});
    let call = async |operation: &str, body: Value| {
        world.aws.call(operation, body).await.unwrap();
    };
    call("application-autoscaling:RegisterScalableTarget", register).await;
    let theirs = json!({"AlarmName": "theirs", "MetricName": "CPUUtilization", "Namespace": "AWS/ECS",
        "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold"});
    call("monitoring:PutMetricAlarm", theirs.clone()).await;
    let mut high = theirs;
    high["AlarmName"] = json!("staging/web/cpu-high");
    call("monitoring:PutMetricAlarm", high).await;
    world.reconcile("web", "look").await.unwrap();
    eventually(DEADLINE, "all to be as it was", async || {
        let now = world.scalable_target("web").context("no target")?;
        ensure!(now["MaxCapacity"] == 6 && now["MinCapacity"] == 1, "{now}");
        let alarms = world.alarms("web");
        ensure!(alarms[0]["Threshold"] == 80.0, "{alarms:?}");
        ensure!(
            alarms[0]["AlarmActions"] == before.1[0]["AlarmActions"],
            "{alarms:?}"
        );
        Ok(())
    })
    .await
    .unwrap();
    // The count that it was brought to is within the bounds and stays.
    assert_eq!(world.ecs_service("web").unwrap()["desiredCount"], 3);
    assert_eq!(world.simulator.alarm_state("theirs").map(|_| ()), Some(()));

    // One that is missing is looked for twice, half a minute apart.
    let names = json!({"AlarmNames": ["staging/web/scale-in"]});
    call("monitoring:DeleteAlarms", names).await;
    world.reconcile("web", "look again").await.unwrap();
    eventually(DEADLINE, "the alarm to be back", async || {
        ensure!(world.alarms("web").len() == 2);
        Ok(())
    })
    .await
    .unwrap();
    let mark = world.mark();
    world.reconcile("web", "and again").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn samples_of_scaling_become_ready_and_leave_nothing_behind() {
    let world = World::start(Options::default()).await.unwrap();
    let folder = "config/samples/scaling";
    let kubectl = async |args: &[&str]| world.kubectl(args, "").await.unwrap().ok().unwrap();
    kubectl(&["apply", "-f", folder]).await;
    world.ready("catalog").await.unwrap();
    world.ready("reports").await.unwrap();
    assert_eq!(world.alarms("catalog").len(), 4);
    assert_eq!(world.alarms("reports").len(), 0);
    let target = world.scalable_target("reports").unwrap();
    let length = |of: &str| target[of].as_array().map(Vec::len);
    assert_eq!(length("ScheduledActions"), Some(2), "{target}");
    assert_eq!(length("Policies"), Some(1), "{target}");
    let mark = world.mark();
    world.reconcile("catalog", "look").await.unwrap();
    world.reconcile("reports", "look").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    kubectl(&["delete", "--timeout=180s", "-f", folder]).await;
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}
