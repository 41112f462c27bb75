//! Cloud Map: one listing for everybody, owners, and the steps on DNS services.

use crate::world::{World, key, owner, plenty, quick};
use aws_sim::{Fault, FaultKind};
use privateservice_api::meta;
use privateservice_aws::{Need, Timing};
use privateservice_core::fact::Fact;
use privateservice_core::failure::Failure;
use privateservice_core::observed::{ObservedDns, Scope};
use privateservice_core::owner::Owner;
use privateservice_core::service::DnsService;
use privateservice_core::step::{Outcome, Step};
use std::time::Duration;

const LIST: &str = "servicediscovery:ListServices";
const LIST_TAGS: &str = "servicediscovery:ListTagsForResource";

fn create(name: &str, request: &str) -> Step {
    Step::CreateDnsService {
        dns: DnsService {
            namespace_id: crate::backdrop::NAMESPACE.into(),
            name: name.into(),
            ttl: 10,
            creator_request_id: request.into(),
        },
        tags: owner(name).tags("staging"),
    }
}

fn described(owner: &Owner) -> String {
    format!("PrivateService {}", owner.tag_value())
}

fn dns(world: &World, scope: &Scope) -> Fact<ObservedDns> {
    world.link.observed(scope).dns
}

/// So many services in Cloud Map, named `s000` and so on.
fn fill(world: &World, count: usize) {
    for number in 0..count {
        let name = format!("s{number:03}");
        world
            .cloud_map
            .put(&name, Some(&described(&owner(&name))), &[]);
    }
}

