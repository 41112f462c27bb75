//! Variables from ConfigMaps, through the real API server: what is there, what changes, what is missing.

use anyhow::ensure;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::DeleteParams;
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::json;
use std::collections::BTreeMap;

/// The plain variables of the user's container, as the ECS service is set to.
async fn variables(world: &World, name: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let containers = world.containers(name).await?;
    let list = containers[0]["environment"].as_array();
    Ok(list
        .into_iter()
        .flatten()
        .filter_map(|one| {
            Some((
                one["name"].as_str()?.to_owned(),
                one["value"].as_str()?.to_owned(),
            ))
        })
        .collect())
}

/// Waits until a variable has a value in what the ECS service is set to, and the service is Ready with that.
async fn becomes(world: &World, name: &str, variable: &str, value: &str) {
    eventually(DEADLINE, &format!("{variable}={value}"), async || {
        let now = variables(world, name).await?;
        ensure!(
            now.get(variable).map(String::as_str) == Some(value),
            "{now:?}"
        );
        Ok(())
    })
    .await
    .unwrap();
    world.ready(name).await.unwrap();
}

const USING: &str = "{source: {image: {name: 'app:1'}}, \
    env: [{name: MODE, valueFrom: {configMapKeyRef: {name: shop, key: mode}}}]}";

#[tokio::test]
async fn a_changed_config_map_rolls_the_services_that_use_what_changed_and_no_other() {
    let world = World::start(Options::default()).await.unwrap();
    let sample = ["apply", "-f", "config/samples/variables/config-map.yaml"];
    world.kubectl(&sample, "").await.unwrap().ok().unwrap();
    world
        .apply_config_map("shop", &json!({"mode": "fast", "other": "1"}))
        .await
        .unwrap();
    world.apply_service("web", USING).await.unwrap();
    world.ready("web").await.unwrap();
    world.ready("storefront").await.unwrap();
    let storefront = variables(&world, "storefront").await.unwrap();
    assert_eq!(storefront["PODINFO_UI_MESSAGE"], "Welcome");
    assert_eq!(storefront["greeting"], "Welcome");
    assert_eq!(storefront["PODINFO_UI_COLOR"], "#34577c");
    let first = world.ecs_service("web").unwrap()["taskDefinition"].clone();
    let bystander = world.ecs_service("storefront").unwrap()["taskDefinition"].clone();

    world
        .apply_config_map("shop", &json!({"mode": "slow", "other": "1"}))
        .await
        .unwrap();
    becomes(&world, "web", "MODE", "slow").await;

    // What nobody takes out of it changes nothing.
    let mark = world.mark();
    let versions = world.reconciles().await.unwrap();
    world
        .apply_config_map("shop", &json!({"mode": "slow", "other": "2"}))
        .await
        .unwrap();
    eventually(DEADLINE, "a look at the change", async || {
        ensure!(world.reconciles().await? > versions);
        Ok(())
    })
    .await
    .unwrap();
    world.reconcile("web", "once").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().total(), 0);

    // Back to what was: the revision of then serves again.
    let mark = world.mark();
    world
        .apply_config_map("shop", &json!({"mode": "fast"}))
        .await
        .unwrap();
    becomes(&world, "web", "MODE", "fast").await;
    let service = world.ecs_service("web").unwrap();
    assert_eq!(service["taskDefinition"], first);
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("ecs:RegisterTaskDefinition"), 0);
    let service = world.ecs_service("storefront").unwrap();
    assert_eq!(service["taskDefinition"], bystander);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_named_and_holds_the_service_where_it_is() {
    let world = World::start(Options::default()).await.unwrap();
    world.apply_service("web", USING).await.unwrap();
    let missing = world.refused("web", "ReferenceNotFound").await.unwrap();
    assert!(
        missing.starts_with("env MODE: there is no ConfigMap shop "),
        "{missing}"
    );
    assert!(world.ecs_services().is_empty());

    world
        .apply_config_map("shop", &json!({"moed": "fast"}))
        .await
        .unwrap();
    eventually(DEADLINE, "the misspelt key to be told", async || {
        let told = world.refused("web", "ReferenceNotFound").await?;
        ensure!(
            told.contains("the key mode is not in ConfigMap shop, which has moed"),
            "{told}"
        );
        Ok(())
    })
    .await
    .unwrap();
    world
        .apply_config_map("shop", &json!({"mode": "fast"}))
        .await
        .unwrap();
    world.ready("web").await.unwrap();

    let mark = world.mark();
    let config_maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace);
    config_maps
        .delete("shop", &DeleteParams::default())
        .await
        .unwrap();
    world.refused("web", "ReferenceNotFound").await.unwrap();
    let service = world.ecs_service("web").unwrap();
    assert_eq!(service["runningCount"], 1, "{service}");
    assert_eq!(world.calls_since(mark).writes().total(), 0);
    // The same content under the same name is the same configuration.
    world
        .apply_config_map("shop", &json!({"mode": "fast"}))
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().total(), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_prefix_and_the_order_of_sources_decide_which_value_wins() {
    let world = World::start(Options::default()).await.unwrap();
    let shared = json!([{"name": "A", "value": "shared"}, {"name": "B", "value": "shared"}]);
    let patch = json!({"spec": {"env": shared}});
    world.patch_environment("staging", &patch).await.unwrap();
    let maps = [
        ("one", json!({"A": "one", "C": "one", "PORT": "1234"})),
        ("two", json!({"C": "two", "9lives": "x"})),
    ];
    for (name, data) in &maps {
        world.apply_config_map(name, data).await.unwrap();
    }
    let spec = "{source: {image: {name: 'app:1'}}, env: [{name: D, value: own}, {name: TWO_C, value: own}], \
        envFrom: [{configMapRef: {name: one}}, {configMapRef: {name: two}}, {prefix: TWO_, configMapRef: {name: two}}]}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let got = variables(&world, "web").await.unwrap();
    let wanted = [
        ("A", "one"),
        ("B", "shared"),
        ("C", "two"),
        ("D", "own"),
        ("PORT", "1234"),
        ("TWO_9lives", "x"),
        ("TWO_C", "own"),
    ];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(got, BTreeMap::from(wanted));
    let left_out = [
        "get",
        "events",
        "--field-selector",
        "reason=InvalidVariableNames",
    ];
    eventually(DEADLINE, "the warning", async || {
        let events = world.kubectl(&left_out, "").await?.ok()?;
        ensure!(events.contains("9lives"), "{events}");
        Ok(())
    })
    .await
    .unwrap();
    world.finish().await.unwrap();
}
