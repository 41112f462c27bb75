//! Stopped tasks as evidence, the end of a rollout on demand, and the end of a revision.

use crate::world::{World, key, register};
use aws_sim::{Behaviour, Subject};
use privateservice_api::privateservice::EndedBy;
use privateservice_aws::{Account, Need};
use privateservice_core::fact::Fact;
use privateservice_core::observed::{Scope, ServiceDeploymentStatus, StoppedTasks};
use privateservice_core::step::{Outcome, Reference, Step, UpdateService};
use std::time::Duration;

fn stopped(account: &Account, scope: &Scope) -> Option<StoppedTasks> {
    let observed = account.inventory().observed(scope);
    observed.stopped.present().cloned()
}

fn status(account: &Account, scope: &Scope) -> Option<ServiceDeploymentStatus> {
    let observed = account.inventory().observed(scope);
    observed.deployment.present().map(|one| one.status)
}

fn behave(world: &World, behaviour: Behaviour) {
    world.sim.behave(Subject::Service("api".into()), behaviour);
}

async fn registered(world: &World) -> String {
    match world.execute("api", &register("api")).await.unwrap() {
        Outcome::TaskDefinitionRegistered { arn, .. } => arn,
        other => panic!("{other:?}"),
    }
}

/// Starts a rollout of a new revision; what it is made of is in the registration.
async fn roll_out(world: &World, arn: &str) {
    let update = UpdateService {
        cluster_arn: world.cluster.clone(),
        arn: arn.to_owned(),
        task_definition: Some(Reference::Known(registered(world).await)),
        ..UpdateService::default()
    };
    let step = Step::UpdateService(Box::new(update));
    world.execute("api", &step).await.unwrap();
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_leaves_evidence() {
    let mut world = World::new().await;
    let broken = Behaviour {
        cannot_pull: true,
        ..Behaviour::default()
    };
    behave(&world, broken);
    world.create("api").await;
    let scope = world.scope("api");
    world.sim.advance(Duration::from_secs(16));
    world.link.read(&scope, &[Need::Stopped]).await;
    world
        .link
        .until("a task stopped", |account| {
            stopped(account, &scope).is_some_and(|stopped| !stopped.tasks.is_empty())
        })
        .await;
    let evidence = stopped(&world.link.account, &scope).unwrap();
    let task = &evidence.tasks[0];
    assert_eq!(task.stop_code.as_deref(), Some("TaskFailedToStart"));
    assert!(
        task.reason
            .as_ref()
            .unwrap()
            .starts_with("CannotPullContainerError")
    );
    assert!(!task.started && task.at.is_some());
    assert!(task.started_by.as_ref().unwrap().starts_with("ecs-svc/"));
    assert_eq!(task.containers[0].name, "app");
    assert_eq!(task.containers[0].exit_code, None);
    world.sim.advance(Duration::from_secs(5));
    world.link.demand(&scope, &[Need::Stopped]);
    world
        .link
        .until("it is down", |account| {
            stopped(account, &scope).is_some_and(|stopped| stopped.settled)
        })
        .await;
}

#[tokio::test]
async fn what_a_rollout_replaced_is_no_evidence() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world.sim.advance(Duration::from_mins(3));
    roll_out(&world, &arn).await;
    world.sim.advance(Duration::from_mins(3));
    let all = world.ecs().list_tasks().cluster(&world.cluster);
    let all = all
        .desired_status(aws_sdk_ecs::types::DesiredStatus::Stopped)
        .send()
        .await
        .unwrap();
    assert_eq!(all.task_arns().len(), 1, "the old task");
    world.link.demand(&scope, &[Need::Stopped]);
    world
        .link
        .until("they are read", |account| {
            stopped(account, &scope).is_some()
        })
        .await;
    let nothing = StoppedTasks {
        tasks: Vec::new(),
        settled: true,
    };
    assert_eq!(stopped(&world.link.account, &scope), Some(nothing));
}

