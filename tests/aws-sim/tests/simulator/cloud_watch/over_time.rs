use std::time::Duration;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricDataQuery, Statistic};
use aws_sdk_ecs::types::{DeploymentAlarms, DeploymentConfiguration, ServiceDeploymentStatus};
use aws_sim::{Moment, Options, ScalingOptions};
use serde_json::json;

use super::math;
use crate::harness::{CLUSTER, Harness, start};

impl Harness {
    /// A sample in the minute that begins now.
    fn sample(&self, metric: &str, value: f64) {
        let at = self.simulator.now();
        let none: &[(&str, &str)] = &[];
        self.simulator.put_metric("App", metric, none, at, &[value]);
    }

    /// The states of an alarm after each of some minutes; `None` is one without a sample.
    fn states<const N: usize>(&self, alarm: &str, minutes: [Option<f64>; N]) -> [&'static str; N] {
        minutes.map(|value| {
            if let Some(value) = value {
                self.sample("Queue", value);
            }
            self.advance(60);
            self.simulator.alarm_state(alarm).unwrap()
        })
    }

    fn queue_alarm(
        &self,
    ) -> aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder
    {
        self.bare_alarm("queue")
            .namespace("App")
            .metric_name("Queue")
            .statistic(Statistic::Average)
            .period(60)
    }
}

const HIGH: Option<f64> = Some(90.0);
const LOW: Option<f64> = Some(10.0);
const GAP: Option<f64> = None;

#[tokio::test]
async fn an_alarm_is_evaluated_every_minute() {
    let harness = start(Options::default()).await;
    harness.queue_alarm().send().await.unwrap();
    harness.align();
    assert_eq!(
        harness.states("queue", [LOW, HIGH, HIGH, HIGH, LOW, HIGH]),
        ["OK", "OK", "OK", "ALARM", "OK", "OK"]
    );
    let before = harness.described_alarm("queue").await.unwrap();
    let at = before.state_updated_timestamp().unwrap().as_secs_f64();
    assert!(
        (at - harness.simulator.now().seconds() + 60.0).abs() < 0.001,
        "since it changed"
    );
    assert!(before.state_reason().unwrap().contains("80.0"));
    let body = json!({"namespace": "App", "name": "Queue", "values": [90, 90]});
    assert_eq!(harness.control("metric", body).await, 200);
    harness.advance(60);
    assert_eq!(harness.states("queue", [HIGH]), ["ALARM"]);
}

#[tokio::test]
async fn missing_data_are_treated_as_asked() {
    let cases = [
        (
            "missing",
            [
                "ALARM",
                "ALARM",
                "ALARM",
                "ALARM",
                "ALARM",
                "INSUFFICIENT_DATA",
            ],
        ),
        (
            "ignore",
            ["ALARM", "ALARM", "ALARM", "ALARM", "ALARM", "ALARM"],
        ),
        (
            "breaching",
            ["ALARM", "ALARM", "ALARM", "ALARM", "ALARM", "ALARM"],
        ),
        (
            "notBreaching",
            ["ALARM", "ALARM", "ALARM", "OK", "OK", "OK"],
        ),
    ];
    for (treatment, expected) in cases {
        let harness = start(Options::default()).await;
        let put = harness.queue_alarm().treat_missing_data(treatment);
        put.send().await.unwrap();
        harness.align();
        harness.states("queue", [HIGH, HIGH]);
        // The third breaching one, then nothing. Two older points stand in at first.
        let states = harness.states("queue", [HIGH, GAP, GAP, GAP, GAP, GAP]);
        assert_eq!(states, expected, "{treatment}");
    }
}

#[tokio::test]
async fn longer_periods_slide_minute_by_minute() {
    let harness = start(Options::default()).await;
    let put = harness.queue_alarm().period(300).evaluation_periods(1);
    put.send().await.unwrap();
    harness.align();
    // The average of the last five minutes passes 80 with the fifth of them.
    let states = harness.states("queue", [LOW, LOW, HIGH, HIGH, HIGH, HIGH, HIGH]);
    assert_eq!(states, ["OK", "OK", "OK", "OK", "OK", "OK", "ALARM"]);
}

#[tokio::test]
async fn data_from_before_the_alarm_count() {
    let harness = start(Options::default()).await;
    harness.align();
    for _ in 0..3 {
        harness.sample("Queue", 90.0);
        harness.advance(60);
    }
    harness.queue_alarm().send().await.unwrap();
    assert_eq!(harness.states("queue", [GAP]), ["ALARM"]);
}

