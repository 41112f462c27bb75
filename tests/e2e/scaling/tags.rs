//! The tags of a service, on what scales it.

use anyhow::{Context, Result, ensure};
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The tags of the target and of each alarm, without the operator's own.
async fn tags(world: &World) -> Result<Vec<BTreeMap<String, String>>> {
    let target = world.scalable_target("web").context("no target")?;
    let asked = json!({"ResourceARN": target["ScalableTargetARN"]});
    let call = "application-autoscaling:ListTagsForResource";
    let on_target = world.aws.call(call, asked).await?;
    let mut all: Vec<BTreeMap<String, String>> =
        vec![serde_json::from_value(on_target["Tags"].clone())?];
    for alarm in world.alarms("web") {
        let asked = json!({"ResourceARN": alarm["AlarmArn"]});
        let on_alarm = world
            .aws
            .call("monitoring:ListTagsForResource", asked)
            .await?;
        let pairs = on_alarm["Tags"].as_array().context("no tags")?;
        let text = |pair: &Value, name: &str| pair[name].as_str().unwrap_or_default().to_owned();
        let pair = |pair: &Value| (text(pair, "Key"), text(pair, "Value"));
        all.push(pairs.iter().map(pair).collect());
    }
    for tags in &mut all {
        ensure!(tags.contains_key("flexstack.dev/owner"), "{tags:?}");
        tags.retain(|key, _| !key.starts_with("flexstack.dev/"));
    }
    Ok(all)
}

#[tokio::test]
async fn an_edit_of_tags_reaches_the_target_and_the_alarms() {
    let world = World::start(Options::default()).await.unwrap();
    let spec = "{source: {image: {name: 'web:1'}}, tags: {team: a, stage: dark}}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let before = json!({"team": "a", "stage": "dark"});
    assert_eq!(
        json!(tags(&world).await.unwrap()),
        json!([before, before, before])
    );
    let mark = world.mark();
    let edited = spec.replace("team: a, stage: dark", "team: b");
    world.apply_service("web", &edited).await.unwrap();
    eventually(DEADLINE, "the other tags", async || {
        let now = json!(tags(&world).await?);
        let wanted = json!({"team": "b"});
        ensure!(now == json!([wanted, wanted, wanted]), "{now}");
        Ok(())
    })
    .await
    .unwrap();
    let calls = world.calls_since(mark).writes().counts();
    for operation in ["TagResource", "UntagResource"] {
        let count = |service: &str| calls.get(&format!("{service}:{operation}")).copied();
        assert_eq!(count("application-autoscaling"), Some(1), "{calls:?}");
        assert_eq!(count("monitoring"), Some(2), "{calls:?}");
    }
    world.finish().await.unwrap();
}
