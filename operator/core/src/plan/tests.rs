//! The laws of planning, on a pure AWS.

use super::*;
use crate::desired::Desired;
use crate::desired::Pinned;
use crate::fixtures::{self, apply, at, empty, memory, object, place, resolved};
use crate::memory::Applied;
use crate::observed::{ObservedDns, Revision};
use crate::report;
use crate::resolve::resolve;
use crate::service::{CapacityProvider, Member};
use crate::{claim, memory};
use privateservice_api::meta;
use privateservice_api::privateservice::PrivateServiceStatus;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SIMPLE: &str = "{source: {image: {name: 'redis:7'}}}";
const OTHER: &str = "{source: {image: {name: 'redis:8'}}}";

fn desired(spec: &str) -> Desired {
    resolved(spec).desired
}

/// Plans and applies until nothing is planned; the operations in order, and the memory as status would keep it.
fn converge(
    spec: &str,
    observed: &mut Observed,
    status: &mut PrivateServiceStatus,
) -> Vec<&'static str> {
    let resolved = resolved(spec);
    let mut calls = Vec::new();
    for _ in 0..5 {
        let plan = plan(
            &resolved.desired,
            observed,
            &memory::memory("uid-1", status, at(9)),
        );
        assert!(
            plan.waiting_on.is_empty(),
            "waits for {:?}",
            plan.waiting_on
        );
        assert_eq!(
            crate::guard::check(&plan, observed, &fixtures::owner()),
            Ok(())
        );
        for step in &plan.steps {
            apply(observed, step, 1);
            calls.push(step.operation());
        }
        let verdict = crate::assess::assess_suspended();
        *status = report::status(
            status,
            &report::Report {
                place: &place(),
                resolved: &resolved,
                observed_before: observed,
                observed,
                service: observed.service.present(),
                secrets: crate::fixtures::no_secrets(),
                plan: &plan,
                outcomes: &[],
                completed: true,
                ambiguous: false,
                memory: &memory::memory("uid-1", status, at(9)),
                failures: &[],
                judgement: None,
            },
            &verdict,
            Some(1),
            at(2),
        );
        if plan.steps.is_empty() {
            return calls;
        }
    }
    panic!("does not converge: {calls:?}");
}

#[test]
fn a_plain_service_is_made_with_one_call_of_each_kind() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    assert_eq!(
        converge(SIMPLE, &mut observed, &mut status),
        [
            "servicediscovery:CreateService",
            "ecs:RegisterTaskDefinition",
            "ecs:CreateService"
        ]
    );
}

#[test]
fn a_revert_is_one_update_and_no_registration() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    assert_eq!(
        converge(OTHER, &mut observed, &mut status),
        ["ecs:RegisterTaskDefinition", "ecs:UpdateService"]
    );
    // As after a restart: only status and what the service shows are known.
    observed.revisions = memory::remembered_revisions(&status)
        .into_iter()
        .map(|revision| (revision.arn.clone(), revision))
        .collect();
    observed.newest = Fact::Unknown;
    assert_eq!(
        converge(SIMPLE, &mut observed, &mut status),
        ["ecs:UpdateService"]
    );
}

#[test]
fn turning_dns_off_removes_the_dns_service_after_the_registration() {
    let off = "{source: {image: {name: 'redis:7'}}, network: {dns: false}}";
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    assert_eq!(
        converge(off, &mut observed, &mut status),
        ["ecs:UpdateService", "servicediscovery:DeleteService"]
    );
    assert_eq!(status.discovery.unwrap().service_id, None);
}

#[test]
fn nothing_is_planned_on_what_is_unknown() {
    let mut observed = empty();
    observed.service = Fact::Unknown;
    let plan = plan(&desired(SIMPLE), &observed, &memory());
    assert_eq!(plan.steps, []);
    assert_eq!(plan.needs(), [Need::Service]);
}

#[test]
fn a_registration_waits_until_the_newest_revision_is_known() {
    let mut observed = empty();
    observed.newest = Fact::Unknown;
    let plan = plan(&desired(SIMPLE), &observed, &memory());
    assert_eq!(plan.steps, []);
    assert_eq!(plan.needs(), [Need::Newest]);
}

