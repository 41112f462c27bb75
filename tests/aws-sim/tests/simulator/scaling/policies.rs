use aws_sdk_applicationautoscaling::types::{
    AdjustmentType, CustomizedMetricSpecification, MetricStatistic, MetricType, PolicyType,
    PredefinedMetricSpecification, ScalingPolicy, ServiceNamespace, StepAdjustment,
    StepScalingPolicyConfiguration, TargetTrackingMetric, TargetTrackingMetricDataQuery,
    TargetTrackingMetricStat, TargetTrackingScalingPolicyConfiguration,
};
use aws_sim::Options;

use super::{DIMENSION, resource, step};
use crate::harness::{Harness, refusal, start};

async fn policies(harness: &Harness) -> Vec<ScalingPolicy> {
    let asked = harness.scaling.describe_scaling_policies();
    let found = asked.service_namespace(ServiceNamespace::Ecs).send().await;
    found.unwrap().scaling_policies().to_vec()
}

async fn delete(harness: &Harness, name: &str) -> Result<(), String> {
    let asked = harness
        .scaling
        .delete_scaling_policy()
        .service_namespace(ServiceNamespace::Ecs)
        .scalable_dimension(DIMENSION)
        .resource_id(resource("api"))
        .policy_name(name);
    match asked.send().await {
        Ok(_) => Ok(()),
        failed => Err(refusal(failed)),
    }
}

fn predefined(metric: MetricType) -> TargetTrackingScalingPolicyConfiguration {
    let metric = PredefinedMetricSpecification::builder().predefined_metric_type(metric);
    TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(70.0)
        .predefined_metric_specification(metric.build().unwrap())
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_arn_outlives_updates_but_no_deletion() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let first = harness.step_policy("api", "out", step(1)).await;
    let prefix = "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:";
    let suffix = ":resource/ecs/service/staging/api:policyName/out";
    assert!(
        first.starts_with(prefix) && first.ends_with(suffix),
        "{first}"
    );
    assert_eq!(harness.step_policy("api", "out", step(2)).await, first);
    let shown = policies(&harness).await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].policy_arn(), first);
    assert_eq!(shown[0].policy_type(), &PolicyType::StepScaling);
    let configuration = shown[0].step_scaling_policy_configuration().unwrap();
    assert_eq!(configuration.step_adjustments()[0].scaling_adjustment(), 2);
    delete(&harness, "out").await.unwrap();
    let again = delete(&harness, "out").await.unwrap_err();
    assert!(again.starts_with("ObjectNotFoundException"), "{again}");
    assert_ne!(harness.step_policy("api", "out", step(1)).await, first);
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_name() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    harness.step_policy("api", "out", step(1)).await;
    let cooldown = StepScalingPolicyConfiguration::builder()
        .cooldown(60)
        .build();
    harness.step_policy("api", "out", cooldown).await;
    let shown = policies(&harness).await;
    let configuration = shown[0].step_scaling_policy_configuration().unwrap();
    assert_eq!(configuration.cooldown(), Some(60));
    assert_eq!(configuration.step_adjustments().len(), 1);
    let other = harness.policy("api", "out");
    let other = other.policy_type(PolicyType::TargetTrackingScaling);
    let other = other.target_tracking_scaling_policy_configuration(predefined(
        MetricType::EcsServiceAverageCpuUtilization,
    ));
    assert!(refusal(other.send().await).starts_with("ValidationException"));
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_refused() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let build = StepScalingPolicyConfiguration::builder;
    let adjustment = |lower: Option<f64>, upper: Option<f64>, by: i32| {
        StepAdjustment::builder()
            .set_metric_interval_lower_bound(lower)
            .set_metric_interval_upper_bound(upper)
            .scaling_adjustment(by)
            .build()
            .unwrap()
    };
    let change = || build().adjustment_type(AdjustmentType::ChangeInCapacity);
    let cases = [
        (
            "no type",
            build().step_adjustments(adjustment(Some(0.0), None, 1)),
        ),
        ("no step", change()),
        (
            "no bound",
            change().step_adjustments(adjustment(None, None, 1)),
        ),
        (
            "a gap",
            change()
                .step_adjustments(adjustment(Some(0.0), Some(5.0), 1))
                .step_adjustments(adjustment(Some(6.0), None, 2)),
        ),
        (
            "a negative cooldown",
            change()
                .step_adjustments(adjustment(Some(0.0), None, 1))
                .cooldown(-1),
        ),
        (
            "a magnitude without percent",
            change()
                .step_adjustments(adjustment(Some(0.0), None, 1))
                .min_adjustment_magnitude(2),
        ),
        (
            "a negative exact capacity",
            build()
                .adjustment_type(AdjustmentType::ExactCapacity)
                .step_adjustments(adjustment(Some(0.0), None, -1)),
        ),
    ];
    for (what, configuration) in cases {
        let policy = harness.policy("api", "out");
        let policy = policy.step_scaling_policy_configuration(configuration.build());
        let refused = refusal(policy.send().await);
        assert!(
            refused.starts_with("ValidationException"),
            "{what}: {refused}"
        );
    }
    let unregistered = harness.policy("other", "out");
    let unregistered = unregistered.step_scaling_policy_configuration(step(1));
    let refused = refusal(unregistered.send().await);
    assert!(refused.starts_with("ObjectNotFoundException"), "{refused}");
    assert!(policies(&harness).await.is_empty());
}

