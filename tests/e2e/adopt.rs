//! Taking over ECS services that somebody made by hand, or that an object let go of.

use privateservice_api::meta::TAG_OWNER;
use privateservice_tests::{Options, World};
use serde_json::{Value, json};

/// Makes a service of two tasks by hand, with further members.
async fn by_hand(world: &World, name: &str, more: Value) {
    let seeded = &world.seeded;
    let definition = json!({
        "family": name,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": seeded.role,
        "containerDefinitions": [{"name": "web", "image": "nginx:1", "essential": true}],
    });
    let made = world
        .aws
        .call("ecs:RegisterTaskDefinition", definition)
        .await;
    let revision = made.unwrap()["taskDefinition"]["taskDefinitionArn"].clone();
    let mut body = json!({
        "cluster": seeded.cluster,
        "serviceName": name,
        "taskDefinition": revision,
        "desiredCount": 2,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": seeded.subnets, "securityGroups": [seeded.security_group], "assignPublicIp": "DISABLED"}},
    });
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    world.aws.call("ecs:CreateService", body).await.unwrap();
    world
        .ecs_service_until(name, "two tasks", |service| service["runningCount"] == 2)
        .await
        .unwrap();
}

async fn apply(world: &World, name: &str, adopt: bool) {
    let spec = format!("{{source: {{image: {{name: 'app:1'}}}}, adopt: {adopt}}}");
    world.apply_service(name, &spec).await.unwrap();
}

async fn grant(world: &World) {
    let patch = json!({"spec": {"grants": [{"namespaces": [world.namespace], "adopt": true}]}});
    world.patch_environment("staging", &patch).await.unwrap();
}

#[tokio::test]
async fn a_service_made_by_hand_is_taken_over_where_that_is_wanted_and_granted() {
    let world = World::start(Options::default()).await.unwrap();
    by_hand(
        &world,
        "web",
        json!({"tags": [{"key": "made-by", "value": "hand"}]}),
    )
    .await;
    let mark = world.mark();
    apply(&world, "web", false).await;
    let refused = world.refused("web", "NameConflict").await.unwrap();
    assert!(refused.contains("adopt: true"), "{refused}");
    apply(&world, "web", true).await;
    let refused = world.refused("web", "NamespaceNotAllowed").await.unwrap();
    assert!(refused.starts_with("adopt: "), "{refused}");
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());

    grant(&world).await;
    world.ready("web").await.unwrap();
    let service = world.ecs_service("web").unwrap();
    assert_eq!(service["desiredCount"], 2, "as many as before");
    assert_eq!(World::tag(&service, "made-by").as_deref(), Some("hand"));
    let owner = World::tag(&service, TAG_OWNER).unwrap();
    assert!(
        owner.ends_with(&format!("{}/web", world.namespace)),
        "{owner}"
    );
    let status = world.service("web").await.unwrap().status.unwrap();
    assert_eq!(status.deployed.unwrap().image.as_deref(), Some("app:1"));
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("ecs:UpdateService"), 1);
    assert_eq!(calls.count("ecs:CreateService"), 0);
    for request in &calls.0 {
        assert!(request.body["desiredCount"].is_null(), "{request:?}");
    }

    // From here on it is one of ours, to the end.
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world.holds_nothing_of("web").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_is_unlike_ours_or_somebody_elses_is_left_alone() {
    let world = World::start(Options::default()).await.unwrap();
    let target =
        "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/0123456789abcdef";
    let balanced = json!({"loadBalancers": [
        {"targetGroupArn": target, "containerName": "web", "containerPort": 80}]});
    by_hand(&world, "balanced", balanced).await;
    let owned = json!({"tags": [{"key": TAG_OWNER, "value": "elsewhere/team-b/owned"}]});
    by_hand(&world, "owned", owned).await;
    let forged = json!({"tags": [{"key": TAG_OWNER, "value": "nonsense"}]});
    by_hand(&world, "forged", forged).await;
    grant(&world).await;
    let mark = world.mark();
    for (name, words) in [
        ("balanced", "because it has a load balancer"),
        ("owned", "belongs to PrivateService team-b/owned"),
        ("forged", "is not touched"),
    ] {
        apply(&world, name, true).await;
        let refused = world.refused(name, "NameConflict").await.unwrap();
        assert!(refused.contains(words), "{refused}");
    }
    for name in ["balanced", "owned", "forged"] {
        world.delete(name).await.unwrap();
        world.gone(name).await.unwrap();
        let service = world.ecs_service(name).unwrap();
        assert_eq!(service["status"], "ACTIVE", "{name} is still there");
    }
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_was_let_go_of_is_taken_up_again_without_replacing_a_task() {
    let world = World::start(Options::default()).await.unwrap();
    let spec = "{source: {image: {name: 'app:1'}}, deletionPolicy: Retain}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    let kept = world.ecs_service("web").unwrap();
    assert_eq!(World::tag(&kept, TAG_OWNER), None);

    grant(&world).await;
    let mark = world.mark();
    apply(&world, "web", true).await;
    world.ready("web").await.unwrap();
    let service = world.ecs_service("web").unwrap();
    assert!(World::tag(&service, TAG_OWNER).is_some());
    assert_eq!(
        service["deployments"][0]["id"],
        kept["deployments"][0]["id"]
    );
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("ecs:UpdateService"), 0);
    assert_eq!(calls.count("ecs:RegisterTaskDefinition"), 0);

    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world.holds_nothing_of("web").await.unwrap();
    world.finish().await.unwrap();
}
