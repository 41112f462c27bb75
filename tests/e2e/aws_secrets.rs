//! Secrets of Secrets Manager that others keep: by name and by ARN, which version tasks get and when, and what it costs.
//!
//! Tasks in these worlds do not start unless ECS can read what they name.

use crate::rollouts::redeploy;
use crate::secrets::{roll_back, tasks_have};
use anyhow::{Context, ensure};
use aws_sim::{Fault, FaultKind};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use privateservice_api::privateservice::WatchedSecret;
use privateservice_tests::world::{DEADLINE, ENVIRONMENT};
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const READ: &str = "secretsmanager:DescribeSecret";

/// A world whose Environment grants the namespace of the test all secrets of `orders`.
async fn start(options: Options) -> World {
    let world = World::start(Options {
        check_secrets: true,
        ..options
    })
    .await
    .unwrap();
    let granted = format!(
        "arn:aws:secretsmanager:us-east-1:{}:secret:orders/*",
        world.seeded.account
    );
    let grants = json!([{"namespaces": [world.namespace], "secrets": [granted]}]);
    edit_environment(&world, &json!({"grants": grants})).await;
    world
}

async fn edit_environment(world: &World, spec: &Value) {
    let patch = json!({"spec": spec});
    world.patch_environment(ENVIRONMENT, &patch).await.unwrap();
    world.environment_ready(ENVIRONMENT).await.unwrap();
}

/// A service whose variable URL is one key of a secret.
fn spec(id: &str, more: &str) -> String {
    format!(
        "{{source: {{image: {{name: 'app:1'}}}}, \
         env: [{{name: URL, valueFrom: {{awsSecretRef: {{id: '{id}', key: url}}}}}}]{more}}}"
    )
}

fn value(url: &str) -> String {
    json!({"url": url}).to_string()
}

async fn put(world: &World, url: &str) -> privateservice_tests::world::Kept {
    world
        .put_aws_secret("orders/db", &value(url))
        .await
        .unwrap()
}

/// What status says of the one secret that a service watches.
async fn watched(world: &World, service: &str) -> anyhow::Result<WatchedSecret> {
    let status = world.service(service).await?.status.unwrap_or_default();
    let [one] = status.aws_secrets.as_slice() else {
        anyhow::bail!("{:?}", status.aws_secrets)
    };
    Ok(one.clone())
}

/// The message of the condition `SecretsSynced`.
async fn synced(world: &World, service: &str) -> anyhow::Result<String> {
    let status = world.service(service).await?.status.unwrap_or_default();
    let condition = status
        .conditions
        .into_iter()
        .find(|one| one.type_ == "SecretsSynced");
    Ok(condition.context("no SecretsSynced")?.message)
}

/// Waits until status says that this version waits for a rollout.
async fn pending(world: &World, service: &str, version: &str) {
    eventually(DEADLINE, "the new version to be pending", async || {
        let now = watched(world, service).await?;
        let current = now.version_id.as_deref() == Some(version);
        ensure!(now.pending && current, "{now:?}");
        let words = synced(world, service).await?;
        ensure!(words.contains("flexstack.dev/redeploy-at"), "{words}");
        Ok(())
    })
    .await
    .unwrap();
}

