//! Stacks that cannot be made.

use super::*;

#[tokio::test]
async fn a_creation_that_fails_says_why_and_is_tried_again_when_asked() {
    let world = world().await;
    let mut environment = bare(&world, "staging");
    // The seeded namespace has that name already.
    environment["spec"]["namespace"] = json!(world.seeded.namespace_name);
    world.apply(&environment).await.unwrap();
    let failed = until(&world, "staging", "the cause to be told", |found| {
        ready(found).is_some_and(|(_, reason, _)| reason == "EnvironmentNotReady")
    })
    .await;
    let (_, _, message) = ready(&failed).unwrap();
    for words in [
        "Namespace (AWS::ServiceDiscovery::",
        "already exists",
        "reconcile-at",
    ] {
        assert!(message.contains(words), "{message}");
    }
    world.quiet().await.unwrap();
    let calls = world.calls();
    assert_eq!(
        calls.count("cloudformation:ExecuteChangeSet"),
        1,
        "it is not tried again by itself"
    );

    let taken = json!({"Id": world.seeded.namespace_id()});
    world
        .aws
        .call("servicediscovery:DeleteNamespace", taken)
        .await
        .unwrap();
    annotate(&world, "staging", "1").await;
    world.environment_ready("staging").await.unwrap();
    let found = status(&world, "staging").await;
    assert!(found.namespace_arn.is_some());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_cloudformation_refuses_is_told_and_what_it_does_not_answer_is_asked_again() {
    use aws_sim::{Fault, FaultKind};
    let world = world().await;
    let denied = Fault::always("cloudformation:CreateChangeSet", FaultKind::AccessDenied);
    world.simulator.fault(denied);
    world.apply(&bare(&world, "staging")).await.unwrap();
    world
        .environment_is("staging", "False", "AccessDenied")
        .await
        .unwrap();
    world.simulator.clear_faults();
    annotate(&world, "staging", "1").await;
    world.environment_ready("staging").await.unwrap();
    world.finish().await.unwrap();
}
