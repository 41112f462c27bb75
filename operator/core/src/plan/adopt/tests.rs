use crate::desired::Desired;
use crate::fact::Fact;
use crate::fixtures::{CLUSTER_ID, Known, apply, at, empty, memory, object, owner, place};
use crate::guard::{self, Violation};
use crate::memory::Memory;
use crate::observed::{Observed, ObservedDns, RolloutState, Service};
use crate::owner::Owner;
use crate::place::Place;
use crate::plan::{Plan, WaitingOn, plan};
use crate::resolve::resolve;
use crate::step::Step;
use privateservice_api::conditions::Reason;
use privateservice_api::meta;

/// A service that asks to take over what is there, in a place that grants it.
fn desired(more: &str) -> Desired {
    let place = Place {
        grants: serde_saphyr::from_str("[{namespaces: [team-a], adopt: true}]").unwrap(),
        ..place()
    };
    let spec = object(&format!(
        "{{source: {{image: {{name: 'redis:7'}}}}, adopt: true{more}}}"
    ));
    resolve(&spec, &place, CLUSTER_ID, &Known::default())
        .unwrap()
        .desired
}

/// AWS with a service that somebody made by hand, and a DNS service it is registered with.
fn by_hand(desired: &Desired) -> Observed {
    let mut observed = empty();
    for step in &plan(desired, &observed, &memory()).steps {
        apply(&mut observed, step, 1);
    }
    // Nothing of it carries a hash of ours.
    observed.revisions.clear();
    observed.newest = Fact::Unknown;
    let arn = service(&mut observed).task_definition.clone();
    observed.revisions.insert(
        arn.clone(),
        crate::observed::Revision {
            arn,
            hash: None,
            intent: None,
            active: true,
        },
    );
    let service = service(&mut observed);
    service.desired_count = 3;
    let tags = service.tags.as_mut().unwrap();
    tags.retain(|key, _| !key.starts_with(meta::TAG_PREFIX));
    tags.insert("made-by".into(), "hand".into());
    if let Fact::Present { value, .. } = &mut observed.dns {
        value.owner = None;
    }
    observed
}

fn service(observed: &mut Observed) -> &mut Service {
    match &mut observed.service {
        Fact::Present { value, .. } => value,
        _ => panic!(),
    }
}

fn operations(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(Step::operation).collect()
}

#[test]
fn the_tags_come_first_and_alone_then_all_the_rest_and_the_count_stays() {
    let desired = desired("");
    let mut observed = by_hand(&desired);
    observed.newest = Fact::Unknown.absent_again(at(0));
    let first = plan(&desired, &observed, &memory());
    assert_eq!(operations(&first), ["ecs:TagResource"]);
    assert_eq!(guard::check(&first, &observed, &owner()), Ok(()));
    apply(&mut observed, &first.steps[0], 2);
    assert_eq!(service(&mut observed).owner(), Some(owner()));

    let existed = Memory {
        existed: true,
        ..memory()
    };
    let second = plan(&desired, &observed, &existed);
    assert_eq!(guard::check(&second, &observed, &owner()), Ok(()));
    assert_eq!(
        operations(&second),
        [
            "servicediscovery:TagResource",
            "ecs:RegisterTaskDefinition",
            "ecs:UpdateService"
        ]
    );
    for step in &second.steps {
        apply(&mut observed, step, 3);
    }
    assert_eq!(service(&mut observed).desired_count, 3);
    let known = Memory {
        dns_existed: true,
        ..existed
    };
    assert!(plan(&desired, &observed, &known).is_settled());
}

#[test]
fn what_carries_an_owner_of_whatever_form_is_not_touched() {
    let desired = desired("");
    let somebody = Owner {
        cluster_id: "other".into(),
        ..owner()
    };
    for value in [somebody.tag_value(), "garbage".to_owned()] {
        let mut observed = by_hand(&desired);
        let tags = service(&mut observed).tags.as_mut().unwrap();
        tags.insert(meta::TAG_OWNER.into(), value);
        let refused = plan(&desired, &observed, &memory());
        assert!(refused.steps.is_empty());
        assert_eq!(refused.conflict.unwrap().obstacle, None);
    }
    // A DNS service of somebody else stops the rest too.
    let mut observed = by_hand(&desired);
    service(&mut observed).tags = Some(desired.tags.clone());
    service(&mut observed).registries = Some(vec![]);
    observed.dns = Fact::seen(
        ObservedDns {
            id: "srv-9".into(),
            arn: "arn:aws:servicediscovery:eu-west-3:111122223333:service/srv-9".into(),
            owner: Some(somebody),
        },
        at(2),
    );
    let refused = plan(&desired, &observed, &memory());
    assert!(refused.steps.is_empty() && refused.conflict.is_some());
}

#[test]
fn without_the_wish_nothing_is_taken_over_and_the_guard_knows() {
    let wish = desired("");
    let observed = by_hand(&wish);
    let without = Desired {
        adopt: false,
        ..wish.clone()
    };
    let refused = plan(&without, &observed, &memory());
    assert!(refused.steps.is_empty() && refused.conflict.is_some());
    let mut stolen = plan(&wish, &observed, &memory());
    stolen.adopts = false;
    assert!(matches!(
        guard::check(&stolen, &observed, &owner()),
        Err(Violation::NotOurs(_))
    ));
}

#[test]
fn what_is_unlike_ours_is_refused_in_words() {
    let desired = desired("");
    let mut observed = by_hand(&desired);
    service(&mut observed).unlike_ours = Some("has a load balancer");
    let refused = plan(&desired, &observed, &memory());
    assert!(refused.steps.is_empty());
    assert_eq!(
        refused.conflict.unwrap().obstacle,
        Some("has a load balancer")
    );
}

#[test]
fn a_deployment_of_somebody_else_is_waited_for() {
    let desired = desired("");
    let mut observed = by_hand(&desired);
    service(&mut observed).deployments[0].rollout_state = Some(RolloutState::InProgress);
    let waits = plan(&desired, &observed, &memory());
    assert!(waits.steps.is_empty());
    assert_eq!(waits.waiting_on, [WaitingOn::Settling]);
}

#[test]
fn adoption_must_be_granted() {
    let spec = object("{source: {image: {name: 'redis:7'}}, adopt: true}");
    let problem = resolve(&spec, &place(), CLUSTER_ID, &Known::default()).unwrap_err();
    assert_eq!(problem.reason, Reason::NamespaceNotAllowed);
    assert!(
        problem
            .message
            .contains("{namespaces: [team-a], adopt: true}"),
        "{}",
        problem.message
    );
}
