//! Variables from secrets that are in AWS already: what ECS is asked for, through the real API server.

use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

/// What the user's container takes from secrets.
async fn secrets(world: &World, name: &str) -> Value {
    world.containers(name).await.unwrap()[0]["secrets"].clone()
}

#[tokio::test]
async fn a_secret_of_aws_becomes_a_variable_once_it_is_granted_and_each_change_of_its_name_a_rollout()
 {
    let world = World::start(Options::default()).await.unwrap();
    let account = &world.seeded.account;
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/samples/variables");
    let sample = std::fs::read_to_string(format!("{root}/secrets-manager.yaml")).unwrap();
    let value = r#"{"username": "orders", "password": "password-marked", "token": "t"}"#;
    let kept = world
        .put_aws_secret("orders/database", value)
        .await
        .unwrap();
    let apply = async |manifest: &str| {
        let applied = world
            .kubectl(&["apply", "-f", "-"], manifest)
            .await
            .unwrap();
        applied.ok().unwrap();
    };
    apply(&sample).await;
    let refused = world
        .refused("orders", "NamespaceNotAllowed")
        .await
        .unwrap();
    assert!(refused.starts_with("env DATABASE_USER: "), "{refused}");

    let granted = format!("arn:aws:secretsmanager:us-east-1:{account}:secret:orders/*");
    let grants = json!([{"namespaces": [world.namespace], "secrets": [granted]}]);
    let patch = json!({"spec": {"grants": grants}});
    world.patch_environment("staging", &patch).await.unwrap();
    world.ready("orders").await.unwrap();
    let named = |key: &str| format!("{}:{key}::{}", kept.arn, kept.version);
    let first = json!([
        {"name": "DATABASE_PASSWORD", "valueFrom": named("password")},
        {"name": "DATABASE_USER", "valueFrom": named("username")},
    ]);
    assert_eq!(secrets(&world, "orders").await, first);
    let before = world.ecs_service("orders").unwrap()["taskDefinition"].clone();

    apply(&sample.replace("key: password", "key: token")).await;
    world.ready("orders").await.unwrap();
    let now = secrets(&world, "orders").await;
    assert_eq!(now[0]["valueFrom"], named("token"));

    // Back to what was: the revision of then serves again.
    let mark = world.mark();
    apply(&sample).await;
    world.ready("orders").await.unwrap();
    assert_eq!(
        world.ecs_service("orders").unwrap()["taskDefinition"],
        before
    );
    let registered = world.calls_since(mark).count("ecs:RegisterTaskDefinition");
    assert_eq!(registered, 0);

    let mark = world.mark();
    world.reconcile("orders", "again").await.unwrap();
    assert_eq!(
        world.calls_since(mark).writes().total(),
        0,
        "nothing is left to do"
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_parameter_becomes_a_variable_once_it_is_granted() {
    let world = World::start(Options::default()).await.unwrap();
    let sample = [
        "apply",
        "-f",
        "config/samples/variables/parameter-store.yaml",
    ];
    world.kubectl(&sample, "").await.unwrap().ok().unwrap();
    let refused = world
        .refused("banner", "NamespaceNotAllowed")
        .await
        .unwrap();
    let add = r#"parameters: ["/shop/banner"]"#;
    assert!(
        refused.starts_with("env PODINFO_UI_MESSAGE: ") && refused.contains(add),
        "{refused}"
    );

    let grants = json!([{"namespaces": [world.namespace], "parameters": ["/shop/*"]}]);
    let patch = json!({"spec": {"grants": grants}});
    world.patch_environment("staging", &patch).await.unwrap();
    world.ready("banner").await.unwrap();
    let account = &world.seeded.account;
    let arn = format!("arn:aws:ssm:us-east-1:{account}:parameter/shop/banner");
    let wanted = json!([{"name": "PODINFO_UI_MESSAGE", "valueFrom": arn}]);
    assert_eq!(secrets(&world, "banner").await, wanted);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_secret_in_plain_text_earns_a_warning_that_does_not_hold_its_value() {
    let world = World::start(Options::default()).await.unwrap();
    let spec = "{source: {image: {name: 'app:1'}}, env: [{name: DB_PASSWORD, value: hunter2}]}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let selected = [
        "get",
        "events",
        "--field-selector",
        "reason=PlainSecret",
        "-o",
        "yaml",
    ];
    eventually(DEADLINE, "the warning", async || {
        let events = world.kubectl(&selected, "").await?.ok()?;
        anyhow::ensure!(events.contains("env DB_PASSWORD: "), "{events}");
        assert!(!events.contains("hunter2"), "{events}");
        Ok(())
    })
    .await
    .unwrap();
    world.finish().await.unwrap();
}
