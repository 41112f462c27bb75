//! What namespaces may name: grants of an Environment, and that nobody has what was granted to somebody else.

use privateservice_tests::world::{DEADLINE, service};
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

/// A service that names a secret, a role and a group of the account.
fn spec(world: &World) -> Value {
    let account = &world.seeded.account;
    json!({
        "source": {"image": {"name": "registry.corp/web:1", "credentialsSecretArn": secret(account)}},
        "taskRoleArn": role(account),
        "network": {"extraSecurityGroupIds": ["sg-0123"]},
    })
}

fn secret(account: &str) -> String {
    format!("arn:aws:secretsmanager:us-east-1:{account}:secret:registry-AbCdEf")
}

fn role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/orders")
}

/// Applies a service of this spec to a namespace.
async fn apply(world: &World, namespace: &str, name: &str, spec: &Value) {
    let mut object = service(name, "{}").unwrap();
    object["metadata"]["namespace"] = json!(namespace);
    let fields = spec.as_object().unwrap().clone();
    object["spec"].as_object_mut().unwrap().extend(fields);
    world.apply(&object).await.unwrap();
}

/// Waits until the refusal of a service is about this field.
async fn refusal_names(world: &World, name: &str, field: &str) {
    eventually(DEADLINE, field, async || {
        let message = world.refused(name, "NamespaceNotAllowed").await?;
        anyhow::ensure!(message.starts_with(field), "{message}");
        Ok(())
    })
    .await
    .unwrap();
}

async fn grant(world: &World, grants: &Value) {
    let patch = json!({"spec": {"grants": grants}});
    world.patch_environment("staging", &patch).await.unwrap();
}

#[tokio::test]
async fn what_is_granted_to_one_namespace_is_not_anothers() {
    let world = World::start(Options::default()).await.unwrap();
    let account = world.seeded.account.clone();
    let ours = world.namespace.clone();
    let theirs = world.plane().unwrap().namespace("other").await.unwrap();
    let spec = spec(&world);
    let mark = world.mark();
    apply(&world, &ours, "web", &spec).await;
    let message = world.refused("web", "NamespaceNotAllowed").await.unwrap();
    for word in [&secret(&account), &ours, "staging", "spec.grants"] {
        assert!(message.contains(word), "{message}");
    }
    // Each grant alone leaves the next one to be asked for.
    let mut granted = json!({"namespaces": [ours], "secrets": [secret(&account)]});
    grant(&world, &json!([granted])).await;
    refusal_names(&world, "web", "taskRoleArn").await;
    granted["taskRoles"] = json!([format!("arn:aws:iam::{account}:role/*")]);
    grant(&world, &json!([granted])).await;
    refusal_names(&world, "web", "network.extraSecurityGroupIds").await;
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    granted["securityGroups"] = json!(["sg-0123"]);
    grant(&world, &json!([granted])).await;
    world.ready("web").await.unwrap();

    let registered = world.calls().0.into_iter().find(|request| {
        request.operation == "RegisterTaskDefinition" && request.body["family"] == "staging_web"
    });
    let body = registered.unwrap().body;
    assert_eq!(body["taskRoleArn"], json!(role(&account)));
    assert_eq!(
        body["containerDefinitions"][0]["repositoryCredentials"],
        json!({"credentialsParameter": secret(&account)})
    );
    let network = &world.ecs_service("web").unwrap()["networkConfiguration"];
    let mut groups = [world.seeded.security_group.as_str(), "sg-0123"];
    groups.sort_unstable();
    assert_eq!(
        network["awsvpcConfiguration"]["securityGroups"],
        json!(groups)
    );

    let mark = world.mark();
    apply(&world, &theirs, "thief", &spec).await;
    let message = world
        .refused_in(&theirs, "thief", "NamespaceNotAllowed")
        .await
        .unwrap();
    assert!(message.contains(&theirs), "{message}");
    let made = secret(&account).replace("registry", &format!("staging/{ours}/registry"));
    let named = json!({"source": {"image": {"name": "a:1", "credentialsSecretArn": made}}});
    apply(&world, &theirs, "second-thief", &named).await;
    let message = world
        .refused_in(&theirs, "second-thief", "NamespaceNotAllowed")
        .await
        .unwrap();
    assert!(message.contains("belongs to"), "{message}");
    let execution = json!({"source": {"image": {"name": "a:1"}}, "taskRoleArn": world.seeded.role});
    apply(&world, &theirs, "third-thief", &execution).await;
    world
        .refused_in(&theirs, "third-thief", "InvalidSpec")
        .await
        .unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());

    // What runs goes on when a grant is taken away; it only changes no more.
    let mark = world.mark();
    grant(&world, &json!([])).await;
    world.refused("web", "NamespaceNotAllowed").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    world.ecs_service("web").unwrap();
    world.finish().await.unwrap();
}
