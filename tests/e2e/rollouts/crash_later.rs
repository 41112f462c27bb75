//! Tasks that crash after their rollout was complete. Slow: Ready forgives two minutes of real time.

use std::time::Duration;

use anyhow::{Context, ensure};
use aws_sim::{Behaviour, Subject};
use privateservice_api::privateservice::RolloutPhase;
use privateservice_tests::{Options, World, eventually};

use super::ending::{Ending, condition};
use super::play::{NEW, edit, sent, serve, status};

/// Two minutes are forgiven, and a crash loop takes two calm ones to be over.
const PATIENCE: Duration = Duration::from_mins(6);

#[tokio::test]
async fn a_crash_loop_after_success_shows_and_heals() {
    let mut world = World::start(Options {
        speed: 10.0,
        // What nobody touches is only seen by a sweep.
        sweep_seconds: 2,
        ..Options::default()
    })
    .await
    .unwrap();
    serve(&world, &["web"]).await;
    let subject = Subject::Service("web".to_owned());
    let simulator = world.simulator.clone();
    let behave = |behaviour| simulator.behave(subject.clone(), behaviour);
    behave(Behaviour::exits(Duration::from_secs(200), 7));
    edit(&world, "web", NEW).await;
    Ending::complete(NEW).reached(&world, "web").await;
    let before = sent(&world);
    behave(Behaviour::exits(Duration::from_secs(1), 7));

    eventually(PATIENCE, "the crash loop to show", async || {
        let object = world.service("web").await?;
        let ready = condition(&object, "Ready").context("no Ready")?;
        ensure!(ready.status == "False", "{ready:?}");
        ensure!(ready.reason == "Deploying", "{ready:?}");
        ensure!(ready.message.contains("do not stay up"), "{ready:?}");
        ensure!(condition(&object, "Reconciling").is_some());
        ensure!(condition(&object, "Stalled").is_none());
        Ok(())
    })
    .await
    .unwrap();
    let during = status(&world, "web").await;
    let rollout = during.rollout.unwrap();
    assert_eq!(rollout.phase, Some(RolloutPhase::Complete), "{rollout:?}");
    assert_eq!(rollout.failed_hash, None);
    assert_eq!(during.tasks.unwrap().desired, 1);
    let code = during.failures.first().unwrap().exit_code;
    assert_eq!(code, Some(7), "{:?}", during.failures);
    let wait = ["wait", "psvc/web", "--for=condition=Ready", "--timeout=0s"];
    assert!(!world.kubectl(&wait, "").await.unwrap().success());

    // Another operator is not taken in by a moment in which all tasks run.
    world.kill_operator();
    world.start_operator().await.unwrap();
    world.reconcile("web", "look").await.unwrap();
    let object = world.service("web").await.unwrap();
    let ready = condition(&object, "Ready").unwrap();
    assert_eq!(ready.status, "False", "{ready:?}");

    behave(Behaviour::healthy());
    // However long ECS has made its pauses between the starts.
    world.simulator.advance(Duration::from_mins(20));
    world
        .ready_is("web", "True", Some("Succeeded"), PATIENCE)
        .await
        .unwrap();
    Ending::complete(NEW).reached(&world, "web").await;
    assert_eq!(sent(&world), before, "ECS heals by itself");
    world.finish().await.unwrap();
}
