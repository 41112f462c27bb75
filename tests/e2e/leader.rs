//! Several replicas, one writer: who holds the Lease, how fast the next one takes over, and what a leader does that cannot renew.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::PostParams;
use privateservice_tests::charts::{NAMESPACE, RELEASE};
use privateservice_tests::proxy::Proxy;
use privateservice_tests::scratch::Scratch;
use privateservice_tests::world::{DEADLINE, ENVIRONMENT};
use privateservice_tests::{Operator, Options, World, eventually};
use serde_json::json;
use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the Lease promises after each renewal.
const LEASE: Duration = Duration::from_secs(15);
/// A new leader after a kill; the operator promises it.
const TAKEOVER: Duration = Duration::from_secs(20);

/// Services to edit behind the back of a leader that is cut off, one a second: more than the Lease has seconds.
const EDITS: usize = 20;

/// One of several operators, with a folder for its log.
struct Replica {
    operator: Operator,
    _folder: Scratch,
}

async fn replica(world: &mut World, kubeconfig: Option<PathBuf>) -> Replica {
    let mut settings = world.settings().clone();
    settings.flags.push("--leader-elect".to_owned());
    settings.kubeconfig = kubeconfig.unwrap_or(settings.kubeconfig);
    let folder = Scratch::new("psvc-replica").unwrap();
    let operator = Operator::start(&settings, folder.path()).await.unwrap();
    Replica {
        operator,
        _folder: folder,
    }
}

fn leases(world: &World) -> Api<Lease> {
    Api::namespaced(world.client.clone(), NAMESPACE)
}

/// A world without an operator.
async fn world(options: Options) -> World {
    let world = World::bare(options).await.unwrap();
    world
        .apply(&world.seeded.environment(ENVIRONMENT))
        .await
        .unwrap();
    world
}

async fn holder(world: &World) -> Result<String> {
    let record = leases(world).get(RELEASE).await?.spec;
    let holder = record.and_then(|record| record.holder_identity);
    holder.context("nobody holds it")
}

async fn another_than(world: &World, before: &str, deadline: Duration) -> String {
    eventually(deadline, "another leader", async || {
        let now = holder(world).await?;
        ensure!(now != before, "{now} still leads");
        Ok(now)
    })
    .await
    .unwrap()
}

const SPEC: &str = "{source: {image: {name: 'nginx:1'}}, tags: {team: a}}";

