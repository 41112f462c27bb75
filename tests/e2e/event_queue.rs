//! What happens in AWS by itself, seen through the queue of ECS events.

use std::time::Instant;

use crate::foundation::bare;
use crate::scaling::status_until;
use anyhow::ensure;
use aws_sim::Load;
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

/// Sweeps are an hour apart: whatever shows, an event has told of.
fn options() -> Options {
    Options {
        events: true,
        ..Options::default()
    }
}

/// A world with an Environment that is made beside what exists, and a service in it.
async fn made_beside(existing: Option<fn(&World) -> Value>, web: &str) -> World {
    let mut world = World::bare(options()).await.unwrap();
    world.start_operator().await.unwrap();
    let mut staging = bare(&world, "staging");
    if let Some(existing) = existing {
        staging["spec"]["existing"] = existing(&world);
    }
    world.apply(&staging).await.unwrap();
    world.environment_ready("staging").await.unwrap();
    world.apply_service("web", web).await.unwrap();
    world.ready("web").await.unwrap();
    world
}

/// The stack's rules ask for events of tasks by the cluster, and for those of deployments, which name no cluster, by the service.
async fn the_rules_fit(world: &World) {
    let service = world.ecs_service("web").unwrap();
    let listed = world.aws.call("events:ListRules", json!({})).await.unwrap();
    let rules = listed["Rules"].as_array().unwrap();
    let pattern = |kind: &str| {
        let texts = rules.iter().filter_map(|one| one["EventPattern"].as_str());
        let mut patterns = texts.map(|text| serde_json::from_str::<Value>(text).unwrap());
        patterns
            .find(|one| one["detail-type"].to_string().contains(kind))
            .unwrap()
    };
    let tasks = pattern("ECS Task State Change");
    assert_eq!(
        tasks["detail"]["clusterArn"],
        json!([service["clusterArn"]])
    );
    let deployments = pattern("ECS Deployment State Change");
    assert_eq!(deployments.get("detail"), None);
    let prefix = deployments["resources"][0]["prefix"].as_str().unwrap();
    let arn = service["serviceArn"].as_str().unwrap();
    assert_eq!(arn.strip_prefix(prefix), Some("web"), "{prefix} of {arn}");
}

#[tokio::test]
async fn what_the_autoscaler_does_shows_without_a_sweep() {
    let web = "{environment: staging, source: {image: {name: 'web:1'}}, scaling: {maxTasks: 4, cooldownSeconds: 60}}";
    let world = made_beside(None, web).await;
    the_rules_fit(&world).await;
    world.quiet().await.unwrap();
    let mark = world.mark();
    for (percent, wanted) in [(99.0, 4), (1.0, 1)] {
        let load = Load {
            cpu_percent: Some(percent),
            ..Load::default()
        };
        world.simulator.set_load(None, "web", Some(load));
        let run = |service: &Value| service["runningCount"] == wanted;
        world
            .ecs_service_until("web", "the tasks to run", run)
            .await
            .unwrap();
        let since = Instant::now();
        status_until(&world, "web", "the tasks in status", |status| {
            let tasks = status.tasks.as_ref();
            tasks.is_some_and(|tasks| (tasks.desired, tasks.running) == (wanted, wanted))
        })
        .await;
        // Forty times as fast as AWS, but the operator's pauses are real.
        println!(
            "{wanted} tasks shown {} ms later",
            since.elapsed().as_millis()
        );
    }
    let calls = world.calls_since(mark);
    let read = calls.count("ecs:DescribeServices");
    assert!(read > 0 && read < 120, "{read} reads");
    assert!(calls.count("sqs:DeleteMessageBatch") > 0);
    assert_eq!(calls.count("ecs:UpdateService"), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_was_there_is_matched_too() {
    let existing: fn(&World) -> Value = |world| json!({"clusterArn": world.seeded.cluster});
    let web = "{environment: staging, source: {image: {name: 'web:1'}}}";
    let world = made_beside(Some(existing), web).await;
    the_rules_fit(&world).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_queue_that_cannot_be_read_is_told_and_one_that_can_keeps_what_is_not_for_us() {
    let world = World::start(options()).await.unwrap();
    world
        .apply_service("web", "{source: {image: {name: 'web:1'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    let queue = "https://sqs.us-east-1.amazonaws.com/111122223333/not-there";
    let name = |url: &str| json!({"spec": {"existing": {"eventQueueUrl": url}}});
    world
        .patch_environment("staging", &name(queue))
        .await
        .unwrap();
    world
        .told("EventQueueUnreadable", "sqs:ReceiveMessage")
        .await
        .unwrap();
    world.environment_ready("staging").await.unwrap();

    let made = world
        .aws
        .call("sqs:CreateQueue", json!({"QueueName": "events"}))
        .await
        .unwrap();
    let url = made["QueueUrl"].as_str().unwrap();
    world
        .patch_environment("staging", &name(url))
        .await
        .unwrap();
    world.quiet().await.unwrap();
    let mark = world.mark();
    let service = world.ecs_service("web").unwrap();
    let event = json!({
        "version": "0", "id": "1", "detail-type": "ECS Deployment State Change", "source": "aws.ecs",
        "resources": [service["serviceArn"]],
        "detail": {"eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_COMPLETED"},
    });
    for body in ["for somebody else".to_owned(), event.to_string()] {
        let message = json!({"QueueUrl": url, "MessageBody": body});
        world.aws.call("sqs:SendMessage", message).await.unwrap();
    }
    eventually(DEADLINE, "a look at the service", async || {
        let calls = world.calls_since(mark);
        ensure!(
            calls.count("ecs:DescribeServices") > 0,
            "{:?}",
            calls.counts()
        );
        ensure!(
            calls.count("sqs:DeleteMessageBatch") > 0,
            "{:?}",
            calls.counts()
        );
        Ok(())
    })
    .await
    .unwrap();
    let asked = json!({"QueueUrl": url, "AttributeNames": ["All"]});
    let left = world
        .aws
        .call("sqs:GetQueueAttributes", asked)
        .await
        .unwrap();
    let count = |name: &str| -> u32 {
        let value = &left["Attributes"][name];
        value.as_str().and_then(|text| text.parse().ok()).unwrap()
    };
    let all = count("ApproximateNumberOfMessages") + count("ApproximateNumberOfMessagesNotVisible");
    assert_eq!(all, 1, "{left}");
    world.finish().await.unwrap();
}
