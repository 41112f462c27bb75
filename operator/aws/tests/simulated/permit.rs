//! A process whose lease may end: what it still sends, and for how long.

use crate::world::{World, key, owner, quick, register};
use privateservice_aws::{Outputs, Permit, Timing};
use privateservice_core::failure::Failure;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(8);

#[tokio::test]
async fn nothing_is_changed_unless_the_permit_outlasts_the_call() {
    let world = World::new().await;
    let (until, receiver) = watch::channel(None);
    let timing = Timing {
        write_timeout: LIMIT,
        ..quick()
    };
    let link = world.permitted(timing, Permit::until(receiver)).await;
    let scope = world.scope("api");
    let inventory = link.account.inventory();
    inventory.track(&key("api"), &owner("api"), &scope);
    let attempt = async || {
        let mut outputs = Outputs::default();
        link.execute("api", &register("api"), &mut outputs).await
    };
    for end in [None, Some(Instant::now() + LIMIT / 2)] {
        until.send_replace(end);
        let failure = attempt().await.unwrap_err();
        assert!(matches!(failure, Failure::Conflict { .. }), "{failure:?}");
    }
    assert_eq!(world.calls("ecs:RegisterTaskDefinition"), 0);
    assert!(
        link.account
            .calls()
            .iter()
            .any(|call| call.outcome == "not-leader" && call.count == 2)
    );
    // An hour more than it takes.
    until.send_replace(Some(Instant::now() + Duration::from_hours(1)));
    attempt().await.unwrap();
    assert_eq!(world.calls("ecs:RegisterTaskDefinition"), 1);
}

#[tokio::test]
async fn a_change_without_an_answer_is_given_up_after_its_limit() {
    let world = World::new().await;
    let timing = Timing {
        write_timeout: Duration::from_millis(200),
        call_timeout: Duration::from_hours(1),
        ..quick()
    };
    let link = world.another(timing).await;
    let scope = world.scope("api");
    let inventory = link.account.inventory();
    inventory.track(&key("api"), &owner("api"), &scope);
    let _held = world.sim.hold_after("ecs:RegisterTaskDefinition", 1);
    let mut outputs = Outputs::default();
    let failure = link
        .execute("api", &register("api"), &mut outputs)
        .await
        .unwrap_err();
    // It may have had its effect.
    assert!(matches!(failure, Failure::Ambiguous { .. }), "{failure:?}");
    assert!(failure.to_string().contains("no answer in time"));
}
