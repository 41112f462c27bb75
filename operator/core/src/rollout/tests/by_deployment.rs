//! Where service deployments can be read.

use super::*;
use crate::observed::{ServiceDeployment, ServiceDeploymentStatus as Status};
use crate::plan::{Need, Plan, WaitingOn};
use crate::rollout::stop::{Abort, Asked, abort, course, is_overdue, until_overdue};
use crate::step::{Outcome, Step};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;
use privateservice_api::meta;
use privateservice_api::privateservice::Attempt;

const ARN: &str = "arn:aws:ecs:eu-west-3:111122223333:service-deployment/shared/api/two";

fn service_deployment(status: Status) -> ServiceDeployment {
    ServiceDeployment {
        arn: ARN.into(),
        status,
        reason: None,
        rollback_reason: None,
        has_source: true,
        breaker_triggered: false,
        failed_tasks: 0,
        triggered_alarms: vec![],
        desired_count: 1,
        running_count: 0,
        pending_count: 1,
        created_at: Some(at(2)),
        finished_at: None,
    }
}

/// TWO was sent, this is its service deployment, and these are the deployments, by number of revision and state.
fn scene(
    deployment: ServiceDeployment,
    shown: &[(&str, usize, RolloutState)],
) -> (Observed, Memory) {
    let (mut observed, memory) = two_sent();
    let deployments = shown
        .iter()
        .map(|(id, number, state)| super::deployment(id, &revision(&observed, *number), *state))
        .collect();
    show(&mut observed, deployments);
    let Fact::Present { value: service, .. } = &mut observed.service else {
        panic!()
    };
    service.service_deployment = Some(deployment.arn.clone());
    observed.deployment = Fact::seen(deployment, at(3));
    (observed, memory)
}

/// What status says after TWO was sent as `d2`.
fn sent() -> RolloutStatus {
    RolloutStatus {
        identity: Some(desired(TWO).rollout_identity().0),
        replaces: Some("d1".into()),
        service_deployment: Some(ARN.into()),
        started_at: Some(Time(at(2))),
        ..ours("d2", None)
    }
}

const ROLLING: &[(&str, usize, RolloutState)] = &[
    ("d2", 2, RolloutState::InProgress),
    ("d1", 1, RolloutState::Completed),
];
const GOING_BACK: &[(&str, usize, RolloutState)] = &[
    ("d3", 1, RolloutState::InProgress),
    ("d2", 2, RolloutState::Failed),
];
const BACK: &[(&str, usize, RolloutState)] = &[("d3", 1, RolloutState::Completed)];

#[test]
fn complete_is_only_what_has_succeeded_and_serves() {
    let completed = &[("d2", 2, RolloutState::Completed)];
    for (status, phase) in [
        (Status::InProgress, RolloutPhase::Progressing),
        (Status::Successful, RolloutPhase::Complete),
    ] {
        let (observed, memory) = scene(service_deployment(status), completed);
        let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
        assert_eq!(judgement.phase, phase);
    }
    // It is not complete before that has been read, and then needs no further read.
    let (mut observed, memory) = scene(service_deployment(Status::Successful), completed);
    observed.deployment = Fact::Unknown;
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
    assert_eq!(
        (judgement.phase, judgement.unread, judgement.unsure),
        (RolloutPhase::Progressing, true, false)
    );
    let complete = RolloutStatus {
        phase: Some(RolloutPhase::Complete),
        ..sent()
    };
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&complete)).unwrap();
    assert_eq!(
        (judgement.phase, judgement.unread),
        (RolloutPhase::Complete, false)
    );
}

