//! The rules of a target tracking configuration. In: its JSON. Out: a policy that can be carried out, or the
//! refusal. Pure.

use std::time::Duration;

use serde_json::{Value, json};

use super::{refuse, step_rules};
use crate::errors::AwsError;

/// For ECS services, both ways (Application Auto Scaling user guide, Define cooldown periods).
const DEFAULT_COOLDOWN: Duration = Duration::from_mins(5);

/// A target tracking policy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrackingPolicy {
    pub(super) target: f64,
    pub(super) out_cooldown: Duration,
    pub(super) in_cooldown: Duration,
    pub(super) scales_in: bool,
}

/// What a configuration follows.
pub(super) fn metric_of(configuration: &Value) -> Value {
    json!([
        configuration["PredefinedMetricSpecification"],
        configuration["CustomizedMetricSpecification"],
    ])
}

/// Reads a configuration (Application Auto Scaling API reference, TargetTrackingScalingPolicyConfiguration).
pub(super) fn parse(configuration: &Value) -> Result<TrackingPolicy, AwsError> {
    let Some(target) = configuration["TargetValue"].as_f64() else {
        return Err(refuse("TargetValue is required."));
    };
    if !(target > 0.0 && target.log2() <= 360.0) {
        return Err(refuse("TargetValue must be above 0 and at most 2^360."));
    }
    let predefined = &configuration["PredefinedMetricSpecification"];
    let customized = &configuration["CustomizedMetricSpecification"];
    match (predefined.is_object(), customized.is_object()) {
        (true, false) => check_predefined(predefined)?,
        (false, true) => check_customized(customized)?,
        _ => {
            return Err(refuse(
                "Specify either a predefined or a customized metric specification.",
            ));
        }
    }
    let cooldown = |member: &str| step_rules::cooldown(&configuration[member]);
    Ok(TrackingPolicy {
        target,
        out_cooldown: cooldown("ScaleOutCooldown")?.unwrap_or(DEFAULT_COOLDOWN),
        in_cooldown: cooldown("ScaleInCooldown")?.unwrap_or(DEFAULT_COOLDOWN),
        scales_in: configuration["DisableScaleIn"] != json!(true),
    })
}

fn check_predefined(specification: &Value) -> Result<(), AwsError> {
    match specification["PredefinedMetricType"].as_str() {
        Some("ECSServiceAverageCPUUtilization" | "ECSServiceAverageMemoryUtilization") => Ok(()),
        Some(
            other @ ("ALBRequestCountPerTarget"
            | "ECSServiceAverageCPUUtilizationHighResolution"
            | "ECSServiceAverageMemoryUtilizationHighResolution"),
        ) => Err(AwsError::not_implemented(format!(
            "application-autoscaling: {other}"
        ))),
        other => Err(refuse(format!(
            "PredefinedMetricType {} is not one of an ECS service.",
            other.unwrap_or_default()
        ))),
    }
}

fn check_customized(specification: &Value) -> Result<(), AwsError> {
    let has = |member: &str| !specification[member].is_null();
    let Some(queries) = specification["Metrics"].as_array() else {
        if has("MetricName") && has("Namespace") && has("Statistic") {
            return Ok(());
        }
        return Err(refuse(
            "A customized metric needs MetricName, Namespace and Statistic, or Metrics.",
        ));
    };
    if has("MetricName") || has("Namespace") || has("Statistic") || has("Dimensions") {
        return Err(refuse("Metrics excludes the members of a single metric."));
    }
    let returned = |query: &&Value| query["ReturnData"] != json!(false);
    if queries.iter().filter(returned).count() != 1 {
        return Err(refuse("Exactly one of Metrics must return data."));
    }
    for query in queries {
        if query["Expression"].is_null() == query["MetricStat"].is_null() {
            return Err(refuse(
                "Each of Metrics needs either an Expression or a MetricStat.",
            ));
        }
    }
    Ok(())
}
