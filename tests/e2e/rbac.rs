//! Rights: the operator's are exactly what it uses, and what users may do with PrivateServices follows from Kubernetes' own roles.

use anyhow::ensure;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use kube::Api;
use kube::api::DeleteParams;
use privateservice_tests::charts::{self, NAMESPACE, RELEASE};
use privateservice_tests::world::{DEADLINE, ENVIRONMENT};
use privateservice_tests::{Options, World, eventually};
use serde_json::json;
use std::collections::BTreeSet;

/// Verb, API group and resource.
type Right = (String, String, String);

fn rights(rules: Option<Vec<PolicyRule>>) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for rule in rules.unwrap_or_default() {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for verb in &rule.verbs {
                    rights.insert((verb.clone(), group.clone(), resource.clone()));
                }
            }
        }
    }
    rights
}

/// Every right the operator has made use of.
fn used(world: &World) -> anyhow::Result<BTreeSet<Right>> {
    let audited = world.audited()?.into_iter();
    Ok(audited
        .filter(|request| request.code < 400 || request.code == 404)
        .map(|request| (request.verb, request.group, request.resource))
        // What the harness asked in the operator's name, to see whether the rights have effect.
        .filter(|(_, group, _)| group != "authorization.k8s.io")
        .collect())
}

#[tokio::test]
async fn the_operator_uses_every_right_it_has_and_needs_no_other() {
    let mut world = World::start(Options {
        flags: vec!["--leader-elect".to_owned()],
        ..Options::default()
    })
    .await
    .unwrap();
    world
        .apply_config_map("site", &json!({"MODE": "fast"}))
        .await
        .unwrap();
    world
        .apply_secret("db", &[("url", b"postgres://marked")])
        .await
        .unwrap();
    // As after an installation: no test before has made it.
    let keys: Api<Secret> = Api::namespaced(world.client.clone(), NAMESPACE);
    let key = "privateservice-operator-version-key";
    drop(keys.delete(key, &DeleteParams::default()).await);
    let spec = "{source: {image: {name: 'nginx:1'}}, envFrom: [{configMapRef: {name: site}}, {secretRef: {name: db}}]}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    // The second time, the same Event is counted instead of told.
    for round in 0..2 {
        for suspend in [true, false] {
            let patch = json!({"spec": {"suspend": suspend}});
            world.patch("web", &patch).await.unwrap();
            let reason = if suspend { "Suspended" } else { "Succeeded" };
            world
                .ready_is("web", "True", Some(reason), DEADLINE)
                .await
                .unwrap_or_else(|error| panic!("round {round}: {error:#}"));
        }
    }
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world
        .environments()
        .delete(ENVIRONMENT, &DeleteParams::default())
        .await
        .unwrap();
    eventually(DEADLINE, "the Environment to go", async || {
        let left = world.environments().get_opt(ENVIRONMENT).await?;
        ensure!(left.is_none(), "it is still there");
        Ok(())
    })
    .await
    .unwrap();

    let cluster_roles: Api<ClusterRole> = Api::all(world.client.clone());
    let roles: Api<Role> = Api::namespaced(world.client.clone(), NAMESPACE);
    let role = cluster_roles
        .get(&format!("{NAMESPACE}-{RELEASE}"))
        .await
        .unwrap();
    let mut granted = rights(role.rules);
    for role in ["lease", "version-key"] {
        let role = roles.get(&format!("{RELEASE}-{role}")).await.unwrap();
        granted.extend(rights(role.rules));
    }
    // A watch is noted when it ends, and Events are published in the background.
    let watches = |right: &Right| right.0 == "watch";
    eventually(DEADLINE, "every right to be used", async || {
        let used = used(&world)?;
        let idle: Vec<&Right> = granted.difference(&used).filter(|r| !watches(r)).collect();
        ensure!(idle.is_empty(), "granted and never used: {idle:?}");
        Ok(())
    })
    .await
    .unwrap();
    world.stop_operator().await.unwrap();
    eventually(DEADLINE, "the watches to end", async || {
        let used = used(&world)?;
        ensure!(granted == used, "granted {granted:?}, used {used:?}");
        Ok(())
    })
    .await
    .unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn who_may_edit_a_namespace_may_edit_its_services_and_nothing_of_the_platform() {
    let world = World::bare(Options::default()).await.unwrap();
    let namespace = world.namespace.clone();
    for (user, role) in [("viewer", "view"), ("editor", "edit")] {
        let name = format!("{user}-may-{role}");
        let binding = [
            "create",
            "rolebinding",
            &name,
            "--clusterrole",
            role,
            "--user",
            user,
        ];
        world.kubectl(&binding, "").await.unwrap().ok().unwrap();
    }
    let may = async |user: &str, verb: &str, resource: &str, subresource: &str| {
        let part = format!("--subresource={subresource}");
        let mut question = vec!["auth", "can-i", verb, resource, "--as", user];
        if !subresource.is_empty() {
            question.push(&part);
        }
        question.extend(["-n", &namespace]);
        world.kubectl(&question, "").await.unwrap().stdout.trim() == "yes"
    };
    // The controller that adds to view and edit takes a moment.
    eventually(DEADLINE, "the roles to be aggregated", async || {
        ensure!(may("viewer", "watch", "privateservices", "").await);
        ensure!(may("editor", "create", "privateservices", "").await);
        Ok(())
    })
    .await
    .unwrap();
    assert!(may("editor", "delete", "privateservices", "").await);
    assert!(may("editor", "get", "privateservices", "").await);
    assert!(!may("viewer", "patch", "privateservices", "").await);
    assert!(!may("editor", "patch", "privateservices", "status").await);
    assert!(!may("editor", "patch", "environments", "").await);
}

#[tokio::test]
async fn with_named_namespaces_the_rights_on_services_are_given_there_only() {
    let text = charts::render(&["watchNamespaces={team-a,team-b}"])
        .await
        .unwrap();
    let documents: Vec<&str> = text.split("\n---\n").collect();
    let cluster_wide = documents
        .iter()
        .find(|text| text.contains("kind: ClusterRole\n") && !text.contains("aggregate-to"))
        .unwrap();
    assert!(!cluster_wide.contains("privateservices"), "{cluster_wide}");
    for namespace in ["team-a", "team-b"] {
        let role = documents.iter().find(|text| {
            text.contains("kind: Role\n") && text.contains(&format!("namespace: {namespace}\n"))
        });
        assert!(role.unwrap().contains("privateservices/status"));
    }
}
