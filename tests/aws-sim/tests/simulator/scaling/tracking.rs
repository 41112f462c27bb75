use aws_sdk_applicationautoscaling::types::{
    CustomizedMetricSpecification, MetricType, PolicyType, PredefinedMetricSpecification,
    ServiceNamespace, TargetTrackingMetric, TargetTrackingMetricDataQuery,
    TargetTrackingMetricStat, TargetTrackingScalingPolicyConfiguration as Configuration,
};
use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm};
use aws_sim::{Load, Options, Quotas};

use super::{DIMENSION, resource};
use crate::harness::{CLUSTER, Harness, refusal, start};

fn cpu(target: f64, cooldown: i32, scales_in: bool) -> Configuration {
    predefined(
        MetricType::EcsServiceAverageCpuUtilization,
        target,
        cooldown,
        scales_in,
    )
}

fn predefined(metric: MetricType, target: f64, cooldown: i32, scales_in: bool) -> Configuration {
    let metric = PredefinedMetricSpecification::builder().predefined_metric_type(metric);
    Configuration::builder()
        .target_value(target)
        .scale_out_cooldown(cooldown)
        .scale_in_cooldown(cooldown)
        .disable_scale_in(!scales_in)
        .predefined_metric_specification(metric.build().unwrap())
        .build()
        .unwrap()
}

impl Harness {
    async fn track(&self, name: &str, configuration: Configuration) -> Vec<String> {
        let policy = self.policy("api", name);
        let policy = policy.policy_type(PolicyType::TargetTrackingScaling);
        let policy = policy.target_tracking_scaling_policy_configuration(configuration);
        let made = policy.send().await.unwrap();
        let names = made
            .alarms()
            .iter()
            .map(|alarm| alarm.alarm_name().to_owned());
        names.collect()
    }

    async fn tracking_alarms(&self) -> Vec<MetricAlarm> {
        let asked = self.cloud_watch.describe_alarms();
        let found = asked.alarm_name_prefix("TargetTracking-").send().await;
        found.unwrap().metric_alarms().to_vec()
    }
}

#[tokio::test]
async fn a_policy_has_two_alarms_that_live_with_it() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 10).await;
    let names = harness.track("cpu", cpu(70.0, 300, true)).await;
    assert_eq!(names.len(), 2);
    let prefix = format!("TargetTracking-{}-AlarmHigh-", resource("api"));
    assert!(names[0].starts_with(&prefix), "{names:?}");
    let alarms = harness.tracking_alarms().await;
    let numbers = |alarm: &MetricAlarm| {
        let comparison = alarm.comparison_operator().cloned().unwrap();
        (
            comparison,
            alarm.threshold().unwrap(),
            alarm.evaluation_periods().unwrap(),
        )
    };
    assert_eq!(
        numbers(&alarms[0]),
        (ComparisonOperator::GreaterThanThreshold, 70.0, 3)
    );
    assert_eq!(
        numbers(&alarms[1]),
        (ComparisonOperator::LessThanThreshold, 63.0, 15)
    );
    assert_eq!(alarms[0].dimensions()[0].value(), Some(CLUSTER));
    // An update keeps the names; without scaling in the low one goes.
    let updated = harness.track("cpu", cpu(50.0, 300, false)).await;
    assert_eq!(updated, names[..1]);
    assert_eq!(harness.tracking_alarms().await[0].threshold(), Some(50.0));
    harness
        .track(
            "memory",
            predefined(
                MetricType::EcsServiceAverageMemoryUtilization,
                80.0,
                300,
                true,
            ),
        )
        .await;
    assert_eq!(harness.tracking_alarms().await.len(), 3);
    let delete = harness
        .scaling
        .delete_scaling_policy()
        .service_namespace(ServiceNamespace::Ecs)
        .scalable_dimension(DIMENSION)
        .resource_id(resource("api"))
        .policy_name("cpu");
    delete.send().await.unwrap();
    assert_eq!(harness.tracking_alarms().await.len(), 2);
    let delete = harness.ecs.delete_service().cluster(CLUSTER).service("api");
    delete.force(true).send().await.unwrap();
    harness.advance(60);
    assert!(
        harness.tracking_alarms().await.is_empty(),
        "gone with the service"
    );
}

