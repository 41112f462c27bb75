//! Application Auto Scaling.

mod cooldowns;
mod loads;
mod policies;
mod schedules;
mod steps;
mod targets;
mod tracking;

use aws_sdk_applicationautoscaling::operation::put_scaling_policy::builders::PutScalingPolicyFluentBuilder;
use aws_sdk_applicationautoscaling::operation::register_scalable_target::builders::RegisterScalableTargetFluentBuilder;
use aws_sdk_applicationautoscaling::types::{
    AdjustmentType, PolicyType, ScalableDimension, ServiceNamespace, StepAdjustment,
    StepScalingPolicyConfiguration,
};

use std::time::Duration;

use aws_sdk_cloudwatch::types::ComparisonOperator;
use aws_sim::Load;

use crate::harness::{CLUSTER, Harness};

pub(crate) const DIMENSION: ScalableDimension = ScalableDimension::EcsServiceDesiredCount;

pub(crate) fn resource(service: &str) -> String {
    format!("service/{CLUSTER}/{service}")
}

/// One step without end: `adjustment` from the threshold on, upwards if it adds and downwards if it removes.
pub(crate) fn step(adjustment: i32) -> StepScalingPolicyConfiguration {
    let step = StepAdjustment::builder().scaling_adjustment(adjustment);
    let step = if adjustment < 0 {
        step.metric_interval_upper_bound(0.0)
    } else {
        step.metric_interval_lower_bound(0.0)
    };
    StepScalingPolicyConfiguration::builder()
        .adjustment_type(AdjustmentType::ChangeInCapacity)
        .step_adjustments(step.build().unwrap())
        .build()
}

impl Harness {
    pub(crate) fn target(&self, service: &str) -> RegisterScalableTargetFluentBuilder {
        self.scaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(DIMENSION)
            .resource_id(resource(service))
    }

    /// A running service of one task that may be scaled.
    pub(crate) async fn scalable(&self, service: &str, minimum: i32, maximum: i32) {
        self.running(service, "a").await;
        let target = self.target(service);
        let target = target.min_capacity(minimum).max_capacity(maximum);
        target.send().await.unwrap();
    }

    pub(crate) fn policy(&self, service: &str, name: &str) -> PutScalingPolicyFluentBuilder {
        self.scaling
            .put_scaling_policy()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(DIMENSION)
            .resource_id(resource(service))
            .policy_name(name)
    }

    /// A step scaling policy; returns its ARN.
    pub(crate) async fn step_policy(
        &self,
        service: &str,
        name: &str,
        configuration: StepScalingPolicyConfiguration,
    ) -> String {
        let policy = self
            .policy(service, name)
            .policy_type(PolicyType::StepScaling);
        let policy = policy.step_scaling_policy_configuration(configuration);
        policy.send().await.unwrap().policy_arn().to_owned()
    }

    /// An alarm of three minutes above 80 that adds tasks, and one of three below 20 that removes some, both on the average
    /// CPU utilization.
    pub(crate) async fn scaled_by_cpu(&self, service: &str, add: i32, remove: i32, cooldown: i32) {
        let with = |adjustment: i32| {
            let step = step(adjustment);
            StepScalingPolicyConfiguration::builder()
                .set_adjustment_type(step.adjustment_type().cloned())
                .set_step_adjustments(Some(step.step_adjustments().to_vec()))
                .cooldown(cooldown)
                .build()
        };
        let out = self.step_policy(service, "out", with(add)).await;
        let high = self.alarm("high", service).alarm_actions(out);
        high.send().await.unwrap();
        let inwards = self.step_policy(service, "in", with(-remove)).await;
        let low = self.alarm("low", service).alarm_actions(inwards);
        let low = low.comparison_operator(ComparisonOperator::LessThanThreshold);
        low.threshold(20.0).send().await.unwrap();
    }

    /// Moves time to the next full minute.
    pub(crate) fn align(&self) {
        let past = self.simulator.now().0 % 60_000;
        self.simulator.advance(Duration::from_millis(60_000 - past));
    }

    /// A minute in which every task of a service has this CPU utilization.
    pub(crate) fn minute(&self, service: &str, cpu_percent: f64) {
        let load = Load {
            cpu_percent: Some(cpu_percent),
            ..Load::default()
        };
        self.simulator.set_load(None, service, Some(load));
        self.advance(60);
    }

    /// The desired count after each of some minutes with these CPU utilizations.
    pub(crate) async fn counts(&self, service: &str, minutes: &[f64]) -> Vec<i32> {
        let mut counts = Vec::new();
        for cpu_percent in minutes {
            self.minute(service, *cpu_percent);
            counts.push(self.desired(service).await);
        }
        counts
    }

    pub(crate) async fn desired(&self, service: &str) -> i32 {
        self.describe(service).await.desired_count()
    }
}