#[tokio::test]
async fn a_killed_leader_is_followed_in_the_middle_of_its_work_and_nothing_is_made_twice() {
    let mut world = world(Options::default()).await;
    let mut first = replica(&mut world, None).await;
    let before = holder(&world).await.unwrap();
    let second = replica(&mut world, None).await;
    assert_eq!(second.operator.readyz().await.unwrap(), "ok\n");
    assert!(second.operator.log().unwrap().contains("stands by"));
    world.environment_ready(ENVIRONMENT).await.unwrap();

    let names: Vec<String> = (0..8).map(|number| format!("web-{number}")).collect();
    let hold = world.simulator.hold_after("ecs:CreateService", 4);
    for name in &names {
        world.apply_service(name, SPEC).await.unwrap();
    }
    hold.held().await;
    first.operator.kill();
    hold.release();
    another_than(&world, &before, TAKEOVER).await;
    for name in &names {
        world.ready(name).await.unwrap();
    }
    let calls = world.calls();
    assert_eq!(calls.effects("ecs:CreateService"), 8);
    assert_eq!(calls.effects("ecs:RegisterTaskDefinition"), 8);
    assert_eq!(calls.effects("servicediscovery:CreateService"), 8);
    drop(second);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_leader_that_is_stopped_hands_over_at_once() {
    let mut world = world(Options::default()).await;
    let mut first = replica(&mut world, None).await;
    let before = holder(&world).await.unwrap();
    let second = replica(&mut world, None).await;
    world.apply_service("web", SPEC).await.unwrap();
    world.ready("web").await.unwrap();
    let mark = world.mark();
    let writes = || world.calls_since(mark).writes().total();
    assert_eq!(first.operator.stop().await.unwrap(), 0);
    // Half of what it takes when the Lease has to run out.
    another_than(&world, &before, LEASE / 2).await;
    // The new one sees what there is, and finds nothing to do.
    world.reconcile("web", "again").await.unwrap();
    assert_eq!(writes(), 0);
    drop(second);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_leader_that_is_cut_off_changes_nothing_once_another_may_lead() {
    let mut world = world(Options {
        // It sees what is changed behind its back all the time.
        sweep_seconds: 1,
        ..Options::default()
    })
    .await;
    let server = world.plane().unwrap().server();
    let proxy = Proxy::start(server.trim_start_matches("https://"))
        .await
        .unwrap();
    let folder = Scratch::new("psvc-proxy").unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let through = format!("https://{}", proxy.address);
    let plane = world.plane().unwrap();
    plane
        .operator_kubeconfig_via(&through, &kubeconfig)
        .await
        .unwrap();
    let mut leader = replica(&mut world, Some(kubeconfig)).await;
    // One to edit behind its back in each second: the same edit again would be repaired more slowly.
    let names: Vec<String> = (0..EDITS).map(|number| format!("web-{number}")).collect();
    for name in &names {
        world.apply_service(name, SPEC).await.unwrap();
    }
    for name in &names {
        world.ready(name).await.unwrap();
    }
    let unedited = Cell::new(names.as_slice());
    let edit = async || {
        if let Some((name, rest)) = unedited.get().split_first() {
            unedited.set(rest);
            let arn = world.ecs_service(name).unwrap()["serviceArn"].clone();
            let edit = json!({"resourceArn": arn, "tags": [{"key": "team", "value": "b"}]});
            world.aws.call("ecs:TagResource", edit).await.unwrap();
        }
    };
    let is_repaired = |name: &String| {
        let service = world.ecs_service(name)?;
        anyhow::Ok(World::tag(&service, "team").as_deref() == Some("a"))
    };
    edit().await;
    eventually(DEADLINE, "a repair", async || {
        ensure!(is_repaired(&names[0])?);
        Ok(())
    })
    .await
    .unwrap();

    proxy.cut();
    let at_the_cut = world.mark();
    // This test is the other candidate: it claims the Lease when it has not changed for as long as it promises.
    let leases = leases(&world);
    let mut seen = leases.get(RELEASE).await.unwrap();
    let mut since = Instant::now();
    while since.elapsed() < LEASE {
        edit().await;
        tokio::time::sleep(Duration::from_secs(1).min(LEASE.saturating_sub(since.elapsed()))).await;
        let now = leases.get(RELEASE).await.unwrap();
        if now.spec != seen.spec {
            (seen, since) = (now, Instant::now());
        }
    }
    let mut claim = seen;
    let record = claim.spec.as_mut().unwrap();
    record.holder_identity = Some("another".to_owned());
    record.renew_time = Some(MicroTime(Timestamp::now()));
    leases
        .replace(RELEASE, &PostParams::default(), &claim)
        .await
        .unwrap();
    let claimed = world.mark();
    assert!(
        world.calls_since(at_the_cut).writes().total() > 0,
        "it goes on repairing for as long as it surely leads"
    );

    // There is something to repair, and nobody who may.
    edit().await;
    assert_ne!(leader.operator.ended(DEADLINE).await.unwrap(), 0);
    let log = leader.operator.log().unwrap();
    assert!(log.contains("could not be renewed for 15 s"), "{log}");
    assert_eq!(world.calls_since(claimed).writes().total(), 0);
    assert!(!names.iter().all(|name| is_repaired(name).unwrap()));

    // Who leads after "another" has been silent for long enough does it.
    let next = replica(&mut world, None).await;
    for name in &names {
        eventually(DEADLINE, "the repair by the next leader", async || {
            let service = world.ecs_service(name)?;
            let tag = World::tag(&service, "team");
            ensure!(tag.as_deref() == Some("a"), "{name}: {tag:?}");
            Ok(())
        })
        .await
        .unwrap();
    }
    drop(next);
    world.finish().await.unwrap();
}