#[tokio::test]
async fn it_scales_out_in_proportion_and_in_one_by_one() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 20).await;
    harness.update("api").desired_count(4).send().await.unwrap();
    harness.track("cpu", cpu(50.0, 120, true)).await;
    harness.advance(60);
    harness.align();
    // 4 x 75 / 50 = 6; as long as the cooldown lasts only more than that would count.
    assert_eq!(harness.counts("api", &[75.0; 5]).await, [4, 4, 6, 6, 6]);
    // From the 4 before it, 4 x 100 / 50 = 8.
    harness.minute("api", 40.0);
    let load = Load {
        cpu_percent: Some(100.0),
        ..Load::default()
    };
    harness.simulator.set_load(None, "api", Some(load));
    harness.advance(180);
    assert!(harness.desired("api").await >= 8);
    let before = harness.desired("api").await;
    let counts = harness.counts("api", &[10.0; 22]).await;
    assert_eq!(counts[13], before, "not before fifteen minutes");
    assert_eq!(counts[14], before - 1);
    assert_eq!(counts[17], before - 2, "one by one, a cooldown apart");
}

#[tokio::test]
async fn it_scales_in_only_when_all_policies_agree() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 20).await;
    harness.update("api").desired_count(4).send().await.unwrap();
    harness.track("cpu", cpu(50.0, 0, true)).await;
    let memory = predefined(
        MetricType::EcsServiceAverageMemoryUtilization,
        50.0,
        0,
        true,
    );
    harness.track("memory", memory).await;
    harness.advance(60);
    harness.align();
    let load = |memory: f64| Load {
        cpu_percent: Some(5.0),
        memory_percent: Some(memory),
        ..Load::default()
    };
    harness.simulator.set_load(None, "api", Some(load(48.0)));
    harness.advance(30 * 60);
    assert_eq!(harness.desired("api").await, 4);
    harness.simulator.set_load(None, "api", Some(load(5.0)));
    harness.advance(30 * 60);
    assert_eq!(harness.desired("api").await, 1);
}

fn per_task(expression: &str) -> Configuration {
    let dimension = |name: &str, value: &str| {
        aws_sdk_applicationautoscaling::types::TargetTrackingMetricDimension::builder()
            .name(name)
            .value(value)
            .build()
            .unwrap()
    };
    let stat = |id: &str, metric: &str, stat: &str| {
        let metric = TargetTrackingMetric::builder()
            .namespace("AWS/ECS")
            .metric_name(metric)
            .dimensions(dimension("ClusterName", CLUSTER))
            .dimensions(dimension("ServiceName", "api"))
            .build();
        let stat = TargetTrackingMetricStat::builder()
            .metric(metric)
            .stat(stat);
        TargetTrackingMetricDataQuery::builder()
            .id(id)
            .metric_stat(stat.build().unwrap())
            .return_data(false)
            .build()
            .unwrap()
    };
    let math = TargetTrackingMetricDataQuery::builder()
        .id("e1")
        .expression(expression)
        .return_data(true)
        .build()
        .unwrap();
    let metric = CustomizedMetricSpecification::builder()
        .metrics(stat("m1", "CPUUtilization", "Sum"))
        .metrics(stat("m2", "CPUUtilization", "SampleCount"))
        .metrics(math);
    Configuration::builder()
        .target_value(50.0)
        .customized_metric_specification(metric.build())
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_expression_can_be_tracked() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 20).await;
    let policy = harness
        .policy("api", "each")
        .policy_type(PolicyType::TargetTrackingScaling);
    let wrong = policy.target_tracking_scaling_policy_configuration(per_task("m1 / m3"));
    assert!(refusal(wrong.send().await).starts_with("ValidationException"));
    assert!(harness.tracking_alarms().await.is_empty());
    harness.track("each", per_task("m1 / m2")).await;
    harness.align();
    assert_eq!(harness.counts("api", &[95.0; 3]).await, [1, 1, 2]);
}

#[tokio::test]
async fn its_alarms_count_against_the_callers_rate() {
    let options = Options {
        quotas: Some(Quotas::default()),
        ..Options::default()
    };
    let harness = start(options).await;
    harness.scalable("api", 1, 20).await;
    harness.track("cpu", cpu(50.0, 0, true)).await;
    let memory = predefined(
        MetricType::EcsServiceAverageMemoryUtilization,
        50.0,
        0,
        true,
    );
    let put = || {
        let policy = harness.policy("api", "memory");
        let policy = policy.policy_type(PolicyType::TargetTrackingScaling);
        policy
            .target_tracking_scaling_policy_configuration(memory.clone())
            .send()
    };
    let refused = refusal(put().await);
    assert!(
        refused.starts_with("FailedResourceAccessException"),
        "{refused}"
    );
    assert!(refused.contains("Rate exceeded"), "{refused}");
    assert_eq!(harness.tracking_alarms().await.len(), 2);
    harness.advance(1);
    put().await.unwrap();
}
