//! Where only DescribeServices can be read.

use super::*;

/// [`two_sent`], where service deployments cannot be read.
fn unreadable() -> (Observed, Memory) {
    let (mut observed, memory) = two_sent();
    observed.deployment_unreadable = true;
    (observed, memory)
}

/// The deployments while ECS goes back from `d2` to revision 1.
fn rolling_back(observed: &mut Observed, state: RolloutState) {
    let (first, second) = (revision(observed, 1), revision(observed, 2));
    let deployments = vec![
        deployment("d3", &first, state),
        deployment("d2", &second, RolloutState::Failed),
    ];
    show(observed, deployments);
}

#[test]
fn a_rollout_goes_on_and_completes() {
    let (mut observed, memory) = unreadable();
    let (first, second) = (revision(&observed, 1), revision(&observed, 2));
    show(
        &mut observed,
        vec![
            deployment("d2", &second, RolloutState::InProgress),
            deployment("d1", &first, RolloutState::Completed),
        ],
    );
    let during = judged(&desired(TWO), &observed, &memory, Some(&ours("d2", None))).unwrap();
    assert_eq!(
        (during.phase, during.failed),
        (RolloutPhase::Progressing, None)
    );
    show(
        &mut observed,
        vec![deployment("d2", &second, RolloutState::Completed)],
    );
    let after = judged(&desired(TWO), &observed, &memory, Some(&ours("d2", None))).unwrap();
    assert_eq!(after.phase, RolloutPhase::Complete);
}

#[test]
fn a_rollback_is_seen_by_the_id_and_without_it_by_what_ran() {
    for previous in [Some(ours("d2", None)), None] {
        let (mut observed, memory) = unreadable();
        rolling_back(&mut observed, RolloutState::InProgress);
        let judgement = judged(&desired(TWO), &observed, &memory, previous.as_ref()).unwrap();
        assert_eq!(judgement.phase, RolloutPhase::RollingBack);
        assert_eq!(judgement.failed, Some(desired(TWO).rollout_identity()));
    }
}

#[test]
fn a_rollback_that_was_over_between_two_looks_is_seen_by_what_is_missing() {
    let (mut observed, mut memory) = unreadable();
    let first = revision(&observed, 1);
    show(
        &mut observed,
        vec![deployment("d3", &first, RolloutState::Completed)],
    );
    let previous = ours("d2", None);
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&previous)).unwrap();
    assert_eq!(judgement.phase, RolloutPhase::RolledBack);
    assert_eq!(judgement.failed, Some(desired(TWO).rollout_identity()));
    // A rollout that was complete is another matter: then somebody changed the service behind our back.
    let complete = RolloutStatus {
        phase: Some(RolloutPhase::Complete),
        ..ours("d2", None)
    };
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&complete)).unwrap();
    assert_eq!(judgement.failed, None);
    // And so is a picture from before our update.
    memory.replaced = Some("d3".into());
    memory.rollout = Some(previous.clone());
    assert!(is_outdated(observed.service.present().unwrap(), &memory));
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&previous)).unwrap();
    assert_eq!(judgement.failed, None);
}

#[test]
fn a_failure_is_remembered_when_aws_no_longer_shows_it() {
    let (mut observed, mut memory) = unreadable();
    let first = revision(&observed, 1);
    show(
        &mut observed,
        vec![deployment("d3", &first, RolloutState::Completed)],
    );
    let failed = desired(TWO).rollout_identity();
    memory.failed_rollout = Some(failed.clone());
    let previous = ours("d2", Some(&failed));
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&previous)).unwrap();
    assert_eq!(
        (judgement.phase, judgement.failed),
        (RolloutPhase::RolledBack, Some(failed))
    );
}

#[test]
fn going_back_to_the_good_spec_while_the_failure_is_still_shown_condemns_nothing() {
    let (mut observed, mut memory) = unreadable();
    rolling_back(&mut observed, RolloutState::Completed);
    let failed = desired(TWO).rollout_identity();
    memory.failed_rollout = Some(failed.clone());
    let previous = ours("d2", Some(&failed));
    // First with TWO as what was sent last, then with ONE, as status says once nothing was to be done.
    for sent in [TWO, ONE] {
        memory.applied = Some(Applied {
            own: None,
            intent: desired(sent).intent,
            members: desired(sent).members(),
        });
        let judgement = judged(&desired(ONE), &observed, &memory, Some(&previous)).unwrap();
        assert_ne!(judgement.failed, Some(desired(ONE).rollout_identity()));
        assert!(!is_held(&memory, &desired(ONE)));
    }
    let judgement = judged(&desired(ONE), &observed, &memory, Some(&previous)).unwrap();
    assert_eq!(
        (judgement.phase, judgement.failed),
        (RolloutPhase::Complete, None)
    );
}

#[test]
fn a_first_rollout_that_fails_is_failed_until_the_spec_changes() {
    let (mut observed, memory) = unreadable();
    let second = revision(&observed, 2);
    show(
        &mut observed,
        vec![deployment("d2", &second, RolloutState::Failed)],
    );
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&ours("d2", None))).unwrap();
    assert_eq!(judgement.phase, RolloutPhase::Failed);
    assert_eq!(judgement.failed, Some(desired(TWO).rollout_identity()));
}

#[test]
fn a_failed_deployment_of_somebody_else_is_no_verdict_on_ours() {
    let (mut observed, memory) = unreadable();
    show(
        &mut observed,
        vec![deployment(
            "theirs",
            "arn:x:foreign:7",
            RolloutState::Failed,
        )],
    );
    let complete = RolloutStatus {
        phase: Some(RolloutPhase::Complete),
        ..ours("d2", None)
    };
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&complete)).unwrap();
    assert_eq!(judgement.failed, None);
}

#[test]
fn an_old_picture_that_still_shows_the_failure_before_does_not_condemn_what_was_sent_since() {
    let (mut observed, mut memory) = unreadable();
    memory.replaced = Some("d1".into());
    let first = revision(&observed, 1);
    show(
        &mut observed,
        vec![deployment("d1", &first, RolloutState::Failed)],
    );
    let judgement = judged(&desired(TWO), &observed, &memory, Some(&ours("d2", None))).unwrap();
    assert_eq!(judgement.failed, None);
}

#[test]
fn a_newer_operator_that_renders_the_same_wish_differently_holds_it_too() {
    let (_, mut memory) = unreadable();
    memory.failed_rollout = Some(desired(TWO).rollout_identity());
    let mut upgraded = desired(TWO);
    upgraded
        .task_definition
        .container
        .log_options
        .insert("new".into(), "on".into());
    assert_ne!(upgraded.rollout_identity(), desired(TWO).rollout_identity());
    assert!(is_held(&memory, &upgraded));
    let other = desired("{source: {image: {name: 'redis:3'}}}");
    assert!(!is_held(&memory, &other));
}

#[test]
fn a_draining_service_has_no_rollout() {
    let (mut observed, memory) = unreadable();
    let Fact::Present {
        value: service,
        at: _,
    } = &mut observed.service
    else {
        panic!()
    };
    service.status = ServiceStatus::Draining;
    assert_eq!(judged(&desired(TWO), &observed, &memory, None), None);
    observed.service = Fact::Unknown.absent_again(at(1));
    assert_eq!(judged(&desired(TWO), &observed, &memory, None), None);
}
