//! What status remembers, and when.

use super::*;
use crate::assess;
use crate::claim::{claim, displaced, remains};
use crate::fixtures::{SERVICE_ARN, apply, at, empty, memory, no_secrets, owner, place, resolved};
use crate::memory::{Memory, memory as memory_from};
use crate::plan::{Need, plan};
use privateservice_api::privateservice::{Revision, RolloutStatus};

const ONE: &str = "{source: {image: {name: 'redis:1'}}}";
const TWO: &str = "{source: {image: {name: 'redis:2'}}}";

/// A memory of nothing.
fn nothing() -> &'static Memory {
    static NOTHING: std::sync::LazyLock<Memory> = std::sync::LazyLock::new(Memory::default);
    &NOTHING
}

/// The report of a pass that executed nothing.
fn report_of<'a>(
    place: &'a Place,
    resolved: &'a Resolved,
    observed: &'a Observed,
    plan: &'a Plan,
    judgement: Option<&'a Judgement>,
) -> Report<'a> {
    Report {
        place,
        resolved,
        observed_before: observed,
        observed,
        service: observed.service.present(),
        secrets: no_secrets(),
        plan,
        outcomes: &[],
        completed: true,
        ambiguous: false,
        memory: nothing(),
        failures: &[],
        judgement,
    }
}

fn created() -> (Observed, PrivateServiceStatus) {
    let resolved = resolved(ONE);
    let mut observed = empty();
    for step in plan(&resolved.desired, &observed, &memory()).steps {
        apply(&mut observed, &step, 1);
    }
    let settled = plan(&resolved.desired, &observed, &memory());
    let judgement = Judgement {
        phase: RolloutPhase::Complete,
        id: Some("ecs-svc/1".into()),
        concerns_spec: true,
        ..Judgement::default()
    };
    let place = place();
    let report = report_of(&place, &resolved, &observed, &settled, Some(&judgement));
    let verdict = assess::assess_suspended();
    let status = status(
        &PrivateServiceStatus::default(),
        &report,
        &verdict,
        Some(1),
        at(1),
    );
    (observed, status)
}

#[test]
fn a_creation_is_claimed_before_it_is_sent_and_a_claim_makes_deletion_look_twice() {
    let plan = plan(&resolved(ONE).desired, &empty(), &memory());
    let claimed = claim(&PrivateServiceStatus::default(), &place(), &plan).unwrap();
    assert_eq!(claimed.create_epoch, Some(0));
    assert_eq!(claimed.cluster, Some(place().cluster_arn));
    assert_eq!(claim(&claimed, &place(), &plan), None, "it is written once");
    let (remains, scope) = remains(owner(), &claimed, false).unwrap();
    assert!(remains.existed && remains.dns_existed);
    assert_eq!(scope.namespace_id, "ns-abc");
    assert_eq!(scope.family, "pre-prod_api");
}

#[test]
fn all_tries_of_one_recreation_keep_its_token() {
    let (_, mut status) = created();
    status.create_epoch = Some(0);
    let mut gone = empty();
    gone.service = gone.service.absent_again(at(60));
    gone.dns = gone.dns.absent_again(at(60));
    let epoch_of = |status: &PrivateServiceStatus| {
        plan(&resolved(ONE).desired, &gone, &memory_of(status)).epoch
    };
    assert_eq!(epoch_of(&status), 1);
    let first = plan(&resolved(ONE).desired, &gone, &memory_of(&status));
    let claimed = claim(&status, &place(), &first).unwrap();
    assert_eq!(
        (claimed.create_epoch, claimed.service_arn.as_ref()),
        (Some(1), None)
    );
    assert_eq!(epoch_of(&claimed), 1);
}

fn memory_of(status: &PrivateServiceStatus) -> Memory {
    memory_from("uid-1", status, at(9))
}

#[test]
fn an_update_claims_nothing_new() {
    let (observed, status) = created();
    let update = plan(&resolved(TWO).desired, &observed, &memory_of(&status));
    assert!(!update.steps.is_empty());
    assert_eq!(claim(&status, &place(), &update), None);
}

#[test]
fn a_settled_service_shows_what_serves_and_remembers_what_was_applied() {
    let (_, status) = created();
    assert_eq!(status.service_arn.as_deref(), Some(SERVICE_ARN));
    let deployed = status.deployed.unwrap();
    assert_eq!(deployed.image.as_deref(), Some("redis:1"));
    assert_eq!(deployed.task_definition.as_deref(), Some("pre-prod_api:1"));
    assert_eq!(
        status.intent.as_deref(),
        Some(resolved(ONE).desired.intent.as_str())
    );
    assert_eq!(
        status.rendering.len(),
        resolved(ONE).desired.members().len()
    );
    assert_eq!(status.revisions.len(), 1);
    assert_eq!(status.tag_keys, ["cost-center"]);
}

