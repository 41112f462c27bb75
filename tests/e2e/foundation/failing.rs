//! Stacks that cannot be made.

use super::*;
use aws_sim::StackTrouble;

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

const STACK: &str = "privateservice-staging";
const WEB: &str = "{environment: staging, source: {image: {name: 'app:1'}}}";

/// What becomes of the stack with its next change, or with its deletion; or what it is already.
fn stack_is(world: &World, status: &str, already: bool) {
    let trouble = StackTrouble {
        status: status.to_owned(),
        already,
        resource: "InternalSecurityGroup".to_owned(),
        kind: "AWS::EC2::SecurityGroup".to_owned(),
        reason: "resource sg-1 has a dependent object".to_owned(),
    };
    world.simulator.trouble_stack(STACK, Some(trouble));
}

/// A change that ends in a state, as Ready says it, and the way out that a person takes; then the change is tried again when asked.
async fn change_ends_in(status: &str, words: &[&str]) {
    let world = made("staging").await;
    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();
    stack_is(&world, status, false);
    let edit = json!({"spec": {"logging": {"retentionDays": 7}}});
    world.patch_environment("staging", &edit).await.unwrap();
    let stuck = until(&world, "staging", status, |found| {
        ready(found).is_some_and(|(_, reason, _)| reason == "EnvironmentNotReady")
    })
    .await;
    let (_, _, message) = ready(&stuck).unwrap();
    for word in words
        .iter()
        .chain(&["InternalSecurityGroup", "has a dependent object"])
    {
        assert!(message.contains(word), "{word} is not in: {message}");
    }
    world.quiet().await.unwrap();
    let tried = world.calls().count("cloudformation:ExecuteChangeSet");
    assert_eq!(tried, 2, "the creation and the change, once each");
    let service = world.ecs_service("web").unwrap();
    assert_eq!(service["runningCount"], 1, "what runs goes on");

    // Somebody follows the message.
    stack_is(&world, "UPDATE_ROLLBACK_COMPLETE", true);
    annotate(&world, "staging", "after the way back").await;
    world.environment_ready("staging").await.unwrap();
    world.ready("web").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_change_whose_way_back_fails_names_the_cause_and_the_way_out() {
    let way = [
        "failed, and so did the way back",
        "continue-update-rollback",
    ];
    change_ends_in("UPDATE_ROLLBACK_FAILED", &way).await;
}

#[tokio::test]
async fn a_change_that_was_not_undone_names_the_cause_and_the_way_out() {
    change_ends_in("UPDATE_FAILED", &["was not undone", "rollback-stack"]).await;
}

#[tokio::test]
async fn a_change_that_went_back_is_told_and_services_go_on() {
    let world = made("staging").await;
    stack_is(&world, "UPDATE_ROLLBACK_COMPLETE", false);
    let edit = json!({"spec": {"logging": {"retentionDays": 7}}});
    world.patch_environment("staging", &edit).await.unwrap();
    let back = until(&world, "staging", "the way back to be told", |found| {
        ready(found).is_some_and(|(_, reason, _)| reason == "RolledBack")
    })
    .await;
    let (_, _, message) = ready(&back).unwrap();
    assert!(message.contains("has a dependent object"), "{message}");
    // It is as it was before: services come and go.
    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();
    world.quiet().await.unwrap();
    assert_eq!(world.calls().count("cloudformation:ExecuteChangeSet"), 2);
    annotate(&world, "staging", "again").await;
    world.environment_ready("staging").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_stack_that_cannot_be_deleted_says_why_and_goes_once_it_can() {
    let world = made("staging").await;
    stack_is(&world, "DELETE_FAILED", false);
    delete(&world, "staging").await;
    let environments = world.environments();
    eventually(DEADLINE, "the cause to be told", async || {
        let left = environments.get("staging").await?;
        let conditions = left.status.context("no status")?.conditions;
        let ready = conditions.iter().find(|one| one.type_ == "Ready");
        let message = &ready.context("no Ready")?.message;
        ensure!(
            message.contains("InternalSecurityGroup") && message.contains("has a dependent object"),
            "{message}"
        );
        Ok(())
    })
    .await
    .unwrap();
    world.simulator.trouble_stack(STACK, None);
    gone(&world, "staging").await;
    let left = stack(&world, "staging").await;
    assert!(
        left.is_err() || left.unwrap().contains("DELETE_COMPLETE"),
        "the stack is gone"
    );
    world.finish().await.unwrap();
}
