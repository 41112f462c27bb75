//! Application Auto Scaling.

mod policies;
mod schedules;
mod targets;

use aws_sdk_applicationautoscaling::operation::put_scaling_policy::builders::PutScalingPolicyFluentBuilder;
use aws_sdk_applicationautoscaling::operation::register_scalable_target::builders::RegisterScalableTargetFluentBuilder;
use aws_sdk_applicationautoscaling::types::{
    AdjustmentType, PolicyType, ScalableDimension, ServiceNamespace, StepAdjustment,
    StepScalingPolicyConfiguration,
};

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

    pub(crate) async fn desired(&self, service: &str) -> i32 {
        self.describe(service).await.desired_count()
    }
}
