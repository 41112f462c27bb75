//! Reads of ECS services and revisions, as long as nothing goes wrong.

use crate::world::{World, edit, hash, key, owner, plenty, quick};
use privateservice_aws::{Need, Timing};
use privateservice_core::fact::Fact;
use privateservice_core::observed::{Revision, ServiceStatus};
use std::time::Duration;

#[tokio::test]
async fn demands_for_25_services_share_three_calls() {
    let world = World::new().await;
    for number in 0..25 {
        world.create(&format!("s{number}")).await;
    }
    let mut after_a_restart = world.another(quick()).await;
    let scopes: Vec<_> = (0..25)
        .map(|number| world.scope(&format!("s{number}")))
        .collect();
    for scope in &scopes {
        let inventory = after_a_restart.account.inventory();
        inventory.track(&key(&scope.service), &owner(&scope.service), scope);
    }
    for scope in &scopes {
        after_a_restart.demand(scope, &[Need::Service]);
    }
    after_a_restart
        .until("all are read", |account| {
            let read = |scope| {
                account
                    .inventory()
                    .observed(scope)
                    .service
                    .present()
                    .is_some()
            };
            scopes.iter().all(read)
        })
        .await;
    // Counted by the second operator itself: the first may still read what it wrote.
    let calls = after_a_restart.account.calls();
    let described: Vec<_> = calls
        .iter()
        .filter(|call| call.operation == "ecs:DescribeServices")
        .collect();
    assert_eq!(
        described.iter().map(|call| call.count).sum::<u64>(),
        3,
        "{described:?}"
    );
}

#[tokio::test]
async fn a_service_comes_back_as_it_was_created() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world
        .link
        .until("it is read", |account| {
            account
                .inventory()
                .observed(&scope)
                .service
                .present()
                .is_some()
        })
        .await;
    let observed = world.link.observed(&scope);
    let service = observed.service.present().unwrap();
    let step = world.create_step("api", privateservice_core::step::Reference::FromEarlierStep);
    assert_eq!(service.arn, arn);
    assert_eq!(service.status, ServiceStatus::Active);
    assert_eq!(service.network, Some(step.network));
    assert_eq!(service.connect, Some(step.connect));
    assert_eq!(service.capacity, Some(step.capacity));
    assert_eq!(service.deployment, Some(step.deployment));
    assert_eq!(service.owner(), Some(owner("api")));
    assert_eq!(service.registries.as_deref(), Some([].as_slice()));
    assert!(service.deployments.first().unwrap().primary);
    assert_eq!(observed.newest.present().unwrap().hash, Some(hash("api")));
    assert_eq!(
        service.task_definition,
        observed.newest.present().unwrap().arn
    );
}

#[tokio::test]
async fn a_missing_service_is_absent() {
    let mut world = World::new().await;
    let scope = world.track("api");
    let observed = world.link.read(&scope, &[Need::Service]).await;
    assert!(
        matches!(observed.service, Fact::Absent { .. }),
        "{observed:?}"
    );
    assert_eq!(world.link.account.inventory().last_failure(&scope), None);
}

#[tokio::test]
async fn a_moving_service_is_polled_until_it_rests() {
    let timing = Timing {
        poll_interval: Duration::from_millis(30),
        ..quick()
    };
    let mut world = World::with(timing, plenty()).await;
    world.create("api").await;
    let scope = world.scope("api");
    world.link.account.inventory().set_moving(&key("api"), true);
    let sim = world.sim.clone();
    world
        .link
        .until("it runs", |account| {
            sim.advance(Duration::from_secs(20));
            let observed = account.inventory().observed(&scope);
            observed
                .service
                .present()
                .is_some_and(|service| service.running_count == 1)
        })
        .await;
}

#[tokio::test]
async fn a_sweep_sees_what_somebody_else_changed() {
    let timing = Timing {
        sweep_interval: Duration::from_millis(100),
        ..quick()
    };
    let mut world = World::with(timing, plenty()).await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    let tag = aws_sdk_ecs::types::Tag::builder()
        .key("team")
        .value("b")
        .build();
    world
        .ecs()
        .tag_resource()
        .resource_arn(arn)
        .tags(tag)
        .send()
        .await
        .unwrap();
    world
        .link
        .until("the tag is seen", |account| {
            let observed = account.inventory().observed(&scope);
            let tags = observed
                .service
                .present()
                .and_then(|service| service.tags.as_ref());
            tags.is_some_and(|tags| tags.contains_key("team"))
        })
        .await;
}

#[tokio::test]
async fn revisions_are_known_by_the_tags_of_their_owner() {
    let world = World::new().await;
    world.create("api").await;
    let scope = world.scope("api");
    let arn = world
        .link
        .observed(&scope)
        .newest
        .present()
        .unwrap()
        .arn
        .clone();
    let mut after_a_restart = world.another(quick()).await;
    let inventory = after_a_restart.account.inventory();
    inventory.track(&key("api"), &owner("api"), &scope);
    let observed = after_a_restart.read(&scope, &[Need::Newest]).await;
    let expected = Revision {
        arn,
        hash: Some(hash("api")),
        intent: Some(hash("intent")),
        active: true,
    };
    assert_eq!(observed.newest.present(), Some(&expected));
    assert_eq!(observed.revisions.values().collect::<Vec<_>>(), [&expected]);

    let mut somebody_else = world.another(quick()).await;
    let inventory = somebody_else.account.inventory();
    inventory.track(&key("api"), &owner("other"), &scope);
    let observed = somebody_else.read(&scope, &[Need::Newest]).await;
    assert_eq!(
        observed.newest.present().unwrap().hash,
        None,
        "the tags name another owner"
    );
}

#[tokio::test]
async fn a_revision_is_read_by_its_arn_and_a_family_without_any_is_absent() {
    let mut world = World::new().await;
    world.create("api").await;
    let scope = world.scope("api");
    let arn = world
        .link
        .observed(&scope)
        .newest
        .present()
        .unwrap()
        .arn
        .clone();
    let mut after_a_restart = world.another(quick()).await;
    after_a_restart
        .account
        .inventory()
        .track(&key("api"), &owner("api"), &scope);
    let observed = after_a_restart
        .read(&scope, &[Need::Revision(arn.clone())])
        .await;
    assert_eq!(observed.revisions[&arn].hash, Some(hash("api")));
    let none = world.track("web");
    let observed = world.link.read(&none, &[Need::Newest]).await;
    assert!(
        matches!(observed.newest, Fact::Absent { .. }),
        "{observed:?}"
    );
}

#[tokio::test]
async fn status_seeds_revisions_and_aws_outranks_it() {
    let world = World::new().await;
    let scope = world.track("api");
    let seed = |arn: &str| Revision {
        arn: arn.into(),
        hash: Some(hash("old")),
        intent: None,
        active: true,
    };
    world
        .link
        .account
        .inventory()
        .seed(&scope, vec![seed("arn:1")]);
    assert_eq!(
        world.link.observed(&scope).revisions["arn:1"].hash,
        Some(hash("old"))
    );
    world.link.account.forget(&key("api"));
    assert!(
        world.link.observed(&scope).revisions.is_empty(),
        "forgotten with its object"
    );
    world
        .link
        .account
        .inventory()
        .demand(&scope, &[Need::Service], edit());
    assert_eq!(
        world.calls("ecs:DescribeServices"),
        0,
        "nobody follows it any more"
    );
}
