use std::time::Duration;

use aws_sdk_ecs::error::SdkError;
use aws_sim::{Fault, FaultKind, HoldState, Options, Outcome, Quotas};
use serde_json::{Value, json};

use crate::harness::{CLUSTER, container, refusal, start};

#[tokio::test]
async fn faults_hit_what_they_name_as_often_as_they_say() {
    let harness = start(Options::default()).await;
    let describe = || harness.ecs.describe_clusters().clusters(CLUSTER).send();
    let throttle = Fault::next("ecs:DescribeClusters", FaultKind::Throttle, 2).after(1);
    harness.simulator.fault(throttle);
    harness
        .ecs
        .list_services()
        .cluster(CLUSTER)
        .send()
        .await
        .unwrap();
    describe().await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            refusal(describe().await),
            "ThrottlingException: Rate exceeded"
        );
    }
    describe().await.unwrap();
    harness
        .simulator
        .fault(Fault::always("*", FaultKind::AccessDenied));
    assert!(refusal(describe().await).starts_with("AccessDeniedException"));
    harness.simulator.clear_faults();
    describe().await.unwrap();
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let harness = start(Options {
            seed,
            ..Options::default()
        })
        .await;
        harness
            .simulator
            .fault(Fault::sometimes("ecs:*", FaultKind::ServerError, 0.5));
        let mut run = Vec::new();
        for _ in 0..40 {
            run.push(harness.ecs.describe_clusters().send().await.is_ok());
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(runs[0].contains(&true) && runs[0].contains(&false));
}

#[tokio::test]
async fn a_lost_answer_comes_after_the_effect() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    harness
        .simulator
        .fault(Fault::next("ecs:CreateService", FaultKind::LostAnswer, 1));
    let result = harness.service("api", &definition).send().await;
    assert!(
        matches!(result, Err(SdkError::DispatchFailure(_))),
        "{result:?}"
    );
    assert!(harness.find("api").await.is_some());
    let requests = harness.simulator.requests();
    let lost = requests
        .iter()
        .find(|request| request.operation == "CreateService")
        .unwrap();
    let expected = Outcome::Fault {
        kind: "lost_answer".to_owned(),
        effect: true,
    };
    assert_eq!(lost.outcome, expected);
}

#[tokio::test]
async fn an_empty_page_has_no_items_and_no_failures() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    harness
        .simulator
        .fault(Fault::always("ecs:*", FaultKind::EmptyPage));
    let described = harness
        .ecs
        .describe_services()
        .cluster(CLUSTER)
        .services("api");
    let described = described.send().await.unwrap();
    assert!(described.services().is_empty() && described.failures().is_empty());
    let listed = harness
        .ecs
        .list_services()
        .cluster(CLUSTER)
        .send()
        .await
        .unwrap();
    assert!(listed.service_arns().is_empty());
}

#[tokio::test]
async fn a_held_call_has_taken_effect_and_is_not_yet_answered() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let hold = harness.simulator.hold_after("writes", 1);
    let create = tokio::spawn(harness.service("api", &definition).send());
    tokio::time::timeout(Duration::from_secs(10), hold.held())
        .await
        .unwrap();
    assert_eq!(hold.state(), HoldState::Held);
    assert!(harness.find("api").await.is_some());
    assert!(!create.is_finished());
    hold.release();
    create.await.unwrap().unwrap();
}

#[tokio::test]
async fn published_rates_are_enforced_when_asked() {
    let options = Options {
        quotas: Some(Quotas::default()),
        ..Options::default()
    };
    let harness = start(options).await;
    let mut admitted = 0;
    for _ in 0..25 {
        let register = harness
            .definition("api")
            .container_definitions(container("a"));
        match register.send().await {
            Ok(_) => admitted += 1,
            error => assert_eq!(refusal(error), "ThrottlingException: Rate exceeded"),
        }
    }
    assert_eq!(admitted, 20);
    harness.advance(3);
    for fits in [true, true, true, false] {
        let register = harness
            .definition("api")
            .container_definitions(container("a"));
        assert_eq!(register.send().await.is_ok(), fits);
    }
    let throttled = harness.simulator.requests();
    let throttled = throttled
        .iter()
        .filter(|request| request.outcome == Outcome::Throttled);
    assert_eq!(throttled.count(), 6);
}

#[tokio::test]
async fn the_log_is_recorded_one_line_per_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    let harness = start(Options {
        record: Some(path.clone()),
        ..Options::default()
    })
    .await;
    harness.register("api", container("a")).await;
    let lines = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["operation"], "RegisterTaskDefinition");
    assert_eq!(lines[1]["body"]["family"], "api");
    assert_eq!(lines[1]["access_key"], "111122223333");
    assert_eq!(harness.simulator.counts()["ecs:CreateCluster"], 1);
}

#[tokio::test]
async fn the_same_can_be_done_over_http() {
    let harness = start(Options::default()).await;
    let client = reqwest::Client::new();
    let url = |path: &str| format!("{}/_sim/{path}", harness.server.url);
    let post = async |path: &str, body: Value| {
        let answer = client.post(url(path)).json(&body).send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.unwrap(),
        )
    };
    let fault = json!({"operation": "ecs:ListServices", "kind": "throttle", "count": 1});
    assert_eq!(post("fault", fault).await.0, 200);
    let list = || harness.ecs.list_services().cluster(CLUSTER).send();
    assert_eq!(refusal(list().await), "ThrottlingException: Rate exceeded");
    assert_eq!(
        post("fault", json!({"operation": "*", "kind": "surprise"}))
            .await
            .0,
        400
    );
    let slow = json!({"subject": {"image": "a"}, "behaviour": {"start_delay_seconds": 100}});
    assert_eq!(post("behaviour", slow).await.0, 200);
    harness.running("api", "a").await;
    assert_eq!(harness.describe("api").await.running_count(), 0);
    post("clock/advance", json!({"seconds": 60})).await;
    assert_eq!(harness.describe("api").await.running_count(), 1);

    let (_, held) = post("hold", json!({"operation": "ecs:ListServices"})).await;
    let waiting = tokio::spawn(list());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let shown: Value = client
            .get(url("held"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        if shown["holds"][0]["state"] == "held" {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{shown}");
        tokio::task::yield_now().await;
    }
    post("release", json!({"id": held["id"]})).await;
    waiting.await.unwrap().unwrap();

    let path = url("requests?operation=ecs:ListServices");
    let shown: Value = client.get(path).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["requests"].as_array().unwrap().len(), 2);
    let state: Value = client
        .get(url("state"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(state["services"][0]["serviceName"], "api");
    post("reset-log", json!({})).await;
    assert!(harness.simulator.counts().is_empty());
}