#[test]
fn a_service_that_existed_is_recreated_only_after_a_second_look_and_with_another_token() {
    let mut existed = Memory {
        existed: true,
        ..memory()
    };
    let mut observed = empty();
    let first = plan(&desired(SIMPLE), &observed, &existed);
    assert_eq!(
        first.waiting_on,
        [WaitingOn::AbsenceConfirmation(Need::Service)]
    );
    assert_eq!(first.steps, []);
    observed.service = observed.service.absent_again(at(31));
    let second = plan(&desired(SIMPLE), &observed, &existed);
    assert_eq!(second.epoch, 1);
    existed.existed = false;
    let fresh = plan(&desired(SIMPLE), &empty(), &existed);
    let token = |plan: &Plan| {
        plan.steps.iter().find_map(|step| match step {
            Step::CreateService(create) => Some(create.client_token.clone()),
            _ => None,
        })
    };
    assert!(token(&second).is_some());
    assert_ne!(token(&second), token(&fresh));
    assert!(token(&second).unwrap().len() <= 36);
}

#[test]
fn draining_is_waited_for() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let Fact::Present { value: service, .. } = &mut observed.service else {
        panic!()
    };
    service.status = ServiceStatus::Draining;
    let plan = plan(&desired(SIMPLE), &observed, &memory());
    assert_eq!(
        (plan.steps, plan.waiting_on),
        (vec![], vec![WaitingOn::Draining])
    );
}

#[test]
fn somebody_elses_service_of_that_name_is_a_conflict_and_not_touched() {
    for tags in [
        BTreeMap::new(),
        BTreeMap::from([(
            meta::TAG_OWNER.to_owned(),
            "cluster-uid/team-b/api".to_owned(),
        )]),
        BTreeMap::from([(
            meta::TAG_OWNER.to_owned(),
            "other-cluster/team-a/api".to_owned(),
        )]),
    ] {
        let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
        converge(SIMPLE, &mut observed, &mut status);
        let Fact::Present { value: service, .. } = &mut observed.service else {
            panic!()
        };
        service.tags = Some(tags);
        let plan = plan(&desired(OTHER), &observed, &memory());
        assert_eq!(plan.steps, []);
        assert!(plan.conflict.is_some());
        let remains = Remains {
            owner: fixtures::owner(),
            cluster_arn: place().cluster_arn,
            existed: true,
            dns_existed: true,
            scaling: None,
            retain: false,
        };
        let deletion = plan_deletion(&remains, &observed);
        assert!(
            !deletion
                .steps
                .iter()
                .any(|step| matches!(step, Step::DeleteService { .. }))
        );
    }
}

#[test]
fn somebody_elses_dns_service_is_a_conflict() {
    let mut observed = empty();
    observed.dns = Fact::seen(
        ObservedDns {
            id: "srv-9".into(),
            arn: "arn:other".into(),
            owner: None,
        },
        at(0),
    );
    let plan = plan(&desired(SIMPLE), &observed, &memory());
    assert_eq!(plan.steps, []);
    assert_eq!(plan.conflict.unwrap().kind, "Cloud Map service");
}

#[test]
fn capacity_changes_force_a_deployment_and_nothing_else_does() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let forced = |spec: &str| {
        let plan = plan(
            &desired(spec),
            &observed,
            &memory::memory("uid-1", &status, at(9)),
        );
        plan.steps
            .iter()
            .any(|step| matches!(step, Step::UpdateService(u) if u.force_new_deployment))
    };
    assert!(forced("{source: {image: {name: 'redis:7'}}, spot: Always}"));
    assert!(!forced(OTHER));
    assert!(!forced(
        "{source: {image: {name: 'redis:7'}}, rollout: {minHealthyPercent: 0}}"
    ));
}

/// What somebody could change behind our back, and the member that shows it.
fn tamper(observed: &mut Observed, member: Member) {
    let Fact::Present { value: service, .. } = &mut observed.service else {
        panic!()
    };
    match member {
        Member::TaskDefinition => {
            let foreign = Revision {
                arn: "arn:x:td:99".into(),
                hash: None,
                intent: None,
                active: true,
            };
            service.task_definition.clone_from(&foreign.arn);
            observed.revisions.insert(foreign.arn.clone(), foreign);
        }
        Member::Network => service.network.as_mut().unwrap().assign_public_ip = true,
        Member::Connect => service.connect.as_mut().unwrap().services.clear(),
        Member::Capacity => {
            service.capacity = Some(vec![CapacityProvider {
                name: "FARGATE_SPOT".into(),
                weight: 1,
                base: 0,
            }]);
        }
        Member::Registries => service.registries = Some(vec![]),
        Member::Exec => service.exec = service.exec.map(|on| !on),
        Member::Deployment => service.deployment.as_mut().unwrap().maximum_percent = 150,
    }
}

