//! Where output goes, and a shell in a task: what ECS is asked for, through the real API server.

use privateservice_tests::{Options, World};
use serde_json::json;

#[tokio::test]
async fn the_samples_of_log_targets_run_once_their_secrets_are_granted() {
    let world = World::start(Options::default()).await.unwrap();
    for (sample, secret) in [
        ("datadog", "logging/datadog"),
        ("axiom", "logging/axiom"),
        ("fluent-bit", "logging/loki"),
    ] {
        world.put_aws_secret(secret, "token-marked").await.unwrap();
        let file = format!("config/samples/logging/{sample}.yaml");
        let applied = world.kubectl(&["apply", "-f", &file], "").await.unwrap();
        applied.ok().unwrap();
    }
    let refused = world
        .refused("billing", "NamespaceNotAllowed")
        .await
        .unwrap();
    assert!(refused.starts_with("logging.datadog.apiKey"), "{refused}");

    let account = &world.seeded.account;
    let secrets = format!("arn:aws:secretsmanager:us-east-1:{account}:secret:logging/*");
    let grants = json!([{"namespaces": [world.namespace], "secrets": [secrets]}]);
    let patch = json!({"spec": {"grants": grants}});
    world.patch_environment("staging", &patch).await.unwrap();
    for (name, output, destination) in [
        ("billing", "datadog", "Datadog"),
        ("search", "http", "Axiom"),
        ("mail", "loki", "FluentBit"),
    ] {
        world.ready(name).await.unwrap();
        let containers = world.containers(name).await.unwrap();
        assert_eq!(containers.len(), 2, "{containers:?}");
        let (app, router) = (&containers[0], &containers[1]);
        assert_eq!(app["logConfiguration"]["logDriver"], "awsfirelens");
        assert_eq!(app["logConfiguration"]["options"]["Name"], output);
        assert_eq!(app["dependsOn"][0]["containerName"], router["name"]);
        assert_eq!(router["firelensConfiguration"]["type"], "fluentbit");
        assert_eq!(router["essential"], true);
        let status = world.service(name).await.unwrap().status.unwrap();
        assert_eq!(status.logs.unwrap().destination, destination);
    }
    let mark = world.mark();
    for name in ["billing", "search", "mail"] {
        world.reconcile(name, "again").await.unwrap();
    }
    assert_eq!(
        world.calls_since(mark).writes().total(),
        0,
        "nothing is left to do"
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn exec_is_switched_on_and_off_and_back_on_behind_our_back() {
    let world = World::start(Options::default()).await.unwrap();
    let with = |exec: bool| format!("{{source: {{image: {{name: 'app:1'}}}}, exec: {exec}}}");
    world.apply_service("web", &with(true)).await.unwrap();
    let refused = world.refused("web", "InvalidSpec").await.unwrap();
    assert!(
        refused.contains("write taskRoleArn, or leave exec out"),
        "{refused}"
    );

    let role = format!("arn:aws:iam::{}:role/tasks", world.seeded.account);
    let patch = json!({"spec": {"existing": {"taskRoleArn": role}}});
    world.patch_environment("staging", &patch).await.unwrap();
    world.ready("web").await.unwrap();
    let on = |world: &World| world.ecs_service("web").unwrap()["enableExecuteCommand"].clone();
    assert_eq!(on(&world), true);
    let init = &world.containers("web").await.unwrap()[0]["linuxParameters"]["initProcessEnabled"];
    assert_eq!(init, true);

    let off =
        json!({"cluster": world.seeded.cluster, "service": "web", "enableExecuteCommand": false});
    world.aws.call("ecs:UpdateService", off).await.unwrap();
    world.reconcile("web", "look").await.unwrap();
    world
        .ecs_service_until("web", "ECS Exec to be on again", |service| {
            service["enableExecuteCommand"] == true
        })
        .await
        .unwrap();

    world.apply_service("web", &with(false)).await.unwrap();
    world.ready("web").await.unwrap();
    assert_eq!(on(&world), false);
    assert!(world.containers("web").await.unwrap()[0]["linuxParameters"].is_null());
    world.finish().await.unwrap();
}
