//! What people and AWS do to services in the tests of rollouts. Talks to the world; gives up with a panic.
//!
//! Every service begins with the image [`OLD`]. A slow image starts no task before [`go_on`], so that a test can look around in
//! the middle of a rollout, or of the way back.

use std::time::Duration;

use anyhow::ensure;
use aws_sim::{Behaviour, Subject};
use privateservice_api::PrivateServiceStatus;
use privateservice_api::meta::{ABORT_AT, REDEPLOY_AT, ROLLBACK_TO};
use privateservice_api::privateservice::RolloutPhase;
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

/// What serves at first.
pub(super) const OLD: &str = "app:1";
/// What is rolled out and works.
pub(super) const NEW: &str = "app:2";
/// What is rolled out and does not exist.
pub(super) const MISSING: &str = "app:missing";

/// Until a slow image starts, in simulated time: half a minute of silence could not bring it about in a [`calm`] world, and ECS
/// remembers the tasks that stopped before it for longer (an hour).
const SLOW: Duration = Duration::from_mins(40);

/// A world in which a rollout takes a few seconds, so that it can be seen.
pub(super) async fn calm() -> World {
    with(Options::default()).await
}

/// A [`calm`] world that is otherwise as asked.
pub(super) async fn with(options: Options) -> World {
    let options = Options {
        speed: 20.0,
        ..options
    };
    let world = World::start(options).await.unwrap();
    set(&world, MISSING, Behaviour::cannot_pull());
    world
}

/// The spec of an image, with further members in YAML such as `, rollout: {alarms: [bell]}`.
pub(super) fn spec(image: &str, more: &str) -> String {
    format!("{{source: {{image: {{name: '{image}'}}}}{more}}}")
}

/// Applies services that serve [`OLD`], and waits until they do.
pub(super) async fn serve(world: &World, names: &[&str]) {
    for name in names {
        edit(world, name, OLD).await;
    }
    for name in names {
        world.ready(name).await.unwrap();
    }
}

/// Applies a service with an image.
pub(super) async fn edit(world: &World, name: &str, image: &str) {
    world.apply_service(name, &spec(image, "")).await.unwrap();
}

/// Decides how tasks of an image behave that start from now on.
pub(super) fn set(world: &World, image: &str, behaviour: Behaviour) {
    world
        .simulator
        .behave(Subject::Image(image.to_owned()), behaviour);
}

/// Lets no task of an image that works start before [`go_on`].
pub(super) fn slow(world: &World, image: &str) {
    let behaviour = Behaviour {
        start_delay: SLOW,
        ..Behaviour::healthy()
    };
    set(world, image, behaviour);
}

/// Lets tasks of an image take long enough to start, or to fail, that the operator sees one after the other in a [`calm`] world.
pub(super) fn unhurried(world: &World, image: &str, behaviour: Behaviour) {
    let behaviour = Behaviour {
        start_delay: Duration::from_secs(100),
        ..behaviour
    };
    set(world, image, behaviour);
}

/// Lets slow tasks that are there start, and those that come later start at once.
pub(super) fn go_on(world: &World, image: &str) {
    set(world, image, Behaviour::healthy());
    world.simulator.advance(SLOW);
}

/// Sets an annotation of a service, or takes it away.
async fn annotate(world: &World, name: &str, key: &str, value: Option<&str>) {
    let patch = json!({"metadata": {"annotations": {key: value}}});
    world.patch(name, &patch).await.unwrap();
}

/// Asks for one more deployment.
pub(crate) async fn redeploy(world: &World, name: &str, value: &str) {
    annotate(world, name, REDEPLOY_AT, Some(value)).await;
}

/// Asks to stop the rollout in progress.
pub(super) async fn abort(world: &World, name: &str, value: &str) {
    annotate(world, name, ABORT_AT, Some(value)).await;
}

