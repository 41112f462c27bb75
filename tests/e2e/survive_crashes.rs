//! The operator killed after each single AWS call, in the moment when the call has taken effect and the answer has not arrived.

use std::collections::BTreeSet;
use std::time::Duration;

use privateservice_tests::{Options, World};
use serde_json::json;

/// No create, update or delete takes that many calls; a loop that gets here has lost its end.
const MOST_CALLS: u32 = 40;

/// Fast enough that a rollout is over before the operator looks for the first time.
fn fast() -> Options {
    Options {
        speed: 200.0,
        ..Options::default()
    }
}

/// Lets `act` begin, kills the operator after its `nth` AWS call, starts it again and waits for `end`. False if `end` came without
/// an `nth` call.
async fn killed_after_call(
    world: &mut World,
    nth: u32,
    act: impl AsyncFnOnce(&World),
    end: impl AsyncFn(&World) -> anyhow::Result<()>,
) -> bool {
    world.quiet().await.unwrap();
    let hold = world.simulator.hold_after("*", nth);
    act(world).await;
    let was_held = tokio::select! {
        () = hold.held() => true,
        ended = end(world) => {
            ended.unwrap();
            false
        }
    };
    if was_held {
        world.kill_operator();
        hold.release();
        world.start_operator().await.unwrap();
        end(world).await.unwrap();
    }
    hold.release();
    was_held
}

/// Revisions of a family, of all that were ever registered.
fn revisions(world: &World, family: &str) -> usize {
    let state = world.simulator.state();
    let all = state["taskDefinitions"].as_array().unwrap();
    let part = format!("/{family}:");
    all.iter()
        .filter(|one| one["arn"].as_str().unwrap().contains(&part))
        .count()
}

#[tokio::test]
async fn a_creation_ends_the_same_after_a_crash_at_any_call() {
    // A new service stays MISSING to readers for a while, so that a restarted operator may not see what it has made.
    let options = Options {
        describe_lag: Duration::from_secs(200),
        ..fast()
    };
    let mut world = World::start(options).await.unwrap();
    let mut names = Vec::new();
    for nth in 1..=MOST_CALLS {
        let name = format!("web-{nth}");
        let act = async |world: &World| {
            world
                .apply_service(&name, "{source: {image: {name: 'nginx:1'}}}")
                .await
                .unwrap();
        };
        let held = killed_after_call(&mut world, nth, act, async |world: &World| {
            world.ready(&name).await.map(drop)
        })
        .await;
        names.push(name);
        if !held {
            break;
        }
    }
    assert!(
        (4..40).contains(&names.len()),
        "{} calls make a service",
        names.len()
    );
    let services = world.ecs_services();
    assert_eq!(services.len(), names.len(), "each service was created once");
    for name in &names {
        let service = world.ecs_service(name).unwrap();
        let family = format!("staging_{name}");
        assert!(
            service["taskDefinition"]
                .as_str()
                .unwrap()
                .ends_with(&format!("{family}:1"))
        );
        assert_eq!(
            revisions(&world, &family),
            1,
            "{family} was registered once"
        );
        assert_eq!(
            service["deployments"].as_array().unwrap().len(),
            1,
            "{service}"
        );
        assert_eq!(service["runningCount"], 1, "{service}");
    }
    let dns: BTreeSet<String> = world
        .dns_services()
        .await
        .unwrap()
        .iter()
        .map(|one| one["Name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(dns, names.into_iter().collect());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_update_ends_the_same_after_a_crash_at_any_call() {
    let mut world = World::start(fast()).await.unwrap();
    world
        .apply_service("web", "{source: {image: {name: 'nginx:0'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    for nth in 1..=MOST_CALLS {
        let mark = world.mark();
        let spec = format!("{{source: {{image: {{name: 'nginx:{nth}'}}}}}}");
        let act = async |world: &World| world.apply_service("web", &spec).await.unwrap();
        let held = killed_after_call(&mut world, nth, act, async |world: &World| {
            world.ready("web").await.map(drop)
        })
        .await;
        let calls = world.calls_since(mark);
        assert_eq!(
            calls.effects("ecs:RegisterTaskDefinition"),
            1,
            "after call {nth}"
        );
        assert_eq!(calls.effects("ecs:UpdateService"), 1, "after call {nth}");
        assert_eq!(calls.effects("ecs:CreateService"), 0, "after call {nth}");
        let revision = format!("staging_web:{}", nth + 1);
        let service = world.ecs_service("web").unwrap();
        assert!(
            service["taskDefinition"]
                .as_str()
                .unwrap()
                .ends_with(&revision),
            "{service}"
        );
        if !held {
            assert!(nth > 2, "{nth} calls make an update");
            world.finish().await.unwrap();
            return;
        }
    }
    panic!("an update never ends");
}

#[tokio::test]
async fn a_deletion_ends_the_same_after_a_crash_at_any_call() {
    let mut world = World::start(fast()).await.unwrap();
    for nth in 1..=MOST_CALLS {
        let name = format!("web-{nth}");
        world
            .apply_service(&name, "{source: {image: {name: 'nginx:1'}}}")
            .await
            .unwrap();
        world.ready(&name).await.unwrap();
        let act = async |world: &World| world.delete(&name).await.unwrap();
        let held = killed_after_call(&mut world, nth, act, async |world: &World| {
            world.gone(&name).await
        })
        .await;
        world.holds_nothing_of(&name).await.unwrap();
        if !held {
            assert!(nth > 2, "{nth} calls make a deletion");
            world.holds_nothing().await.unwrap();
            world.finish().await.unwrap();
            return;
        }
    }
    panic!("a deletion never ends");
}

#[tokio::test]
async fn a_service_deleted_and_made_again_at_once_is_made_once_more() {
    let mut world = World::start(fast()).await.unwrap();
    let spec = "{source: {image: {name: 'nginx:1'}}}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    world.delete("web").await.unwrap();
    world.kill_operator();
    world.start_operator().await.unwrap();
    world.gone("web").await.unwrap();
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let active: Vec<_> = world
        .ecs_services()
        .into_iter()
        .filter(|one| one["status"] == json!("ACTIVE"))
        .collect();
    assert_eq!(active.len(), 1);
    world.finish().await.unwrap();
}

/// The creation took effect, nobody heard of it, AWS does not show it yet, and the object goes.
#[tokio::test]
async fn an_object_deleted_after_an_unanswered_creation_leaves_nothing_behind() {
    let options = Options {
        describe_lag: Duration::from_secs(2000),
        ..fast()
    };
    let mut world = World::start(options).await.unwrap();
    let hold = world.simulator.hold_after("ecs:CreateService", 1);
    world
        .apply_service("web", "{source: {image: {name: 'nginx:1'}}}")
        .await
        .unwrap();
    hold.held().await;
    world.kill_operator();
    hold.release();
    world.delete("web").await.unwrap();
    world.start_operator().await.unwrap();
    world.gone("web").await.unwrap();
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}
