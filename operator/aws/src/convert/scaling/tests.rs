//! What is sent comes back as itself, and what is not ours as nothing of ours.

use super::*;
use aws_sdk_applicationautoscaling::operation::put_scaling_policy::builders::PutScalingPolicyInputBuilder;
use aws_sdk_applicationautoscaling::types::{
    MetricType, ScalableDimension, ScalingPolicy, ServiceNamespace,
};
use aws_sdk_cloudwatch::types::{MetricAlarm, StandardUnit};
use privateservice_core::scaling::{
    Adjustment, Alarm, Comparison, Decimal, Metric, Policy, Query, Source, StepAdjustment,
    StepPolicy, Tracked, TrackingPolicy, Watched,
};

fn metric(statistic: &str) -> Metric {
    Metric {
        namespace: "AWS/ECS".into(),
        name: "RequestCount".into(),
        dimensions: BTreeMap::from([
            ("ClusterName".into(), "shared".into()),
            ("ServiceName".into(), "api".into()),
        ]),
        statistic: statistic.into(),
        period: 60,
    }
}

fn queries() -> Vec<Query> {
    vec![
        Query {
            id: "r1".into(),
            source: Source::Metric(metric("Sum")),
            returns: false,
        },
        Query {
            id: "requests".into(),
            source: Source::Expression("FILL(r1, 0) / tasks".into()),
            returns: true,
        },
    ]
}

fn alarm(watched: Watched, comparison: Comparison) -> Alarm {
    Alarm {
        watched,
        comparison,
        threshold: Decimal::whole(75),
        periods: 5,
        datapoints: 5,
        missing: "notBreaching".into(),
        enabled: true,
    }
}

/// What AWS shows of an alarm that was put.
fn shown(alarm: &Alarm) -> MetricAlarm {
    let input = put_alarm("a", alarm, "arn:policy", &BTreeMap::new())
        .build()
        .unwrap();
    MetricAlarm::builder()
        .alarm_arn("arn:a")
        .set_alarm_name(input.alarm_name)
        .set_actions_enabled(input.actions_enabled)
        .set_alarm_actions(input.alarm_actions)
        .set_namespace(input.namespace)
        .set_metric_name(input.metric_name)
        .set_statistic(input.statistic)
        .set_dimensions(input.dimensions)
        .set_period(input.period)
        .set_metrics(input.metrics)
        .set_evaluation_periods(input.evaluation_periods)
        .set_datapoints_to_alarm(input.datapoints_to_alarm)
        .set_threshold(input.threshold)
        .set_comparison_operator(input.comparison_operator)
        .set_treat_missing_data(input.treat_missing_data)
        .build()
}

#[test]
fn an_alarm_comes_back_as_it_was_put() {
    for alarm in [
        alarm(Watched::Metric(metric("Average")), Comparison::Below),
        alarm(Watched::Queries(queries()), Comparison::AtLeast),
        alarm(Watched::Queries(queries()), Comparison::Above),
    ] {
        let (name, observed) = observed_alarm(&shown(&alarm)).unwrap();
        assert_eq!((name.as_str(), observed.arn.as_str()), ("a", "arn:a"));
        assert_eq!(observed.alarm, alarm);
        assert_eq!(observed.calls, ["arn:policy"]);
    }
}

#[test]
fn what_somebody_made_of_an_alarm_is_a_difference() {
    let ours = alarm(Watched::Metric(metric("Average")), Comparison::Below);
    let mut other = shown(&ours);
    other.treat_missing_data = None;
    let mut enabled = shown(&ours);
    enabled.actions_enabled = Some(false);
    let mut fewer = shown(&ours);
    fewer.datapoints_to_alarm = Some(3);
    for found in [other, enabled, fewer] {
        assert_ne!(observed_alarm(&found).unwrap().1.alarm, ours);
    }
    // What we never set is nobody's business.
    let mut unit = shown(&ours);
    unit.unit = Some(StandardUnit::Percent);
    assert_eq!(observed_alarm(&unit).unwrap().1.alarm, ours);
}

fn shown_policy(policy: &Policy) -> ScalingPolicy {
    let input = put_policy(PutScalingPolicyInputBuilder::default(), policy)
        .unwrap()
        .build()
        .unwrap();
    ScalingPolicy::builder()
        .policy_arn("arn:policy")
        .policy_name("a")
        .service_namespace(ServiceNamespace::Ecs)
        .resource_id("service/shared/api")
        .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
        .set_policy_type(input.policy_type)
        .set_step_scaling_policy_configuration(input.step_scaling_policy_configuration)
        .set_target_tracking_scaling_policy_configuration(
            input.target_tracking_scaling_policy_configuration,
        )
        .creation_time(aws_sdk_applicationautoscaling::primitives::DateTime::from_secs(0))
        .build()
        .unwrap()
}

fn tracking(tracked: Tracked) -> TrackingPolicy {
    TrackingPolicy {
        tracked,
        target: Decimal::whole(80),
        in_cooldown: 60,
        out_cooldown: 120,
        no_scale_in: false,
    }
}

#[test]
fn a_policy_comes_back_as_it_was_put() {
    let step = StepPolicy {
        adjustment: Adjustment::Percent,
        at_least: Some(1),
        cooldown: 60,
        steps: vec![StepAdjustment {
            lower: Some(Decimal::whole(0)),
            upper: None,
            change: 10,
        }],
    };
    for policy in [
        Policy::Step(step),
        Policy::Tracking(tracking(Tracked::Cpu)),
        Policy::Tracking(tracking(Tracked::Memory)),
        Policy::Tracking(tracking(Tracked::Queries(queries()))),
    ] {
        assert_eq!(observed_policy(&shown_policy(&policy)).policy, policy);
    }
}

#[test]
fn a_policy_that_is_not_of_our_making_equals_none_of_ours() {
    let ours = Policy::Tracking(tracking(Tracked::Cpu));
    let mut found = shown_policy(&ours);
    let configuration = found
        .target_tracking_scaling_policy_configuration
        .as_mut()
        .unwrap();
    configuration
        .predefined_metric_specification
        .as_mut()
        .unwrap()
        .predefined_metric_type = MetricType::AlbRequestCountPerTarget;
    assert_ne!(observed_policy(&found).policy, ours);
    let mut found = shown_policy(&ours);
    found.target_tracking_scaling_policy_configuration = None;
    assert_eq!(observed_policy(&found).policy, Policy::Other);
}

#[test]
fn an_ownership_tag_of_another_form_is_somebodys() {
    let tags = |value: &str| BTreeMap::from([("flexstack.dev/owner".to_owned(), value.to_owned())]);
    assert_eq!(owner_in(&BTreeMap::new()), None);
    let ours = owner_in(&tags("c/team-a/api")).unwrap();
    assert_eq!(
        (ours.namespace.as_str(), ours.name.as_str()),
        ("team-a", "api")
    );
    assert!(owner_in(&tags("whoever")).is_some());
}
