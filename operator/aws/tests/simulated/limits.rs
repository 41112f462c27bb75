//! The limits on the way to AWS.

use crate::world::{World, key, plenty, quick, register};
use privateservice_aws::{Bucket, QuotaTable};
use privateservice_core::failure::Failure;

#[tokio::test]
async fn a_step_that_has_to_queue_is_woken_and_then_sent() {
    let mut world = World::with(quick(), QuotaTable::published().scaled(2.0, 0.05)).await;
    world.track("api");
    let mut sent = 0;
    let queued = loop {
        let _pass = world.link.account.begin_pass(&key("api"));
        match world.execute("api", &register("api")).await {
            Ok(_) => sent += 1,
            Err(failure) => break failure,
        }
    };
    assert_eq!(queued, Failure::Queued { ahead: 0 });
    assert_eq!(world.calls("ecs:RegisterTaskDefinition"), sent);
    assert_eq!(world.link.woken().await, key("api"));
    let _pass = world.link.account.begin_pass(&key("api"));
    world.execute("api", &register("api")).await.unwrap();
    assert_eq!(world.calls("ecs:RegisterTaskDefinition"), sent + 1);
}

#[tokio::test]
async fn an_object_that_is_forgotten_leaves_the_queue() {
    let world = World::with(quick(), plenty().scaled(0.000_001, 0.000_05)).await;
    for name in ["a", "b"] {
        world.track(name);
    }
    world.execute("a", &register("a")).await.unwrap();
    assert_eq!(
        world.execute("b", &register("b")).await,
        Err(Failure::Queued { ahead: 0 })
    );
    let limits = world.link.account.limits();
    assert_eq!(limits.waiting(Bucket::TaskDefinitionModify), 1);
    world.link.account.forget(&key("b"));
    assert_eq!(limits.waiting(Bucket::TaskDefinitionModify), 0);
}

#[tokio::test]
async fn calls_are_counted_by_outcome() {
    let world = World::new().await;
    world.track("a");
    world.execute("a", &register("a")).await.unwrap();
    let calls = world.link.account.calls();
    let counted = calls
        .iter()
        .find(|call| call.operation == "ecs:RegisterTaskDefinition");
    assert_eq!(
        counted.map(|call| (call.outcome, call.count)),
        Some(("ok", 1))
    );
}
