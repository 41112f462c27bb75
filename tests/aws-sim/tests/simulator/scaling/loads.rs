use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic};
use aws_sdk_ecs::types::{
    ApplicationProtocol, ContainerDefinition, PortMapping, ServiceConnectConfiguration,
    ServiceConnectService,
};
use aws_sim::{Load, Options};
use serde_json::json;

use crate::cloud_watch::{dimension, math, stat};
use crate::harness::{CLUSTER, Harness, start};

impl Harness {
    /// An alarm that tells at the end of each minute whether a statistic is a value.
    async fn tells(&self, metric: &str, statistic: Statistic, value: f64) -> bool {
        let name = format!("{metric}-{}", statistic.as_str());
        self.alarm(&name, "api")
            .metric_name(metric)
            .statistic(statistic)
            .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
            .evaluation_periods(1)
            .threshold(value)
            .send()
            .await
            .unwrap();
        let above = self
            .alarm(&format!("{name}-above"), "api")
            .metric_name(metric);
        let above = above.set_statistic(self.described_alarm(&name).await.unwrap().statistic);
        let above = above.evaluation_periods(1).threshold(value);
        above.send().await.unwrap();
        self.advance(60);
        let above = self.simulator.alarm_state(&format!("{name}-above"));
        (self.simulator.alarm_state(&name), above) == (Some("ALARM"), Some("OK"))
    }
}

#[tokio::test]
async fn each_running_task_is_a_sample_and_a_total_is_shared() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    harness.update("api").desired_count(4).send().await.unwrap();
    harness.advance(60);
    harness.align();
    let load = |is_total: bool| Load {
        cpu_percent: Some(60.0),
        memory_percent: Some(500.0),
        is_total,
        ..Load::default()
    };
    harness.simulator.set_load(None, "api", Some(load(false)));
    assert!(
        harness
            .tells("CPUUtilization", Statistic::SampleCount, 4.0)
            .await
    );
    assert!(
        harness
            .tells("CPUUtilization", Statistic::Average, 60.0)
            .await
    );
    assert!(harness.tells("CPUUtilization", Statistic::Sum, 240.0).await);
    assert!(
        harness
            .tells("LiveTaskCount", Statistic::Average, 4.0)
            .await
    );
    assert!(
        harness
            .tells("MemoryUtilization", Statistic::Maximum, 100.0)
            .await,
        "no more than all"
    );
    harness.simulator.set_load(None, "api", Some(load(true)));
    assert!(
        harness
            .tells("CPUUtilization", Statistic::Minimum, 15.0)
            .await
    );
    harness.update("api").desired_count(2).send().await.unwrap();
    assert!(
        harness
            .tells("CPUUtilization", Statistic::Average, 30.0)
            .await
    );
    // The load of a cluster wins over that of any.
    harness
        .simulator
        .set_load(Some(CLUSTER), "api", Some(load(false)));
    assert!(
        harness
            .tells("CPUUtilization", Statistic::Average, 60.0)
            .await
    );
    harness.simulator.set_load(Some(CLUSTER), "api", None);
    harness.simulator.set_load(None, "api", None);
    harness.advance(600);
    assert_eq!(
        harness.simulator.alarm_state("CPUUtilization-Average"),
        Some("INSUFFICIENT_DATA")
    );
}

#[tokio::test]
async fn the_count_settles_where_the_load_is_shared() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 10).await;
    harness.scaled_by_cpu("api", 1, 1, 60).await;
    harness.align();
    let load = Load {
        cpu_percent: Some(300.0),
        is_total: true,
        ..Load::default()
    };
    harness.simulator.set_load(None, "api", Some(load));
    harness.advance(3600);
    // 300 / 4 = 75 is the first below 80.
    assert_eq!(harness.desired("api").await, 4);
}

