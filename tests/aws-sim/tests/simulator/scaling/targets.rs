use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_applicationautoscaling::types::{
    ScalableTarget, ScalingActivity, ServiceNamespace, SuspendedState,
};
use aws_sim::{Fault, FaultKind, Options, ScalingOptions};
use serde_json::json;

use super::{DIMENSION, resource, step};
use crate::harness::{CLUSTER, Harness, container, refusal, start};

async fn described(harness: &Harness) -> Vec<ScalableTarget> {
    let asked = harness.scaling.describe_scalable_targets();
    let found = asked.service_namespace(ServiceNamespace::Ecs).send().await;
    found.unwrap().scalable_targets().to_vec()
}

async fn deregister(harness: &Harness, service: &str) -> Result<(), String> {
    let asked = harness
        .scaling
        .deregister_scalable_target()
        .service_namespace(ServiceNamespace::Ecs)
        .scalable_dimension(DIMENSION)
        .resource_id(resource(service));
    let answer = asked.send().await;
    match answer {
        Ok(_) => Ok(()),
        failed => Err(refusal(failed)),
    }
}

fn tags(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

#[tokio::test]
async fn a_target_is_registered_and_changed_member_by_member() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let bare = harness.target("api").min_capacity(1).send().await;
    assert!(refusal(bare).starts_with("ValidationException"));
    let asked = harness.target("api").min_capacity(1).max_capacity(4);
    let made = asked.send().await.unwrap();
    let arn = made.scalable_target_arn().unwrap();
    assert!(
        arn.starts_with("arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/"),
        "{arn}"
    );
    let suspended = SuspendedState::builder().dynamic_scaling_in_suspended(true);
    let asked = harness.target("api").suspended_state(suspended.build());
    asked.send().await.unwrap();
    let asked = harness.target("api").max_capacity(6);
    let changed = asked.send().await.unwrap();
    assert_eq!(changed.scalable_target_arn(), Some(arn));
    let all = described(&harness).await;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].min_capacity(), all[0].max_capacity()), (1, 6));
    assert_eq!(all[0].resource_id(), resource("api"));
    assert!(
        all[0]
            .role_arn()
            .ends_with("ApplicationAutoScaling_ECSService")
    );
    let shown = all[0].suspended_state().unwrap();
    assert_eq!(shown.dynamic_scaling_in_suspended(), Some(true));
    assert_eq!(shown.dynamic_scaling_out_suspended(), Some(false));
    let wrong = harness.target("api").min_capacity(7).send().await;
    assert!(refusal(wrong).starts_with("ValidationException"));
}

#[tokio::test]
async fn a_service_that_readers_do_not_see_does_not_exist() {
    let options = Options {
        describe_lag: Duration::from_secs(5),
        ..Options::default()
    };
    let harness = start(options).await;
    let definition = harness.register("api", container("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    let register = || harness.target("api").min_capacity(1).max_capacity(4).send();
    let expected = "ValidationException: ECS service doesn't exist";
    assert_eq!(refusal(register().await), expected);
    harness.advance(5);
    register().await.unwrap();
    let delete = harness.ecs.delete_service().cluster(CLUSTER).service("api");
    delete.force(true).send().await.unwrap();
    assert_eq!(refusal(register().await), expected);
    // Gone with the service, and no part of the next one of that name.
    harness.advance(60);
    assert!(described(&harness).await.is_empty());
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(60);
    assert!(described(&harness).await.is_empty());
    assert!(deregister(&harness, "api").await.is_err());
}

#[tokio::test]
async fn a_count_outside_the_bounds_is_set_to_the_bound() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let all = SuspendedState::builder()
        .dynamic_scaling_in_suspended(true)
        .dynamic_scaling_out_suspended(true)
        .scheduled_scaling_suspended(true);
    let asked = harness.target("api").min_capacity(3).max_capacity(5);
    asked.suspended_state(all.build()).send().await.unwrap();
    assert_eq!(harness.desired("api").await, 3);
    let update = harness.update("api").desired_count(9);
    update.send().await.unwrap();
    assert_eq!(harness.desired("api").await, 9, "nobody watches the count");
    // Whatever the request says.
    harness.target("api").send().await.unwrap();
    assert_eq!(harness.desired("api").await, 5);
    let asked = harness.scaling.describe_scaling_activities();
    let shown = asked.service_namespace(ServiceNamespace::Ecs).send().await;
    let shown = shown.unwrap();
    let causes: Vec<_> = shown
        .scaling_activities()
        .iter()
        .map(ScalingActivity::cause)
        .collect();
    assert_eq!(
        causes,
        [
            "maximum capacity was set to 5",
            "minimum capacity was set to 3"
        ]
    );
    let counts = harness.simulator.counts();
    assert_eq!(
        counts.get("ecs:UpdateService"),
        Some(&1),
        "not a client's call"
    );
}

#[tokio::test]
async fn tags_are_given_at_creation_and_changed_by_their_own_operations() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let first = tags(&[("owner", "team"), ("stage", "test")]);
    let register = || {
        let asked = harness.target("api").min_capacity(1).max_capacity(4);
        asked.set_tags(Some(first.clone())).send()
    };
    let made = register().await.unwrap();
    let arn = made.scalable_target_arn().unwrap();
    let again = refusal(register().await);
    assert!(
        again.starts_with("ValidationException: The scalable target that you tried to tag"),
        "{again}"
    );
    let more = tags(&[("stage", "live"), ("cost", "7")]);
    let tag = harness.scaling.tag_resource().resource_arn(arn);
    tag.set_tags(Some(more)).send().await.unwrap();
    let untag = harness.scaling.untag_resource().resource_arn(arn);
    untag.tag_keys("owner").send().await.unwrap();
    let listed = harness.scaling.list_tags_for_resource().resource_arn(arn);
    let listed = listed.send().await.unwrap();
    assert_eq!(
        listed.tags(),
        Some(&tags(&[("stage", "live"), ("cost", "7")]))
    );
    let lost = harness.scaling.list_tags_for_resource();
    let lost = lost.resource_arn(format!("{arn}0")).send().await;
    assert!(refusal(lost).starts_with("ResourceNotFoundException"));
    let many = (0..49).map(|n| (format!("k{n}"), String::new())).collect();
    let tag = harness.scaling.tag_resource().resource_arn(arn);
    let refused = refusal(tag.set_tags(Some(many)).send().await);
    assert!(refused.starts_with("TooManyTagsException"), "{refused}");
}

