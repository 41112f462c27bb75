//! Values of Kubernetes Secrets, through the real API server, Secrets Manager and the tasks: what is stored, what tasks get and when.
//!
//! Tasks in these worlds do not start unless ECS can read what they name.

use crate::rollouts::redeploy;
use anyhow::{Context, ensure};
use aws_sim::{Fault, FaultKind};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::DeleteParams;
use privateservice_api::privateservice::{RolloutPhase, StoredSecret};
use privateservice_tests::charts::NAMESPACE;
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn start() -> World {
    World::start(Options {
        check_secrets: true,
        ..Options::default()
    })
    .await
    .unwrap()
}

fn spec(more: &str) -> String {
    format!(
        "{{source: {{image: {{name: 'app:1'}}}}, \
         env: [{{name: URL, valueFrom: {{secretKeyRef: {{name: db, key: url}}}}}}]{more}}}"
    )
}

async fn secret(world: &World, url: &str) {
    let values: [(&str, &[u8]); 2] = [("url", url.as_bytes()), ("unused", b"unused-value")];
    world.apply_secret("db", &values).await.unwrap();
}

/// Waits until all running tasks of a service have this value and nothing is being rolled out.
pub(super) async fn tasks_have(world: &World, service: &str, value: &str) {
    eventually(DEADLINE, "all tasks to have the value", async || {
        let now = world.seen_by_tasks(service, "URL");
        ensure!(
            now.len() == 1 && now.contains(value),
            "{} values",
            now.len()
        );
        Ok(())
    })
    .await
    .unwrap();
    world.ready(service).await.unwrap();
}

/// Lets a change of the value that `web` has begin a rollout, and an alarm (`bell`, which the service watches) end it: the old value serves again,
/// and the change is not tried anew.
pub(super) async fn roll_back<T>(world: &World, change: impl Future<Output = T>, old: &str) {
    let rollout = async || {
        let status = world.service("web").await.unwrap().status;
        status.unwrap().rollout.unwrap()
    };
    let before = rollout().await.id;
    change.await;
    eventually(DEADLINE, "the rollout to begin", async || {
        let now = rollout().await;
        ensure!(
            now.id != before && now.phase == Some(RolloutPhase::Progressing),
            "{now:?}"
        );
        Ok(())
    })
    .await
    .unwrap();
    world.simulator.set_alarm("bell", true);
    world.refused("web", "RolledBack").await.unwrap();
    world.simulator.set_alarm("bell", false);
    eventually(DEADLINE, "the old value to serve", async || {
        let now = world.seen_by_tasks("web", "URL");
        ensure!(
            now == BTreeSet::from([old.to_owned()]),
            "{} values",
            now.len()
        );
        Ok(())
    })
    .await
    .unwrap();
    // Held: a fresh look does not try it again.
    let mark = world.mark();
    world.reconcile("web", "held").await.unwrap();
    assert_eq!(world.calls_since(mark).count("ecs:UpdateService"), 0);
}

fn name(world: &World, service: &str) -> String {
    format!("staging/{}/{service}", world.namespace)
}

/// What is stored for a service, as its current version.
fn stored(world: &World, service: &str) -> Option<Value> {
    let text = world
        .simulator
        .secret_value(&name(world, service), "AWSCURRENT")?;
    Some(serde_json::from_str(&text).unwrap())
}

async fn status(world: &World, service: &str) -> anyhow::Result<StoredSecret> {
    let status = world.service(service).await?.status.unwrap_or_default();
    status.stored_secret.context("no stored secret in status")
}

/// The message of the condition `SecretsSynced`.
async fn synced(world: &World, service: &str) -> anyhow::Result<String> {
    let status = world.service(service).await?.status.unwrap_or_default();
    let condition = status
        .conditions
        .into_iter()
        .find(|one| one.type_ == "SecretsSynced");
    let condition = condition.context("no SecretsSynced")?;
    Ok(format!("{} {}", condition.status, condition.message))
}