#[test]
fn each_edit_behind_our_back_is_mended_by_one_update_without_a_registration() {
    for member in <Member as strum::IntoEnumIterator>::iter() {
        let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
        converge(SIMPLE, &mut observed, &mut status);
        let before = observed.clone();
        tamper(&mut observed, member);
        assert_eq!(
            converge(SIMPLE, &mut observed, &mut status),
            ["ecs:UpdateService"],
            "{member}"
        );
        let after = (
            observed.service.present().unwrap(),
            before.service.present().unwrap(),
        );
        assert_eq!(after.0.task_definition, after.1.task_definition);
        assert_eq!(after.0.network, after.1.network);
        assert_eq!(after.0.capacity, after.1.capacity);
    }
}

#[test]
fn a_difference_that_came_back_after_it_was_mended_is_left_alone_until_it_changes() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    tamper(&mut observed, Member::Network);
    let mut memory = memory::memory("uid-1", &status, at(9));
    let first = plan(&desired(SIMPLE), &observed, &memory);
    let drift = &first.drift[0];
    assert!(drift.behind_our_back && !drift.futile && !first.steps.is_empty());
    memory
        .futile
        .insert(drift.member, (drift.want.clone(), drift.have.clone()));
    let again = plan(&desired(SIMPLE), &observed, &memory);
    assert!(again.drift[0].futile && again.is_settled());
    // A wish of the user goes ahead of the patience with others.
    assert!(
        !plan(&desired(OTHER), &observed, &memory)
            .drift
            .iter()
            .any(|drift| drift.futile)
    );
}

#[test]
fn tags_of_others_are_left_alone_ours_come_back_and_those_no_longer_wanted_go() {
    let tagged = "{source: {image: {name: 'redis:7'}}, tags: {tier: gold}}";
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(tagged, &mut observed, &mut status);
    {
        let Fact::Present { value: service, .. } = &mut observed.service else {
            panic!()
        };
        let tags = service.tags.as_mut().unwrap();
        tags.insert("theirs".into(), "1".into());
        tags.insert("cost-center".into(), "13".into());
    }
    assert_eq!(
        converge(tagged, &mut observed, &mut status),
        ["ecs:TagResource"]
    );
    assert_eq!(
        converge(SIMPLE, &mut observed, &mut status),
        ["ecs:UntagResource"]
    );
    let tags = observed.service.present().unwrap().tags.clone().unwrap();
    assert_eq!(tags.get("theirs").map(String::as_str), Some("1"));
    assert_eq!(tags.get("cost-center").map(String::as_str), Some("42"));
    assert_eq!(tags.get("tier"), None);
}

#[test]
fn what_aws_does_not_echo_is_no_difference() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let Fact::Present { value: service, .. } = &mut observed.service else {
        panic!()
    };
    (service.connect, service.capacity, service.registries) = (None, None, None);
    assert_eq!(converge(SIMPLE, &mut observed, &mut status), [""; 0]);
}

/// The same wish as a newer operator would render it.
fn rendered_anew(mut desired: Desired) -> Desired {
    desired
        .task_definition
        .container
        .log_options
        .insert("new-option".into(), "on".into());
    desired.connect.services[0].idle_timeout = Some(77);
    desired
}

#[test]
fn a_renderer_change_alone_rolls_nothing_until_the_intent_changes() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let memory = memory::memory("uid-1", &status, at(9));
    let upgraded = rendered_anew(desired(SIMPLE));
    let held = plan(&upgraded, &observed, &memory);
    assert!(held.is_settled(), "{held:?}");
    assert_eq!(held.held.len(), 2);
    let changed = plan(&rendered_anew(desired(OTHER)), &observed, &memory);
    let update = changed.steps.iter().find_map(|step| match step {
        Step::UpdateService(update) => Some(update),
        _ => None,
    });
    assert!(
        update.unwrap().connect.is_some(),
        "the held rendering comes with the next intent"
    );
}

#[test]
fn a_member_that_an_older_operator_did_not_know_rolls_nothing() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    status.rendering.remove("connect");
    tamper(&mut observed, Member::Connect);
    let held = plan(
        &desired(SIMPLE),
        &observed,
        &memory::memory("uid-1", &status, at(9)),
    );
    assert!(held.is_settled());
    assert!(held.held.contains_key(&Member::Connect));
}

#[test]
fn a_renderer_change_rolls_nothing_even_when_status_was_lost() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let mut upgraded = desired(SIMPLE);
    upgraded
        .task_definition
        .container
        .log_options
        .insert("new-option".into(), "on".into());
    assert!(plan(&upgraded, &observed, &memory()).is_settled());
}

