//! Reads that fail: nothing becomes known by them, and nothing known is lost.

use crate::world::{World, edit, plenty, quick};
use aws_sim::{Fault, FaultKind};
use privateservice_api::conditions::Reason;
use privateservice_aws::{Need, Timing};
use privateservice_core::failure::Failure;
use std::time::Duration;

const DESCRIBE: &str = "ecs:DescribeServices";

#[tokio::test]
async fn an_empty_page_proves_nothing() {
    let mut world = World::new().await;
    let unknown = world.track("web");
    world
        .sim
        .fault(Fault::next(DESCRIBE, FaultKind::EmptyPage, 1));
    let observed = world.link.read(&unknown, &[Need::Service]).await;
    assert!(observed.service.is_unknown(), "{observed:?}");
    let failure = world.link.account.inventory().last_failure(&unknown);
    assert!(
        matches!(failure, Some(Failure::Ambiguous { .. })),
        "{failure:?}"
    );

    let mut world = World::new().await;
    world.create("api").await;
    let scope = world.scope("api");
    let known = |account: &privateservice_aws::Account| {
        account
            .inventory()
            .observed(&scope)
            .service
            .present()
            .is_some()
    };
    world.link.until("it is read", known).await;
    world
        .sim
        .fault(Fault::next(DESCRIBE, FaultKind::EmptyPage, 1));
    let observed = world.link.read(&scope, &[Need::Service]).await;
    assert!(observed.service.present().is_some(), "what was known stays");
}

#[tokio::test]
async fn a_denied_read_says_so_and_recovers() {
    let mut world = World::new().await;
    let scope = world.track("api");
    world
        .sim
        .fault(Fault::always(DESCRIBE, FaultKind::AccessDenied));
    let observed = world.link.read(&scope, &[Need::Service]).await;
    assert!(observed.service.is_unknown());
    let failure = world.link.account.inventory().last_failure(&scope).unwrap();
    assert!(
        matches!(
            failure,
            Failure::Waiting {
                reason: Reason::AccessDenied,
                ..
            }
        ),
        "{failure:?}"
    );
    world.sim.clear_faults();
    let observed = world.link.read(&scope, &[Need::Service]).await;
    assert!(!observed.service.is_unknown());
    assert_eq!(world.link.account.inventory().last_failure(&scope), None);
}

#[tokio::test]
async fn each_demand_for_what_cannot_be_read_is_one_call() {
    let mut world = World::new().await;
    let scope = world.track("api");
    world
        .sim
        .fault(Fault::always(DESCRIBE, FaultKind::ServerError));
    for _ in 0..4 {
        // A reconcile that demands again as soon as it is woken; the pauses in between are the record's own tests.
        world.link.read(&scope, &[Need::Service]).await;
    }
    assert_eq!(world.calls(DESCRIBE), 4);
}

#[tokio::test]
async fn throttling_is_counted_and_the_read_comes_later() {
    let mut world = World::new().await;
    let scope = world.track("api");
    world
        .sim
        .fault(Fault::next(DESCRIBE, FaultKind::Throttle, 1));
    let observed = world.link.read(&scope, &[Need::Service]).await;
    assert!(observed.service.is_unknown());
    assert_eq!(world.link.account.limits().throttles(), 1);
    let observed = world.link.read(&scope, &[Need::Service]).await;
    assert!(!observed.service.is_unknown());
}

#[tokio::test]
async fn missed_sweeps_are_counted_and_the_object_is_told() {
    let timing = Timing {
        sweep_interval: Duration::from_millis(50),
        ..quick()
    };
    let mut world = World::with(timing, plenty()).await;
    world.create("api").await;
    let scope = world.scope("api");
    world
        .sim
        .fault(Fault::always(DESCRIBE, FaultKind::AccessDenied));
    world
        .link
        .until("three are missed", |account| {
            account.inventory().missed_sweeps(&scope) >= 3
        })
        .await;
    world.sim.clear_faults();
    world
        .link
        .until("none is missed", |account| {
            account.inventory().missed_sweeps(&scope) == 0
        })
        .await;
}

#[tokio::test]
async fn a_revision_that_cannot_be_read_stays_unknown() {
    let mut world = World::new().await;
    let scope = world.track("api");
    let operation = "ecs:DescribeTaskDefinition";
    world
        .sim
        .fault(Fault::next(operation, FaultKind::ServerError, 1));
    let observed = world.link.read(&scope, &[Need::Newest]).await;
    assert!(observed.newest.is_unknown());
    world
        .link
        .account
        .inventory()
        .demand(&scope, &[Need::Newest], edit());
    world
        .link
        .until("it is read", |account| {
            !account.inventory().observed(&scope).newest.is_unknown()
        })
        .await;
}