#[tokio::test]
async fn a_changed_value_waits_for_a_redeploy_and_a_change_back_is_the_version_of_then() {
    let world = start().await;
    world.apply_service("web", &spec("")).await.unwrap();
    let missing = world.refused("web", "ReferenceNotFound").await.unwrap();
    assert!(
        missing.starts_with("env URL: there is no Secret db "),
        "{missing}"
    );

    let mark = world.mark();
    secret(&world, "postgres://first").await;
    tasks_have(&world, "web", "postgres://first").await;
    assert_eq!(
        stored(&world, "web"),
        Some(json!({"URL": "postgres://first"}))
    );
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("secretsmanager:CreateSecret"), 1);
    let others = calls.0.iter().filter(|one| one.service == "secretsmanager");
    assert_eq!(others.count(), 1, "one call stores it");
    let first = status(&world, "web").await.unwrap();
    let shown = world.service("web").await.unwrap().status.unwrap().secrets;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].name, "URL");
    assert_eq!(Some(&shown[0].arn), first.arn.as_ref());
    assert_eq!(shown[0].version_id, first.version_id);
    let definition = world.ecs_service("web").unwrap()["taskDefinition"].clone();

    secret(&world, "postgres://second").await;
    eventually(
        DEADLINE,
        "the change to be stored and pending",
        async || {
            let now = status(&world, "web").await?;
            ensure!(now.pending && now.version_id != first.version_id, "{now:?}");
            let words = synced(&world, "web").await?;
            ensure!(words.contains("flexstack.dev/redeploy-at"), "{words}");
            Ok(())
        },
    )
    .await
    .unwrap();
    world.ready("web").await.unwrap();
    assert_eq!(
        stored(&world, "web"),
        Some(json!({"URL": "postgres://second"}))
    );
    assert_eq!(
        world.seen_by_tasks("web", "URL"),
        BTreeSet::from(["postgres://first".to_owned()])
    );

    // Back before anything took it: nothing is pending, and nothing was rolled out.
    secret(&world, "postgres://first").await;
    eventually(DEADLINE, "the change back", async || {
        let now = status(&world, "web").await?;
        ensure!(
            !now.pending && now.version_id == first.version_id,
            "{now:?}"
        );
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(
        stored(&world, "web"),
        Some(json!({"URL": "postgres://first"}))
    );
    assert_eq!(
        world.ecs_service("web").unwrap()["taskDefinition"],
        definition
    );

    secret(&world, "postgres://third").await;
    redeploy(&world, "web", "now").await;
    tasks_have(&world, "web", "postgres://third").await;
    let third = status(&world, "web").await.unwrap();
    assert!(
        !third.pending && third.rolled_out_version_id == third.version_id,
        "{third:?}"
    );

    // Back once more, with the revision of then.
    secret(&world, "postgres://first").await;
    let mark = world.mark();
    redeploy(&world, "web", "again").await;
    tasks_have(&world, "web", "postgres://first").await;
    assert_eq!(
        world.ecs_service("web").unwrap()["taskDefinition"],
        definition
    );
    assert_eq!(
        world.calls_since(mark).count("ecs:RegisterTaskDefinition"),
        0
    );

    let mark = world.mark();
    world.reconcile("web", "once").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().total(), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn with_automatic_a_change_rolls_out_and_a_rollback_brings_the_old_value_back() {
    let world = start().await;
    secret(&world, "postgres://good").await;
    world
        .apply_service(
            "web",
            &spec(", secretRollout: Automatic, rollout: {alarms: [bell]}"),
        )
        .await
        .unwrap();
    tasks_have(&world, "web", "postgres://good").await;
    secret(&world, "postgres://better").await;
    tasks_have(&world, "web", "postgres://better").await;

    let change = secret(&world, "postgres://wrong");
    roll_back(&world, change, "postgres://better").await;

    secret(&world, "postgres://fixed").await;
    tasks_have(&world, "web", "postgres://fixed").await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn services_share_a_secret_and_a_key_that_goes_missing_leaves_what_runs_alone() {
    let world = start().await;
    secret(&world, "postgres://shared").await;
    for service in ["one", "two"] {
        world.apply_service(service, &spec("")).await.unwrap();
    }
    for service in ["one", "two"] {
        tasks_have(&world, service, "postgres://shared").await;
    }
    assert_ne!(
        status(&world, "one").await.unwrap().version_id,
        status(&world, "two").await.unwrap().version_id,
        "equal values of two services do not show"
    );

    let mark = world.mark();
    world
        .apply_secret("db", &[("uri", b"postgres://shared")])
        .await
        .unwrap();
    for service in ["one", "two"] {
        let told = world.refused(service, "ReferenceNotFound").await.unwrap();
        assert!(
            told.contains("the key url is not in Secret db, which has uri"),
            "{told}"
        );
    }
    let binary: [(&str, &[u8]); 1] = [("url", b"\xff\xfe")];
    world.apply_secret("db", &binary).await.unwrap();
    eventually(DEADLINE, "binary data to be told", async || {
        let told = world.refused("one", "ReferenceNotFound").await?;
        ensure!(told.contains("is binary data"), "{told}");
        Ok(())
    })
    .await
    .unwrap();
    let large = "x".repeat(70_000);
    world
        .apply_secret("db", &[("url", large.as_bytes())])
        .await
        .unwrap();
    let told = world.refused("one", "InvalidSpec").await.unwrap();
    assert!(told.contains("a secret of AWS holds 65536"), "{told}");
    assert_eq!(world.calls_since(mark).writes().total(), 0);
    for service in ["one", "two"] {
        assert_eq!(
            world.seen_by_tasks(service, "URL"),
            BTreeSet::from(["postgres://shared".to_owned()])
        );
    }

    // The Secret goes and comes back as it was: nothing has changed.
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    secrets
        .delete("db", &DeleteParams::default())
        .await
        .unwrap();
    world.refused("one", "ReferenceNotFound").await.unwrap();
    secret(&world, "postgres://shared").await;
    for service in ["one", "two"] {
        world.ready(service).await.unwrap();
    }
    assert_eq!(world.calls_since(mark).writes().total(), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_deleted_service_leaves_its_secret_restorable_and_takes_it_up_again() {
    let world = start().await;
    secret(&world, "postgres://kept").await;
    world.apply_service("web", &spec("")).await.unwrap();
    tasks_have(&world, "web", "postgres://kept").await;
    let arn = status(&world, "web").await.unwrap().arn;
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    let described = json!({"SecretId": name(&world, "web")});
    let answer = world
        .aws
        .call("secretsmanager:DescribeSecret", described)
        .await
        .unwrap();
    assert!(answer["DeletedDate"].is_number(), "{answer}");

    secret(&world, "postgres://anew").await;
    world.apply_service("web", &spec("")).await.unwrap();
    tasks_have(&world, "web", "postgres://anew").await;
    assert_eq!(
        status(&world, "web").await.unwrap().arn,
        arn,
        "restored, not made anew"
    );
    assert_eq!(
        stored(&world, "web"),
        Some(json!({"URL": "postgres://anew"}))
    );

    // Somebody deletes it; a fresh look brings it back.
    let delete = json!({"SecretId": name(&world, "web"), "RecoveryWindowInDays": 7});
    world
        .aws
        .call("secretsmanager:DeleteSecret", delete)
        .await
        .unwrap();
    world.reconcile("web", "look").await.unwrap();
    eventually(DEADLINE, "the secret to be back", async || {
        let described = json!({"SecretId": name(&world, "web")});
        let answer = world
            .aws
            .call("secretsmanager:DescribeSecret", described)
            .await?;
        ensure!(answer["DeletedDate"].is_null(), "{answer}");
        Ok(())
    })
    .await
    .unwrap();
    world.ready("web").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_secret_of_that_name_that_is_not_ours_is_not_touched() {
    let world = start().await;
    secret(&world, "postgres://ours").await;
    let theirs = json!({
        "Name": name(&world, "web"), "SecretString": "theirs",
        "ClientRequestToken": "11111111-1111-1111-1111-111111111111",
    });
    world
        .aws
        .call("secretsmanager:CreateSecret", theirs)
        .await
        .unwrap();
    world.apply_service("web", &spec("")).await.unwrap();
    let told = world.refused("web", "NameConflict").await.unwrap();
    assert!(told.contains("carries no ownership tag"), "{told}");
    let value = world
        .simulator
        .secret_value(&name(&world, "web"), "AWSCURRENT");
    assert_eq!(value.as_deref(), Some("theirs"));
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    let described = json!({"SecretId": name(&world, "web")});
    let answer = world
        .aws
        .call("secretsmanager:DescribeSecret", described)
        .await
        .unwrap();
    assert!(answer["DeletedDate"].is_null(), "{answer}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_lost_key_of_version_ids_changes_nothing_that_runs() {
    let mut world = start().await;
    secret(&world, "postgres://same").await;
    world
        .apply_service("web", &spec(", secretRollout: Automatic"))
        .await
        .unwrap();
    tasks_have(&world, "web", "postgres://same").await;
    let before = status(&world, "web").await.unwrap();
    world.stop_operator().await.unwrap();
    let keys: Api<Secret> = Api::namespaced(world.client.clone(), NAMESPACE);
    let key = "privateservice-operator-version-key";
    drop(keys.delete(key, &DeleteParams::default()).await);
    let mark = world.mark();
    world.start_operator().await.unwrap();
    eventually(DEADLINE, "the new key to be noticed", async || {
        let now = status(&world, "web").await?;
        ensure!(now.key_id != before.key_id, "{now:?}");
        Ok(())
    })
    .await
    .unwrap();
    world.ready("web").await.unwrap();
    let calls = world.calls_since(mark);
    assert_eq!(calls.writes().total(), 0, "{:?}", calls.counts());
    assert_eq!(calls.count("secretsmanager:GetSecretValue"), 1);
    assert_eq!(
        status(&world, "web").await.unwrap().version_id,
        before.version_id
    );

    // And a change is still one.
    secret(&world, "postgres://other").await;
    tasks_have(&world, "web", "postgres://other").await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_missing_permission_is_told_and_what_runs_goes_on() {
    let world = start().await;
    secret(&world, "postgres://first").await;
    world
        .simulator
        .fault(Fault::always("secretsmanager:*", FaultKind::AccessDenied));
    world.apply_service("web", &spec("")).await.unwrap();
    let told = world.refused("web", "AccessDenied").await.unwrap();
    assert!(told.starts_with("secretsmanager:CreateSecret: "), "{told}");
    let words = synced(&world, "web").await.unwrap();
    assert!(
        words.starts_with("False secretsmanager:CreateSecret: "),
        "{words}"
    );
    assert!(world.ecs_services().is_empty());
    world.simulator.clear_faults();
    tasks_have(&world, "web", "postgres://first").await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_lost_stores_nothing_twice() {
    for operation in ["CreateSecret", "PutSecretValue"] {
        let world = start().await;
        let lost = Fault::next(
            &format!("secretsmanager:{operation}"),
            FaultKind::LostAnswer,
            1,
        );
        world.simulator.fault(lost);
        secret(&world, "postgres://first").await;
        world
            .apply_service("web", &spec(", secretRollout: Automatic"))
            .await
            .unwrap();
        tasks_have(&world, "web", "postgres://first").await;
        secret(&world, "postgres://second").await;
        tasks_have(&world, "web", "postgres://second").await;
        let listed = json!({"SecretId": name(&world, "web"), "IncludeDeprecated": true});
        let answer = world
            .aws
            .call("secretsmanager:ListSecretVersionIds", listed)
            .await
            .unwrap();
        assert_eq!(answer["Versions"].as_array().unwrap().len(), 2, "{answer}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn without_the_right_to_secrets_a_reference_says_what_to_write() {
    let world = World::start(Options {
        flags: vec!["--kubernetes-secrets=false".to_owned()],
        ..Options::default()
    })
    .await
    .unwrap();
    secret(&world, "postgres://unread").await;
    world.apply_service("web", &spec("")).await.unwrap();
    let told = world.refused("web", "InvalidSpec").await.unwrap();
    assert!(
        told.contains("kubernetesSecrets.enabled is false") && told.contains("awsSecretRef"),
        "{told}"
    );
    let asked = world.audited().unwrap();
    assert!(asked.iter().all(|request| request.resource != "secrets"));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn with_a_selector_only_labelled_secrets_are_read() {
    let world = World::start(Options {
        flags: vec!["--secret-selector=share=yes".to_owned()],
        ..Options::default()
    })
    .await
    .unwrap();
    secret(&world, "postgres://labelled").await;
    world.apply_service("web", &spec("")).await.unwrap();
    let told = world.refused("web", "ReferenceNotFound").await.unwrap();
    assert!(told.contains("with the labels share=yes"), "{told}");
    let label = ["label", "secret", "db", "share=yes"];
    world.kubectl(&label, "").await.unwrap().ok().unwrap();
    tasks_have(&world, "web", "postgres://labelled").await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_log_token_and_whole_secrets_are_stored_where_they_are_needed() {
    let world = start().await;
    let values: [(&str, &[u8]); 2] = [("USER", b"user-marked"), ("PASSWORD", b"password-marked")];
    world.apply_secret("db", &values).await.unwrap();
    world
        .apply_secret("logs", &[("token", b"xaat-marked")])
        .await
        .unwrap();
    let spec = "{source: {image: {name: 'app:1'}}, \
        env: [{name: DB_USER, value: me}], envFrom: [{prefix: DB_, secretRef: {name: db}}], \
        logging: {axiom: {dataset: shop, token: {secretKeyRef: {name: logs, key: token}}}}}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let kept = json!({"DB_PASSWORD": "password-marked", "logging/AXIOM_TOKEN": "xaat-marked"});
    assert_eq!(stored(&world, "web"), Some(kept));
    assert_eq!(
        world.seen_by_tasks("web", "DB_USER"),
        BTreeSet::from(["me".to_owned()])
    );
    assert_eq!(
        world.seen_by_tasks("web", "DB_PASSWORD"),
        BTreeSet::from(["password-marked".to_owned()])
    );
    assert_eq!(
        world.seen_by_tasks("web", "AXIOM_TOKEN"),
        BTreeSet::from(["xaat-marked".to_owned()])
    );
    world.finish().await.unwrap();
}
