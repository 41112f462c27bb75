//! Is Ready the truth?

use super::*;
use crate::fixtures::{apply, at, empty, memory, no_secrets, resolved};
use crate::plan::{Drift, plan};
use crate::service::Member;
use privateservice_api::privateservice::EndedBy;

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
        message: "tasks failed to start.".into(),
        concerns_spec: true,
        ..Judgement::default()
    }
}

/// What [`SPEC`] asks for.
fn wanted() -> &'static Desired {
    static WANTED: std::sync::LazyLock<Desired> =
        std::sync::LazyLock::new(|| resolved(SPEC).desired);
    &WANTED
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
        secrets: no_secrets(),
        dns: Some(true),
        failures: &[],
        desired: wanted(),
        overdue: false,
        stop_refused: false,
        shortage: None,
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
            shortage: Some(Shortage {
                began: at(1000),
                last: at(1000 + second),
                now: true,
                times: 1,
            }),
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
fn a_call_about_tags_that_waits_for_its_turn_is_no_news_about_what_serves() {
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
        (Ready::True, Reason::Succeeded)
    );
    let back = judgement(RolloutPhase::RolledBack);
    let verdict = assess(&Pass {
        judgement: Some(&back),
        ..pass
    });
    assert_eq!(verdict.reason, Reason::RolledBack);
}

fn failure(reason: &str, code: &str, deployment: &str) -> TaskFailure {
    TaskFailure {
        task: "t1".into(),
        reason: Some(reason.into()),
        stop_code: Some(code.into()),
        deployment: Some(deployment.into()),
        ..TaskFailure::default()
    }
}

const MISSING: &str = "CannotPullContainerError: failed to resolve ref shop:9: not found";
const OTHER_CPU: &str = "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'";

/// A judgement on the rollout whose deployment is `d2`.
fn about(phase: RolloutPhase, ended_by: Option<EndedBy>) -> Judgement {
    Judgement {
        id: Some("d2".into()),
        ended_by,
        ..judgement(phase)
    }
}

fn verdict_on(judgement: &Judgement, failures: &[TaskFailure], overdue: bool) -> Verdict {
    let (plan, service) = (Plan::default(), service());
    assess(&Pass {
        failures,
        overdue,
        ..settled(&plan, &service, judgement)
    })
}

#[test]
fn while_ecs_tries_the_reason_is_that_of_the_cause_and_afterwards_that_of_the_end() {
    use EndedBy::{Alarm, CircuitBreaker, Deadline, Stopped};
    use RolloutPhase::{Failed, Progressing, RolledBack};
    let of = |phase, ended_by, reason| {
        let failures = [failure(reason, "TaskFailedToStart", "d2")];
        verdict_on(&about(phase, ended_by), &failures, false).reason
    };
    assert_eq!(of(Progressing, None, MISSING), Reason::ImageNotFound);
    assert_eq!(of(Progressing, None, OTHER_CPU), Reason::Deploying);
    assert_eq!(
        of(RolledBack, Some(CircuitBreaker), MISSING),
        Reason::RolledBack
    );
    assert_eq!(
        of(Failed, Some(CircuitBreaker), MISSING),
        Reason::RolloutFailed
    );
    for phase in [RolledBack, Failed] {
        let reason = of(phase, Some(CircuitBreaker), OTHER_CPU);
        assert_eq!(reason, Reason::ArchitectureMismatch);
    }
    let ended = |ended_by| verdict_on(&about(RolledBack, Some(ended_by)), &[], false);
    assert_eq!(ended(Deadline).reason, Reason::ProgressDeadlineExceeded);
    assert_eq!(ended(Alarm).reason, Reason::RolledBack);
    assert!(ended(Alarm).message.contains("alarm"));
    assert!(ended(Stopped).message.contains("somebody stopped"));
    assert!(ended(Deadline).message.contains("1800 s"));
}

#[test]
fn the_message_names_the_cause_of_this_rollouts_failures_only() {
    let back = about(RolloutPhase::RolledBack, Some(EndedBy::CircuitBreaker));
    let ours = [failure(MISSING, "TaskFailedToStart", "d2")];
    let message = verdict_on(&back, &ours, false).message;
    assert!(message.contains("the image does not exist"), "{message}");
    assert!(message.contains("change the spec"), "{message}");
    let others = [failure(MISSING, "TaskFailedToStart", "d1")];
    let message = verdict_on(&back, &others, false).message;
    assert!(!message.contains("does not exist"), "{message}");
    assert!(message.contains("tasks failed to start"), "{message}");
}

