//! Each step on an ECS service, and how AWS's refusals are understood.

use crate::world::{World, edit, key, owner, register};
use aws_sim::{Fault, FaultKind};
use privateservice_api::conditions::Reason;
use privateservice_aws::{Account, Outputs};
use privateservice_core::failure::Failure;
use privateservice_core::observed::{Scope, ServiceStatus};
use privateservice_core::service::CapacityProvider;
use privateservice_core::step::{CreateService, Outcome, Reference, Step, UpdateService};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

fn is_read(account: &Account, scope: &Scope) -> bool {
    account
        .inventory()
        .observed(scope)
        .service
        .present()
        .is_some()
}

async fn revision(world: &World, name: &str) -> Reference {
    world.track(name);
    match world.execute(name, &register(name)).await.unwrap() {
        Outcome::TaskDefinitionRegistered { arn, .. } => Reference::Known(arn),
        other => panic!("{other:?}"),
    }
}

fn create(step: CreateService) -> Step {
    Step::CreateService(Box::new(step))
}

#[tokio::test]
async fn a_role_and_the_credentials_of_a_registry_are_sent_only_if_there_are_any() {
    let world = World::new().await;
    let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:registry-AbCdEf";
    let role = "arn:aws:iam::111122223333:role/orders";
    let mut step = register("api");
    let Step::RegisterTaskDefinition {
        task_definition, ..
    } = &mut step
    else {
        panic!("{step:?}")
    };
    task_definition.task_role_arn = Some(role.into());
    task_definition.container.registry_credentials = Some(secret.into());
    for (name, step) in [("web", register("web")), ("api", step)] {
        world.track(name);
        world.execute(name, &step).await.unwrap();
    }
    let sent: Vec<_> = world
        .sim
        .requests()
        .into_iter()
        .filter(|one| one.operation == "RegisterTaskDefinition")
        .map(|one| one.body)
        .collect();
    let [without, with] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    let container = |body: &serde_json::Value| body["containerDefinitions"][0].clone();
    assert_eq!(with["taskRoleArn"], role);
    assert_eq!(
        container(with)["repositoryCredentials"],
        json!({"credentialsParameter": secret})
    );
    assert_eq!(without.get("taskRoleArn"), None);
    assert_eq!(container(without).get("repositoryCredentials"), None);
}

#[tokio::test]
async fn an_update_sends_only_what_it_names() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world
        .link
        .until("it is read", |account| is_read(account, &scope))
        .await;
    let before = world
        .link
        .observed(&scope)
        .service
        .present()
        .unwrap()
        .clone();
    let mut deployment = before.deployment.clone().unwrap();
    deployment.maximum_percent = 150;
    let update = UpdateService {
        cluster_arn: world.cluster.clone(),
        arn,
        deployment: Some(deployment.clone()),
        ..UpdateService::default()
    };
    let outcome = world
        .execute("api", &Step::UpdateService(Box::new(update)))
        .await
        .unwrap();
    let primary = before.primary().unwrap().id.clone();
    assert_eq!(
        outcome,
        Outcome::ServiceUpdated {
            deployment_id: Some(primary)
        }
    );
    world
        .link
        .until("it is read again", |account| is_read(account, &scope))
        .await;
    let after = world
        .link
        .observed(&scope)
        .service
        .present()
        .unwrap()
        .clone();
    assert_eq!(after.deployment, Some(deployment));
    assert_eq!(
        (after.network, after.connect),
        (before.network, before.connect)
    );
    assert_eq!(after.capacity, before.capacity);
    let sent = world
        .sim
        .requests()
        .into_iter()
        .find(|one| one.operation == "UpdateService");
    let sent = sent.unwrap().body;
    let names: Vec<&str> = sent
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "availabilityZoneRebalancing",
            "cluster",
            "deploymentConfiguration",
            "service"
        ]
    );
}

