//! From one state to the next: creating, changing, approving, and crashing anywhere on the way.

use super::*;

fn describe(next: &Next) -> &str {
    match next {
        Next::Step(Step::DescribeChangeSet { name }) => name,
        other => panic!("{other:?}"),
    }
}

fn with(mut known: Known, found: ChangeSet) -> Known {
    known.change_set = Lookup::Found(found);
    known
}

fn available() -> ChangeSet {
    change_set(ChangeSetStatus::Created, Execution::Available)
}

#[test]
fn a_stack_is_made_by_a_change_set_that_is_run_at_once() {
    let asked = Asked::default();
    let Next::Step(Step::CreateChangeSet {
        name,
        kind: ChangeSetKind::Create,
    }) = asked.decide(&Known::default())
    else {
        panic!("no change set")
    };
    let review = known("REVIEW_IN_PROGRESS");
    assert_eq!(
        describe(&asked.decide(&review)),
        name,
        "a crash finds it again"
    );
    let computing = change_set(ChangeSetStatus::Creating, Execution::Unavailable);
    assert!(matches!(
        asked.decide(&with(review.clone(), computing)),
        Next::Wait { outputs: None, .. }
    ));
    // Everything is new; nothing can be replaced, whatever the change set says.
    let attempt = asked.attempt(&review, &available());
    assert_eq!(
        (attempt.change_set.as_str(), attempt.base.as_str()),
        (name.as_str(), "review")
    );
    assert!(!attempt.unprotected);

    let begun = Asked {
        memory: Memory {
            stack_id: Some(ID.into()),
            applied: None,
            attempt: Some(attempt.clone()),
        },
        ..Asked::default()
    };
    // Crashed between writing it down and running it.
    assert_eq!(describe(&begun.decide(&review)), name);
    assert_eq!(begun.attempt(&review, &available()), attempt);
    // Run.
    let complete = known("CREATE_COMPLETE");
    assert_eq!(begun.decide(&complete), Next::Step(Step::Protect));
    let protected = Known {
        is_protected: true,
        ..complete
    };
    assert_eq!(
        begun.decide(&protected),
        Next::Ready {
            outputs: outputs(),
            cleanup: None
        }
    );
}

fn applied(hash: &str) -> Asked {
    Asked {
        memory: Memory {
            stack_id: Some(ID.into()),
            applied: Some(hash.into()),
            attempt: None,
        },
        ..Asked::default()
    }
}

#[test]
fn a_stack_as_it_should_be_costs_no_further_call() {
    for status in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"] {
        assert!(matches!(
            applied(wanted().hash.as_str()).decide(&known(status)),
            Next::Ready { cleanup: None, .. }
        ));
    }
}

#[test]
fn a_harmless_change_runs_at_once_and_serves_meanwhile() {
    let asked = applied("before");
    let complete = known("UPDATE_COMPLETE");
    let name = describe(&asked.decide(&complete)).to_owned();
    let mut absent = complete.clone();
    absent.change_set = Lookup::Absent;
    assert_eq!(
        asked.decide(&absent),
        Next::Step(Step::CreateChangeSet {
            name: name.clone(),
            kind: ChangeSetKind::Update
        })
    );
    let computing = change_set(ChangeSetStatus::Creating, Execution::Unavailable);
    assert!(matches!(
        asked.decide(&with(complete.clone(), computing)),
        Next::Wait {
            outputs: Some(_),
            ..
        }
    ));
    let attempt = asked.attempt(&complete, &available());
    assert_eq!((attempt.change_set, attempt.unprotected), (name, false));
}