#[test]
fn what_ended_a_rollout_is_told_apart() {
    let alarm = ServiceDeployment {
        triggered_alarms: vec!["errors".into()],
        ..service_deployment(Status::RollbackInProgress)
    };
    let breaker = ServiceDeployment {
        breaker_triggered: true,
        ..service_deployment(Status::RollbackInProgress)
    };
    let person = service_deployment(Status::RollbackInProgress);
    for (deployment, expected) in [
        (alarm, EndedBy::Alarm),
        (breaker.clone(), EndedBy::CircuitBreaker),
        (person.clone(), EndedBy::Stopped),
    ] {
        let (observed, memory) = scene(deployment, GOING_BACK);
        let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
        assert_eq!(judgement.phase, RolloutPhase::RollingBack);
        assert_eq!(judgement.ended_by, Some(expected));
        assert_eq!(judgement.failed, Some(desired(TWO).rollout_identity()));
    }
    // What we asked for ourselves stands in status, written before we asked.
    for ours in [EndedBy::Deadline, EndedBy::Abort] {
        let (observed, memory) = scene(person.clone(), GOING_BACK);
        let asked = RolloutStatus {
            ended_by: Some(ours),
            ..sent()
        };
        let judgement = judged(&desired(TWO), &observed, &memory, Some(&asked)).unwrap();
        assert_eq!(judgement.ended_by, Some(ours));
    }
}

#[test]
fn a_rollback_is_seen_although_only_the_network_differed() {
    // The failed deployment and the one it goes back to run the same revision, and the failed one is no longer listed.
    let back = &[("d3", 2, RolloutState::Completed)];
    let (observed, memory) = scene(service_deployment(Status::RollbackSuccessful), back);
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
    assert_eq!(judgement.phase, RolloutPhase::RolledBack);
    assert_eq!(judgement.failed, Some(desired(TWO).rollout_identity()));
}

#[test]
fn a_rollout_that_was_sent_while_nobody_wrote_it_down_is_followed() {
    for (status, shown, phase) in [
        (Status::InProgress, ROLLING, RolloutPhase::Progressing),
        (
            Status::RollbackInProgress,
            GOING_BACK,
            RolloutPhase::RollingBack,
        ),
        (Status::RollbackSuccessful, BACK, RolloutPhase::RolledBack),
    ] {
        let (observed, mut memory) = scene(service_deployment(status), shown);
        // Status remembers what was there before, and that TWO was about to be sent.
        memory.applied = Some(Applied {
            own: None,
            intent: desired(ONE).intent,
            members: desired(ONE).members(),
        });
        memory.attempt = Some(Attempt {
            identity: desired(TWO).rollout_identity().0,
            replaces: Some("d1".into()),
            redeploy_at: Some("now".into()),
            at: Some(Time(at(2))),
            ..Attempt::default()
        });
        memory.rollout = Some(RolloutStatus {
            phase: Some(RolloutPhase::Complete),
            ..ours("d1", None)
        });
        follow(&desired(TWO), &observed, &mut memory);
        let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
        assert_eq!(judgement.phase, phase);
        assert_eq!(memory.attempt, None);
        assert_eq!(memory.handled_redeploy.as_deref(), Some("now"));
        let failed = phase != RolloutPhase::Progressing;
        assert_eq!(
            judgement.failed,
            failed.then(|| desired(TWO).rollout_identity())
        );
    }
}

#[test]
fn an_attempt_that_never_left_is_no_rollout() {
    let before = &[("d1", 1, RolloutState::Completed)];
    let (observed, mut memory) = scene(service_deployment(Status::Successful), before);
    let attempt = Attempt {
        identity: desired(TWO).rollout_identity().0,
        replaces: Some("d1".into()),
        ..Attempt::default()
    };
    memory.attempt = Some(attempt.clone());
    follow(&desired(TWO), &observed, &mut memory);
    assert_eq!((memory.attempt, memory.rollout), (Some(attempt), None));
}

#[test]
fn nothing_new_is_sent_before_it_is_known_how_the_last_rollout_ended() {
    let (mut observed, mut memory) = scene(service_deployment(Status::InProgress), BACK);
    observed.deployment = Fact::Unknown;
    memory.rollout = Some(sent());
    follow(&desired(TWO), &observed, &mut memory);
    let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
    assert!(judgement.unsure);
    assert_eq!(judgement.phase, RolloutPhase::Progressing);
    let planned = planned(&desired(TWO), &observed, &mut memory, &judgement, 3);
    assert_eq!(planned.steps, []);
    assert_eq!(planned.waiting_on, [WaitingOn::Read(Need::Deployment)]);
}

