//! Is Ready the truth?

use super::*;
use crate::fixtures::{apply, at, empty, memory, resolved};
use crate::plan::{Drift, plan};
use crate::service::Member;

const SPEC: &str = "{source: {image: {name: 'redis:7'}}}";

fn service() -> Service {
    let mut observed = empty();
    for step in plan(&resolved(SPEC).desired, &observed, &memory()).steps {
        apply(&mut observed, &step, 1);
    }
    observed.service.present().unwrap().clone()
}

fn judgement(phase: RolloutPhase) -> Judgement {
    Judgement {
        phase,
        id: None,
        message: "tasks failed to start.".into(),
        failed: None,
    }
}

/// A pass over a service that is as it should be.
fn settled<'a>(plan: &'a Plan, service: &'a Service, judgement: &'a Judgement) -> Pass<'a> {
    Pass {
        plan,
        executed: 0,
        failure: None,
        read_failure: None,
        service: Some(service),
        judgement: Some(judgement),
        dns: Some(true),
        short_since: None,
        missed_sweeps: 0,
        was_ready: false,
        now: at(1000),
    }
}

fn holds(verdict: &Verdict, kind: ConditionType) -> bool {
    verdict
        .findings
        .iter()
        .any(|finding| finding.kind == kind && finding.holds)
}

#[test]
fn what_the_spec_asks_for_and_serves_is_ready() {
    let (plan, service) = (Plan::default(), service());
    let verdict = assess(&settled(
        &plan,
        &service,
        &judgement(RolloutPhase::Complete),
    ));
    assert_eq!(
        (verdict.ready, verdict.reason),
        (Ready::True, Reason::Succeeded)
    );
    assert!(holds(&verdict, ConditionType::RolloutComplete));
    assert!(holds(&verdict, ConditionType::DiscoveryReady));
}

#[test]
fn each_phase_that_is_not_complete_is_not_ready_and_says_why() {
    let (plan, service) = (Plan::default(), service());
    for (phase, reason) in [
        (RolloutPhase::Progressing, Reason::Deploying),
        (RolloutPhase::RollingBack, Reason::RollingBack),
        (RolloutPhase::RolledBack, Reason::RolledBack),
        (RolloutPhase::Failed, Reason::RolloutFailed),
    ] {
        let verdict = assess(&settled(&plan, &service, &judgement(phase)));
        assert_eq!((verdict.ready, verdict.reason), (Ready::False, reason));
        assert!(
            verdict.message.contains("tasks failed to start"),
            "{}",
            verdict.message
        );
        assert!(!holds(&verdict, ConditionType::RolloutComplete));
    }
}

#[test]
fn missing_tasks_are_forgiven_for_two_minutes() {
    let plan = Plan::default();
    let mut short = service();
    short.running_count = 0;
    let complete = judgement(RolloutPhase::Complete);
    let at_second = |second: i64| {
        let pass = Pass {
            short_since: Some(at(1000)),
            now: at(1000 + second),
            ..settled(&plan, &short, &complete)
        };
        assess(&pass).ready
    };
    assert_eq!(at_second(119), Ready::True);
    assert_eq!(at_second(120), Ready::False);
}

#[test]
fn aws_being_silent_keeps_ready_until_three_sweeps_were_missed() {
    let plan = Plan {
        waiting_on: vec![WaitingOn::Read(Need::Service)],
        ..Plan::default()
    };
    let silence = Failure::Ambiguous {
        operation: "ecs:DescribeServices",
        message: "late".into(),
    };
    let (service, complete) = (service(), judgement(RolloutPhase::Complete));
    let pass = |missed_sweeps, was_ready| Pass {
        read_failure: Some(&silence),
        missed_sweeps,
        was_ready,
        ..settled(&plan, &service, &complete)
    };
    assert_eq!(assess(&pass(2, true)).ready, Ready::Kept);
    assert_eq!(assess(&pass(3, true)).ready, Ready::Unknown);
    assert_eq!(assess(&pass(0, false)).ready, Ready::False);
    // The words do not change with every sweep.
    assert_eq!(
        assess(&pass(3, true)).message,
        assess(&pass(9, true)).message
    );
}

#[test]
fn a_member_that_somebody_keeps_changing_is_not_ready() {
    let drift = Drift {
        member: Member::TaskDefinition,
        behind_our_back: true,
        want: "a".into(),
        have: "b".into(),
        futile: true,
    };
    let plan = Plan {
        drift: vec![drift],
        ..Plan::default()
    };
    let verdict = assess(&settled(
        &plan,
        &service(),
        &judgement(RolloutPhase::Complete),
    ));
    assert_eq!(verdict.ready, Ready::False);
    assert!(
        verdict.message.contains("taskDefinition"),
        "{}",
        verdict.message
    );
}

#[test]
fn a_call_about_tags_that_fails_leaves_ready_as_it_was() {
    let plan = Plan {
        steps: vec![Step::UntagService {
            arn: "arn".into(),
            keys: vec!["a".into()],
        }],
        ..Plan::default()
    };
    let throttled = Failure::Throttled {
        operation: "ecs:UntagResource",
    };
    let (service, complete) = (service(), judgement(RolloutPhase::Complete));
    let pass = Pass {
        failure: Some(&throttled),
        was_ready: true,
        ..settled(&plan, &service, &complete)
    };
    let verdict = assess(&pass);
    assert_eq!(
        (verdict.ready, verdict.reason),
        (Ready::Kept, Reason::Throttled)
    );
}

#[test]
fn what_waits_for_a_person_is_never_ready_even_if_only_tags_are_concerned() {
    let plan = Plan {
        steps: vec![Step::UntagService {
            arn: "arn".into(),
            keys: vec!["a".into()],
        }],
        ..Plan::default()
    };
    let (service, complete) = (service(), judgement(RolloutPhase::Complete));
    for reason in [Reason::InvalidSpec, Reason::AccessDenied] {
        let failure = Failure::Waiting {
            operation: "ecs:UntagResource",
            message: "no".into(),
            reason,
        };
        let pass = Pass {
            failure: Some(&failure),
            was_ready: true,
            ..settled(&plan, &service, &complete)
        };
        assert_eq!(assess(&pass).ready, Ready::False);
    }
}

#[test]
fn a_change_that_cannot_be_planned_yet_is_not_ready() {
    let drift = Drift {
        member: Member::TaskDefinition,
        behind_our_back: false,
        want: "a".into(),
        have: "b".into(),
        futile: false,
    };
    let plan = Plan {
        drift: vec![drift],
        waiting_on: vec![WaitingOn::Read(Need::Newest)],
        ..Plan::default()
    };
    let (service, complete) = (service(), judgement(RolloutPhase::Complete));
    let pass = Pass {
        was_ready: true,
        ..settled(&plan, &service, &complete)
    };
    assert_eq!(assess(&pass).ready, Ready::False);
}

#[test]
fn a_conflict_names_the_other_owner() {
    let owner = crate::owner::Owner {
        cluster_id: "c".into(),
        namespace: "team-b".into(),
        name: "api".into(),
    };
    let conflict = Conflict {
        kind: "ECS service",
        arn: "arn:x".into(),
        owner: Some(owner),
    };
    let plan = Plan {
        conflict: Some(conflict),
        ..Plan::default()
    };
    let verdict = assess(&settled(
        &plan,
        &service(),
        &judgement(RolloutPhase::Complete),
    ));
    assert_eq!(
        (verdict.ready, verdict.reason),
        (Ready::False, Reason::NameConflict)
    );
    assert!(
        verdict.message.contains("team-b/api"),
        "{}",
        verdict.message
    );
}