#[tokio::test]
async fn alarms_can_see_data_late() {
    let options = Options {
        scaling: Some(ScalingOptions {
            metric_delay: Duration::from_mins(2),
            ..ScalingOptions::default()
        }),
        ..Options::default()
    };
    let harness = start(options).await;
    let put = harness.queue_alarm().evaluation_periods(1);
    put.send().await.unwrap();
    harness.align();
    let states = harness.states("queue", [HIGH, LOW, LOW, LOW]);
    assert_eq!(
        states,
        ["INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "ALARM", "OK"]
    );
}

#[tokio::test]
async fn expressions_fill_gaps_and_name_each_other() {
    let harness = start(Options::default()).await;
    let query = |id: &str, metric: &str| {
        let metric = aws_sdk_cloudwatch::types::Metric::builder()
            .namespace("App")
            .metric_name(metric)
            .build();
        let stat = aws_sdk_cloudwatch::types::MetricStat::builder()
            .metric(metric)
            .period(60)
            .stat("Sum");
        MetricDataQuery::builder()
            .id(id)
            .metric_stat(stat.build())
            .return_data(false)
            .build()
    };
    let inner = MetricDataQuery::builder()
        .id("filled")
        .expression("FILL(METRICS(), 0)")
        .return_data(false)
        .build();
    harness
        .bare_alarm("quiet")
        .comparison_operator(ComparisonOperator::LessThanOrEqualToThreshold)
        .threshold(5.0)
        .evaluation_periods(2)
        .metrics(query("m1", "Queue"))
        .metrics(query("m2", "Other"))
        .metrics(inner)
        .metrics(math("total", "SUM(filled)"))
        .send()
        .await
        .unwrap();
    harness.align();
    harness.sample("Other", 1.0);
    assert_eq!(
        harness.states("quiet", [Some(7.0), Some(7.0), GAP, GAP]),
        ["OK", "OK", "OK", "ALARM"]
    );
}

#[tokio::test]
async fn deployments_see_the_alarms() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    harness.queue_alarm().send().await.unwrap();
    let alarms = DeploymentAlarms::builder()
        .alarm_names("queue")
        .enable(true)
        .rollback(true);
    let configuration = DeploymentConfiguration::builder().alarms(alarms.build().unwrap());
    let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
    let update = update.deployment_configuration(configuration.build());
    update.send().await.unwrap();
    harness.align();
    harness.states("queue", [HIGH, HIGH]);
    harness.roll("api", "b").await;
    let status = async || harness.newest_deployment("api").await.status().cloned();
    assert_eq!(status().await, Some(ServiceDeploymentStatus::InProgress));
    harness.states("queue", [HIGH]);
    assert_eq!(
        status().await,
        Some(ServiceDeploymentStatus::RollbackRequested)
    );
    // One that is deleted in ALARM is in ALARM no more.
    let delete = harness.cloud_watch.delete_alarms().alarm_names("queue");
    delete.send().await.unwrap();
    harness.advance(120);
    harness.roll("api", "c").await;
    harness.simulator.set_alarm("queue", true);
    harness.advance(60);
    assert_ne!(status().await, Some(ServiceDeploymentStatus::InProgress));
}

#[tokio::test]
async fn minutes_pass_one_by_one_however_time_is_moved() {
    let run = async |moves: &[u64]| {
        let harness = start(Options::default()).await;
        harness.queue_alarm().send().await.unwrap();
        harness.align();
        let start: Moment = harness.simulator.now();
        for minute in 0..10 {
            let at = start + Duration::from_mins(minute);
            let none: &[(&str, &str)] = &[];
            let value = if (3..6).contains(&minute) { 90.0 } else { 10.0 };
            harness
                .simulator
                .put_metric("App", "Queue", none, at, &[value]);
        }
        for seconds in moves {
            harness.advance(*seconds);
        }
        let alarm = harness.described_alarm("queue").await.unwrap();
        let updated = alarm.state_updated_timestamp().unwrap().as_secs_f64();
        (
            alarm.state_value().cloned(),
            (updated - start.seconds()).round(),
        )
    };
    let at_once = run(&[600]).await;
    assert_eq!(at_once, run(&[60; 10]).await);
    assert_eq!(at_once, run(&[17, 343, 200, 40]).await);
    assert!(
        (at_once.1 - 420.0).abs() < 1.0,
        "back to OK with the seventh minute"
    );
}
