//! What people ask for by annotation: stop this rollout, deploy once more, serve an earlier revision.

use anyhow::{Context, ensure};
use privateservice_api::privateservice::{EndedBy, RolloutPhase};
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{World, eventually};

use super::ending::{Ending, condition, events};
use super::play::{
    NEW, OLD, abort, calm, deployments, edit, handled_redeploy, phase, redeploy, rests,
    roll_back_to, sent, serve, slow, status,
};

#[tokio::test]
async fn an_abort_stops_the_rollout_in_progress_once() {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    slow(&world, NEW);
    edit(&world, "web", NEW).await;
    phase(&world, "web", RolloutPhase::Progressing).await;
    abort(&world, "web", "stop it").await;
    let ending = Ending::rolled_back(EndedBy::Abort, OLD).says("flexstack.dev/abort-at");
    ending.reached(&world, "web").await;
    let handled = status(&world, "web").await.last_handled_abort_at;
    assert_eq!(handled.as_deref(), Some("stop it"));
    rests(&mut world, &["web"]).await;
    ending.reached(&world, "web").await;
    assert_eq!(world.calls().count("ecs:StopServiceDeployment"), 1);
    assert_eq!(deployments(&world, "web").len(), 2);

    // The same words stop nothing of what comes next.
    edit(&world, "web", "app:3").await;
    Ending::complete("app:3").reached(&world, "web").await;
    assert_eq!(world.calls().count("ecs:StopServiceDeployment"), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_abort_with_nothing_in_progress_is_told_and_does_nothing() {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    abort(&world, "web", "stop what?").await;
    eventually(DEADLINE, "the abort to be answered", async || {
        let told = events(&world, "web").await?;
        let kind = told
            .get("NothingToAbort")
            .with_context(|| format!("{told:?}"))?;
        ensure!(kind == "Warning", "it is {kind}");
        let handled = status(&world, "web").await.last_handled_abort_at;
        ensure!(handled.as_deref() == Some("stop what?"), "{handled:?}");
        Ok(())
    })
    .await
    .unwrap();
    rests(&mut world, &["web"]).await;
    Ending::complete(OLD).reached(&world, "web").await;
    assert_eq!(world.calls().count("ecs:StopServiceDeployment"), 0);
    assert_eq!(world.calls().count("ecs:UpdateService"), 0);
    world.finish().await.unwrap();
}

/// The stop took effect and nobody heard of it.
#[tokio::test]
async fn an_abort_whose_answer_is_lost_is_still_known_as_one() {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    slow(&world, NEW);
    edit(&world, "web", NEW).await;
    phase(&world, "web", RolloutPhase::Progressing).await;
    let hold = world.simulator.hold_after("ecs:StopServiceDeployment", 1);
    abort(&world, "web", "stop it").await;
    hold.held().await;
    world.kill_operator();
    hold.release();
    world.start_operator().await.unwrap();
    let ending = Ending::rolled_back(EndedBy::Abort, OLD).says("flexstack.dev/abort-at");
    ending.reached(&world, "web").await;
    rests(&mut world, &["web"]).await;
    assert_eq!(world.calls().count("ecs:StopServiceDeployment"), 1);
    assert_eq!(deployments(&world, "web").len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_redeploy_is_made_once_for_each_value() {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    for (expected, value) in [(2, "one"), (3, "two")] {
        redeploy(&world, "web", value).await;
        handled_redeploy(&world, "web", value).await;
        Ending::complete(OLD).reached(&world, "web").await;
        rests(&mut world, &["web"]).await;
        assert_eq!(deployments(&world, "web").len(), expected, "{value}");
    }
    assert_eq!(world.task_definitions(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_earlier_revision_serves_for_as_long_as_it_is_asked_for() {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    edit(&world, "web", NEW).await;
    Ending::complete(NEW).reached(&world, "web").await;
    roll_back_to(&world, "web", Some("1")).await;
    let what = "revision 1 to serve";
    let message = eventually(DEADLINE, what, async || {
        let object = world.service("web").await?;
        let ready = condition(&object, "Ready").context("no Ready")?.clone();
        let status = object.status.unwrap_or_default();
        let image = status.deployed.and_then(|deployed| deployed.image);
        ensure!(image.as_deref() == Some(OLD), "{image:?}: {ready:?}");
        ensure!(ready.reason == "RolledBack", "{ready:?}");
        ensure!(
            status.rollback_to.as_deref() == Some("staging_web:1"),
            "{:?}",
            status.rollback_to
        );
        ensure!(ready.status == "False", "{ready:?}");
        Ok(ready.message)
    })
    .await
    .unwrap();
    assert!(message.contains("flexstack.dev/rollback-to"), "{message}");
    assert_eq!(world.task_definitions(), 2);
    let service = world.ecs_service("web").unwrap();
    let arn = service["taskDefinition"].as_str().unwrap();
    assert!(arn.ends_with("staging_web:1"), "{service}");
    rests(&mut world, &["web"]).await;

    roll_back_to(&world, "web", None).await;
    Ending::complete(NEW).reached(&world, "web").await;
    assert_eq!(status(&world, "web").await.rollback_to, None);
    assert_eq!(world.task_definitions(), 2);
    rests(&mut world, &["web"]).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_revision_that_is_none_is_refused_with_the_numbers_to_write() {
    let world = calm().await;
    serve(&world, &["web"]).await;
    edit(&world, "web", NEW).await;
    world.ready("web").await.unwrap();
    let before = sent(&world);
    for nonsense in ["yesterday", "77", "staging_other:1"] {
        roll_back_to(&world, "web", Some(nonsense)).await;
        eventually(DEADLINE, "the refusal", async || {
            let message = refusal(&world).await?;
            ensure!(message.contains("write one of 2, 1"), "{message}");
            Ok(())
        })
        .await
        .unwrap();
    }
    assert_eq!(sent(&world), before);
    roll_back_to(&world, "web", None).await;
    Ending::complete(NEW).reached(&world, "web").await;
    assert_eq!(sent(&world), before);
    world.finish().await.unwrap();
}

async fn refusal(world: &World) -> anyhow::Result<String> {
    let object = world.service("web").await?;
    let ready = condition(&object, "Ready").context("no Ready")?;
    ensure!(ready.reason == "InvalidSpec", "{ready:?}");
    ensure!(condition(&object, "Stalled").is_some(), "not Stalled");
    Ok(ready.message.clone())
}
