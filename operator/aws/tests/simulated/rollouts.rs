//! Reads of service deployments: shared, in step with their services, and never a reason to fail.

use crate::world::{Link, World, edit, key, owner, plenty, quick};
use aws_sim::{CurrentDeployment, Fault, FaultKind, Options};
use privateservice_aws::{Account, Need, Timing};
use privateservice_core::fact::Fact;
use privateservice_core::observed::{Scope, ServiceDeployment, ServiceDeploymentStatus};
use privateservice_core::step::{Step, UpdateService};
use std::time::Duration;

const DESCRIBE: &str = "ecs:DescribeServiceDeployments";
const LIST: &str = "ecs:ListServiceDeployments";

fn deployment(account: &Account, scope: &Scope) -> Option<ServiceDeployment> {
    let observed = account.inventory().observed(scope);
    observed.deployment.present().cloned()
}

fn service_is_read(account: &Account, scope: &Scope) -> bool {
    let observed = account.inventory().observed(scope);
    observed.service.present().is_some()
}

async fn read(link: &mut Link, scope: &Scope) -> ServiceDeployment {
    link.demand(scope, &[Need::Deployment]);
    link.until("the service deployment is read", |account| {
        deployment(account, scope).is_some()
    })
    .await;
    deployment(&link.account, scope).unwrap()
}

/// Sizes of the batches so far.
fn batches(world: &World) -> Vec<usize> {
    let described = world
        .sim
        .requests()
        .into_iter()
        .filter(|one| one.name() == DESCRIBE);
    described
        .map(|one| one.body["serviceDeploymentArns"].as_array().unwrap().len())
        .collect()
}

fn unreadable(scope: &Scope) -> impl FnMut(&Account) -> bool {
    |account| account.inventory().observed(scope).deployment_unreadable
}

fn redeploy(world: &World, arn: String) -> Step {
    Step::UpdateService(Box::new(UpdateService {
        cluster_arn: world.cluster.clone(),
        arn,
        force_new_deployment: true,
        ..UpdateService::default()
    }))
}

#[tokio::test]
async fn twenty_five_rollouts_are_two_calls_a_poll() {
    let timing = Timing {
        poll_interval: Duration::from_millis(200),
        ..quick()
    };
    let world = World::new().await;
    for number in 0..25 {
        world.create(&format!("s{number}")).await;
    }
    let mut operator = world.another(timing).await;
    let scopes: Vec<Scope> = (0..25)
        .map(|number| world.scope(&format!("s{number}")))
        .collect();
    for scope in &scopes {
        let (key, inventory) = (key(&scope.service), operator.account.inventory());
        inventory.track(&key, &owner(&scope.service), scope);
        inventory.demand(scope, &[Need::Service], edit());
    }
    operator
        .until("all services are read", |account| {
            scopes.iter().all(|scope| service_is_read(account, scope))
        })
        .await;
    for scope in &scopes {
        let inventory = operator.account.inventory();
        inventory.set_moving(&key(&scope.service), true);
    }
    operator
        .eventually("some polls are over", |account| {
            let read = |scope| deployment(account, scope).is_some();
            scopes.iter().all(read) && batches(&world).len() >= 6
        })
        .await;
    let batches = batches(&world);
    assert_eq!(batches[..2].iter().sum::<usize>(), 25, "{batches:?}");
    assert!(
        batches.iter().all(|size| matches!(size, 20 | 5)),
        "{batches:?}"
    );
    assert_eq!(
        world.calls(LIST),
        0,
        "each service shows its service deployment"
    );
}

#[tokio::test]
async fn what_rests_is_not_asked_about() {
    let timing = Timing {
        sweep_interval: Duration::from_millis(50),
        ..quick()
    };
    let mut world = World::with(timing, plenty()).await;
    world.create("api").await;
    let scope = world.scope("api");
    world.sim.advance(Duration::from_mins(5));
    world
        .link
        .until("it runs", |account| {
            let observed = account.inventory().observed(&scope);
            let service = observed.service.present();
            service.is_some_and(|one| one.running_count == 1)
        })
        .await;
    let swept = || world.calls("ecs:DescribeServices");
    let before = swept();
    let three_more = |_: &Account| swept() >= before + 3;
    world.link.eventually("three sweeps", three_more).await;
    for operation in [DESCRIBE, LIST, "ecs:ListTasks", "ecs:DescribeTasks"] {
        assert_eq!(world.calls(operation), 0, "{operation}");
    }
}

#[tokio::test]
async fn a_demand_reads_the_service_first_and_then_what_it_shows() {
    let world = World::new().await;
    world.create("api").await;
    let scope = world.scope("api");
    let mut after_a_restart = world.another(quick()).await;
    let inventory = after_a_restart.account.inventory();
    inventory.track(&key("api"), &owner("api"), &scope);
    let found = read(&mut after_a_restart, &scope).await;
    assert_eq!(found.status, ServiceDeploymentStatus::InProgress);
    assert_eq!(
        (
            found.has_source,
            found.breaker_triggered,
            found.desired_count
        ),
        (false, false, 1)
    );
    assert!(found.created_at.is_some() && found.finished_at.is_none());
    let observed = after_a_restart.observed(&scope);
    let service = observed.service.present().unwrap();
    assert_eq!(service.service_deployment, Some(found.arn));
}