#[tokio::test]
async fn policies_are_found_by_name_and_resource_ten_a_page() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    harness.scalable("web", 1, 4).await;
    for n in 0..11 {
        harness
            .step_policy("api", &format!("p{n:02}"), step(1))
            .await;
    }
    harness.step_policy("web", "p03", step(1)).await;
    let ask = || {
        let asked = harness.scaling.describe_scaling_policies();
        asked.service_namespace(ServiceNamespace::Ecs)
    };
    let page = ask().resource_id(resource("api")).send().await.unwrap();
    assert_eq!(page.scaling_policies().len(), 10);
    let rest = ask().resource_id(resource("api"));
    let rest = rest.set_next_token(page.next_token().map(str::to_owned));
    let rest = rest.send().await.unwrap();
    assert_eq!(rest.scaling_policies()[0].policy_name(), "p10");
    let named = ask().policy_names("p03").send().await.unwrap();
    assert_eq!(named.scaling_policies().len(), 2);
    let dimension = ask().scalable_dimension(DIMENSION).send().await;
    assert!(refusal(dimension).starts_with("ValidationException"));
    let large = ask().max_results(11).send().await;
    assert!(refusal(large).starts_with("ValidationException"));
}

#[tokio::test]
async fn each_metric_is_tracked_by_one_policy() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let track = |name: &str, configuration| {
        let policy = harness.policy("api", name);
        let policy = policy.policy_type(PolicyType::TargetTrackingScaling);
        policy
            .target_tracking_scaling_policy_configuration(configuration)
            .send()
    };
    let cpu = || predefined(MetricType::EcsServiceAverageCpuUtilization);
    track("cpu", cpu()).await.unwrap();
    track("cpu", cpu()).await.unwrap();
    let twice = refusal(track("other", cpu()).await);
    assert!(
        twice.starts_with("ValidationException: Only one TargetTrackingScaling policy"),
        "{twice}"
    );
    let memory = predefined(MetricType::EcsServiceAverageMemoryUtilization);
    track("memory", memory).await.unwrap();
    let foreign = predefined(MetricType::DynamoDbReadCapacityUtilization);
    assert!(refusal(track("x", foreign).await).starts_with("ValidationException"));
    let balancer = predefined(MetricType::AlbRequestCountPerTarget);
    assert!(refusal(track("x", balancer).await).starts_with("NotImplementedBySimulator"));
    let neither = TargetTrackingScalingPolicyConfiguration::builder().target_value(1.0);
    let neither = neither.build().unwrap();
    assert!(refusal(track("x", neither).await).starts_with("ValidationException"));
}

#[tokio::test]
async fn a_customized_metric_is_one_metric_or_an_expression() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let track = |name: &str, metric: CustomizedMetricSpecification| {
        let configuration = TargetTrackingScalingPolicyConfiguration::builder()
            .target_value(100.0)
            .customized_metric_specification(metric)
            .build()
            .unwrap();
        let policy = harness.policy("api", name);
        let policy = policy.policy_type(PolicyType::TargetTrackingScaling);
        policy
            .target_tracking_scaling_policy_configuration(configuration)
            .send()
    };
    let single = CustomizedMetricSpecification::builder()
        .namespace("App")
        .metric_name("Queue")
        .statistic(MetricStatistic::Average);
    track("queue", single.build()).await.unwrap();
    let stat = |metric: &str, returned: bool| {
        let metric = TargetTrackingMetric::builder()
            .namespace("AWS/ECS")
            .metric_name(metric)
            .build();
        let stat = TargetTrackingMetricStat::builder()
            .metric(metric)
            .stat("Sum");
        TargetTrackingMetricDataQuery::builder()
            .id("m1")
            .metric_stat(stat.build().unwrap())
            .return_data(returned)
            .build()
            .unwrap()
    };
    let math = TargetTrackingMetricDataQuery::builder()
        .id("e1")
        .expression("m1 / 2")
        .return_data(true)
        .build()
        .unwrap();
    let both = CustomizedMetricSpecification::builder()
        .metrics(stat("RequestCount", false))
        .metrics(math.clone());
    track("requests", both.build()).await.unwrap();
    let two = CustomizedMetricSpecification::builder()
        .metrics(stat("RequestCount", true))
        .metrics(math);
    assert!(refusal(track("x", two.build()).await).starts_with("ValidationException"));
    let nothing = CustomizedMetricSpecification::builder()
        .namespace("App")
        .build();
    assert!(refusal(track("x", nothing).await).starts_with("ValidationException"));
}