/// Asks for an earlier revision, or no longer.
pub(super) async fn roll_back_to(world: &World, name: &str, value: Option<&str>) {
    annotate(world, name, ROLLBACK_TO, value).await;
}

/// The status of a service.
pub(super) async fn status(world: &World, name: &str) -> PrivateServiceStatus {
    world.service(name).await.unwrap().status.unwrap()
}

/// Waits until the newest rollout of the present spec is in this phase and its ECS deployment is known.
pub(super) async fn phase(world: &World, name: &str, phase: RolloutPhase) {
    let what = format!("{name} to be {}", phase.as_str());
    eventually(DEADLINE, &what, async || {
        let service = world.service(name).await?;
        let generation = service.metadata.generation;
        let status = service.status.unwrap_or_default();
        ensure!(
            status.observed_generation == generation,
            "not observed: {:?}",
            status.rollout
        );
        let rollout = status.rollout.clone().unwrap_or_default();
        ensure!(
            rollout.phase == Some(phase) && rollout.id.is_some() && rollout.tasks.is_some(),
            "{rollout:?}, {:?}",
            status.conditions
        );
        Ok(())
    })
    .await
    .unwrap();
}

/// The service deployments of a service that ever were, oldest first.
pub(super) fn deployments(world: &World, name: &str) -> Vec<Value> {
    let part = format!("/{name}/");
    let state = world.simulator.state();
    let all = state["serviceDeployments"].as_array().unwrap();
    let of_service = |one: &&Value| {
        let arn = one["serviceDeploymentArn"].as_str().unwrap();
        arn.contains(&part)
    };
    all.iter().filter(of_service).cloned().collect()
}

/// Waits until ECS has ended the newest service deployment of a service, whoever looks.
pub(super) async fn over_in_aws(world: &World, name: &str) {
    let what = format!("ECS to end the deployment of {name}");
    eventually(DEADLINE, &what, async || {
        let newest = deployments(world, name).pop().unwrap();
        let status = newest["status"].as_str().unwrap();
        let over = ["SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL"];
        ensure!(over.contains(&status), "it is {status}");
        Ok(())
    })
    .await
    .unwrap();
}

/// How often the operator sent what changes what runs, by operation; what was lost on the way counts.
pub(super) fn sent(world: &World) -> Vec<(&'static str, usize)> {
    let calls = world.calls();
    [
        "ecs:CreateService",
        "ecs:UpdateService",
        "ecs:StopServiceDeployment",
        "ecs:RegisterTaskDefinition",
    ]
    .into_iter()
    .map(|operation| (operation, calls.count(operation)))
    .collect()
}

/// Looks at services again, by force and with an operator that was killed and started, and holds that it changes nothing of
/// what runs.
pub(super) async fn rests(world: &mut World, names: &[&str]) {
    let before = sent(world);
    for name in names {
        world.reconcile(name, "look").await.unwrap();
    }
    assert_eq!(sent(world), before, "a forced pass sent something");
    world.kill_operator();
    world.start_operator().await.unwrap();
    for name in names {
        world.reconcile(name, "look again").await.unwrap();
    }
    assert_eq!(sent(world), before, "a restart sent something");
}

/// What happens to the operator in the middle of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// Nothing.
    Lives,
    /// It is killed, and another one goes on.
    IsKilled,
}

impl Operator {
    /// The middle of the scenario.
    pub(super) async fn in_the_middle(self, world: &mut World) {
        if self == Self::IsKilled {
            world.kill_operator();
            world.start_operator().await.unwrap();
        }
    }
}

/// Waits until a redeploy was acted on.
pub(super) async fn handled_redeploy(world: &World, name: &str, value: &str) {
    eventually(DEADLINE, "the redeploy", async || {
        let handled = world.service(name).await?.status.unwrap_or_default();
        let handled = handled.last_handled_redeploy_at;
        ensure!(handled.as_deref() == Some(value), "handled is {handled:?}");
        Ok(())
    })
    .await
    .unwrap();
}