#[tokio::test]
async fn a_deletion_drains_and_then_frees_the_name() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world.sim.advance(Duration::from_mins(2));
    let delete = Step::DeleteService {
        cluster_arn: world.cluster.clone(),
        arn: arn.clone(),
    };
    assert_eq!(
        world.execute("api", &delete).await,
        Ok(Outcome::ServiceDeleted)
    );
    world
        .link
        .until("it drains", |account| {
            let observed = account.inventory().observed(&scope);
            observed
                .service
                .present()
                .is_some_and(|one| one.status == ServiceStatus::Draining)
        })
        .await;
    let mut again = world.create_step("api", revision(&world, "api").await);
    again.client_token = "another".into();
    let refused = world.execute("api", &create(again)).await.unwrap_err();
    assert!(
        matches!(
            refused,
            Failure::NotYet {
                reason: Reason::Draining,
                ..
            }
        ),
        "{refused:?}"
    );
    assert_eq!(
        world.execute("api", &delete).await,
        Ok(Outcome::ServiceDeleted),
        "twice is fine"
    );
    let never = Step::DeleteService {
        cluster_arn: world.cluster.clone(),
        arn: arn.replace("/api", "/never"),
    };
    assert_eq!(
        world.execute("api", &never).await,
        Ok(Outcome::ServiceDeleted),
        "gone is fine"
    );
}

#[tokio::test]
async fn tags_come_and_go() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    let keys = owner("api").tags("staging").into_keys().collect();
    let untag = Step::UntagService {
        arn: arn.clone(),
        keys,
    };
    assert_eq!(world.execute("api", &untag).await, Ok(Outcome::Tagged));
    world
        .link
        .until("it is read", |account| is_read(account, &scope))
        .await;
    assert_eq!(
        world
            .link
            .observed(&scope)
            .service
            .present()
            .unwrap()
            .owner(),
        None
    );
    let tag = Step::TagService {
        arn,
        tags: owner("api").tags("staging"),
    };
    assert_eq!(world.execute("api", &tag).await, Ok(Outcome::Tagged));
    world
        .link
        .until("it is read", |account| is_read(account, &scope))
        .await;
    let observed = world.link.observed(&scope);
    assert_eq!(
        observed.service.present().unwrap().owner(),
        Some(owner("api"))
    );
}