#[tokio::test]
async fn one_that_ended_is_listed_once_and_then_remembered() {
    let options = Options {
        current_deployment: CurrentDeployment::WhileOpen,
        ..Options::default()
    };
    let world = World::of(options, quick(), plenty()).await;
    world.create("api").await;
    let scope = world.scope("api");
    world.sim.advance(Duration::from_mins(5));
    let mut after_a_restart = world.another(quick()).await;
    let inventory = after_a_restart.account.inventory();
    inventory.track(&key("api"), &owner("api"), &scope);
    let found = read(&mut after_a_restart, &scope).await;
    assert_eq!(found.status, ServiceDeploymentStatus::Successful);
    assert!(found.finished_at.is_some());
    for _ in 0..2 {
        after_a_restart.read(&scope, &[Need::Deployment]).await;
    }
    assert_eq!((world.calls(LIST), world.calls(DESCRIBE)), (1, 3));
}

#[tokio::test]
async fn an_update_makes_it_unknown_until_the_new_one_is_read() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    let first = read(&mut world.link, &scope).await;
    let held = world.sim.hold_after("ecs:DescribeServices", 1);
    let step = redeploy(&world, arn);
    world.execute("api", &step).await.unwrap();
    held.held().await;
    assert!(world.link.observed(&scope).deployment.is_unknown());
    held.release();
    world
        .link
        .until("the new one is read", |account| {
            deployment(account, &scope).is_some()
        })
        .await;
    let second = deployment(&world.link.account, &scope).unwrap();
    assert_ne!(first.arn, second.arn);
}

#[tokio::test]
async fn somebody_elses_rollout_replaces_what_was_known() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    let first = read(&mut world.link, &scope).await;
    let update = world.ecs().update_service().cluster(&world.cluster);
    update
        .service(arn)
        .force_new_deployment(true)
        .send()
        .await
        .unwrap();
    world.link.demand(&scope, &[Need::Service]);
    world
        .link
        .until("the old one is forgotten", |account| {
            account.inventory().observed(&scope).deployment.is_unknown()
        })
        .await;
    let second = read(&mut world.link, &scope).await;
    assert_ne!(first.arn, second.arn);
}

#[tokio::test]
async fn a_missing_permission_makes_it_unreadable_and_nothing_else() {
    let mut world = World::new().await;
    world.create("api").await;
    let scope = world.scope("api");
    read(&mut world.link, &scope).await;
    world
        .sim
        .fault(Fault::always(DESCRIBE, FaultKind::AccessDenied));
    world.link.demand(&scope, &[Need::Deployment]);
    world
        .link
        .until("it is unreadable", unreadable(&scope))
        .await;
    let observed = world.link.observed(&scope);
    assert!(
        observed.deployment.is_unknown(),
        "what was known may be over"
    );
    assert!(observed.service.present().is_some());
    let inventory = world.link.account.inventory();
    assert_eq!(inventory.last_failure(&scope), None);

    world.sim.clear_faults();
    let again = read(&mut world.link, &scope).await;
    assert_eq!(again.status, ServiceDeploymentStatus::InProgress);
    assert!(!world.link.observed(&scope).deployment_unreadable);
}

#[tokio::test]
async fn an_aws_without_service_deployments_makes_them_unreadable() {
    let options = Options {
        hide_service_deployments: true,
        ..Options::default()
    };
    let mut world = World::of(options, quick(), plenty()).await;
    world.create("api").await;
    let scope = world.scope("api");
    world.link.demand(&scope, &[Need::Deployment]);
    world
        .link
        .until("it is unreadable", unreadable(&scope))
        .await;
    let inventory = world.link.account.inventory();
    assert_eq!(inventory.last_failure(&scope), None);
    assert!(world.link.observed(&scope).service.present().is_some());
}

#[tokio::test]
async fn a_moving_service_notices_that_it_is_readable_again() {
    let timing = Timing {
        poll_interval: Duration::from_millis(30),
        ..quick()
    };
    let mut world = World::with(timing, plenty()).await;
    world
        .sim
        .fault(Fault::always(DESCRIBE, FaultKind::AccessDenied));
    world.create("api").await;
    let scope = world.scope("api");
    let inventory = world.link.account.inventory();
    inventory.set_moving(&key("api"), true);
    world
        .link
        .until("it is unreadable", unreadable(&scope))
        .await;
    world.sim.clear_faults();
    world
        .link
        .until("it is read", |account| {
            deployment(account, &scope).is_some()
        })
        .await;
    assert!(!world.link.observed(&scope).deployment_unreadable);
}

#[tokio::test]
async fn a_passing_failure_does_not_make_it_unreadable() {
    let mut world = World::new().await;
    world.create("api").await;
    let scope = world.scope("api");
    world
        .sim
        .fault(Fault::next(DESCRIBE, FaultKind::ServerError, 2));
    world
        .sim
        .fault(Fault::next(DESCRIBE, FaultKind::EmptyPage, 1));
    for _ in 0..3 {
        world.link.demand(&scope, &[Need::Deployment]);
        let (calls, sim) = (world.calls(DESCRIBE), world.sim.clone());
        world
            .link
            .until("one more read failed", |_| {
                let now = sim.counts().get(DESCRIBE).copied().unwrap_or_default();
                now > calls
            })
            .await;
        let observed = world.link.observed(&scope);
        assert!(observed.deployment.is_unknown() && !observed.deployment_unreadable);
    }
    read(&mut world.link, &scope).await;
}

#[tokio::test]
async fn without_a_service_there_is_none() {
    let mut world = World::new().await;
    let scope = world.track("api");
    let observed = world.link.read(&scope, &[Need::Service]).await;
    assert!(matches!(observed.deployment, Fact::Absent { .. }));
    world.link.account.forget(&key("api"));
    let observed = world.link.observed(&scope);
    assert!(observed.deployment.is_unknown() && observed.stopped.is_unknown());
}