#[test]
fn an_edit_that_still_waits_for_its_turn_changes_nothing_of_what_is_said_to_serve() {
    let (observed, before) = created();
    let edited = resolved(TWO);
    let plan = plan(&edited.desired, &observed, &memory_of(&before));
    let judgement = Judgement {
        phase: RolloutPhase::Complete,
        id: Some("ecs-svc/1".into()),
        concerns_spec: true,
        ..Judgement::default()
    };
    let place = place();
    let report = Report {
        completed: false,
        ..report_of(&place, &edited, &observed, &plan, Some(&judgement))
    };
    let after = status(
        &before,
        &report,
        &assess::assess_suspended(),
        Some(2),
        at(2),
    );
    assert_eq!(after.deployed, before.deployed);
    assert_eq!(after.intent, before.intent);
    assert_eq!(after.observed_generation, Some(2));
}

#[test]
fn an_edit_whose_secrets_are_not_read_yet_changes_nothing_of_what_is_said_to_serve() {
    let (observed, before) = created();
    let ended = RolloutStatus {
        phase: Some(RolloutPhase::RolledBack),
        identity: Some("what failed".into()),
        failed_hash: Some("what failed".into()),
        ..RolloutStatus::default()
    };
    let before = PrivateServiceStatus {
        rollout: Some(ended.clone()),
        ..before
    };
    let edited = resolved(TWO);
    let memory = memory_of(&before);
    let wait = Plan::wait(memory.epoch, WaitingOn::Read(Need::Secrets));
    let judgement = Judgement {
        phase: RolloutPhase::Complete,
        id: Some("ecs-svc/1".into()),
        ..Judgement::default()
    };
    let place = place();
    let report = Report {
        memory: &memory,
        ..report_of(&place, &edited, &observed, &wait, Some(&judgement))
    };
    let verdict = assess::assess_suspended();
    let after = status(&before, &report, &verdict, Some(2), at(2));
    assert_eq!(after.rollout, Some(ended));
    assert_eq!(after.deployed, before.deployed);
    assert_eq!(after.intent, before.intent);
}

#[test]
fn an_update_that_was_sent_is_remembered_although_a_later_step_failed() {
    let (observed, before) = created();
    let edited = resolved(TWO);
    let plan = plan(&edited.desired, &observed, &memory_of(&before));
    let place = place();
    let outcomes = [
        Outcome::TaskDefinitionRegistered {
            arn: "arn:aws:ecs:eu-west-3:1:task-definition/pre-prod_api:2".into(),
            hash: edited.desired.task_definition.hash(),
        },
        Outcome::ServiceUpdated {
            deployment_id: Some("ecs-svc/2".into()),
        },
    ];
    let report = Report {
        completed: false,
        outcomes: &outcomes,
        ..report_of(&place, &edited, &observed, &plan, None)
    };
    let after = status(
        &before,
        &report,
        &assess::assess_suspended(),
        Some(2),
        at(2),
    );
    assert_eq!(
        after.intent.as_deref(),
        Some(edited.desired.intent.as_str())
    );
    let rollout = after.rollout.unwrap();
    assert_eq!(rollout.id.as_deref(), Some("ecs-svc/2"));
    assert_eq!(rollout.replaces.as_deref(), Some("ecs-svc/1"));
}

#[test]
fn a_service_is_not_made_again_where_its_environment_has_moved_to() {
    let (_, status) = created();
    assert_eq!(displaced(&status, &place()), None);
    let elsewhere = Place {
        cluster_arn: "arn:aws:ecs:eu-west-3:111122223333:cluster/other".into(),
        ..place()
    };
    let problem = displaced(&status, &elsewhere).unwrap();
    assert!(
        problem.message.contains("cluster/shared"),
        "{}",
        problem.message
    );
    let renamed = Place {
        namespace_arn: "arn:aws:servicediscovery:eu-west-3:111122223333:namespace/ns-new".into(),
        ..place()
    };
    assert!(displaced(&status, &renamed).is_some());
    assert_eq!(
        displaced(&PrivateServiceStatus::default(), &elsewhere),
        None
    );
}

#[test]
fn an_object_that_never_got_anywhere_leaves_nothing_to_look_for() {
    assert_eq!(
        remains(owner(), &PrivateServiceStatus::default(), false),
        None
    );
}

#[test]
fn so_many_revisions_are_remembered_and_the_serving_one_always() {
    let (mut observed, mut before) = created();
    before.revisions = (2..40)
        .map(|number| Revision {
            task_definition: format!(
                "arn:aws:ecs:eu-west-3:1:task-definition/pre-prod_api:{number}"
            ),
            hash: "h".into(),
            image: None,
        })
        .collect();
    let serving = observed.service.present().unwrap().task_definition.clone();
    let gone = format!(
        "arn:aws:ecs:eu-west-3:1:task-definition/pre-prod_api:{}",
        39
    );
    observed.revisions.insert(
        gone.clone(),
        crate::observed::Revision {
            arn: gone.clone(),
            hash: None,
            intent: None,
            active: false,
        },
    );
    let resolved = resolved(ONE);
    let plan = plan(&resolved.desired, &observed, &memory_of(&before));
    let place = place();
    let report = report_of(&place, &resolved, &observed, &plan, None);
    let after = status(
        &before,
        &report,
        &assess::assess_suspended(),
        Some(1),
        at(1),
    );
    assert_eq!(after.revisions.len(), 32);
    assert!(
        after
            .revisions
            .iter()
            .any(|revision| revision.task_definition == serving)
    );
    assert!(
        !after
            .revisions
            .iter()
            .any(|revision| revision.task_definition == gone)
    );
}