#[tokio::test]
async fn a_service_that_is_not_there_has_no_stopped_tasks() {
    let mut world = World::new().await;
    let scope = world.track("api");
    let observed = world.link.read(&scope, &[Need::Stopped]).await;
    assert!(matches!(observed.stopped, Fact::Absent { .. }));
    assert_eq!(world.calls("ecs:DescribeTasks"), 0);
}

#[tokio::test]
async fn a_stop_rolls_back_and_a_second_one_finds_nothing() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world.sim.advance(Duration::from_mins(3));
    let endless = Behaviour {
        start_delay: Duration::from_hours(1),
        ..Behaviour::default()
    };
    behave(&world, endless);
    roll_out(&world, &arn).await;
    // The update looks again by itself.
    world
        .link
        .until("it is under way", |account| {
            status(account, &scope) == Some(ServiceDeploymentStatus::InProgress)
        })
        .await;
    let observed = world.link.observed(&scope);
    let deployment = observed.deployment.present().unwrap();
    assert!(deployment.has_source);
    let stop = Step::StopServiceDeployment {
        service: arn,
        arn: deployment.arn.clone(),
        why: EndedBy::Deadline,
    };
    let outcome = world.execute("api", &stop).await;
    assert_eq!(outcome, Ok(Outcome::DeploymentStopped));
    let ended = |account: &Account| {
        matches!(
            status(account, &scope),
            Some(
                ServiceDeploymentStatus::RollbackRequested
                    | ServiceDeploymentStatus::RollbackInProgress
                    | ServiceDeploymentStatus::RollbackSuccessful
            )
        )
    };
    world.link.until("it goes back", ended).await;
    let again = world.execute("api", &stop).await;
    assert!(
        matches!(again, Ok(Outcome::NothingToStop { ref message }) if !message.is_empty()),
        "{again:?}"
    );
    world
        .link
        .until("both are read again", |account| {
            let observed = account.inventory().observed(&scope);
            observed.service.present().is_some() && ended(account)
        })
        .await;
}

#[tokio::test]
async fn the_first_deployment_cannot_be_stopped_and_neither_can_an_unknown_one() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world.link.demand(&scope, &[Need::Deployment]);
    world
        .link
        .until("it is under way", |account| {
            status(account, &scope).is_some()
        })
        .await;
    let observed = world.link.observed(&scope);
    let first = observed.deployment.present().unwrap().arn.clone();
    let never = format!("{first}-never");
    for deployment in [first, never] {
        let stop = Step::StopServiceDeployment {
            service: arn.clone(),
            arn: deployment,
            why: EndedBy::Deadline,
        };
        let outcome = world.execute("api", &stop).await;
        assert!(
            matches!(outcome, Ok(Outcome::NothingToStop { .. })),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_deregistered_revision_is_known_to_be_inactive() {
    let world = World::new().await;
    let scope = world.track("api");
    let old = registered(&world).await;
    let new = registered(&world).await;
    let deregister = |arn: &str| Step::DeregisterTaskDefinition {
        arn: arn.to_owned(),
    };
    let done = |arn: &str| Outcome::TaskDefinitionDeregistered {
        arn: arn.to_owned(),
    };
    for time in ["once", "twice"] {
        let outcome = world.execute("api", &deregister(&old)).await;
        assert_eq!(outcome, Ok(done(&old)), "{time}");
    }
    let observed = world.link.observed(&scope);
    assert!(!observed.revisions[&old].active);
    assert_eq!(
        observed.newest.present().map(|one| one.arn.as_str()),
        Some(new.as_str()),
        "another one is the newest"
    );
    let never = format!("{old}000");
    let outcome = world.execute("api", &deregister(&never)).await;
    assert_eq!(outcome, Ok(done(&never)), "gone is what we want");
    world.execute("api", &deregister(&new)).await.unwrap();
    assert!(world.link.observed(&scope).newest.is_unknown());
    world.link.account.forget(&key("api"));
}
