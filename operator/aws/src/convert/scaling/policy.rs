//! Scaling policies. Pure.

use crate::convert::Incomplete;
use aws_sdk_applicationautoscaling::operation::put_scaling_policy::builders::PutScalingPolicyInputBuilder;
use aws_sdk_applicationautoscaling::types::{
    AdjustmentType, CustomizedMetricSpecification, MetricType, PolicyType,
    PredefinedMetricSpecification, ScalingPolicy, StepAdjustment as Step,
    StepScalingPolicyConfiguration, TargetTrackingMetric, TargetTrackingMetricDataQuery,
    TargetTrackingMetricDimension, TargetTrackingMetricStat,
    TargetTrackingScalingPolicyConfiguration,
};
use privateservice_core::scaling::{
    Adjustment, Decimal, Metric, ObservedPolicy, Policy, Query, Source, StepAdjustment, StepPolicy,
    Tracked, TrackingPolicy,
};

/// Seconds of one point of what target tracking watches; its metrics name none (AWS: TargetTrackingMetricStat).
const MINUTE: i32 = 60;

/// The content of a policy, for AWS; the resource is added by the caller.
pub(crate) fn put_policy(
    input: PutScalingPolicyInputBuilder,
    policy: &Policy,
) -> Result<PutScalingPolicyInputBuilder, Incomplete> {
    match policy {
        Policy::Step(step) => Ok(input
            .policy_type(PolicyType::StepScaling)
            .step_scaling_policy_configuration(steps(step)?)),
        Policy::Tracking(tracking) => Ok(input
            .policy_type(PolicyType::TargetTrackingScaling)
            .target_tracking_scaling_policy_configuration(tracks(tracking)?)),
        // Never wanted.
        Policy::Other => Err(Incomplete),
    }
}

