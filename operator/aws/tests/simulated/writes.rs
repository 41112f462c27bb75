//! Writes against reads: order, lost answers, and what stays visible meanwhile.

use crate::world::{World, hash, owner, register};
use aws_sim::{Fault, FaultKind};
use privateservice_aws::{Account, Need, Outputs};
use privateservice_core::failure::Failure;
use privateservice_core::observed::Scope;
use privateservice_core::step::{Reference, Step};
use std::collections::BTreeMap;

fn tags(value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("team".to_owned(), value.to_owned())])
}

fn tag_of(account: &Account, scope: &Scope) -> Option<String> {
    let observed = account.inventory().observed(scope);
    observed
        .service
        .present()?
        .tags
        .as_ref()?
        .get("team")
        .cloned()
}

fn is_read(account: &Account, scope: &Scope) -> bool {
    account
        .inventory()
        .observed(scope)
        .service
        .present()
        .is_some()
}

#[tokio::test]
async fn a_read_that_began_before_a_write_is_not_believed() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world
        .link
        .until("it is read", |account| is_read(account, &scope))
        .await;
    let held = world.sim.hold_after("ecs:DescribeServices", 1);
    world.link.account.inventory().sweep_now(&scope);
    held.held().await;
    let step = Step::TagService {
        arn,
        tags: tags("b"),
    };
    world.execute("api", &step).await.unwrap();
    assert!(world.link.observed(&scope).service.is_unknown());
    assert!(
        world.link.account.inventory().last_known(&scope).is_some(),
        "still shown"
    );
    held.release();
    let mut seen = Vec::new();
    world
        .link
        .until("the write is seen", |account| {
            if is_read(account, &scope) {
                seen.push(tag_of(account, &scope));
            }
            !seen.is_empty()
        })
        .await;
    assert_eq!(
        seen,
        [Some("b".to_owned())],
        "the older read must not show through"
    );
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_unknown_until_read() {
    let mut world = World::new().await;
    let scope = world.track("api");
    let mut outputs = Outputs::default();
    world
        .link
        .execute("api", &register("api"), &mut outputs)
        .await
        .unwrap();
    world.link.read(&scope, &[Need::Service]).await;
    world
        .sim
        .fault(Fault::next("ecs:CreateService", FaultKind::LostAnswer, 1));
    let create = world.create_step("api", Reference::FromEarlierStep);
    let create = Step::CreateService(Box::new(create));
    let lost = world.link.execute("api", &create, &mut outputs).await;
    assert!(matches!(lost, Err(Failure::Ambiguous { .. })), "{lost:?}");
    assert!(world.link.observed(&scope).service.is_unknown());
    let observed = world.link.read(&scope, &[Need::Service]).await;
    assert_eq!(
        observed.service.present().unwrap().owner(),
        Some(owner("api"))
    );
    let again = world.link.execute("api", &create, &mut outputs).await;
    assert!(
        again.is_ok(),
        "the same token creates nothing twice: {again:?}"
    );
}

#[tokio::test]
async fn a_registration_whose_answer_is_lost_is_found_by_its_tags() {
    let mut world = World::new().await;
    let scope = world.track("api");
    world.sim.fault(Fault::next(
        "ecs:RegisterTaskDefinition",
        FaultKind::LostAnswer,
        1,
    ));
    let lost = world.execute("api", &register("api")).await;
    assert!(matches!(lost, Err(Failure::Ambiguous { .. })), "{lost:?}");
    assert_eq!(
        world.calls("ecs:RegisterTaskDefinition"),
        1,
        "the SDK must not retry"
    );
    assert!(world.link.observed(&scope).newest.is_unknown());
    let observed = world.link.read(&scope, &[Need::Newest]).await;
    assert_eq!(observed.newest.present().unwrap().hash, Some(hash("api")));
}

#[tokio::test]
async fn a_refused_write_leaves_what_is_known() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world
        .link
        .until("it is read", |account| is_read(account, &scope))
        .await;
    for kind in [FaultKind::Throttle, FaultKind::AccessDenied] {
        world.sim.fault(Fault::next("ecs:TagResource", kind, 1));
        let step = Step::TagService {
            arn: arn.clone(),
            tags: tags("b"),
        };
        assert!(world.execute("api", &step).await.is_err());
        assert!(is_read(&world.link.account, &scope));
    }
}

#[tokio::test]
async fn a_cancelled_write_leaves_its_target_unknown() {
    let mut world = World::new().await;
    let arn = world.create("api").await;
    let scope = world.scope("api");
    world
        .link
        .until("it is read", |account| is_read(account, &scope))
        .await;
    let held = world.sim.hold_after("ecs:TagResource", 1);
    let step = Step::TagService {
        arn,
        tags: tags("b"),
    };
    {
        let write = world.execute("api", &step);
        tokio::select! {
            result = write => panic!("the answer is held: {result:?}"),
            () = held.held() => {}
        }
    }
    assert!(world.link.observed(&scope).service.is_unknown());
    held.release();
    world.link.read(&scope, &[Need::Service]).await;
    assert_eq!(tag_of(&world.link.account, &scope), Some("b".to_owned()));
}
