//! Environments that leave their foundation to the operator: one CloudFormation stack, made, changed and removed.

mod changing;
mod failing;
mod making;
mod reach;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use kube::api::DeleteParams;
use privateservice_api::{Environment, EnvironmentStatus};
use privateservice_tests::command::{python_tool, run};
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

const CLOUD_FORMATION: &str = "2010-05-15";

/// An Environment of which nothing exists but the network.
pub(crate) fn bare(world: &World, name: &str) -> Value {
    let mut environment = world.seeded.environment(name);
    let spec = environment["spec"].as_object_mut().unwrap();
    spec.remove("existing");
    spec.insert("namespace".into(), json!(format!("{name}.made.internal")));
    spec.insert("deletionPolicy".into(), json!("Delete"));
    environment
}

/// A world with a running operator and no Environment.
async fn world() -> World {
    let mut world = World::bare(Options::default()).await.unwrap();
    world.start_operator().await.unwrap();
    world
}

/// The same with one Environment that is made.
async fn made(name: &str) -> World {
    let world = world().await;
    world.apply(&bare(&world, name)).await.unwrap();
    world.environment_ready(name).await.unwrap();
    world
}

async fn status(world: &World, name: &str) -> EnvironmentStatus {
    let environment = world.environments().get(name).await.unwrap();
    environment.status.unwrap_or_default()
}

/// What CloudFormation says of an Environment's stack.
async fn stack(world: &World, name: &str) -> Result<String> {
    let stack = format!("privateservice-{name}");
    let fields = [("StackName", stack.as_str())];
    let describe = "cloudformation:DescribeStacks";
    world.aws.form(describe, CLOUD_FORMATION, &fields).await
}

/// Waits until the Environment is as it is asked to be, and yields it.
async fn until(
    world: &World,
    name: &str,
    what: &str,
    holds: impl Fn(&Environment) -> bool,
) -> Environment {
    let environments = world.environments();
    eventually(DEADLINE, what, async || {
        let environment = environments.get(name).await?;
        ensure!(holds(&environment), "not yet: {:?}", environment.status);
        Ok(environment)
    })
    .await
    .unwrap()
}

/// What Ready says of the present generation.
fn ready(environment: &Environment) -> Option<(String, String, String)> {
    let status = environment.status.as_ref()?;
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "Ready")?;
    (ready.observed_generation == environment.metadata.generation).then(|| {
        (
            ready.status.clone(),
            ready.reason.clone(),
            ready.message.clone(),
        )
    })
}

async fn delete(world: &World, name: &str) {
    let environments = world.environments();
    environments
        .delete(name, &DeleteParams::default())
        .await
        .unwrap();
}

async fn gone(world: &World, name: &str) {
    let environments = world.environments();
    eventually(DEADLINE, "the Environment to be gone", async || {
        let left = environments.get_opt(name).await?;
        ensure!(left.is_none(), "{:?}", left.and_then(|one| one.status));
        Ok(())
    })
    .await
    .unwrap();
}

async fn annotate(world: &World, name: &str, value: &str) {
    let annotations = json!({privateservice_api::meta::RECONCILE_AT: value});
    let patch = json!({"metadata": {"annotations": annotations}});
    world.patch_environment(name, &patch).await.unwrap();
}

/// Holds every template that was sent against AWS's own resource schemas.
async fn lint(world: &World) {
    let calls = world.calls();
    let templates: BTreeSet<&str> = calls
        .0
        .iter()
        .filter_map(|request| request.body["TemplateBody"].as_str())
        .collect();
    assert!(!templates.is_empty());
    for template in templates {
        // Without a file's name it reads its input.
        let lint = tokio::process::Command::new(python_tool("cfn-lint").unwrap());
        run(lint, template).await.unwrap().ok().unwrap();
    }
}

fn id_of(arn: &str) -> Result<&str> {
    arn.rsplit('/').next().context("no id")
}
