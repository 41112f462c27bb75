use super::*;

fn deletion(known: &Known) -> Deletion {
    let owner = owner("cluster-uid", "pre-prod").tag_value();
    decide_deletion(NAME, &owner, Some(ID), known)
}

#[test]
fn every_state_is_waited_for_or_deleted() {
    let cases = [
        ("REVIEW_IN_PROGRESS", "delete"),
        ("CREATE_IN_PROGRESS", "wait"),
        ("CREATE_FAILED", "delete"),
        ("CREATE_COMPLETE", "delete"),
        ("ROLLBACK_IN_PROGRESS", "wait"),
        ("ROLLBACK_FAILED", "delete"),
        ("ROLLBACK_COMPLETE", "delete"),
        ("DELETE_IN_PROGRESS", "wait"),
        ("DELETE_FAILED", "why"),
        ("DELETE_COMPLETE", "gone"),
        ("UPDATE_IN_PROGRESS", "wait"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "wait"),
        ("UPDATE_COMPLETE", "delete"),
        ("UPDATE_FAILED", "delete"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "wait"),
        ("UPDATE_ROLLBACK_FAILED", "delete"),
        ("UPDATE_ROLLBACK_COMPLETE", "delete"),
        ("SOMETHING_NEW", "wait"),
    ];
    for (status, expected) in cases {
        let does = match deletion(&known(status)) {
            Deletion::Gone => "gone",
            Deletion::Step(Step::DeleteStack) => "delete",
            Deletion::Step(Step::DescribeFailure) => "why",
            Deletion::Wait { .. } => "wait",
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!(does, expected, "{status}");
    }
    assert_eq!(deletion(&Known::default()), Deletion::Gone);
}

#[test]
fn a_failed_deletion_says_why_and_is_tried_again() {
    let Deletion::Again { message } = deletion(&because(known("DELETE_FAILED"))) else {
        panic!("not tried again")
    };
    assert!(message.contains("denied"), "{message}");
}

#[test]
fn a_stack_of_somebody_else_stays() {
    let mut foreign = known("CREATE_COMPLETE");
    let tags = &mut foreign.stack.as_mut().unwrap().tags;
    tags.insert("flexstack.dev/owner".into(), "other//pre-prod".into());
    assert_eq!(deletion(&foreign), Deletion::Gone);
    let mut untagged = known("CREATE_COMPLETE");
    let stack = untagged.stack.as_mut().unwrap();
    stack.tags.clear();
    stack.id = "another".into();
    assert_eq!(deletion(&untagged), Deletion::Gone);
}