/// The one Warning of this reason about a service.
async fn warning(world: &World, reason: &str) -> String {
    let events: Api<Event> = Api::namespaced(world.client.clone(), &world.namespace);
    eventually(DEADLINE, reason, async || {
        let all = events.list(&ListParams::default()).await?;
        let found = all
            .items
            .into_iter()
            .find(|event| event.reason.as_deref() == Some(reason));
        found.and_then(|event| event.note).context("no such Event")
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_new_version_waits_for_a_redeploy_and_a_change_back_is_the_revision_of_then() {
    let world = start(Options::default()).await;
    let first = put(&world, "postgres://first").await;
    let mark = world.mark();
    world
        .apply_service("named", &spec("orders/db", ""))
        .await
        .unwrap();
    tasks_have(&world, "named", "postgres://first").await;
    world
        .apply_service("whole", &spec(&first.arn, ""))
        .await
        .unwrap();
    tasks_have(&world, "whole", "postgres://first").await;
    let read = world.calls_since(mark);
    assert_eq!(read.count(READ), 2, "once for each way to name it");
    assert_eq!(read.count("secretsmanager:GetSecretValue"), 0);
    let definition = world.ecs_service("named").unwrap()["taskDefinition"].clone();
    for service in ["named", "whole"] {
        let shown = world.service(service).await.unwrap().status.unwrap();
        assert_eq!(shown.secrets[0].arn, first.arn);
        assert_eq!(shown.secrets[0].version_id.as_ref(), Some(&first.version));
        let one = watched(&world, service).await.unwrap();
        assert_eq!(one.rolled_out_version_id.as_ref(), Some(&first.version));
        assert!(!one.pending && !one.unnamed, "{one:?}");
    }

    let second = put(&world, "postgres://second").await;
    let mark = world.mark();
    for service in ["named", "whole"] {
        world.reconcile(service, "look").await.unwrap();
        pending(&world, service, &second.version).await;
        world.ready(service).await.unwrap();
        let now = world.seen_by_tasks(service, "URL");
        assert_eq!(now, BTreeSet::from(["postgres://first".to_owned()]));
    }
    assert_eq!(world.calls_since(mark).writes().total(), 0);

    // What became current a moment ago is what a redeploy takes, without another look being asked for.
    put(&world, "postgres://third").await;
    redeploy(&world, "named", "now").await;
    tasks_have(&world, "named", "postgres://third").await;
    let one = watched(&world, "named").await.unwrap();
    assert!(!one.pending, "{one:?}");

    // The version of then is current again, and so is its revision.
    let back = json!({
        "SecretId": "orders/db", "VersionStage": "AWSCURRENT",
        "MoveToVersionId": first.version, "RemoveFromVersionId": one.version_id.unwrap(),
    });
    world
        .aws
        .call("secretsmanager:UpdateSecretVersionStage", back)
        .await
        .unwrap();
    let mark = world.mark();
    redeploy(&world, "named", "again").await;
    tasks_have(&world, "named", "postgres://first").await;
    assert_eq!(
        world.ecs_service("named").unwrap()["taskDefinition"],
        definition
    );
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("ecs:RegisterTaskDefinition"), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn with_automatic_a_new_version_rolls_out_and_a_rollback_brings_the_old_value_back() {
    let world = start(Options {
        sweep_seconds: 2,
        ..Options::default()
    })
    .await;
    put(&world, "postgres://good").await;
    let fields = ", secretRollout: Automatic, rollout: {alarms: [bell]}";
    world
        .apply_service("web", &spec("orders/db", fields))
        .await
        .unwrap();
    tasks_have(&world, "web", "postgres://good").await;
    put(&world, "postgres://better").await;
    tasks_have(&world, "web", "postgres://better").await;

    roll_back(&world, put(&world, "postgres://wrong"), "postgres://better").await;
    put(&world, "postgres://fixed").await;
    tasks_have(&world, "web", "postgres://fixed").await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn services_that_share_a_secret_share_its_reads_and_a_sweep_brings_the_news_to_all_of_them() {
    let world = start(Options {
        sweep_seconds: 8,
        ..Options::default()
    })
    .await;
    put(&world, "postgres://first").await;
    let services = ["one", "two", "three"];
    let mark = world.mark();
    for service in services {
        world
            .apply_service(service, &spec("orders/db", ""))
            .await
            .unwrap();
    }
    for service in services {
        tasks_have(&world, service, "postgres://first").await;
    }
    // Each look at one of them asks for nothing of Secrets Manager but what a sweep asks for all of them.
    let looks = async |mark: u64, count: usize| {
        eventually(DEADLINE, "the next sweeps", async || {
            let reads = world.calls_since(mark).count(READ);
            ensure!(reads >= count, "{reads} reads");
            Ok(())
        })
        .await
        .unwrap();
    };
    looks(mark, 2).await;
    let mark = world.mark();
    looks(mark, 3).await;
    let calls = world.calls_since(mark);
    // The three services fit into one call of ECS in each sweep.
    let (reads, sweeps) = (calls.count(READ), calls.count("ecs:DescribeServices"));
    assert!(reads <= sweeps + 1, "{reads} reads in {sweeps} sweeps");

    let second = put(&world, "postgres://second").await;
    for service in services {
        pending(&world, service, &second.version).await;
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_secret_that_is_not_there_holds_the_service_where_it_is() {
    let world = start(Options::default()).await;
    world
        .apply_service("web", &spec("orders/db", ""))
        .await
        .unwrap();
    let told = world.refused("web", "SecretNotFound").await.unwrap();
    assert!(
        told.starts_with("env URL: the secret orders/db does not exist"),
        "{told}"
    );
    assert_eq!(synced(&world, "web").await.unwrap(), told);
    assert!(world.ecs_services().is_empty());
    // Once it is there the service goes on by itself; asking is faster.
    put(&world, "postgres://first").await;
    world.reconcile("web", "there").await.unwrap();
    tasks_have(&world, "web", "postgres://first").await;

    let delete = json!({"SecretId": "orders/db", "RecoveryWindowInDays": 7});
    world
        .aws
        .call("secretsmanager:DeleteSecret", delete)
        .await
        .unwrap();
    let mark = world.mark();
    world.reconcile("web", "deleted").await.unwrap();
    let told = world.refused("web", "SecretNotFound").await.unwrap();
    assert!(
        told.contains("is scheduled for deletion: restore it"),
        "{told}"
    );
    assert_eq!(world.calls_since(mark).writes().total(), 0);
    world.ecs_service("web").unwrap();
    let restore = json!({"SecretId": "orders/db"});
    world
        .aws
        .call("secretsmanager:RestoreSecret", restore)
        .await
        .unwrap();
    world.reconcile("web", "restored").await.unwrap();
    world.ready("web").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().total(), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_the_operator_may_not_look_at_is_named_without_a_version_and_a_name_is_not_enough() {
    let world = start(Options::default()).await;
    let first = put(&world, "postgres://first").await;
    world
        .simulator
        .fault(Fault::always(READ, FaultKind::AccessDenied));
    world
        .apply_service("whole", &spec(&first.arn, ""))
        .await
        .unwrap();
    tasks_have(&world, "whole", "postgres://first").await;
    let container = &world.containers("whole").await.unwrap()[0];
    let unnamed = format!("{}:url::", first.arn);
    assert_eq!(container["secrets"][0]["valueFrom"], unnamed);
    let told = warning(&world, "SecretNotWatched").await;
    assert!(
        told.contains(READ) && told.starts_with("env URL: "),
        "{told}"
    );

    world
        .apply_service("named", &spec("orders/db", ""))
        .await
        .unwrap();
    let told = world.refused("named", "AccessDenied").await.unwrap();
    assert!(
        told.contains("write its whole ARN") && told.contains(READ),
        "{told}"
    );

    // With the right, the name is found, and nothing that runs is replaced to name a version.
    world.simulator.clear_faults();
    let definition = world.ecs_service("whole").unwrap()["taskDefinition"].clone();
    for service in ["whole", "named"] {
        world.reconcile(service, "allowed").await.unwrap();
    }
    tasks_have(&world, "named", "postgres://first").await;
    eventually(DEADLINE, "the version to be seen", async || {
        let one = watched(&world, "whole").await?;
        ensure!(one.unnamed && one.version_id.is_some(), "{one:?}");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(
        world.ecs_service("whole").unwrap()["taskDefinition"],
        definition
    );
    redeploy(&world, "whole", "now").await;
    eventually(DEADLINE, "the version to be named", async || {
        let one = watched(&world, "whole").await?;
        ensure!(!one.unnamed && !one.pending, "{one:?}");
        Ok(())
    })
    .await
    .unwrap();
    world.ready("whole").await.unwrap();
    let container = &world.containers("whole").await.unwrap()[0];
    let named = format!("{unnamed}{}", first.version);
    assert_eq!(container["secrets"][0]["valueFrom"], named);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_version_that_the_spec_names_stays_whatever_is_current() {
    let world = start(Options::default()).await;
    let first = put(&world, "postgres://first").await;
    put(&world, "postgres://second").await;
    for (service, id) in [("named", "orders/db"), ("whole", first.arn.as_str())] {
        let pinned = spec(id, "").replace(
            "key: url",
            &format!("key: url, versionId: '{}'", first.version),
        );
        world.apply_service(service, &pinned).await.unwrap();
        tasks_have(&world, service, "postgres://first").await;
        redeploy(&world, service, "now").await;
        tasks_have(&world, service, "postgres://first").await;
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_restart_costs_one_read_and_no_write_and_what_was_pending_stays_so() {
    let mut world = start(Options::default()).await;
    put(&world, "postgres://first").await;
    let token = world
        .put_aws_secret("orders/token", "token-marked")
        .await
        .unwrap();
    let logging = ", logging: {axiom: {dataset: shop, token: {awsSecretRef: {id: orders/token}}}}";
    world
        .apply_service("web", &spec("orders/db", ""))
        .await
        .unwrap();
    world
        .apply_service("logged", &spec("orders/db", logging))
        .await
        .unwrap();
    for service in ["web", "logged"] {
        tasks_have(&world, service, "postgres://first").await;
    }
    let router = &world.containers("logged").await.unwrap()[1]["secrets"];
    let named = format!("{}:::{}", token.arn, token.version);
    assert_eq!(router[0]["valueFrom"], named, "a token is watched too");
    let second = put(&world, "postgres://second").await;
    world.reconcile("web", "look").await.unwrap();
    pending(&world, "web", &second.version).await;
    pending_in(&world, "logged", "orders/db").await;
    world.quiet().await.unwrap();

    let version = async |service: &str| {
        let object = world.service(service).await.unwrap();
        (object.metadata.resource_version, object.status)
    };
    let before = (version("web").await, version("logged").await);
    world.stop_operator().await.unwrap();
    let mark = world.mark();
    world.start_operator().await.unwrap();
    eventually(DEADLINE, "both secrets to be read", async || {
        let reads = world.calls_since(mark).count(READ);
        ensure!(reads >= 2, "{reads} reads");
        Ok(())
    })
    .await
    .unwrap();
    world.quiet().await.unwrap();
    let calls = world.calls_since(mark);
    assert_eq!(calls.writes().total(), 0, "{:?}", calls.counts());
    assert_eq!(calls.count(READ), 2, "once for each secret");
    let version = async |service: &str| {
        let object = world.service(service).await.unwrap();
        (object.metadata.resource_version, object.status)
    };
    assert_eq!((version("web").await, version("logged").await), before);
    world.finish().await.unwrap();
}

/// Waits until status says that a version of this secret waits for a rollout.
async fn pending_in(world: &World, service: &str, id: &str) {
    eventually(DEADLINE, "the new version to be pending", async || {
        let status = world.service(service).await?.status.unwrap_or_default();
        let pending = status.aws_secrets.iter().filter(|one| one.pending);
        let pending: Vec<&str> = pending.map(|one| one.id.as_str()).collect();
        ensure!(pending == [id], "{:?}", status.aws_secrets);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn what_the_environment_shares_reaches_every_service_unless_its_own_entry_wins() {
    let world = start(Options::default()).await;
    world
        .put_aws_secret("shared/db", &value("postgres://shared"))
        .await
        .unwrap();
    for (service, env) in [
        ("plain", ""),
        ("own", ", env: [{name: URL, value: 'postgres://own'}]"),
        ("auto", ", secretRollout: Automatic"),
    ] {
        let spec = format!("{{source: {{image: {{name: 'app:1'}}}}{env}}}");
        world.apply_service(service, &spec).await.unwrap();
    }
    for service in ["plain", "own", "auto"] {
        world.ready(service).await.unwrap();
    }

    // An edit of the Environment: in waves, without a grant to anybody.
    let env = json!([
        {"name": "URL", "valueFrom": {"awsSecretRef": {"id": "shared/db", "key": "url"}}},
        {"name": "FLAG", "valueFrom": {"ssmParameterRef": {"name": "/shared/flag"}}},
    ]);
    edit_environment(&world, &json!({"env": env})).await;
    for (service, value) in [
        ("plain", "postgres://shared"),
        ("own", "postgres://own"),
        ("auto", "postgres://shared"),
    ] {
        eventually(DEADLINE, "the edit to be rolled out", async || {
            let containers = world.containers(service).await?;
            let secrets = containers[0]["secrets"].to_string();
            ensure!(secrets.contains("parameter/shared/flag"), "{secrets}");
            Ok(())
        })
        .await
        .unwrap();
        tasks_have(&world, service, value).await;
        let rollout = world
            .service(service)
            .await
            .unwrap()
            .status
            .unwrap()
            .rollout;
        assert!(rollout.unwrap().wave.is_some(), "{service}");
    }

    // A new version of it is nobody's edit, and waits for no wave.
    let second = world
        .put_aws_secret("shared/db", &value("postgres://other"))
        .await
        .unwrap();
    world.reconcile("auto", "look").await.unwrap();
    tasks_have(&world, "auto", "postgres://other").await;
    let rollout = world.service("auto").await.unwrap().status.unwrap().rollout;
    assert_eq!(rollout.unwrap().wave, None);
    pending(&world, "plain", &second.version).await;
    let status = world.service("own").await.unwrap().status.unwrap();
    assert_eq!(status.aws_secrets, [], "its own entry wins");

    let env = json!([{"name": "URL", "valueFrom": {"awsSecretRef": {"id": format!("staging/{}/plain", world.namespace)}}}]);
    let patch = json!({"spec": {"env": env}});
    world.patch_environment(ENVIRONMENT, &patch).await.unwrap();
    world
        .environment_is(ENVIRONMENT, "False", "InvalidSpec")
        .await
        .unwrap();
    let told = world.refused("plain", "EnvironmentNotReady").await.unwrap();
    assert!(told.contains("cannot be shared"), "{told}");
    world.finish().await.unwrap();
}