#[test]
fn a_change_that_replaces_waits_for_its_name_to_be_approved() {
    let asked = applied("before");
    let complete = known("UPDATE_COMPLETE");
    let found = with(complete.clone(), replacing());
    let Next::Pending {
        pending,
        outputs: served,
    } = asked.decide(&found)
    else {
        panic!("it does not wait")
    };
    assert_eq!(served, outputs());
    assert_eq!(pending.changes[0].resource, "Cluster");
    let wrong = Asked {
        approve: Some("privateservice-0123456789abcdef".into()),
        memory: asked.memory.clone(),
        ..Asked::default()
    };
    assert!(matches!(wrong.decide(&found), Next::Pending { .. }));
    let approved = Asked {
        approve: Some(pending.name.clone()),
        memory: asked.memory.clone(),
        ..Asked::default()
    };
    let attempt = approved.attempt(&complete, &replacing());
    assert!(attempt.unprotected);

    // Crashed before it was run: the same change set, still approved.
    let begun = Asked {
        approve: Some(pending.name.clone()),
        memory: Memory {
            attempt: Some(attempt.clone()),
            ..asked.memory
        },
        ..Asked::default()
    };
    assert_eq!(describe(&begun.decide(&complete)), pending.name);
    assert_eq!(begun.attempt(&complete, &replacing()), attempt);
    // Once it has ended, well or not, the stack is protected before anything else.
    for status in ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"] {
        let mut ended = because(known(status));
        ended.stack.as_mut().unwrap().updated = "101".into();
        assert_eq!(begun.decide(&ended), Next::Step(Step::Protect), "{status}");
    }
}

#[test]
fn a_change_set_without_changes_means_that_the_stack_is_as_it_should_be() {
    let asked = applied("before");
    let complete = known("UPDATE_COMPLETE");
    let name = describe(&asked.decide(&complete)).to_owned();
    for reason in [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ] {
        let empty = ChangeSet {
            reason: Some(reason.into()),
            ..change_set(ChangeSetStatus::Failed, Execution::Unavailable)
        };
        assert_eq!(
            asked.decide(&with(complete.clone(), empty)),
            Next::Ready {
                outputs: outputs(),
                cleanup: Some(name.clone())
            }
        );
    }
}

#[test]
fn a_change_set_that_cannot_be_computed_is_told_and_removed_so_that_it_is_tried_again() {
    let failed = ChangeSet {
        reason: Some("role is not allowed".into()),
        ..change_set(ChangeSetStatus::Failed, Execution::Unavailable)
    };
    for status in ["UPDATE_COMPLETE", "REVIEW_IN_PROGRESS"] {
        let Next::Stuck { problem, cleanup } =
            applied("before").decide(&with(known(status), failed.clone()))
        else {
            panic!("{status}")
        };
        assert!(problem.message.contains("role is not allowed"));
        assert!(cleanup.is_some());
    }
}

#[test]
fn a_change_set_the_stack_has_left_behind_is_computed_anew() {
    let obsolete = change_set(ChangeSetStatus::Created, Execution::Unavailable);
    let next = applied("before").decide(&with(known("UPDATE_COMPLETE"), obsolete));
    assert!(matches!(next, Next::Step(Step::DeleteChangeSet { .. })));
    let leaving = change_set(ChangeSetStatus::Deleting, Execution::Unavailable);
    let next = applied("before").decide(&with(known("UPDATE_COMPLETE"), leaving));
    assert!(matches!(next, Next::Wait { .. }));
}

#[test]
fn a_change_set_that_runs_or_ran_is_not_run_again() {
    for execution in [Execution::Running, Execution::Done, Execution::Failed] {
        let found = change_set(ChangeSetStatus::Created, execution);
        for status in ["REVIEW_IN_PROGRESS", "UPDATE_COMPLETE"] {
            let next = applied("before").decide(&with(known(status), found.clone()));
            assert!(
                !matches!(next, Next::Step(Step::Execute { .. })),
                "{next:?}"
            );
        }
    }
}

#[test]
fn the_name_of_a_change_set_depends_on_where_it_leads_and_from_where() {
    let complete = known("UPDATE_COMPLETE");
    let one = describe(&applied("a").decide(&complete)).to_owned();
    assert_eq!(one, describe(&applied("a").decide(&complete)));
    assert_ne!(one, describe(&applied("b").decide(&complete)));
    // Another look that somebody asks for does not change a name that may be approved already.
    let asked = Asked {
        retry: Some("now"),
        ..applied("a")
    };
    assert_eq!(one, describe(&asked.decide(&complete)));
}

#[test]
fn the_protection_forbids_replacing_and_deleting_what_services_live_on() {
    let policy: serde_json::Value = serde_json::from_str(&protection()).unwrap();
    let denied = &policy["Statement"][1];
    assert_eq!(denied["Effect"], "Deny");
    let types = denied["Condition"]["StringEquals"]["ResourceType"]
        .as_array()
        .unwrap();
    assert_eq!(types.len(), changes::GUARDED.len());
    assert!(!no_protection().contains("Deny"));
}
