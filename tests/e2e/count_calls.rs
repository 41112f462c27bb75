//! What things cost in AWS calls. The rarest call of all, RegisterTaskDefinition, is granted once a second.

use privateservice_tests::world::service;
use privateservice_tests::{Options, World, eventually};
use std::time::Duration;

const WEB: &str = "{source: {image: {name: 'nginx:1'}}}";

const LOOKS_AT_ENVIRONMENTS: [&str; 3] = [
    "sts:GetCallerIdentity",
    "ecs:DescribeClusters",
    "servicediscovery:GetNamespace",
];

#[tokio::test]
async fn a_service_is_created_with_one_call_for_each_thing_and_reverted_with_one_update() {
    let world = World::start(Options::default()).await.unwrap();
    let mark = world.mark();
    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();
    let created = world.calls_since(mark).writes().counts();
    let once = |name: &str| (name.to_owned(), 1);
    assert_eq!(
        created,
        [
            once("application-autoscaling:RegisterScalableTarget"),
            ("application-autoscaling:PutScalingPolicy".to_owned(), 2),
            ("monitoring:PutMetricAlarm".to_owned(), 2),
            once("ecs:CreateService"),
            once("ecs:RegisterTaskDefinition"),
            once("servicediscovery:CreateService")
        ]
        .into()
    );

    let mark = world.mark();
    world
        .apply_service("web", "{source: {image: {name: 'nginx:2'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    let updated = world.calls_since(mark).writes().counts();
    assert_eq!(
        updated,
        [
            once("ecs:RegisterTaskDefinition"),
            once("ecs:UpdateService")
        ]
        .into()
    );

    let mark = world.mark();
    world.apply_service("web", WEB).await.unwrap();
    let web = world.ready("web").await.unwrap();
    let reverted = world.calls_since(mark).writes().counts();
    assert_eq!(reverted, [once("ecs:UpdateService")].into());
    let deployed = web.status.unwrap().deployed.unwrap();
    assert_eq!(deployed.task_definition.as_deref(), Some("staging_web:1"));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_converged_service_costs_nothing_however_often_it_is_looked_at() {
    let world = World::start(Options::default()).await.unwrap();
    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();
    world.quiet().await.unwrap();

    let mark = world.mark();
    let before = world.reconciles().await.unwrap();
    // Each of these wakes the services of the Environment, and none of them means anything to a service.
    for turn in 0..5 {
        let selector = serde_json::json!({"matchExpressions": [
            {"key": format!("never-{turn}"), "operator": "DoesNotExist"}]});
        let patch = serde_json::json!({"spec": {"allowedNamespaces": selector}});
        world.patch_environment("staging", &patch).await.unwrap();
        world.environment_ready("staging").await.unwrap();
        eventually(Duration::from_secs(30), "one more pass", async || {
            let passes = world.reconciles().await?;
            anyhow::ensure!(passes > before + turn, "{passes} passes");
            Ok(())
        })
        .await
        .unwrap();
    }
    world.quiet().await.unwrap();
    // The Environment itself is looked at when its spec changes; about the service nothing is asked.
    let mut calls = world.calls_since(mark);
    calls
        .0
        .retain(|call| !LOOKS_AT_ENVIRONMENTS.contains(&call.name().as_str()));
    assert_eq!(calls.counts(), [].into());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_sweep_costs_at_most_a_quarter_of_a_call_per_service() {
    const SERVICES: usize = 40;
    const SWEEPS: usize = 3;
    let options = Options {
        sweep_seconds: 8,
        quota_share: 1.0,
        ..Options::default()
    };
    let world = World::start(options).await.unwrap();
    for number in 0..SERVICES {
        world
            .apply(&service(&format!("web-{number}"), WEB).unwrap())
            .await
            .unwrap();
    }
    for number in 0..SERVICES {
        world.ready(&format!("web-{number}")).await.unwrap();
    }

    // One page holds the whole namespace, so each sweep begins with one list call.
    let list = "servicediscovery:ListServices";
    let start = world.calls().count(list);
    // What was written last is verified before the second one.
    eventually(Duration::from_mins(1), "two sweeps to begin", async || {
        anyhow::ensure!(world.calls().count(list) > start + 1);
        Ok(())
    })
    .await
    .unwrap();
    let mark = world.mark();
    eventually(Duration::from_mins(1), "some sweeps", async || {
        anyhow::ensure!(world.calls_since(mark).count(list) >= SWEEPS);
        Ok(())
    })
    .await
    .unwrap();
    let calls = world.calls_since(mark);
    let most = SERVICES / 4 * SWEEPS;
    assert!(
        calls.total() <= most,
        "{} calls, at most {most}: {:?}",
        calls.total(),
        calls.counts()
    );
    assert_eq!(calls.writes().counts(), [].into());
    // That is, each sweep did look at every service.
    assert!(calls.count("ecs:DescribeServices") >= SERVICES / 10 * (SWEEPS - 1));
    world.finish().await.unwrap();
}
