use super::*;
use crate::inventory::record::Seen;
use crate::timing::Timing;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::observed::{EcsDeployment, ServiceDeploymentStatus, ServiceStatus};
use std::time::Instant;

fn id() -> ServiceId {
    ("arn:cluster".to_owned(), "api".to_owned())
}

fn service(primary: &str, shown: Option<&str>) -> Service {
    let primary = EcsDeployment {
        id: primary.to_owned(),
        primary: true,
        task_definition: String::new(),
        rollout_state: None,
        rollout_reason: None,
        desired_count: 1,
        running_count: 0,
        pending_count: 0,
        failed_tasks: 0,
        created_at: None,
        updated_at: None,
    };
    Service {
        arn: "arn:service".to_owned(),
        status: ServiceStatus::Active,
        task_definition: String::new(),
        network: None,
        capacity: None,
        connect: None,
        registries: None,
        deployment: None,
        exec: None,
        unlike_ours: None,
        tags: None,
        desired_count: 1,
        running_count: 0,
        pending_count: 0,
        deployments: vec![primary],
        service_deployment: shown.map(str::to_owned),
        trouble: None,
    }
}

fn deployment(arn: &str) -> ServiceDeployment {
    ServiceDeployment {
        arn: arn.to_owned(),
        status: ServiceDeploymentStatus::InProgress,
        reason: None,
        rollback_reason: None,
        has_source: false,
        breaker_triggered: false,
        failed_tasks: 0,
        triggered_alarms: Vec::new(),
        desired_count: 1,
        running_count: 0,
        pending_count: 0,
        created_at: None,
        finished_at: None,
    }
}

/// The service has shown the deployment "a" beside the PRIMARY "p1", and "a" was read.
fn known() -> Rollouts {
    let mut rollouts = Rollouts::default();
    let mut record = Record::new(0);
    record.complete(
        1,
        Seen::Present(deployment("a")),
        Timestamp::UNIX_EPOCH,
        Instant::now(),
        &Timing::default(),
    );
    rollouts.service_seen(&id(), &service("p1", Some("a")), 0);
    rollouts.records.insert(id(), Box::new(record));
    rollouts
}

fn fact(rollouts: &Rollouts) -> Fact<ServiceDeployment> {
    rollouts.fact(&id(), &Fact::Unknown)
}

#[test]
fn the_arn_is_remembered_until_another_deployment_is_primary() {
    let mut rollouts = known();
    let ended = service("p1", None);
    rollouts.service_seen(&id(), &ended, 2);
    assert_eq!(rollouts.arn(&id(), &ended), Some("a"));
    assert!(
        fact(&rollouts).present().is_some(),
        "it is still the newest"
    );
    let other = service("p2", None);
    rollouts.service_seen(&id(), &other, 3);
    assert_eq!(rollouts.arn(&id(), &other), None, "a listing must tell");
    assert!(fact(&rollouts).is_unknown());
}

#[test]
fn a_rollback_is_the_same_service_deployment_with_another_primary() {
    let mut rollouts = known();
    rollouts.service_seen(&id(), &service("p2", Some("a")), 2);
    let ended = service("p2", None);
    rollouts.service_seen(&id(), &ended, 3);
    assert_eq!(rollouts.arn(&id(), &ended), Some("a"));
    assert!(
        fact(&rollouts).is_unknown(),
        "it was read before the rollback was seen"
    );
}

#[test]
fn what_was_known_of_an_older_one_is_forgotten() {
    let mut rollouts = known();
    let newer = service("p2", Some("b"));
    rollouts.service_seen(&id(), &newer, 2);
    assert_eq!(rollouts.arn(&id(), &newer), Some("b"));
    assert!(fact(&rollouts).is_unknown());
}

#[test]
fn while_it_is_unreadable_nothing_is_known_and_each_change_is_news_once() {
    let mut rollouts = known();
    assert!(rollouts.set_readable(&id(), false));
    assert!(!rollouts.set_readable(&id(), false));
    assert!(fact(&rollouts).is_unknown());
    assert!(rollouts.set_readable(&id(), true));
    assert!(!rollouts.set_readable(&id(), true));
    assert!(fact(&rollouts).present().is_some());
}

#[test]
fn without_a_service_there_is_none() {
    let absent = Fact::Unknown.absent_again(Timestamp::UNIX_EPOCH);
    let fact = known().fact(&id(), &absent);
    assert!(matches!(fact, Fact::Absent { .. }));
}
