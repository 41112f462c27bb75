//! An edit of an Environment reaches its services in waves, and goes no further once it has failed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use aws_sim::{Behaviour, Subject};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use privateservice_api::meta::{ABORT_AT, REDEPLOY_AT};
use privateservice_api::privateservice::RolloutPhase;
use privateservice_tests::world::{DEADLINE, ENVIRONMENT};
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

/// What all services run.
const IMAGE: &str = "app:1";
/// Until a slow task starts, in simulated time: no test is still there then by itself.
const SLOW: Duration = Duration::from_hours(3);

/// A world with so many services that serve.
async fn world_of(count: usize) -> (World, Vec<String>) {
    let options = Options {
        speed: 20.0,
        quota_share: 1.0,
        ..Options::default()
    };
    let world = World::start(options).await.unwrap();
    let names: Vec<String> = (0..count).map(|number| format!("s{number:02}")).collect();
    for name in &names {
        world.apply_service(name, &spec("")).await.unwrap();
    }
    all_ready(&world, &names).await;
    (world, names)
}

fn spec(more: &str) -> String {
    format!("{{source: {{image: {{name: '{IMAGE}'}}}}{more}}}")
}

async fn all_ready(world: &World, names: &[String]) {
    for name in names {
        world.ready(name).await.unwrap();
    }
}

/// The Environment gets a variable, at the given pace.
async fn share(world: &World, value: &str, pace: &Value) {
    let env = json!([{"name": "SHARED", "value": value}]);
    let patch = json!({"spec": {"env": env, "rollout": pace}});
    world.patch_environment(ENVIRONMENT, &patch).await.unwrap();
}

/// Decides how tasks behave that start from now on.
fn behave(world: &World, behaviour: Behaviour) {
    world
        .simulator
        .behave(Subject::Image(IMAGE.to_owned()), behaviour);
}

fn slow(world: &World) {
    let behaviour = Behaviour {
        start_delay: SLOW,
        ..Behaviour::healthy()
    };
    behave(world, behaviour);
}

/// Lets slow tasks that are there start, and those that come later start at once.
fn go_on(world: &World) {
    behave(world, Behaviour::healthy());
    world.simulator.advance(SLOW);
}

/// The rollouts of each service after its creation, oldest first: from when to when, in simulated seconds, and the status.
fn rollouts(world: &World) -> BTreeMap<String, Vec<(f64, f64, String)>> {
    let mut all: BTreeMap<String, Vec<(f64, f64, String)>> = BTreeMap::new();
    for one in world.simulator.state()["serviceDeployments"]
        .as_array()
        .unwrap()
    {
        let service = one["serviceArn"].as_str().unwrap();
        let name = service.rsplit('/').next().unwrap().to_owned();
        all.entry(name).or_default().push((
            one["createdAt"].as_f64().unwrap(),
            one["finishedAt"].as_f64().unwrap_or(f64::INFINITY),
            one["status"].as_str().unwrap().to_owned(),
        ));
    }
    for rollouts in all.values_mut() {
        rollouts.sort_by(|one, other| one.0.total_cmp(&other.0));
        rollouts.remove(0);
    }
    all
}

/// Services with a rollout that has not ended in AWS.
fn rolling(world: &World) -> BTreeSet<String> {
    rollouts(world)
        .into_iter()
        .filter(|(_, all)| all.iter().any(|(_, to, _)| to.is_infinite()))
        .map(|(name, _)| name)
        .collect()
}

/// How many rollouts there have been.
fn count(world: &World) -> usize {
    rollouts(world).values().map(Vec::len).sum()
}

/// The most rollouts that ever ran at the same moment.
fn most_at_once(world: &World) -> i32 {
    let mut moments: Vec<(f64, i32)> = rollouts(world)
        .values()
        .flatten()
        .flat_map(|(from, to, _)| [(*from, 1), (*to, -1)])
        .collect();
    moments.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let mut now = 0;
    let mut most = 0;
    for (_, change) in moments {
        now += change;
        most = most.max(now);
    }
    most
}

