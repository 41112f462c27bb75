//! The samples, as a user meets them: applied with kubectl, waited for, reached by name, deleted.

use privateservice_tests::{Options, World};

const SAMPLES: [&str; 6] = ["cache", "shop", "rabbitmq", "temporal", "hello", "assets"];

#[tokio::test]
async fn every_sample_becomes_ready_and_leaves_nothing_behind() {
    let world = World::start(Options::default()).await.unwrap();
    let kubectl = async |args: &[&str]| world.kubectl(args, "").await.unwrap().ok().unwrap();

    kubectl(&["apply", "-f", "config/samples/"]).await;
    kubectl(&[
        "wait",
        "--for=condition=Ready",
        "--timeout=180s",
        "psvc",
        "--all",
    ])
    .await;

    let table = kubectl(&["get", "psvc", "-o", "wide"]).await;
    for sample in SAMPLES {
        let line = table.lines().find(|line| line.starts_with(sample));
        let line = line.unwrap_or_else(|| panic!("no line for {sample}:\n{table}"));
        assert!(line.contains("True") && line.contains("Complete"), "{line}");
        let addresses = world.resolve(sample).await.unwrap();
        assert_eq!(addresses.len(), 1, "{sample} resolves to {addresses:?}");
    }
    assert!(table.contains("cache.flexstack.internal"), "{table}");
    assert!(
        table.contains("FARGATE_SPOT") && table.contains("ARM64"),
        "{table}"
    );

    kubectl(&["delete", "--timeout=180s", "-f", "config/samples/"]).await;
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn applying_the_same_samples_again_changes_nothing() {
    let world = World::start(Options::default()).await.unwrap();
    let kubectl = async |args: &[&str]| world.kubectl(args, "").await.unwrap().ok().unwrap();
    let apply = [
        "apply",
        "-f",
        "config/samples/redis.yaml",
        "-f",
        "config/samples/shop.yaml",
    ];
    kubectl(&apply).await;
    world.ready("cache").await.unwrap();
    world.ready("shop").await.unwrap();

    let mark = world.mark();
    let said = kubectl(&apply).await;
    assert_eq!(said.matches("unchanged").count(), 2, "{said}");
    world.reconcile("cache", "again").await.unwrap();
    world.reconcile("shop", "again").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    world.finish().await.unwrap();
}