fn id_of(arn: &str) -> String {
    arn.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn one_listing_answers_for_everybody_in_the_namespace() {
    let mut world = World::new().await;
    fill(&world, 250);
    let scopes: Vec<_> = (0..260)
        .map(|number| world.track(&format!("s{number:03}")))
        .collect();
    for scope in &scopes {
        world.link.demand(scope, &[Need::Dns]);
    }
    world
        .link
        .until("all are read", |account| {
            scopes
                .iter()
                .all(|scope| !account.inventory().observed(scope).dns.is_unknown())
        })
        .await;
    assert_eq!((world.calls(LIST), world.calls(LIST_TAGS)), (3, 0));
    for (number, scope) in scopes.iter().enumerate() {
        let fact = dns(&world, scope);
        let owned = fact.present().map(|found| found.owner.clone());
        let expected = (number < 250).then(|| Some(owner(&scope.service)));
        assert_eq!(owned, expected, "{}", scope.service);
    }
}

#[tokio::test]
async fn a_listing_with_a_failed_page_says_nothing() {
    let mut world = World::new().await;
    fill(&world, 150);
    let (first, absent) = (world.track("s000"), world.track("zzz"));
    world
        .sim
        // The second page, as often as it is tried.
        .fault(Fault::next(LIST, FaultKind::ServerError, 3).after(1));
    world.link.demand(&absent, &[Need::Dns]);
    world.link.read(&first, &[Need::Dns]).await;
    assert!(dns(&world, &first).is_unknown() && dns(&world, &absent).is_unknown());
    world.link.demand(&absent, &[Need::Dns]);
    world
        .link
        .until("the next listing is whole", |account| {
            !account.inventory().observed(&absent).dns.is_unknown()
        })
        .await;
    assert!(matches!(dns(&world, &absent), Fact::Absent { .. }));
}

#[tokio::test]
async fn a_page_that_fails_once_does_not_cost_those_before_it() {
    let mut world = World::new().await;
    fill(&world, 150);
    let scope = world.track("s149");
    world
        .sim
        .fault(Fault::next(LIST, FaultKind::Throttle, 1).after(1));
    let observed = world.link.read(&scope, &[Need::Dns]).await;
    assert!(observed.dns.present().is_some());
    assert_eq!(world.calls(LIST), 3, "two pages, one of them twice");
}

#[tokio::test]
async fn one_empty_listing_does_not_confirm_an_absence() {
    let mut world = World::new().await;
    world
        .cloud_map
        .put("api", Some(&described(&owner("api"))), &[]);
    let scope = world.track("api");
    let observed = world.link.read(&scope, &[Need::Dns]).await;
    assert!(observed.dns.present().is_some());
    world.sim.fault(Fault::next(LIST, FaultKind::EmptyPage, 1));
    let observed = world.link.read(&scope, &[Need::Dns]).await;
    assert!(!observed.dns.is_absence_confirmed());
    let observed = world.link.read(&scope, &[Need::Dns]).await;
    assert!(observed.dns.present().is_some());
}

#[tokio::test]
async fn a_description_that_names_nobody_followed_is_checked_by_tags_once() {
    let mut world = World::new().await;
    let by_hand = world.track("by-hand");
    world.cloud_map.put("by-hand", None, &[]);
    let theirs = world.track("theirs");
    let other = owner("other");
    let value = other.tag_value();
    world.cloud_map.put(
        "theirs",
        Some(&described(&other)),
        &[(meta::TAG_OWNER, &value)],
    );
    world.link.demand(&theirs, &[Need::Dns]);
    world.link.read(&by_hand, &[Need::Dns]).await;
    world
        .link
        .until("both are read", |account| {
            [&by_hand, &theirs]
                .iter()
                .all(|scope| account.inventory().observed(scope).dns.present().is_some())
        })
        .await;
    assert_eq!(dns(&world, &by_hand).present().unwrap().owner, None);
    assert_eq!(dns(&world, &theirs).present().unwrap().owner, Some(other));
    assert_eq!(world.calls(LIST_TAGS), 2);
    world.link.read(&by_hand, &[Need::Dns]).await;
    assert_eq!(world.calls(LIST_TAGS), 2, "asked once");
}

#[tokio::test]
async fn a_service_followed_after_a_listing_uses_it() {
    let timing = Timing {
        listing_reuse: Duration::from_hours(1),
        ..quick()
    };
    let mut world = World::with(timing, plenty()).await;
    world
        .cloud_map
        .put("web", Some(&described(&owner("web"))), &[]);
    let first = world.track("api");
    world.link.read(&first, &[Need::Dns]).await;
    let (web, new) = (world.track("web"), world.track("new"));
    assert_eq!(
        dns(&world, &web).present().unwrap().owner,
        Some(owner("web"))
    );
    assert!(matches!(dns(&world, &new), Fact::Absent { .. }));
    let made = world.execute("new", &create("new", "r1")).await.unwrap();
    assert!(matches!(made, Outcome::DnsServiceCreated { .. }));
    world.link.account.forget(&key("new"));
    let again = world.track("new");
    assert!(
        dns(&world, &again).is_unknown(),
        "the listing is older than our write"
    );
    assert_eq!(world.calls(LIST), 1);
}

#[tokio::test]
async fn a_creation_is_known_from_its_answer_and_idempotent() {
    let mut world = World::new().await;
    let scope = world.track("api");
    world.sim.fault(Fault::next(
        "servicediscovery:CreateService",
        FaultKind::LostAnswer,
        1,
    ));
    let lost = world.execute("api", &create("api", "r1")).await;
    assert!(matches!(lost, Err(Failure::Ambiguous { .. })), "{lost:?}");
    assert!(dns(&world, &scope).is_unknown());
    let made = world.execute("api", &create("api", "r1")).await.unwrap();
    let Outcome::DnsServiceCreated { id, arn } = made else {
        panic!("{made:?}")
    };
    let expected = ObservedDns {
        id,
        arn: arn.clone(),
        owner: Some(owner("api")),
    };
    assert_eq!(dns(&world, &scope).present(), Some(&expected));
    assert_eq!(world.cloud_map.names(), ["api"]);
    assert_eq!(world.cloud_map.tags(&arn), owner("api").tags("staging"));
    let observed = world.link.read(&scope, &[Need::Dns]).await;
    assert_eq!(
        observed.dns.present(),
        Some(&expected),
        "a listing says the same"
    );
    let other = world.execute("api", &create("api", "r2")).await;
    assert!(matches!(other, Err(Failure::Conflict { .. })), "{other:?}");
}

#[tokio::test]
async fn a_deletion_looks_at_the_tags_first() {
    let mut world = World::new().await;
    let scope = world.track("api");
    let value = owner("api").tag_value();
    let ours = world.cloud_map.put(
        "api",
        Some(&described(&owner("api"))),
        &[(meta::TAG_OWNER, &value)],
    );
    let observed = world.link.read(&scope, &[Need::Dns]).await;
    assert!(observed.dns.present().is_some());
    world.cloud_map.set_instances(&ours, 1);
    let delete = Step::DeleteDnsService { id: id_of(&ours) };
    let busy = world.execute("api", &delete).await;
    assert!(matches!(busy, Err(Failure::NotYet { .. })), "{busy:?}");
    assert!(dns(&world, &scope).present().is_some(), "it is still there");
    world.cloud_map.set_instances(&ours, 0);
    assert_eq!(
        world.execute("api", &delete).await,
        Ok(Outcome::DnsServiceDeleted)
    );
    assert_eq!(
        world.calls(LIST_TAGS),
        1,
        "one look is enough for both tries"
    );
    assert!(world.cloud_map.names().is_empty());
    assert!(matches!(dns(&world, &scope), Fact::Absent { .. }));
}

#[tokio::test]
async fn what_carries_no_tag_of_ours_is_not_deleted_whatever_its_description_says() {
    let mut world = World::new().await;
    let scope = world.track("api");
    let released = world
        .cloud_map
        .put("api", Some(&described(&owner("api"))), &[]);
    let observed = world.link.read(&scope, &[Need::Dns]).await;
    assert_eq!(observed.dns.present().unwrap().owner, Some(owner("api")));
    let delete = Step::DeleteDnsService {
        id: id_of(&released),
    };
    let refused = world.execute("api", &delete).await;
    assert!(
        matches!(refused, Err(Failure::Conflict { .. })),
        "{refused:?}"
    );
    assert_eq!(world.cloud_map.names(), ["api"]);
    world
        .link
        .until("the tags outrank the description", |account| {
            let observed = account.inventory().observed(&scope);
            observed
                .dns
                .present()
                .is_some_and(|found| found.owner.is_none())
        })
        .await;
}

#[tokio::test]
async fn a_service_that_is_gone_counts_as_deleted() {
    let world = World::new().await;
    world.track("api");
    let value = owner("api").tag_value();
    let gone = world
        .cloud_map
        .put("api", None, &[(meta::TAG_OWNER, &value)]);
    world.cloud_map.remove(&gone);
    let delete = Step::DeleteDnsService { id: id_of(&gone) };
    assert_eq!(
        world.execute("api", &delete).await,
        Ok(Outcome::DnsServiceDeleted)
    );
}

#[tokio::test]
async fn letting_go_removes_the_tags() {
    let mut world = World::new().await;
    let scope = world.track("api");
    let made = world.execute("api", &create("api", "r1")).await.unwrap();
    let Outcome::DnsServiceCreated { arn, .. } = made else {
        panic!("{made:?}")
    };
    let keys = owner("api").tags("staging").into_keys().collect();
    let untag = Step::UntagDnsService {
        arn: arn.clone(),
        keys,
    };
    assert_eq!(world.execute("api", &untag).await, Ok(Outcome::Tagged));
    assert!(world.cloud_map.tags(&arn).is_empty());
    world
        .link
        .until("it is nobody's", |account| {
            let observed = account.inventory().observed(&scope);
            observed
                .dns
                .present()
                .is_some_and(|found| found.owner.is_none())
        })
        .await;
}