/// Waits until so many services are in a rollout and so many say that they wait for this; those that wait.
async fn others_wait(
    world: &World,
    names: &[String],
    running: usize,
    waits: usize,
    why: &str,
) -> BTreeSet<String> {
    eventually(DEADLINE, &format!("others to wait: {why}"), async || {
        let rolling = rolling(world);
        ensure!(rolling.len() == running, "in a rollout: {rolling:?}");
        waiting(world, names, waits, why).await
    })
    .await
    .unwrap()
}

/// The services that say that they wait for this, if there are so many.
async fn waiting(
    world: &World,
    names: &[String],
    count: usize,
    why: &str,
) -> Result<BTreeSet<String>> {
    let mut waiting = BTreeSet::new();
    let mut told = Vec::new();
    for name in names {
        let status = world.service(name).await?.status.unwrap_or_default();
        let ready = status
            .conditions
            .into_iter()
            .find(|one| one.type_ == "Ready");
        let Some(ready) = ready else { continue };
        if ready.status == "False" && ready.reason == "Deploying" && ready.message.contains(why) {
            waiting.insert(name.clone());
        }
        told.push(format!("{name}: {} {}", ready.reason, ready.message));
    }
    ensure!(waiting.len() == count, "{} wait: {told:#?}", waiting.len());
    Ok(waiting)
}