#[test]
fn a_service_deployment_that_was_read_before_the_rollback_began_proves_nothing() {
    for shown in [GOING_BACK, BACK] {
        let (observed, mut memory) = scene(service_deployment(Status::InProgress), shown);
        memory.rollout = Some(sent());
        follow(&desired(TWO), &observed, &mut memory);
        let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
        assert!(judgement.unsure, "{judgement:?}");
        let plan = planned(&desired(TWO), &observed, &mut memory, &judgement, 3);
        assert_eq!(plan.steps, []);
    }
}

/// The plan, with what the judgement means for it.
fn planned(
    desired: &Desired,
    observed: &Observed,
    memory: &mut Memory,
    judgement: &Judgement,
    second: i64,
) -> Plan {
    memory.failed_rollout.clone_from(&judgement.failed);
    memory.course = course(judgement, memory, desired, asked(false, second));
    plan(desired, observed, memory)
}

fn asked(abort: bool, second: i64) -> Asked<'static> {
    Asked {
        abort,
        refused: None,
        now: at(second),
    }
}

#[test]
fn an_edit_during_a_rollback_waits_for_it_and_a_revert_needs_nothing() {
    let three = desired("{source: {image: {name: 'redis:3'}}}");
    for (wanted, waits) in [(three, true), (desired(ONE), false)] {
        let (observed, mut memory) =
            scene(service_deployment(Status::RollbackInProgress), GOING_BACK);
        memory.rollout = Some(sent());
        follow(&wanted, &observed, &mut memory);
        let judgement = judge(&wanted, &observed, &memory).unwrap();
        assert_eq!(judgement.phase, RolloutPhase::RollingBack);
        assert!(!judgement.concerns_spec);
        let plan = planned(&wanted, &observed, &mut memory, &judgement, 3);
        assert!(!plan.steps.iter().any(Step::starts_rollout));
        assert_eq!(plan.waiting_on.contains(&WaitingOn::Rollback), waits);
        assert!(!plan.rollout_held);
        // For ever it does not wait.
        let late = planned(&wanted, &observed, &mut memory, &judgement, 3 + 3600);
        assert_eq!(late.steps.iter().any(Step::starts_rollout), waits);
    }
}

#[test]
fn after_the_rollback_a_revert_is_complete_and_condemns_nothing() {
    let (observed, memory) = scene(service_deployment(Status::RollbackSuccessful), BACK);
    let rolled_back = RolloutStatus {
        phase: Some(RolloutPhase::RollingBack),
        failed_hash: Some(desired(TWO).rollout_identity().0),
        ..sent()
    };
    let judgement = judged(&desired(ONE), &observed, &memory, Some(&rolled_back)).unwrap();
    assert_eq!(
        (judgement.phase, judgement.failed.clone()),
        (RolloutPhase::Complete, None)
    );
    // The next look finds what status then says, beside the service deployment of what failed.
    let next = RolloutStatus {
        phase: Some(RolloutPhase::Complete),
        identity: Some(desired(ONE).rollout_identity().0),
        ..ours("d3", None)
    };
    let judgement = judged(&desired(ONE), &observed, &memory, Some(&next)).unwrap();
    assert_eq!(
        (judgement.phase, judgement.failed),
        (RolloutPhase::Complete, None)
    );
}

#[test]
fn a_rollout_that_somebody_elses_replaced_is_no_failure() {
    let mut stopped = service_deployment(Status::StopRequested);
    for status in [Status::StopRequested, Status::Stopped] {
        stopped.status = status;
        let theirs = &[("d9", 1, RolloutState::InProgress)];
        let (observed, memory) = scene(stopped.clone(), theirs);
        let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
        assert_eq!(judgement.failed, None);
    }
}

