//! Which revisions of a task definition are kept: what serves, the last good one and ten more.

use anyhow::ensure;
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};

use super::ending::Ending;
use super::play::{edit, rests, serve};

/// Numbers of the ACTIVE revisions of the service `web`.
fn active(world: &World) -> Vec<u32> {
    let state = world.simulator.state();
    let all = state["taskDefinitions"].as_array().unwrap();
    let number = |arn: &str| arn.rsplit(':').next()?.parse().ok();
    let mut numbers: Vec<u32> = all
        .iter()
        .filter(|one| one["active"] == true)
        .filter_map(|one| number(one["arn"].as_str()?))
        .collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn the_newest_twelve_are_kept_and_used_again() {
    let mut world = World::start(Options {
        speed: 200.0,
        ..Options::default()
    })
    .await
    .unwrap();
    serve(&world, &["web"]).await;
    for number in 2..=15 {
        edit(&world, "web", &format!("app:{number}")).await;
        let what = format!("edit {number} to be sent");
        let revision = format!("staging_web:{number}");
        world
            .ecs_service_until("web", &what, |service| {
                let arn = service["taskDefinition"].as_str().unwrap();
                arn.ends_with(&revision)
            })
            .await
            .unwrap();
    }
    Ending::complete("app:15").reached(&world, "web").await;
    eventually(DEADLINE, "old revisions to go", async || {
        let active = active(&world);
        ensure!(active == (4..=15).collect::<Vec<_>>(), "{active:?}");
        Ok(())
    })
    .await
    .unwrap();

    edit(&world, "web", "app:6").await;
    Ending::complete("app:6").reached(&world, "web").await;
    assert_eq!(world.task_definitions(), 15, "nothing is registered anew");
    rests(&mut world, &["web"]).await;
    assert_eq!(active(&world), (4..=15).collect::<Vec<_>>());
    world.finish().await.unwrap();
}
