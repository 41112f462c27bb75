//! The operator against a simulation of AWS that others wrote, with nothing of ours between. It echoes less than AWS does and everything runs
//! at once; what it lacks must neither hold a service up nor be mended for ever.

use privateservice_tests::aws::Aws;
use privateservice_tests::seed::{NAMESPACE, seed};
use privateservice_tests::stand_in::MiniStack;
use privateservice_tests::world::ENVIRONMENT;
use privateservice_tests::{Options, World};
use serde_json::json;

#[tokio::test]
async fn a_service_is_made_changed_and_removed_without_a_fight() {
    let account = "444455556666";
    let stand_in = MiniStack::start().await.unwrap();
    let aws = Aws::new(&stand_in.url(), account);
    let seeded = seed(&aws, "elsewhere", NAMESPACE).await.unwrap();
    let mut world = World::bare(Options::default()).await.unwrap();
    world.settings().aws = stand_in.url();
    account.clone_into(&mut world.settings().account);
    world.apply(&seeded.environment(ENVIRONMENT)).await.unwrap();
    world.start_operator().await.unwrap();
    world.environment_ready(ENVIRONMENT).await.unwrap();

    for (image, revision) in [("nginx:1", "staging_web:1"), ("nginx:2", "staging_web:2")] {
        let spec = format!("{{source: {{image: {{name: '{image}'}}}}}}");
        world.apply_service("web", &spec).await.unwrap();
        let deployed = world
            .ready("web")
            .await
            .unwrap()
            .status
            .unwrap()
            .deployed
            .unwrap();
        assert_eq!(deployed.image.as_deref(), Some(image));
        assert_eq!(deployed.task_definition.as_deref(), Some(revision));
    }
    // It has no Application Auto Scaling, and that is told.
    let status = world.service("web").await.unwrap().status.unwrap();
    let scaling = status
        .conditions
        .iter()
        .find(|one| one.type_ == "AutoscalingReady")
        .unwrap();
    assert_eq!(scaling.status, "False", "{scaling:?}");
    assert!(
        scaling.message.contains("no Application Auto Scaling here"),
        "{scaling:?}"
    );
    let log = world.operator().unwrap().log().unwrap();
    let updates = log
        .matches("executed operation=\"ecs:UpdateService\"")
        .count();
    assert!(
        updates <= 3,
        "one edit, and at most one try to mend each state:\n{log}"
    );

    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    let left = aws
        .call(
            "ecs:DescribeServices",
            json!({"cluster": seeded.cluster, "services": ["web"]}),
        )
        .await
        .unwrap();
    let serves = left["services"]
        .as_array()
        .unwrap()
        .iter()
        .any(|service| service["status"] == "ACTIVE");
    assert!(!serves, "{left}");
}