#[tokio::test]
async fn an_edit_of_env_over_thirty_services_goes_in_waves_of_ten_and_stops_at_a_failure() {
    let (world, names) = world_of(30).await;
    slow(&world);
    share(&world, "1", &Value::Null).await;
    others_wait(&world, &names, 10, 20, "waits its turn").await;
    assert_eq!(count(&world), 10);
    go_on(&world);
    all_ready(&world, &names).await;
    assert_eq!(count(&world), 30);
    assert_eq!(most_at_once(&world), 10);

    slow(&world);
    share(&world, "2", &Value::Null).await;
    others_wait(&world, &names, 10, 20, "waits its turn").await;
    let bad = rolling(&world).pop_first().unwrap();
    // What it goes back to starts.
    world
        .simulator
        .behave(Subject::Service(bad.clone()), Behaviour::healthy());
    let abort = json!({"metadata": {"annotations": {ABORT_AT: "now"}}});
    world.patch(&bad, &abort).await.unwrap();
    let stopped = format!("failed at {}/{bad}", world.namespace);
    let waiting = others_wait(&world, &names, 9, 20, &stopped).await;
    go_on(&world);
    for name in names.iter().filter(|name| !waiting.contains(*name)) {
        if *name != bad {
            world.ready(name).await.unwrap();
        }
    }
    world.refused(&bad, "RolledBack").await.unwrap();
    world.quiet().await.unwrap();
    for name in &names {
        let expected = if waiting.contains(name) { 1 } else { 2 };
        assert_eq!(rollouts(&world)[name].len(), expected, "{name}");
    }

    // Taken back, it rolls only those that it reached: the others, and the one that went back by itself, are as wanted.
    share(&world, "1", &Value::Null).await;
    all_ready(&world, &names).await;
    assert_eq!(count(&world), 30 + 10 + 9);
    assert_eq!(most_at_once(&world), 10);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_is_a_services_own_does_not_wait_for_a_wave() {
    let (world, names) = world_of(4).await;
    slow(&world);
    share(&world, "1", &json!({"maxConcurrent": 1})).await;
    let waiting = others_wait(&world, &names, 1, 3, "waits its turn").await;
    let mut waiting = waiting.into_iter();
    let (edited, redeployed, tagged) = (
        waiting.next().unwrap(),
        waiting.next().unwrap(),
        waiting.next().unwrap(),
    );
    let own = spec(", env: [{name: OWN, value: '1'}]");
    world.apply_service(&edited, &own).await.unwrap();
    let redeploy = json!({"metadata": {"annotations": {REDEPLOY_AT: "now"}}});
    world.patch(&redeployed, &redeploy).await.unwrap();
    let tags = spec(", tags: {team: shop}");
    world.apply_service(&tagged, &tags).await.unwrap();
    // A new service is made at once, too.
    world.apply_service("newcomer", &spec("")).await.unwrap();
    eventually(DEADLINE, "own edits to roll", async || {
        let rolling = rolling(&world);
        ensure!(
            rolling.contains(&edited) && rolling.contains(&redeployed) && rolling.len() == 3,
            "in a rollout: {rolling:?}"
        );
        world.ecs_service("newcomer")?;
        let service = world.ecs_service(&tagged)?;
        let tags = service["tags"].to_string();
        ensure!(tags.contains("shop"), "tags: {tags}");
        Ok(())
    })
    .await
    .unwrap();
    assert!(!rolling(&world).contains(&tagged));
    go_on(&world);
    all_ready(&world, &names).await;
    world.ready("newcomer").await.unwrap();
    assert_eq!(count(&world), 4, "own edits carried the Environment's");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn another_operator_keeps_the_bound() {
    let (mut world, names) = world_of(6).await;
    slow(&world);
    share(&world, "1", &json!({"maxConcurrent": 2})).await;
    others_wait(&world, &names, 2, 4, "waits its turn").await;
    world.kill_operator();
    world.start_operator().await.unwrap();
    for name in &names {
        world.reconcile(name, "look").await.unwrap();
    }
    assert_eq!(count(&world), 2);
    go_on(&world);
    // Killed once more while one follows the other.
    eventually(DEADLINE, "the third rollout", async || {
        ensure!(count(&world) > 2, "not yet");
        Ok(())
    })
    .await
    .unwrap();
    world.kill_operator();
    world.start_operator().await.unwrap();
    all_ready(&world, &names).await;
    assert_eq!((count(&world), most_at_once(&world)), (6, 2));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_wave_that_stopped_goes_on_when_the_environment_changes_or_what_failed_is_mended() {
    let (mut world, names) = world_of(4).await;
    behave(&world, Behaviour::cannot_pull());
    share(&world, "1", &json!({"maxConcurrent": 1})).await;
    eventually(DEADLINE, "the edit to stop", async || {
        waiting(&world, &names, 3, "failed at").await
    })
    .await
    .unwrap();
    eventually(
        DEADLINE,
        "the owners of the Environment to hear",
        async || {
            let events: Api<Event> = Api::namespaced(world.client.clone(), "default");
            let told = events.list(&ListParams::default()).await?.items;
            let place = format!("failed at {}/s", world.namespace);
            let of_this = |event: &Event| {
                event.reason.as_deref() == Some("WaveStopped")
                    && event
                        .note
                        .as_ref()
                        .is_some_and(|note| note.contains(&place))
            };
            ensure!(told.iter().any(of_this), "{} events", told.len());
            Ok(())
        },
    )
    .await
    .unwrap();
    // A new operator does not try the next one either.
    world.kill_operator();
    world.start_operator().await.unwrap();
    for name in &names {
        world.reconcile(name, "look").await.unwrap();
    }
    assert_eq!(count(&world), 1);

    // Changed again, it is tried again; and stops again.
    share(&world, "2", &json!({"maxConcurrent": 1})).await;
    eventually(DEADLINE, "the second edit to stop", async || {
        ensure!(count(&world) == 2, "{} rollouts", count(&world));
        waiting(&world, &names, 3, "failed at").await?;
        Ok(())
    })
    .await
    .unwrap();

    // The service that failed is mended: the others follow.
    behave(&world, Behaviour::healthy());
    let failed = eventually(DEADLINE, "the failure to be over", async || {
        failed(&world, &names, 3).await
    })
    .await
    .unwrap();
    let redeploy = json!({"metadata": {"annotations": {REDEPLOY_AT: "now"}}});
    world.patch(&failed, &redeploy).await.unwrap();
    all_ready(&world, &names).await;
    world.finish().await.unwrap();
}

/// The service whose newest rollout was caused by this generation of the Environment and has failed.
async fn failed(world: &World, names: &[String], generation: i64) -> Result<String> {
    for name in names {
        let rollout = world
            .service(name)
            .await?
            .status
            .unwrap_or_default()
            .rollout;
        let rollout = rollout.unwrap_or_default();
        // Nothing starts, not even what it goes back to.
        let over = [RolloutPhase::RolledBack, RolloutPhase::Failed].map(Some);
        let caused = rollout
            .wave
            .is_some_and(|wave| wave.environment_generation == generation);
        if caused && over.contains(&rollout.phase) {
            return Ok(name.clone());
        }
    }
    bail!("none yet")
}
