//! AWS at its worst: throttles, server errors, answers that never arrive - on every call, all the time.

use std::collections::BTreeSet;

use aws_sim::{Fault, FaultKind};
use privateservice_tests::calls::took_effect;
use privateservice_tests::{Options, World};

const SERVICES: usize = 10;

fn trouble(world: &World) {
    let kinds = [
        (FaultKind::Throttle, 0.15),
        (FaultKind::ServerError, 0.08),
        (FaultKind::LostAnswer, 0.1),
    ];
    for (kind, share) in kinds {
        world.simulator.fault(Fault::sometimes("*", kind, share));
    }
}

fn names() -> impl Iterator<Item = String> {
    (0..SERVICES).map(|number| format!("web-{number}"))
}

#[tokio::test]
async fn a_third_of_all_calls_going_wrong_changes_nothing_about_the_end() {
    let world = World::start(Options {
        speed: 100.0,
        ..Options::default()
    })
    .await
    .unwrap();
    trouble(&world);
    for image in ["nginx:1", "nginx:2"] {
        for name in names() {
            let spec = format!("{{source: {{image: {{name: '{image}'}}}}}}");
            world.apply_service(&name, &spec).await.unwrap();
        }
        for name in names() {
            world.ready(&name).await.unwrap();
        }
    }
    let services = world.ecs_services();
    assert_eq!(services.len(), SERVICES, "each was created once");
    for service in &services {
        assert_eq!(service["status"], "ACTIVE");
        assert!(
            service["taskDefinition"].as_str().unwrap().ends_with(":2"),
            "{service}"
        );
    }
    let mut contents = BTreeSet::new();
    for request in world.calls().0 {
        if request.operation == "RegisterTaskDefinition" && took_effect(&request) {
            let content = format!(
                "{} {}",
                request.body["family"], request.body["containerDefinitions"]
            );
            assert!(
                contents.insert(content.clone()),
                "registered twice: {content}"
            );
        }
    }
    assert_eq!(contents.len(), 2 * SERVICES);

    for name in names() {
        world.delete(&name).await.unwrap();
    }
    for name in names() {
        world.gone(&name).await.unwrap();
    }
    world.simulator.clear_faults();
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}