fn steps(policy: &StepPolicy) -> Result<StepScalingPolicyConfiguration, Incomplete> {
    let adjustment = match policy.adjustment {
        Adjustment::Percent => AdjustmentType::PercentChangeInCapacity,
        Adjustment::Tasks => AdjustmentType::ChangeInCapacity,
        Adjustment::Other => return Err(Incomplete),
    };
    let steps = policy
        .steps
        .iter()
        .map(|step| {
            let builder = Step::builder()
                .set_metric_interval_lower_bound(step.lower.map(Decimal::as_f64))
                .set_metric_interval_upper_bound(step.upper.map(Decimal::as_f64))
                .scaling_adjustment(step.change);
            builder.build().map_err(|_| Incomplete)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(StepScalingPolicyConfiguration::builder()
        .adjustment_type(adjustment)
        .set_min_adjustment_magnitude(policy.at_least)
        .cooldown(policy.cooldown)
        .set_step_adjustments(Some(steps))
        .build())
}

fn tracks(policy: &TrackingPolicy) -> Result<TargetTrackingScalingPolicyConfiguration, Incomplete> {
    let builder = TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(policy.target.as_f64())
        .scale_in_cooldown(policy.in_cooldown)
        .scale_out_cooldown(policy.out_cooldown)
        .disable_scale_in(policy.no_scale_in);
    let predefined = |metric| {
        PredefinedMetricSpecification::builder()
            .predefined_metric_type(metric)
            .build()
            .map_err(|_| Incomplete)
    };
    let builder = match &policy.tracked {
        Tracked::Cpu => builder.predefined_metric_specification(predefined(
            MetricType::EcsServiceAverageCpuUtilization,
        )?),
        Tracked::Memory => builder.predefined_metric_specification(predefined(
            MetricType::EcsServiceAverageMemoryUtilization,
        )?),
        Tracked::Queries(queries) => {
            let metrics = queries
                .iter()
                .map(data_query)
                .collect::<Result<Vec<_>, _>>()?;
            builder.customized_metric_specification(
                CustomizedMetricSpecification::builder()
                    .set_metrics(Some(metrics))
                    .build(),
            )
        }
        Tracked::Other => return Err(Incomplete),
    };
    builder.build().map_err(|_| Incomplete)
}

fn data_query(query: &Query) -> Result<TargetTrackingMetricDataQuery, Incomplete> {
    let builder = TargetTrackingMetricDataQuery::builder()
        .id(&query.id)
        .return_data(query.returns);
    let builder = match &query.source {
        Source::Expression(expression) => builder.expression(expression),
        Source::Metric(metric) => builder.metric_stat(stat(metric)?),
    };
    builder.build().map_err(|_| Incomplete)
}

fn stat(metric: &Metric) -> Result<TargetTrackingMetricStat, Incomplete> {
    let dimensions = metric
        .dimensions
        .iter()
        .map(|(name, value)| {
            let builder = TargetTrackingMetricDimension::builder()
                .name(name)
                .value(value);
            builder.build().map_err(|_| Incomplete)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let tracked = TargetTrackingMetric::builder()
        .namespace(&metric.namespace)
        .metric_name(&metric.name)
        .set_dimensions(Some(dimensions))
        .build();
    TargetTrackingMetricStat::builder()
        .metric(tracked)
        .stat(&metric.statistic)
        .build()
        .map_err(|_| Incomplete)
}

/// A policy as AWS shows it.
pub(crate) fn observed_policy(found: &ScalingPolicy) -> ObservedPolicy {
    let policy = match (
        found.step_scaling_policy_configuration(),
        found.target_tracking_scaling_policy_configuration(),
    ) {
        (Some(step), None) => Policy::Step(from_steps(step)),
        (None, Some(tracking)) => Policy::Tracking(from_tracking(tracking)),
        _ => Policy::Other,
    };
    ObservedPolicy {
        arn: found.policy_arn().to_owned(),
        policy,
    }
}

fn from_steps(found: &StepScalingPolicyConfiguration) -> StepPolicy {
    let mut steps: Vec<StepAdjustment> = found
        .step_adjustments()
        .iter()
        .map(|step| StepAdjustment {
            lower: step.metric_interval_lower_bound().map(Decimal::near),
            upper: step.metric_interval_upper_bound().map(Decimal::near),
            change: step.scaling_adjustment(),
        })
        .collect();
    steps.sort();
    StepPolicy {
        adjustment: match found.adjustment_type() {
            Some(AdjustmentType::PercentChangeInCapacity) => Adjustment::Percent,
            Some(AdjustmentType::ChangeInCapacity) => Adjustment::Tasks,
            _ => Adjustment::Other,
        },
        at_least: found.min_adjustment_magnitude(),
        // AWS: StepScalingPolicyConfiguration, Cooldown: 300 for ECS where it is absent.
        cooldown: found.cooldown().unwrap_or(300),
        steps,
    }
}

fn from_tracking(found: &TargetTrackingScalingPolicyConfiguration) -> TrackingPolicy {
    let predefined = found
        .predefined_metric_specification()
        .map(PredefinedMetricSpecification::predefined_metric_type);
    let custom = found
        .customized_metric_specification()
        .filter(|custom| !custom.metrics().is_empty());
    let tracked = match (predefined, custom) {
        (Some(MetricType::EcsServiceAverageCpuUtilization), None) => Tracked::Cpu,
        (Some(MetricType::EcsServiceAverageMemoryUtilization), None) => Tracked::Memory,
        (None, Some(custom)) => {
            let mut queries: Vec<Query> = custom.metrics().iter().map(query).collect();
            queries.sort();
            Tracked::Queries(queries)
        }
        _ => Tracked::Other,
    };
    // AWS: TargetTrackingScalingPolicyConfiguration: cooldowns of 300 for ECS where they are absent.
    TrackingPolicy {
        tracked,
        target: Decimal::near(found.target_value()),
        in_cooldown: found.scale_in_cooldown().unwrap_or(300),
        out_cooldown: found.scale_out_cooldown().unwrap_or(300),
        no_scale_in: found.disable_scale_in().unwrap_or(false),
    }
}

fn query(found: &TargetTrackingMetricDataQuery) -> Query {
    let source = match (found.expression(), found.metric_stat()) {
        (Some(expression), _) => Source::Expression(expression.to_owned()),
        (None, stat) => {
            let metric = stat.and_then(TargetTrackingMetricStat::metric);
            let text = |of: fn(&TargetTrackingMetric) -> Option<&str>| {
                metric.and_then(of).unwrap_or_default().to_owned()
            };
            let dimensions = metric.map(TargetTrackingMetric::dimensions);
            Source::Metric(Metric {
                namespace: text(TargetTrackingMetric::namespace),
                name: text(TargetTrackingMetric::metric_name),
                dimensions: dimensions
                    .unwrap_or_default()
                    .iter()
                    .map(|one| (one.name().to_owned(), one.value().to_owned()))
                    .collect(),
                statistic: stat.map(|stat| stat.stat().to_owned()).unwrap_or_default(),
                period: MINUTE,
            })
        }
    };
    Query {
        id: found.id().to_owned(),
        source,
        returns: found.return_data().unwrap_or(true),
    }
}