#[test]
fn a_first_rollout_that_fails_and_a_rollback_that_fails_are_failed() {
    let first = ServiceDeployment {
        has_source: false,
        breaker_triggered: true,
        ..service_deployment(Status::Stopped)
    };
    let undecided = ServiceDeployment {
        has_source: false,
        ..service_deployment(Status::InProgress)
    };
    let failed = &[("d2", 2, RolloutState::Failed)];
    for (deployment, rollback_failed) in [
        (first, false),
        (undecided, false),
        (service_deployment(Status::RollbackFailed), true),
    ] {
        let (observed, memory) = scene(deployment, failed);
        let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
        assert_eq!(judgement.phase, RolloutPhase::Failed);
        assert_eq!(judgement.rollback_failed, rollback_failed);
        assert_eq!(judgement.failed, Some(desired(TWO).rollout_identity()));
    }
}

#[test]
fn where_the_service_is_read_after_its_deployment_its_words_say_why_that_failed() {
    let older = ServiceDeployment {
        has_source: false,
        reason: None,
        breaker_triggered: false,
        ..service_deployment(Status::InProgress)
    };
    let (mut observed, memory) = scene(older, &[("d2", 2, RolloutState::Failed)]);
    let Fact::Present { value: service, .. } = &mut observed.service else {
        panic!()
    };
    let words = "ECS deployment circuit breaker: tasks failed to start.";
    service.deployments[0].rollout_reason = Some(words.into());
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
    assert_eq!(judgement.phase, RolloutPhase::Failed);
    assert_eq!(judgement.ended_by, Some(EndedBy::CircuitBreaker));
    assert_eq!(judgement.message, words);
}

#[test]
fn a_failed_deployment_that_ecs_may_still_roll_back_is_not_given_up() {
    let failed = &[("d2", 2, RolloutState::Failed)];
    let (observed, memory) = scene(service_deployment(Status::InProgress), failed);
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
    assert_eq!(judgement.phase, RolloutPhase::Progressing);
}

#[test]
fn a_lost_status_does_not_forget_what_failed() {
    let (mut observed, mut memory) = scene(service_deployment(Status::RollbackSuccessful), BACK);
    let Fact::Present { value: service, .. } = &mut observed.service else {
        panic!()
    };
    let failed = desired(TWO).rollout_identity();
    let tags = service.tags.get_or_insert_default();
    tags.insert(meta::TAG_FAILED.into(), failed.0.clone());
    memory.applied = None;
    follow(&desired(TWO), &observed, &mut memory);
    assert!(is_held(&memory, &desired(TWO)));
    assert!(!is_held(&memory, &desired(ONE)));
    let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
    assert_eq!(judgement.phase, RolloutPhase::RolledBack);
}

#[test]
fn a_failure_is_tagged_once_and_the_tag_goes_when_another_rollout_is_complete() {
    let (mut observed, mut memory) = scene(service_deployment(Status::RollbackSuccessful), BACK);
    memory.rollout = Some(sent());
    let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
    let first = planned(&desired(TWO), &observed, &mut memory, &judgement, 3);
    let failed = desired(TWO).rollout_identity().0;
    assert!(
        matches!(&first.steps[..], [Step::TagService { tags, .. }] if tags.get(meta::TAG_FAILED) == Some(&failed))
    );
    apply(&mut observed, &first.steps[0], 4);
    let second = planned(&desired(TWO), &observed, &mut memory, &judgement, 5);
    assert_eq!(second.steps, []);
    assert!(second.rollout_held);
    let judgement = judge(&desired(ONE), &observed, &memory).unwrap();
    let third = planned(&desired(ONE), &observed, &mut memory, &judgement, 6);
    assert!(
        matches!(&third.steps[..], [Step::UntagService { keys, .. }] if keys[..] == [meta::TAG_FAILED])
    );
}

