use aws_sim::{Options, Simulator, serve};
use serde_json::{Value, json};

use crate::harness::{refusal, start};

/// Another simulator as the stand-in behind.
async fn behind() -> aws_sim::Server {
    let simulator = Simulator::new(Options::default()).unwrap();
    serve(simulator, ([127, 0, 0, 1], 0).into()).await.unwrap()
}

async fn post(url: &str, target: &str, body: Value) -> (u16, Value) {
    let answer = reqwest::Client::new()
        .post(url)
        .header(
            "x-amz-target",
            format!("GraniteServiceVersion20100801.{target}"),
        )
        .header("content-type", "application/x-amz-json-1.0")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test]
async fn json_clients_are_answered_in_json() {
    let harness = start(Options::default()).await;
    let url = &harness.server.url;
    let alarm = json!({
        "AlarmName": "cpu", "MetricName": "CPUUtilization", "Namespace": "AWS/ECS", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 3, "Threshold": 80, "ComparisonOperator": "GreaterThanThreshold",
    });
    assert_eq!(post(url, "PutMetricAlarm", alarm).await.0, 200);
    let (status, found) = post(url, "DescribeAlarms", json!({"AlarmNames": ["cpu"]})).await;
    assert_eq!(status, 200);
    assert_eq!(found["MetricAlarms"][0]["Threshold"], 80.0);
    assert!(found["MetricAlarms"][0]["StateUpdatedTimestamp"].is_number());
    let alarm = harness.described_alarm("cpu").await.unwrap();
    assert_eq!(alarm.threshold(), Some(80.0), "a double for everybody");
    let (status, refused) = post(url, "DeleteAlarms", json!({"AlarmNames": ["lost"]})).await;
    assert_eq!(
        (status, &refused["__type"]),
        (404, &json!("ResourceNotFound"))
    );
}

#[tokio::test]
async fn what_is_not_about_alarms_is_the_stand_ins() {
    let alone = start(Options::default()).await;
    let list = alone.cloud_watch.list_metrics().send().await;
    assert!(refusal(list).starts_with("NotImplementedBySimulator: monitoring:ListMetrics"));
    let requests = alone.simulator.requests();
    assert_eq!(requests.last().unwrap().name(), "monitoring:ListMetrics");
    let behind = behind().await;
    let options = Options {
        upstream: Some(behind.url.clone()),
        ..Options::default()
    };
    let harness = start(options).await;
    // The one behind knows the same operations, and nothing of the alarms here.
    harness.alarm("cpu", "api").send().await.unwrap();
    let (status, found) = post(&behind.url, "DescribeAlarms", json!({})).await;
    assert_eq!((status, &found["MetricAlarms"]), (200, &json!([])));
    let dashboard = "arn:aws:cloudwatch::111122223333:dashboard/d";
    let tags = harness
        .cloud_watch
        .list_tags_for_resource()
        .resource_arn(dashboard);
    let refused = refusal(tags.send().await);
    assert!(
        refused.starts_with("NotImplementedBySimulator"),
        "{refused}"
    );
}

#[tokio::test]
async fn all_of_it_can_be_left_to_the_stand_in() {
    let behind = behind().await;
    let options = Options {
        upstream: Some(behind.url.clone()),
        scaling: None,
        ..Options::default()
    };
    let harness = start(options).await;
    harness.alarm("cpu", "api").send().await.unwrap();
    let (_, found) = post(&behind.url, "DescribeAlarms", json!({})).await;
    assert_eq!(found["MetricAlarms"][0]["AlarmName"], "cpu");
    harness.running("api", "a").await;
    let asked = harness.target("api").min_capacity(1).max_capacity(4);
    let refused = refusal(asked.send().await);
    assert!(
        refused.contains("doesn't exist"),
        "asked of an account without it: {refused}"
    );
}
