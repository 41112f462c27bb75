use aws_sdk_ecs::types::{
    DeploymentAlarms, DeploymentConfiguration, DeploymentRolloutState, ServiceDeploymentAlarms,
    ServiceDeploymentRollbackMonitorsStatus as Monitors, ServiceDeploymentStatus as Status,
};
use aws_sim::Options;
use serde_json::json;

use crate::harness::{Harness, container, refusal, start};

fn alarms(names: &[&str], rollback: bool) -> DeploymentConfiguration {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let alarms = DeploymentAlarms::builder()
        .set_alarm_names(Some(names))
        .enable(true)
        .rollback(rollback);
    DeploymentConfiguration::builder()
        .alarms(alarms.build().unwrap())
        .build()
}

/// A service that runs image `a` and watches `errors`; returns its task definition.
async fn watched(harness: &Harness, rollback: bool) -> String {
    let definition = harness.running("api", "a").await;
    let update = harness.update("api");
    let update = update.deployment_configuration(alarms(&["errors"], rollback));
    update.send().await.unwrap();
    definition
}

async fn status(harness: &Harness) -> (Status, ServiceDeploymentAlarms) {
    let record = harness.newest_deployment("api").await;
    let alarms = record.alarms().unwrap().clone();
    (record.status().unwrap().clone(), alarms)
}

#[tokio::test]
async fn an_alarm_rolls_a_deployment_back() {
    let harness = start(Options::default()).await;
    let first = watched(&harness, true).await;
    harness.roll("api", "b").await;
    harness.advance(20);
    let (state, shown) = status(&harness).await;
    assert_eq!(
        (state, shown.status()),
        (Status::InProgress, Some(&Monitors::Monitoring))
    );
    assert_eq!(shown.alarm_names(), ["errors"]);
    let body = json!({"name": "errors", "in_alarm": true});
    assert_eq!(harness.control("alarm", body).await, 200);
    let service = harness.describe("api").await;
    let failed = &service.deployments()[0];
    assert_eq!(
        failed.rollout_state(),
        Some(&DeploymentRolloutState::Failed)
    );
    assert!(failed.rollout_state_reason().unwrap().contains("alarm"));
    let (state, shown) = status(&harness).await;
    assert_eq!(
        (state, shown.status()),
        (Status::RollbackRequested, Some(&Monitors::Triggered))
    );
    assert_eq!(shown.triggered_alarm_names(), ["errors"]);
    harness.advance(120);
    // The alarm still stands and does not disturb the way back.
    assert_eq!(status(&harness).await.0, Status::RollbackSuccessful);
    let service = harness.describe("api").await;
    assert_eq!(service.task_definition(), Some(first.as_str()));
}

#[tokio::test]
async fn an_alarm_without_rollback_stops_the_deployment() {
    let harness = start(Options::default()).await;
    watched(&harness, false).await;
    let second = harness.roll("api", "b").await;
    harness.simulator.set_alarm("errors", true);
    harness.advance(120);
    assert_eq!(status(&harness).await.0, Status::Stopped);
    let service = harness.describe("api").await;
    assert_eq!(service.task_definition(), Some(second.as_str()));
    let state = service.deployments()[0].rollout_state();
    assert_eq!(state, Some(&DeploymentRolloutState::Failed));
}

#[tokio::test]
async fn an_alarm_that_stood_before_or_that_nobody_named_is_ignored() {
    let harness = start(Options::default()).await;
    watched(&harness, true).await;
    harness.simulator.set_alarm("errors", true);
    harness.roll("api", "b").await;
    harness.simulator.set_alarm("other", true);
    harness.simulator.set_alarm("errors", false);
    harness.simulator.set_alarm("errors", true);
    harness.advance(180);
    let (state, shown) = status(&harness).await;
    assert_eq!(state, Status::Successful);
    assert_eq!(shown.status(), Some(&Monitors::MonitoringComplete));
    assert!(shown.triggered_alarm_names().is_empty());
}

#[tokio::test]
async fn a_deployment_with_alarms_bakes_first() {
    let harness = start(Options::default()).await;
    watched(&harness, true).await;
    harness.roll("api", "b").await;
    // Healthy after 55 s, 5 s to stop the old task, then the bake time.
    harness.advance(110);
    assert_eq!(harness.describe("api").await.deployments().len(), 1);
    assert_eq!(status(&harness).await.0, Status::InProgress);
    harness.advance(30);
    assert_eq!(status(&harness).await.0, Status::Successful);
    // Over: it fails nothing any more.
    harness.simulator.set_alarm("errors", true);
    harness.advance(60);
    assert_eq!(status(&harness).await.0, Status::Successful);
}

#[tokio::test]
async fn alarms_are_kept_by_an_update_that_does_not_name_them_and_off_by_default() {
    let harness = start(Options::default()).await;
    watched(&harness, true).await;
    let other = DeploymentConfiguration::builder().maximum_percent(150);
    let update = harness
        .update("api")
        .deployment_configuration(other.build());
    update.send().await.unwrap();
    let service = harness.describe("api").await;
    let shown = service.deployment_configuration().unwrap();
    assert_eq!(shown.alarms().unwrap().alarm_names(), ["errors"]);
    assert_eq!(shown.maximum_percent(), Some(150));
    let nameless = harness
        .update("api")
        .deployment_configuration(alarms(&[], true));
    assert!(refusal(nameless.send().await).starts_with("InvalidParameterException"));

    let definition = harness.register("off", container("a")).await;
    harness.service("off", &definition).send().await.unwrap();
    let record = harness.newest_deployment("off").await;
    let shown = record.alarms().unwrap();
    assert_eq!(shown.status(), Some(&Monitors::Disabled));
}