#[test]
fn past_its_deadline_a_rollout_is_stopped_once_if_there_is_something_to_go_back_to() {
    let (observed, mut memory) = scene(service_deployment(Status::InProgress), ROLLING);
    memory.rollout = Some(sent());
    let two = desired(TWO);
    let judgement = judge(&two, &observed, &memory).unwrap();
    let deadline = i64::from(two.progress_deadline);
    assert_eq!(
        planned(&two, &observed, &mut memory, &judgement, 2 + deadline - 1).steps,
        []
    );
    let left = until_overdue(&judgement, &memory, &two, at(2 + deadline - 1));
    assert_eq!(left, Some(SignedDuration::from_secs(1)));
    let plan = planned(&two, &observed, &mut memory, &judgement, 2 + deadline);
    let [Step::StopServiceDeployment { arn, why, .. }] = &plan.steps[..] else {
        panic!("{:?}", plan.steps)
    };
    assert_eq!((arn.as_str(), *why), (ARN, EndedBy::Deadline));
    // AWS would not: it is not asked again, and the verdict says so.
    let refused = Asked {
        refused: Some(ARN),
        ..asked(false, 2 + deadline)
    };
    assert_eq!(course(&judgement, &memory, &two, refused).stop, None);
    assert!(is_overdue(&judgement, &memory, &two, at(2 + deadline)));
    let first = ServiceDeployment {
        has_source: false,
        ..service_deployment(Status::InProgress)
    };
    let (observed, mut memory) = scene(first, ROLLING);
    memory.rollout = Some(sent());
    let judgement = judge(&two, &observed, &memory).unwrap();
    let asked = asked(false, 2 + deadline);
    assert_eq!(course(&judgement, &memory, &two, asked).stop, None);
}

#[test]
fn an_abort_stops_what_is_in_progress_and_nothing_else() {
    let (observed, mut memory) = scene(service_deployment(Status::InProgress), ROLLING);
    memory.rollout = Some(sent());
    let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
    memory.course = course(&judgement, &memory, &desired(TWO), asked(true, 3));
    let stop = plan(&desired(TWO), &observed, &memory);
    assert!(matches!(
        stop.steps[..],
        [Step::StopServiceDeployment {
            why: EndedBy::Abort,
            ..
        }]
    ));
    assert_eq!(abort(Some(&judgement), &stop, &[], false), Abort::Wait);
    let outcomes = [Outcome::DeploymentStopped];
    assert_eq!(
        abort(Some(&judgement), &stop, &outcomes, false),
        Abort::Done
    );
    // A newer spec replaces the rollout, which is what was wanted.
    let three = desired("{source: {image: {name: 'redis:3'}}}");
    let plan = plan(&three, &observed, &memory);
    assert!(plan.steps.iter().any(Step::starts_rollout));
    assert!(matches!(
        abort(Some(&judgement), &plan, &[], false),
        Abort::Nothing(_)
    ));
    let complete = Judgement {
        phase: RolloutPhase::Complete,
        stoppable: None,
        ..judgement
    };
    assert!(matches!(
        abort(Some(&complete), &Plan::default(), &[], false),
        Abort::Nothing(_)
    ));
}

/// The attempt to send TWO, with what was there before.
fn attempt(replaces: &str, service_deployment: &str) -> Attempt {
    Attempt {
        identity: desired(TWO).rollout_identity().0,
        replaces: Some(replaces.into()),
        replaces_service_deployment: Some(service_deployment.into()),
        at: Some(Time(at(2))),
        ..Attempt::default()
    }
}

#[test]
fn a_rollout_that_was_lost_and_rolled_back_is_not_sent_again_before_its_end_is_known() {
    let (mut observed, mut memory) = scene(service_deployment(Status::RollbackSuccessful), BACK);
    let known = std::mem::take(&mut observed.deployment);
    memory.attempt = Some(attempt("d1", "arn:before"));
    memory.rollout = Some(RolloutStatus {
        phase: Some(RolloutPhase::Complete),
        ..ours("d1", None)
    });
    for hides_arn in [false, true] {
        let (mut observed, mut memory) = (observed.clone(), memory.clone());
        if hides_arn {
            let Fact::Present { value: service, .. } = &mut observed.service else {
                panic!()
            };
            service.service_deployment = None;
        }
        follow(&desired(TWO), &observed, &mut memory);
        let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
        assert!(judgement.unsure);
        let plan = planned(&desired(TWO), &observed, &mut memory, &judgement, 3);
        assert_eq!(plan.steps, []);
        observed.deployment = known.clone();
        follow(&desired(TWO), &observed, &mut memory);
        let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
        assert_eq!(judgement.phase, RolloutPhase::RolledBack);
        assert_eq!(judgement.failed, Some(desired(TWO).rollout_identity()));
    }
}

