//! Edits behind the operator's back: what it set is put back within one sweep, what it did not set is left alone.

use privateservice_tests::{Options, World};
use serde_json::{Value, json};

async fn edit(world: &World, change: Value) {
    let mut body = json!({"cluster": world.seeded.cluster, "service": "web"});
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
    world.aws.call("ecs:UpdateService", body).await.unwrap();
}

#[tokio::test]
async fn what_was_set_is_put_back_and_the_rest_is_left_alone() {
    let world = World::start(Options {
        sweep_seconds: 2,
        ..Options::default()
    })
    .await
    .unwrap();
    let spec = "{source: {image: {name: 'nginx:1'}}, spot: Never, tags: {team: a}}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let before = world.ecs_service("web").unwrap();
    let arn = before["serviceArn"].clone();
    let tag = |service: &Value, key: &str| World::tag(service, key);
    let mark = world.mark();

    let definition = world.foreign_task_definition("theirs").await.unwrap();
    edit(&world, json!({"taskDefinition": definition, "serviceConnectConfiguration": {"enabled": false}, "serviceRegistries": []})).await;
    world
        .ecs_service_until("web", "the task definition to be put back", |service| {
            service["taskDefinition"] == before["taskDefinition"]
        })
        .await
        .unwrap();
    world.ready("web").await.unwrap();

    let spot = json!([{"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 1}]);
    edit(
        &world,
        json!({"capacityProviderStrategy": spot, "forceNewDeployment": true}),
    )
    .await;
    world
        .ecs_service_until("web", "the capacity to be put back", |service| {
            service["capacityProviderStrategy"] == before["capacityProviderStrategy"]
        })
        .await
        .unwrap();
    world.ready("web").await.unwrap();

    let network = json!({"awsvpcConfiguration": {
        "subnets": [world.seeded.subnets[0]], "securityGroups": [], "assignPublicIp": "DISABLED"}});
    edit(&world, json!({"networkConfiguration": network})).await;
    world
        .ecs_service_until("web", "the network to be put back", |service| {
            let groups = "/networkConfiguration/awsvpcConfiguration/securityGroups";
            let subnets = "/networkConfiguration/awsvpcConfiguration/subnets";
            service.pointer(groups) == before.pointer(groups)
                && service
                    .pointer(subnets)
                    .and_then(Value::as_array)
                    .map(Vec::len)
                    == Some(2)
        })
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    // Nothing of all that needed another revision.
    assert_eq!(
        world.calls_since(mark).count("ecs:RegisterTaskDefinition"),
        0
    );

    let tags = json!([{"key": "team", "value": "b"}, {"key": "cost", "value": "1"}]);
    let tagged = json!({"resourceArn": arn, "tags": tags});
    world.aws.call("ecs:TagResource", tagged).await.unwrap();
    edit(&world, json!({"desiredCount": 3})).await;
    let after = world
        .ecs_service_until("web", "the tag to be put back", |service| {
            tag(service, "team").as_deref() == Some("a")
        })
        .await
        .unwrap();
    assert_eq!(
        tag(&after, "cost").as_deref(),
        Some("1"),
        "somebody else's tag stays"
    );
    assert_eq!(
        after["desiredCount"], 3,
        "the count is not the operator's to set"
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_tag_that_is_no_longer_asked_for_goes() {
    let world = World::start(Options::default()).await.unwrap();
    let spec = |tags: &str| format!("{{source: {{image: {{name: 'nginx:1'}}}}, tags: {tags}}}");
    world
        .apply_service("web", &spec("{team: a, tier: '1'}"))
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    let mark = world.mark();
    world
        .apply_service("web", &spec("{team: a}"))
        .await
        .unwrap();
    world
        .ecs_service_until("web", "the tag to go", |service| {
            World::tag(service, "tier").is_none()
        })
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    assert_eq!(
        world.calls_since(mark).count("ecs:UpdateService"),
        0,
        "tags restart nothing"
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_service_removed_behind_its_back_is_made_again() {
    let world = World::start(Options {
        sweep_seconds: 2,
        ..Options::default()
    })
    .await
    .unwrap();
    world
        .apply_service("web", "{source: {image: {name: 'nginx:1'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    let body = json!({"cluster": world.seeded.cluster, "service": "web", "force": true});
    world.aws.call("ecs:DeleteService", body).await.unwrap();
    world
        .ecs_service_until("web", "the service to be made again", |service| {
            service["runningCount"] == 1
        })
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    world.finish().await.unwrap();
}
