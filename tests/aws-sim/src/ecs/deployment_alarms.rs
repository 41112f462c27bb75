//! Deployment alarms. In: a service's `deploymentConfiguration.alarms` and the alarms in ALARM. Out:
//! which of them fail a deployment, and how a service deployment shows them. Pure. Invariant: an alarm
//! that was in ALARM when a deployment began never fails that deployment.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::service_deployment::ServiceDeployment;
use crate::errors::AwsError;

pub(crate) fn is_enabled(configuration: &Value) -> bool {
    configuration["alarms"]["enable"].as_bool().unwrap_or(false)
}

/// Whether a failure by alarm is rolled back.
pub(crate) fn rolls_back(configuration: &Value) -> bool {
    configuration["alarms"]["rollback"]
        .as_bool()
        .unwrap_or(false)
}

fn names(configuration: &Value) -> impl Iterator<Item = &str> {
    configuration["alarms"]["alarmNames"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Refuses alarms that are enabled without a name.
pub(crate) fn check(configuration: &Value) -> Result<(), AwsError> {
    if is_enabled(configuration) && names(configuration).next().is_none() {
        return Err(AwsError::invalid(
            "alarmNames cannot be empty when deployment alarms are enabled.",
        ));
    }
    Ok(())
}

/// The alarms that went into ALARM since the deployment of `record` began.
pub(crate) fn triggered(
    configuration: &Value,
    record: &ServiceDeployment,
    in_alarm: &BTreeSet<String>,
) -> Vec<String> {
    if !is_enabled(configuration) {
        return Vec::new();
    }
    names(configuration)
        .filter(|name| in_alarm.contains(*name) && !record.alarms_ignored.contains(*name))
        .map(str::to_owned)
        .collect()
}

/// As DescribeServiceDeployments shows them.
pub(crate) fn to_json(record: &ServiceDeployment) -> Value {
    let status = if !is_enabled(&record.configuration) {
        "DISABLED"
    } else if !record.alarms_triggered.is_empty() {
        "TRIGGERED"
    } else if record.status == "IN_PROGRESS" {
        "MONITORING"
    } else {
        "MONITORING_COMPLETE"
    };
    json!({
        "status": status,
        "alarmNames": names(&record.configuration).collect::<Vec<_>>(),
        "triggeredAlarmNames": record.alarms_triggered,
    })
}