#[test]
fn while_a_rendering_is_held_an_edit_behind_our_back_is_still_seen() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    tamper(&mut observed, Member::Connect);
    let plan = plan(
        &rendered_anew(desired(SIMPLE)),
        &observed,
        &memory::memory("uid-1", &status, at(9)),
    );
    assert_eq!(
        plan.drift
            .iter()
            .map(|drift| drift.member)
            .collect::<Vec<_>>(),
        [Member::Connect]
    );
}

#[test]
fn a_lost_status_finds_everything_as_it_is() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let rebuilt = Memory {
        uid: "another-uid".into(),
        ..Memory::default()
    };
    assert!(plan(&desired(SIMPLE), &observed, &rebuilt).is_settled());
}

#[test]
fn a_failed_rollout_is_not_tried_again_but_a_changed_spec_is() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let mut memory = memory::memory("uid-1", &status, at(9));
    memory.failed_rollout = Some(desired(OTHER).rollout_identity());
    let held = plan(&desired(OTHER), &observed, &memory);
    // It is only written down where a lost status does not lose it.
    assert!(matches!(&held.steps[..], [Step::TagService { .. }]));
    assert!(held.rollout_held);
    assert!(
        !plan(
            &desired("{source: {image: {name: 'redis:9'}}}"),
            &observed,
            &memory
        )
        .steps
        .is_empty()
    );
}

#[test]
fn a_redeploy_forces_one_deployment_and_a_lost_status_none() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let asked = desired(SIMPLE).asked(Some("monday".into()), None);
    let memory = memory::memory("uid-1", &status, at(9));
    let due = plan(&asked, &observed, &memory);
    let [Step::UpdateService(update)] = &due.steps[..] else {
        panic!("{:?}", due.steps)
    };
    assert!(update.force_new_deployment && update.task_definition.is_none());
    let handled = Memory {
        handled_redeploy: Some("monday".into()),
        ..memory.clone()
    };
    assert!(plan(&asked, &observed, &handled).is_settled());
    let lost = Memory {
        applied: None,
        ..memory
    };
    assert!(plan(&asked, &observed, &lost).is_settled());
    // One that failed is tried again when a redeploy asks for it.
    let failed = Memory {
        failed_rollout: Some(asked.rollout_identity()),
        ..handled
    };
    assert!(plan(&asked, &observed, &failed).rollout_held);
    let again = desired(SIMPLE).asked(Some("tuesday".into()), None);
    assert!(
        plan(&again, &observed, &failed)
            .steps
            .iter()
            .any(Step::starts_rollout)
    );
}

#[test]
fn a_revision_that_is_asked_for_serves_without_a_registration_until_the_wish_goes() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let first = observed.service.present().unwrap().task_definition.clone();
    converge(OTHER, &mut observed, &mut status);
    let second = observed.service.present().unwrap().task_definition.clone();
    let pinned = Pinned {
        arn: first.clone(),
        hash: desired(SIMPLE).content(),
    };
    let asked = desired(OTHER).asked(None, Some(pinned));
    let mut memory = memory::memory("uid-1", &status, at(9));
    let plan_there = plan(&asked, &observed, &memory);
    for step in &plan_there.steps {
        apply(&mut observed, step, 7);
    }
    assert_eq!(observed.service.present().unwrap().task_definition, first);
    assert_eq!(plan_there.steps.len(), 1);
    memory.applied = Some(Applied {
        own: None,
        intent: asked.intent.clone(),
        members: asked.members(),
    });
    assert!(plan(&asked, &observed, &memory).is_settled());
    // It is no held rendering: without the annotation the spec is what is wanted again.
    let back = plan(&desired(OTHER), &observed, &memory);
    for step in &back.steps {
        apply(&mut observed, step, 8);
    }
    assert_eq!(observed.service.present().unwrap().task_definition, second);
}

#[test]
fn revisions_beyond_a_dozen_go_one_at_a_time_the_oldest_first_when_all_else_is_done() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    let spec = |number: usize| format!("{{source: {{image: {{name: 'redis:{number}'}}}}}}");
    for number in 1..=14 {
        converge(&spec(number), &mut observed, &mut status);
    }
    let mut memory = memory::memory("uid-1", &status, at(9));
    let current = desired(&spec(14));
    assert_eq!(
        plan(&current, &observed, &memory).collect,
        None,
        "not complete"
    );
    memory.course.complete = true;
    let edit = plan(&desired(&spec(15)), &observed, &memory);
    assert_eq!(edit.collect, None, "something else is to be done");
    let mut gone = Vec::new();
    while let Some(step) = plan(&current, &observed, &memory).collect {
        let alone = Plan {
            steps: vec![step.clone()],
            ..Plan::default()
        };
        assert_eq!(
            crate::guard::check(&alone, &observed, &fixtures::owner()),
            Ok(())
        );
        let Step::DeregisterTaskDefinition { arn } = &step else {
            panic!("{step:?}")
        };
        gone.push(crate::names::revision_number(arn));
        apply(&mut observed, &step, 9);
    }
    assert_eq!(gone, [1, 2]);
    assert_eq!(observed.revisions.len(), 12);
}

