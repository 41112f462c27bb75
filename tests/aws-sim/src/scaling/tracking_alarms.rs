//! The alarms Application Auto Scaling makes for target tracking. In: a policy. Out: alarms of CloudWatch, and their end. No
//! IO. Invariant: they live as long as the policy does. Their numbers are not AWS's documentation but what its alarms have
//! been seen to be: above the target for 3 minutes, below 90 % of it for 15.

use serde_json::{Value, json};

use super::address;
use super::policies::{Kind, Policy};
use super::refuse;
use crate::clock::Moment;
use crate::ecs::world::{ServiceKey, World};
use crate::errors::AwsError;

/// Of the target: below it there is room to scale in.
const LOW: f64 = 0.9;

/// The metric of a configuration as PutMetricAlarm names it.
fn metric(key: &ServiceKey, configuration: &Value) -> Value {
    let predefined = &configuration["PredefinedMetricSpecification"]["PredefinedMetricType"];
    let customized = &configuration["CustomizedMetricSpecification"];
    if let Some(predefined) = predefined.as_str() {
        let name = match predefined {
            "ECSServiceAverageMemoryUtilization" => "MemoryUtilization",
            _ => "CPUUtilization",
        };
        return json!({
            "Namespace": "AWS/ECS", "MetricName": name, "Statistic": "Average", "Period": 60,
            "Dimensions": [
                {"Name": "ClusterName", "Value": key.0}, {"Name": "ServiceName", "Value": key.1},
            ],
        });
    }
    let Some(queries) = customized["Metrics"].as_array() else {
        let mut metric = customized.clone();
        metric["Period"] = json!(60);
        return metric;
    };
    let queries = queries.iter().map(|query| {
        let mut query = query.clone();
        if query["MetricStat"].is_object() {
            query["MetricStat"]["Period"] = json!(60);
        }
        query
    });
    json!({"Metrics": queries.collect::<Vec<_>>()})
}

impl World {
    /// Makes the alarms of a policy, or what they are to be after an update, which leaves their names.
    ///
    /// # Errors
    /// If CloudWatch does not take the metric; nothing has changed then.
    pub(super) fn put_tracking_alarms(
        &mut self,
        key: &ServiceKey,
        policy: &mut Policy,
        now: Moment,
    ) -> Result<(), AwsError> {
        let Kind::Tracking(tracking) = &policy.kind else {
            return Ok(());
        };
        let resource = address::resource_id(key);
        let mut names = Vec::new();
        for which in ["AlarmHigh", "AlarmLow"] {
            let marker = format!("-{which}-");
            let before = policy.alarms.iter().find(|name| name.contains(&marker));
            if which == "AlarmLow" && !tracking.scales_in {
                continue;
            }
            let name = before
                .cloned()
                .unwrap_or_else(|| format!("TargetTracking-{resource}{marker}{}", self.ids.uuid()));
            let (comparison, threshold, periods) = match which {
                "AlarmHigh" => ("GreaterThanThreshold", tracking.target, 3),
                _ => ("LessThanThreshold", tracking.target * LOW, 15),
            };
            let mut alarm = metric(key, &policy.configuration);
            let common = json!({
                "AlarmName": name, "AlarmActions": [policy.arn], "ActionsEnabled": true,
                "AlarmDescription": format!(
                    "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.", policy.arn
                ),
                "ComparisonOperator": comparison, "Threshold": threshold,
                "EvaluationPeriods": periods,
            });
            if let (Some(alarm), Value::Object(common)) = (alarm.as_object_mut(), common) {
                alarm.extend(common);
            }
            self.put_metric_alarm(&alarm, now)
                .map_err(|error| match error.status {
                    501 => error,
                    _ => refuse(error.message),
                })?;
            names.push(name);
        }
        for gone in policy.alarms.iter().filter(|name| !names.contains(name)) {
            self.remove_alarm(gone, now);
        }
        policy.alarms = names;
        Ok(())
    }
}