async fn connected(harness: &Harness, protocol: Option<ApplicationProtocol>) {
    let mut port = PortMapping::builder().name("web").container_port(8080);
    port = port.set_app_protocol(protocol);
    let container = ContainerDefinition::builder()
        .name("app")
        .image("a")
        .port_mappings(port.build());
    let definition = harness.register("api", container.build()).await;
    let service = ServiceConnectService::builder()
        .port_name("web")
        .discovery_name("api-sc");
    let connect = ServiceConnectConfiguration::builder()
        .enabled(true)
        .namespace("internal")
        .services(service.build().unwrap())
        .build();
    let create = harness.service("api", &definition);
    let create = create.service_connect_configuration(connect);
    create.send().await.unwrap();
    harness.advance(60);
}

/// The alarm: more than 100 requests a minute for each running task, for three minutes.
async fn by_requests(harness: &Harness) {
    harness
        .bare_alarm("requests")
        .threshold(100.0)
        .metrics({
            let query = stat("requests", "RequestCount", "api", "Sum");
            let metric = query.metric_stat().unwrap().metric().unwrap();
            let mut dimensions = metric.dimensions().to_vec();
            dimensions.push(dimension("DiscoveryName", "api-sc"));
            let metric = aws_sdk_cloudwatch::types::Metric::builder()
                .namespace("AWS/ECS")
                .metric_name("RequestCount")
                .set_dimensions(Some(dimensions))
                .build();
            let stat = aws_sdk_cloudwatch::types::MetricStat::builder()
                .metric(metric)
                .period(60)
                .stat("Sum")
                .build();
            aws_sdk_cloudwatch::types::MetricDataQuery::builder()
                .id("requests")
                .metric_stat(stat)
                .return_data(false)
                .build()
        })
        .metrics(stat("tasks", "CPUUtilization", "api", "SampleCount"))
        .metrics(math("each", "FILL(requests, 0) / tasks"))
        .send()
        .await
        .unwrap();
    harness.align();
}

fn requests(name: &str, per_minute: f64) -> Load {
    Load {
        cpu_percent: Some(50.0),
        requests_per_minute: BTreeMap::from([(name.to_owned(), per_minute)]),
        ..Load::default()
    }
}

#[tokio::test]
async fn requests_are_counted_by_service_connect() {
    let harness = start(Options::default()).await;
    connected(&harness, Some(ApplicationProtocol::Http)).await;
    by_requests(&harness).await;
    harness
        .simulator
        .set_load(None, "api", Some(requests("api-sc", 150.0)));
    harness.advance(180);
    assert_eq!(harness.simulator.alarm_state("requests"), Some("ALARM"));
    harness.update("api").desired_count(2).send().await.unwrap();
    harness.advance(60);
    assert_eq!(
        harness.simulator.alarm_state("requests"),
        Some("OK"),
        "75 for each of two"
    );
    let body = json!({"service": "api", "load": {"cpu_percent": 50, "requests_per_minute": {"api-sc": 900}}});
    assert_eq!(harness.control("load", body).await, 200);
    harness.advance(180);
    assert_eq!(harness.simulator.alarm_state("requests"), Some("ALARM"));
    // No request, no data point; the expression takes that for 0.
    harness
        .simulator
        .set_load(None, "api", Some(requests("api-sc", 0.0)));
    harness.advance(180);
    assert_eq!(harness.simulator.alarm_state("requests"), Some("OK"));
    let body = json!({"service": "api", "load": {"cpu": 50}});
    assert_eq!(harness.control("load", body).await, 400);
}

#[tokio::test]
async fn without_an_application_protocol_there_is_no_request_count() {
    let harness = start(Options::default()).await;
    connected(&harness, None).await;
    by_requests(&harness).await;
    harness
        .simulator
        .set_load(None, "api", Some(requests("api-sc", 900.0)));
    harness.advance(300);
    assert_eq!(harness.simulator.alarm_state("requests"), Some("OK"));
}

#[tokio::test]
async fn nor_for_a_name_that_the_service_does_not_have() {
    let harness = start(Options::default()).await;
    connected(&harness, Some(ApplicationProtocol::Http)).await;
    by_requests(&harness).await;
    harness
        .simulator
        .set_load(None, "api", Some(requests("other", 900.0)));
    harness.advance(300);
    assert_eq!(harness.simulator.alarm_state("requests"), Some("OK"));
}