#[test]
fn deletion_takes_the_service_then_the_dns_service_then_is_done() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let (remains, _) = claim::remains(fixtures::owner(), &status, false).unwrap();
    let mut calls = Vec::new();
    loop {
        let plan = plan_deletion(&remains, &observed);
        if plan.steps.is_empty() {
            // The DNS listing says so once; a second look half a minute later is due.
            assert_eq!(plan.waiting_on, [WaitingOn::AbsenceConfirmation(Need::Dns)]);
            observed.dns = observed.dns.absent_again(at(60));
            assert!(plan_deletion(&remains, &observed).is_settled());
            break;
        }
        for step in &plan.steps {
            apply(&mut observed, step, 1);
            calls.push(step.operation());
        }
    }
    assert_eq!(
        calls,
        ["ecs:DeleteService", "servicediscovery:DeleteService"]
    );
}

#[test]
fn retain_removes_the_ownership_tags_and_nothing_else() {
    let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
    converge(SIMPLE, &mut observed, &mut status);
    let (remains, _) = claim::remains(fixtures::owner(), &status, true).unwrap();
    let first = plan_deletion(&remains, &observed);
    for step in &first.steps {
        apply(&mut observed, step, 1);
    }
    assert_eq!(
        first.steps.iter().map(Step::operation).collect::<Vec<_>>(),
        ["ecs:UntagResource", "servicediscovery:UntagResource"]
    );
    assert!(plan_deletion(&remains, &observed).is_settled());
    assert_eq!(
        observed.service.present().unwrap().status,
        ServiceStatus::Active
    );
}

fn specs() -> impl Strategy<Value = String> {
    (0..3, 0..3, any::<bool>(), any::<bool>(), prop::option::of("[a-z]{1,4}")).prop_map(
        |(image, port, dns, spot, tag)| {
            let spot = if spot { "Always" } else { "Never" };
            let tags = tag.map_or(String::new(), |tag| format!(", tags: {{{tag}x: v}}"));
            let ports = match port {
                0 => String::new(),
                1 => ", ports: [{name: web, port: 80, protocol: http}]".into(),
                _ => ", ports: []".into(),
            };
            format!(
                "{{source: {{image: {{name: 'redis:{image}'}}}}, spot: {spot}, network: {{dns: {dns}}}{ports}{tags}}}"
            )
        },
    )
}

proptest! {
    /// From any state that earlier specs left, and any edit behind our back, a spec converges, in few calls, to a state that plans nothing.
    #[test]
    fn every_history_converges(history in prop::collection::vec((specs(), 0..7_usize), 1..6)) {
        let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
        let members: Vec<Member> = <Member as strum::IntoEnumIterator>::iter().collect();
        for (spec, edit) in history {
            let calls = converge(&spec, &mut observed, &mut status);
            prop_assert!(calls.iter().filter(|call| **call == "ecs:UpdateService").count() <= 1);
            let wanted = resolved(&spec).desired;
            let settled = plan(&wanted, &observed, &memory::memory("uid-1", &status, at(9)));
            prop_assert!(settled.is_settled(), "{:?}", settled);
            if let Some(member) = members.get(edit) {
                tamper(&mut observed, *member);
            }
        }
    }

    /// A crash after any number of steps, with or without the status that would have followed, ends in the same place with nothing twice.
    #[test]
    fn every_crash_point_converges(spec in specs(), crash in 0..4_usize) {
        let (mut observed, mut status) = (empty(), PrivateServiceStatus::default());
        let resolved = resolve(&object(&spec), &place(), fixtures::CLUSTER_ID, &fixtures::Known::default()).unwrap();
        let first = plan(&resolved.desired, &observed, &memory());
        for step in first.steps.iter().take(crash) {
            apply(&mut observed, step, 1);
        }
        // What the process knew is gone; AWS is read again.
        observed.revisions.clear();
        let calls = converge(&spec, &mut observed, &mut status);
        let creations = |name: &str| {
            first.steps.iter().take(crash).map(Step::operation).chain(calls.iter().copied()).filter(|call| *call == name).count()
        };
        prop_assert_eq!(creations("ecs:CreateService"), 1);
        prop_assert_eq!(creations("ecs:RegisterTaskDefinition"), 1);
        prop_assert!(creations("servicediscovery:CreateService") <= 1);
    }
}