#[tokio::test]
async fn refusals_lead_to_what_follows_from_them() {
    let world = World::new().await;
    world.create("api").await;
    let revision = revision(&world, "api").await;

    let mut other = world.create_step("api", revision.clone());
    other.client_token = "another".into();
    other.desired_count = 3;
    let conflict = world.execute("api", &create(other)).await.unwrap_err();
    assert!(matches!(conflict, Failure::Conflict { .. }), "{conflict:?}");

    let revision = self::revision(&world, "web").await;
    let mut spot = world.create_step("web", revision.clone());
    spot.capacity = vec![CapacityProvider {
        name: "FARGATE_SPOT".into(),
        weight: 1,
        base: 0,
    }];
    let waiting = world.execute("web", &create(spot)).await.unwrap_err();
    assert!(
        matches!(
            waiting,
            Failure::Waiting {
                reason: Reason::CapacityUnavailable,
                ..
            }
        ),
        "{waiting:?}"
    );

    let mut elsewhere = world.create_step("web", revision.clone());
    elsewhere.cluster_arn = world.cluster.replace("flexstack", "nowhere");
    let waiting = world.execute("web", &create(elsewhere)).await.unwrap_err();
    assert!(
        matches!(
            waiting,
            Failure::Waiting {
                reason: Reason::EnvironmentNotReady,
                ..
            }
        ),
        "{waiting:?}"
    );

    let mut bad = world.create_step("web", revision);
    bad.deployment.minimum_healthy_percent = -5;
    let refused = world.execute("web", &create(bad)).await.unwrap_err();
    assert!(
        matches!(
            refused,
            Failure::Refused {
                reason: Reason::InvalidSpec,
                ..
            }
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_inactive_revision_is_forgotten() {
    let world = World::new().await;
    world.create("api").await;
    let scope = world.scope("api");
    let Reference::Known(arn) = revision(&world, "api").await else {
        panic!("just registered")
    };
    world
        .ecs()
        .deregister_task_definition()
        .task_definition(&arn)
        .send()
        .await
        .unwrap();
    let update = UpdateService {
        cluster_arn: world.cluster.clone(),
        arn: world
            .link
            .account
            .inventory()
            .last_known(&scope)
            .map_or_else(|| "api".to_owned(), |service| service.arn),
        task_definition: Some(Reference::Known(arn.clone())),
        ..UpdateService::default()
    };
    let gone = world
        .execute("api", &Step::UpdateService(Box::new(update)))
        .await
        .unwrap_err();
    assert!(matches!(gone, Failure::RevisionGone { .. }), "{gone:?}");
    assert!(!world.link.observed(&scope).revisions[&arn].active);
}

#[tokio::test]
async fn faults_of_aws_are_classified() {
    let world = World::new().await;
    world.track("api");
    let register = register("api");
    let operation = "ecs:RegisterTaskDefinition";
    let error = |code: &str, message: &str| FaultKind::Error {
        status: 400,
        code: code.into(),
        message: message.into(),
    };
    for (kind, expected) in [
        (FaultKind::ServerError, "Ambiguous"),
        (FaultKind::AccessDenied, "AccessDenied"),
        (
            error("ExpiredTokenException", "expired"),
            "CredentialsError",
        ),
        (error("LimitExceededException", "too many"), "QuotaExceeded"),
        (
            error(
                "ClientException",
                "Too many concurrent attempts to create a new revision of the specified family.",
            ),
            "NotYet",
        ),
        (
            error("ClientException", "Invalid 'cpu' setting for task."),
            "Refused",
        ),
        // Last, because the bucket pauses after it.
        (FaultKind::Throttle, "Throttled"),
    ] {
        world.sim.fault(Fault::next(operation, kind.clone(), 1));
        let failure = world.execute("api", &register).await.unwrap_err();
        let text = format!("{failure:?}");
        assert!(text.contains(expected), "{kind:?} became {text}");
    }
}

#[tokio::test]
async fn a_step_of_an_object_nobody_follows_is_not_sent() {
    let world = World::new().await;
    let refused = world.execute("api", &register("api")).await.unwrap_err();
    assert!(matches!(refused, Failure::Conflict { .. }), "{refused:?}");
    assert_eq!(world.calls("ecs:RegisterTaskDefinition"), 0);
}

#[tokio::test]
async fn a_reference_without_its_step_is_a_conflict() {
    let world = World::new().await;
    world.track("api");
    let step = create(world.create_step("api", Reference::FromEarlierStep));
    let failure = Box::pin(world.link.account.execute(
        &step,
        &mut Outputs::default(),
        &owner("api"),
        &key("api"),
        edit(),
    ))
    .await
    .unwrap_err();
    assert!(matches!(failure, Failure::Conflict { .. }), "{failure:?}");
}

#[tokio::test]
async fn alarms_are_always_sent_so_that_they_can_be_taken_away() {
    let mut world = World::new().await;
    let mut step = world.create_step("api", revision(&world, "api").await);
    step.deployment.alarms = BTreeSet::from(["errors".to_owned(), "latency".to_owned()]);
    let arn = match world.execute("api", &create(step.clone())).await.unwrap() {
        Outcome::ServiceCreated { arn } => arn,
        other => panic!("{other:?}"),
    };
    let scope = world.scope("api");
    let alarms = |account: &Account| {
        let observed = account.inventory().observed(&scope);
        let deployment = observed.service.present()?.deployment.clone();
        deployment.map(|deployment| deployment.alarms)
    };
    let given = step.deployment.alarms.clone();
    world
        .link
        .until("they are read", |account| {
            alarms(account).as_ref() == Some(&given)
        })
        .await;
    step.deployment.alarms.clear();
    let update = UpdateService {
        cluster_arn: world.cluster.clone(),
        arn,
        deployment: Some(step.deployment),
        ..UpdateService::default()
    };
    let update = Step::UpdateService(Box::new(update));
    world.execute("api", &update).await.unwrap();
    world
        .link
        .until("they are gone", |account| {
            alarms(account) == Some(BTreeSet::new())
        })
        .await;
    let sent: Vec<_> = world
        .sim
        .requests()
        .into_iter()
        .filter(|one| matches!(one.operation.as_str(), "CreateService" | "UpdateService"))
        .map(|one| one.body["deploymentConfiguration"]["alarms"].clone())
        .collect();
    let on = json!({"alarmNames": ["errors", "latency"], "enable": true, "rollback": true});
    let off = json!({"alarmNames": [], "enable": false, "rollback": false});
    assert_eq!(sent, [on, off]);
}