#[tokio::test]
async fn a_deregistered_target_takes_its_policies_along() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let first = harness.step_policy("api", "out", step(1)).await;
    deregister(&harness, "api").await.unwrap();
    let refused = deregister(&harness, "api").await.unwrap_err();
    assert_eq!(
        refused,
        "ObjectNotFoundException: No scalable target registered for service namespace: ecs, resource ID: \
         service/staging/api, scalable dimension: ecs:service:DesiredCount"
    );
    let orphan = harness.policy("api", "out").send().await;
    assert!(refusal(orphan).starts_with("ObjectNotFoundException"));
    let asked = harness.target("api").min_capacity(1).max_capacity(4);
    asked.send().await.unwrap();
    let policies = harness.scaling.describe_scaling_policies();
    let policies = policies
        .service_namespace(ServiceNamespace::Ecs)
        .send()
        .await;
    assert!(policies.unwrap().scaling_policies().is_empty());
    let second = harness.step_policy("api", "out", step(1)).await;
    assert_ne!(first, second, "an ARN is not used again");
}

#[tokio::test]
async fn targets_are_found_by_resource_and_come_in_pages() {
    let harness = start(Options::default()).await;
    for service in ["a", "b", "c"] {
        harness.scalable(service, 1, 4).await;
    }
    let ask = || {
        let asked = harness.scaling.describe_scalable_targets();
        asked.service_namespace(ServiceNamespace::Ecs)
    };
    let asked = ask()
        .resource_ids(resource("c"))
        .resource_ids(resource("a"));
    let found = asked.scalable_dimension(DIMENSION).send().await.unwrap();
    assert_eq!(found.scalable_targets().len(), 2);
    let first = ask().max_results(2).send().await.unwrap();
    assert_eq!(first.scalable_targets().len(), 2);
    let rest = ask().set_next_token(first.next_token().map(str::to_owned));
    let rest = rest.send().await.unwrap();
    assert_eq!(rest.scalable_targets()[0].resource_id(), resource("c"));
    assert_eq!(rest.next_token(), None);
    let forged = ask().next_token("x").send().await;
    assert!(refusal(forged).starts_with("InvalidNextTokenException"));
    let large = ask().max_results(51).send().await;
    assert!(refusal(large).starts_with("ValidationException"));
    let state = harness.simulator.state();
    assert_eq!(
        state["scaling"]["targets"][1]["ResourceId"],
        json!(resource("b"))
    );
}

#[tokio::test]
async fn what_is_not_simulated_is_said_loudly_and_faults_apply() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let other = harness.scaling.describe_scalable_targets();
    let other = other
        .service_namespace(ServiceNamespace::Dynamodb)
        .send()
        .await;
    assert!(refusal(other).starts_with("NotImplementedBySimulator"));
    let forecast = harness.scaling.get_predictive_scaling_forecast();
    let refused = forecast
        .service_namespace(ServiceNamespace::Ecs)
        .scalable_dimension(DIMENSION)
        .resource_id(resource("api"))
        .policy_name("p")
        .start_time(aws_sdk_ecs::primitives::DateTime::from_secs(0))
        .end_time(aws_sdk_ecs::primitives::DateTime::from_secs(60))
        .send()
        .await;
    assert!(refusal(refused).starts_with("NotImplementedBySimulator"));
    let fault = Fault::next("application-autoscaling:*", FaultKind::Throttle, 1);
    harness.simulator.fault(fault);
    let register = || harness.target("api").min_capacity(1).max_capacity(4).send();
    assert!(refusal(register().await).starts_with("ThrottlingException"));
    register().await.unwrap();
    let requests = harness.simulator.requests();
    let last = requests.last().unwrap();
    assert_eq!(
        last.name(),
        "application-autoscaling:RegisterScalableTarget"
    );
    assert_eq!(last.body["MaxCapacity"], json!(4));
    assert!(last.is_write());
}

#[tokio::test]
async fn there_are_so_many_targets_and_no_more() {
    let options = Options {
        scaling: Some(ScalingOptions {
            targets: 1,
            ..ScalingOptions::default()
        }),
        ..Options::default()
    };
    let harness = start(options).await;
    harness.scalable("a", 1, 4).await;
    harness.running("b", "a").await;
    let asked = harness.target("b").min_capacity(1).max_capacity(4);
    assert!(refusal(asked.send().await).starts_with("LimitExceededException"));
    harness.target("a").max_capacity(5).send().await.unwrap();
}

#[tokio::test]
async fn a_new_target_can_be_found_late() {
    let options = Options {
        scaling: Some(ScalingOptions {
            register_lag: Duration::from_secs(3),
            ..ScalingOptions::default()
        }),
        ..Options::default()
    };
    let harness = start(options).await;
    harness.scalable("api", 1, 4).await;
    let put = || {
        let policy = harness.policy("api", "out");
        policy.step_scaling_policy_configuration(step(1)).send()
    };
    assert!(refusal(put().await).starts_with("ObjectNotFoundException"));
    harness.advance(3);
    put().await.unwrap();
}