#[test]
fn a_rollout_that_never_left_is_not_condemned_by_the_rollback_of_the_one_before() {
    // ONE was being rolled back (service deployment ARN) when TWO was written down, and never sent.
    for (status, shown) in [
        (Status::RollbackInProgress, GOING_BACK),
        (Status::RollbackSuccessful, BACK),
    ] {
        let (observed, mut memory) = scene(service_deployment(status), shown);
        memory.attempt = Some(attempt("d2", ARN));
        memory.rollout = Some(RolloutStatus {
            identity: Some("another".into()),
            ..sent()
        });
        follow(&desired(TWO), &observed, &mut memory);
        let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
        assert_ne!(judgement.failed, Some(desired(TWO).rollout_identity()));
        assert!(memory.attempt.is_some());
    }
}

#[test]
fn somebody_elses_deployment_over_ours_is_no_failure_of_ours() {
    let theirs = ServiceDeployment {
        arn: "arn:theirs".into(),
        ..service_deployment(Status::InProgress)
    };
    let (observed, mut memory) = scene(theirs, &[("d9", 1, RolloutState::InProgress)]);
    memory.rollout = Some(sent());
    follow(&desired(TWO), &observed, &mut memory);
    let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
    assert_eq!(judgement.failed, None);
    let plan = planned(&desired(TWO), &observed, &mut memory, &judgement, 3);
    assert!(plan.steps.iter().any(Step::starts_rollout), "it is mended");
}

#[test]
fn a_rollback_that_failed_is_remembered_as_such() {
    let shown = &[
        ("d3", 1, RolloutState::Failed),
        ("d2", 2, RolloutState::Failed),
    ];
    let failed = RolloutStatus {
        phase: Some(RolloutPhase::Failed),
        failed_hash: Some(desired(TWO).rollout_identity().0),
        rollback_failed: true,
        ..sent()
    };
    for unreadable in [false, true] {
        let (mut observed, mut memory) = scene(service_deployment(Status::RollbackFailed), shown);
        observed.deployment = Fact::Unknown;
        observed.deployment_unreadable = unreadable;
        memory.failed_rollout = Some(desired(TWO).rollout_identity());
        let judgement = judged(&desired(TWO), &observed, &memory, Some(&failed)).unwrap();
        assert_eq!(
            (judgement.phase, judgement.rollback_failed),
            (RolloutPhase::Failed, true)
        );
    }
    let (mut observed, memory) = scene(service_deployment(Status::RollbackFailed), shown);
    observed.deployment = Fact::Unknown;
    observed.deployment_unreadable = true;
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&sent())).unwrap();
    assert_eq!(
        (judgement.phase, judgement.rollback_failed),
        (RolloutPhase::Failed, true)
    );
}

#[test]
fn what_carries_another_owners_tag_is_not_judged() {
    let (mut observed, memory) = scene(service_deployment(Status::RollbackSuccessful), BACK);
    let Fact::Present { value: service, .. } = &mut observed.service else {
        panic!()
    };
    service.tags.get_or_insert_default().clear();
    assert_eq!(
        judged(&desired(TWO), &observed, &memory, Some(&sent())),
        None
    );
}

#[test]
fn a_status_lost_during_a_rollback_condemns_what_failed() {
    let (observed, mut memory) = scene(service_deployment(Status::RollbackInProgress), GOING_BACK);
    memory.applied = None;
    follow(&desired(TWO), &observed, &mut memory);
    let judgement = judge(&desired(TWO), &observed, &memory).unwrap();
    assert_eq!(judgement.phase, RolloutPhase::RollingBack);
    assert_eq!(judgement.failed, Some(desired(TWO).rollout_identity()));
}
