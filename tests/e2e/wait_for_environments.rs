//! Environments that are not there, not Ready, not for everybody, or gone.

use anyhow::ensure;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::json;

const WEB: &str = "{source: {image: {name: 'nginx:1'}}}";

/// The same in the Environment of that name.
fn web_in(environment: &str) -> String {
    format!("{{environment: {environment}, source: {{image: {{name: 'nginx:1'}}}}}}")
}

#[tokio::test]
async fn a_service_waits_for_its_environment_to_be_made_and_to_be_ready() {
    let world = World::start(Options::default()).await.unwrap();
    let mark = world.mark();
    world
        .apply_service("early", &web_in("later"))
        .await
        .unwrap();
    let message = world.refused("early", "EnvironmentNotFound").await.unwrap();
    assert!(message.contains("later"), "{message}");

    let lame = json!({"clusterName": "lame", "capacityProviders": ["FARGATE"]});
    let made = world.aws.call("ecs:CreateCluster", lame).await.unwrap();
    let other = world
        .seeded
        .with_namespace(&world.aws, "later.internal")
        .await
        .unwrap();
    let mut environment = other.environment("later");
    environment["spec"]["existing"]["clusterArn"] = made["cluster"]["clusterArn"].clone();
    world.apply(&environment).await.unwrap();
    world
        .environment_is("later", "False", "CapacityUnavailable")
        .await
        .unwrap();
    eventually(DEADLINE, "early to say what is missing", async || {
        let message = world.refused("early", "EnvironmentNotReady").await?;
        ensure!(message.contains("FARGATE_SPOT"), "it says: {message}");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());

    let whole = json!({
        "cluster": "lame", "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [],
    });
    world
        .aws
        .call("ecs:PutClusterCapacityProviders", whole)
        .await
        .unwrap();
    world.ready("early").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_environment_of_another_account_gets_no_write() {
    let world = World::start(Options::default()).await.unwrap();
    let mut environment = world.seeded.environment("foreign");
    let spec = environment["spec"]
        .to_string()
        .replace(&world.seeded.account, "999988887777");
    environment["spec"] = serde_json::from_str(&spec).unwrap();
    world.apply(&environment).await.unwrap();
    world
        .environment_is("foreign", "False", "CredentialsError")
        .await
        .unwrap();
    let mark = world.mark();
    world
        .apply_service("web", &web_in("foreign"))
        .await
        .unwrap();
    let message = world.refused("web", "EnvironmentNotReady").await.unwrap();
    assert!(message.contains("999988887777"), "{message}");
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn two_environments_of_one_place_do_not_both_become_ready() {
    let world = World::start(Options::default()).await.unwrap();
    world
        .apply(&world.seeded.environment("twin"))
        .await
        .unwrap();
    world
        .environment_is("twin", "False", "NameConflict")
        .await
        .unwrap();
    world
        .environments()
        .delete("staging", &DeleteParams::default())
        .await
        .unwrap();
    world.environment_ready("twin").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn only_the_namespaces_it_allows_may_use_an_environment() {
    let world = World::start(Options::default()).await.unwrap();
    let allowed = json!({"spec": {"allowedNamespaces": {"matchLabels": {"team": "a"}}}});
    world.patch_environment("staging", &allowed).await.unwrap();
    let mark = world.mark();
    world.apply_service("web", WEB).await.unwrap();
    let message = world.refused("web", "NamespaceNotAllowed").await.unwrap();
    assert!(message.contains("staging"), "{message}");
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());

    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(world.client.clone());
    let labelled = Patch::Merge(json!({"metadata": {"labels": {"team": "a"}}}));
    namespaces
        .patch(&world.namespace, &PatchParams::default(), &labelled)
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_service_is_deleted_although_its_environment_is_gone() {
    let world = World::start(Options::default()).await.unwrap();
    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();
    world
        .environments()
        .delete("staging", &DeleteParams::default())
        .await
        .unwrap();
    // It waits for its service, unless somebody takes the finalizer away by force.
    let forced = json!({"metadata": {"finalizers": null}});
    world.patch_environment("staging", &forced).await.unwrap();
    world.refused("web", "EnvironmentNotFound").await.unwrap();
    world.ecs_service("web").unwrap();
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}
