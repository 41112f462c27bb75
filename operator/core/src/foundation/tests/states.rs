//! Each state a stack can be in.

use super::*;
use privateservice_api::conditions::Reason;

/// Memory of a change that was run for what is wanted now.
fn tried() -> Memory {
    Memory {
        stack_id: Some(ID.into()),
        applied: None,
        attempt: Some(Asked::default().attempt(
            &known("REVIEW_IN_PROGRESS"),
            &change_set(ChangeSetStatus::Created, Execution::Available),
        )),
    }
}

#[test]
fn a_stack_at_work_is_waited_for_and_serves_meanwhile_if_it_did() {
    let cases = [
        ("CREATE_IN_PROGRESS", false),
        ("ROLLBACK_IN_PROGRESS", false),
        ("DELETE_IN_PROGRESS", false),
        ("UPDATE_IN_PROGRESS", true),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", true),
        ("UPDATE_ROLLBACK_IN_PROGRESS", true),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", true),
        ("IMPORT_IN_PROGRESS", true),
        ("IMPORT_ROLLBACK_IN_PROGRESS", true),
        ("SOMETHING_NEW", false),
    ];
    for (status, serves) in cases {
        match Asked::default().decide(&known(status)) {
            Next::Wait { message, outputs } => {
                assert!(message.contains(NAME), "{message}");
                assert_eq!(outputs.is_some(), serves, "{status}");
            }
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn a_creation_that_failed_is_told_with_its_cause_and_repeated_only_when_something_changed() {
    for status in ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"] {
        let asked = Asked {
            memory: tried(),
            ..Asked::default()
        };
        assert_eq!(
            asked.decide(&known(status)),
            Next::Step(Step::DescribeFailure),
            "{status}"
        );
        let told = problem(asked.decide(&because(known(status))));
        assert_eq!(told.reason, Reason::EnvironmentNotReady);
        for words in ["TaskRole (AWS::IAM::Role): denied", "reconcile-at", NAME] {
            assert!(told.message.contains(words), "{}", told.message);
        }
        // Somebody asked for another try.
        let again = Asked {
            memory: tried(),
            retry: Some("now"),
            ..Asked::default()
        };
        assert_eq!(again.decide(&known(status)), Next::Step(Step::DeleteStack));
        // It was something else that failed.
        assert_eq!(
            Asked::default().decide(&known(status)),
            Next::Step(Step::DeleteStack)
        );
    }
}

#[test]
fn states_that_only_people_can_leave_end_in_a_reason_and_the_command_that_leads_out() {
    let cases = [
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("IMPORT_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_FAILED", "rollback-stack"),
        ("DELETE_FAILED", "delete-stack"),
    ];
    for (status, command) in cases {
        let asked = Asked::default();
        assert_eq!(
            asked.decide(&known(status)),
            Next::Step(Step::DescribeFailure),
            "{status}"
        );
        let told = problem(asked.decide(&because(known(status))));
        assert_eq!(told.reason, Reason::EnvironmentNotReady, "{status}");
        assert!(
            told.message
                .contains(&format!("aws cloudformation {command} --stack-name {NAME}")),
            "{}",
            told.message
        );
        assert!(told.message.contains("denied"), "{}", told.message);
        let mut silent = known(status);
        silent.failure = Lookup::Absent;
        assert!(
            problem(asked.decide(&silent))
                .message
                .contains("AWS gives no reason")
        );
    }
}

#[test]
fn a_change_that_went_back_is_told_and_services_go_on() {
    let asked = Asked::default();
    let run = change_set(ChangeSetStatus::Created, Execution::Available);
    let mut attempt = asked.attempt(&known("UPDATE_COMPLETE"), &run);
    attempt.base = "99".into();
    let asked = Asked {
        memory: Memory {
            stack_id: Some(ID.into()),
            applied: Some("what was before".into()),
            attempt: Some(attempt),
        },
        ..Asked::default()
    };
    let back = known("UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(asked.decide(&back), Next::Step(Step::DescribeFailure));
    let Next::WentBack {
        outputs: served,
        problem,
    } = asked.decide(&because(back.clone()))
    else {
        panic!("it did not go back")
    };
    assert_eq!(served, outputs());
    assert_eq!(problem.reason, Reason::RolledBack);
    assert!(
        problem.message.contains("reconcile-at"),
        "{}",
        problem.message
    );
    // What it went back to is what is wanted again.
    let reverted = Asked {
        memory: Memory {
            applied: Some(wanted().hash.0),
            ..asked.memory.clone()
        },
        ..Asked::default()
    };
    assert!(matches!(reverted.decide(&back), Next::Ready { .. }));
    // Somebody asked for another try: under another name, since the old change set may still be there.
    let again = Asked {
        memory: asked.memory.clone(),
        retry: Some("now"),
        ..Asked::default()
    };
    let Next::Step(Step::DescribeChangeSet { name }) = again.decide(&back) else {
        panic!("no new try")
    };
    assert_ne!(Some(name), asked.memory.attempt.map(|one| one.change_set));
}

#[test]
fn a_stack_of_somebody_else_is_not_touched() {
    let all = [
        "REVIEW_IN_PROGRESS",
        "CREATE_COMPLETE",
        "ROLLBACK_COMPLETE",
        "DELETE_FAILED",
        "UPDATE_IN_PROGRESS",
    ];
    for status in all {
        let mut foreign = known(status);
        let tags = &mut foreign.stack.as_mut().unwrap().tags;
        tags.insert("flexstack.dev/owner".into(), "other//pre-prod".into());
        let told = problem(Asked::default().decide(&foreign));
        assert_eq!(told.reason, Reason::NameConflict, "{status}");
    }
    let mut untagged = known("CREATE_COMPLETE");
    untagged.stack.as_mut().unwrap().tags.clear();
    let told = problem(Asked::default().decide(&untagged));
    assert_eq!(told.reason, Reason::NameConflict);
}

#[test]
fn a_stack_in_review_without_tags_is_ours_if_its_change_set_or_our_memory_says_so() {
    let mut review = known("REVIEW_IN_PROGRESS");
    review.stack.as_mut().unwrap().tags.clear();
    let asked = Asked::default();
    assert!(matches!(
        asked.decide(&review),
        Next::Step(Step::DescribeChangeSet { .. })
    ));
    let mut empty = review.clone();
    empty.change_set = Lookup::Absent;
    assert_eq!(problem(asked.decide(&empty)).reason, Reason::NameConflict);
    let mut ours = review.clone();
    ours.change_set = Lookup::Found(change_set(
        ChangeSetStatus::Creating,
        Execution::Unavailable,
    ));
    assert!(matches!(asked.decide(&ours), Next::Wait { .. }));
    let remembered = Asked {
        memory: Memory {
            stack_id: Some(ID.into()),
            ..Memory::default()
        },
        ..Asked::default()
    };
    assert!(matches!(
        remembered.decide(&empty),
        Next::Step(Step::CreateChangeSet {
            kind: ChangeSetKind::Create,
            ..
        })
    ));
}

#[test]
fn naming_what_the_stack_made_is_refused() {
    let asked = Asked {
        existing: Existing {
            cluster_arn: Some("another".into()),
            ..Existing::default()
        },
        ..Asked::default()
    };
    let told = problem(asked.decide(&known("UPDATE_COMPLETE")));
    assert_eq!(told.reason, Reason::InvalidSpec);
    assert!(
        told.message.contains("spec.existing.clusterArn"),
        "{}",
        told.message
    );
    let other = Asked {
        existing: Existing {
            task_role_arn: Some("never made".into()),
            ..Existing::default()
        },
        ..Asked::default()
    };
    assert!(matches!(
        other.decide(&known("UPDATE_COMPLETE")),
        Next::Step(_)
    ));
}

#[test]
fn a_stack_that_vanished_is_looked_for_twice_before_it_is_made_anew() {
    let asked = Asked {
        memory: Memory {
            stack_id: Some(ID.into()),
            applied: Some(wanted().hash.0),
            ..Memory::default()
        },
        ..Asked::default()
    };
    assert!(matches!(
        asked.decide(&Known::default()),
        Next::Wait { outputs: None, .. }
    ));
    let gone = Known {
        absent_for_long: true,
        ..Known::default()
    };
    assert!(matches!(
        asked.decide(&gone),
        Next::Step(Step::CreateChangeSet {
            kind: ChangeSetKind::Create,
            ..
        })
    ));
    let deleted = Known {
        absent_for_long: true,
        ..known("DELETE_COMPLETE")
    };
    assert_eq!(asked.decide(&deleted), asked.decide(&gone));
}