#[test]
fn an_overdue_rollout_that_cannot_go_back_stalls_at_once() {
    let progressing = about(RolloutPhase::Progressing, None);
    let verdict = verdict_on(&progressing, &[], true);
    assert_eq!(verdict.reason, Reason::ProgressDeadlineExceeded);
    assert_eq!(verdict.reason.class(), ReasonClass::Terminal);
}

#[test]
fn a_revision_that_was_asked_for_serves_and_is_not_ready() {
    let (plan, service) = (Plan::default(), service());
    let pinned = crate::desired::Pinned {
        arn: "arn:aws:ecs:eu-west-3:1:task-definition/pre-prod_api:3".into(),
        hash: crate::hash::Hash::from("h"),
    };
    let desired = wanted().clone().asked(None, Some(pinned));
    let of = |phase| {
        let judgement = judgement(phase);
        let verdict = assess(&Pass {
            desired: &desired,
            ..settled(&plan, &service, &judgement)
        });
        assert!(verdict.message.contains("pre-prod_api:3"));
        assert!(verdict.message.contains("flexstack.dev/rollback-to"));
        (verdict.ready, verdict.reason)
    };
    let complete = of(RolloutPhase::Complete);
    assert_eq!(complete, (Ready::False, Reason::RolledBack));
    let progressing = of(RolloutPhase::Progressing);
    assert_eq!(progressing, (Ready::False, Reason::RollingBack));
}

#[test]
fn no_capacity_is_told_as_such_while_it_lasts() {
    let plan = Plan::default();
    let mut service = service();
    service.trouble =
        Some("was unable to place a task. Reason: Capacity is unavailable at this time.".into());
    let progressing = judgement(RolloutPhase::Progressing);
    let verdict = assess(&settled(&plan, &service, &progressing));
    assert_eq!(verdict.reason, Reason::CapacityUnavailable);
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
fn what_serves_may_be_complete_and_still_not_be_what_is_wanted() {
    let plan = Plan {
        // Made first, and alone.
        steps: vec![Step::TagDnsService {
            arn: "arn".into(),
            tags: std::collections::BTreeMap::new(),
        }],
        drift: vec![Drift {
            member: Member::TaskDefinition,
            behind_our_back: false,
            want: "a".into(),
            have: "b".into(),
            futile: false,
        }],
        ..Plan::default()
    };
    let (service, complete) = (service(), judgement(RolloutPhase::Complete));
    let pass = Pass {
        executed: 1,
        ..settled(&plan, &service, &complete)
    };
    let verdict = assess(&pass);
    assert_eq!(
        (verdict.ready, verdict.reason),
        (Ready::False, Reason::Deploying)
    );
}

#[test]
fn a_conflict_names_the_other_owner() {
    let owner = crate::owner::Owner {
        cluster_id: "c".into(),
        namespace: "team-b".into(),
        name: "api".into(),
    };
    let conflict = Conflict {
        obstacle: None,
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

#[test]
fn a_paused_service_is_ready_once_no_task_runs_and_says_who_else_wants_some() {
    let desired = resolved("{source: {image: {name: 'redis:7'}}, paused: true}").desired;
    let told = |wanted: i32, running: i32| {
        let (plan, mut service) = (Plan::default(), service());
        (service.desired_count, service.running_count) = (wanted, running);
        let complete = judgement(RolloutPhase::Complete);
        let verdict = assess(&Pass {
            desired: &desired,
            ..settled(&plan, &service, &complete)
        });
        (verdict.ready, verdict.reason, verdict.message)
    };
    assert_eq!(
        told(0, 0),
        (
            Ready::True,
            Reason::Paused,
            "paused is true: no tasks run".to_owned()
        )
    );
    let (ready, reason, message) = told(0, 2);
    assert_eq!((ready, reason), (Ready::False, Reason::Deploying));
    assert!(message.contains("2 tasks are still stopping"), "{message}");
    let (ready, _, message) = told(3, 3);
    assert_eq!(ready, Ready::False);
    assert!(message.contains("is set to 3 tasks"), "{message}");
}
