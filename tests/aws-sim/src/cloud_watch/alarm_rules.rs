//! The rules of an alarm's configuration. In: its JSON. Out: an alarm that can be evaluated, or the refusal. Pure. Rules:
//! CloudWatch API reference, PutMetricAlarm.

use serde_json::Value;

use super::queries::Watched;
use super::refuse;
use crate::errors::AwsError;

const DAY: u64 = 24 * 60;

/// When a value breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What a missing data point is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// `missing`: it says nothing.
    Unknown,
    Ignore,
    Breaching,
    NotBreaching,
}

/// How an alarm is evaluated.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) watched: Watched,
    /// N of "M out of N".
    pub(super) periods: usize,
    /// M of "M out of N".
    pub(super) datapoints: usize,
    pub(super) comparison: Comparison,
    pub(super) threshold: f64,
    pub(super) missing: Missing,
}

impl Comparison {
    fn read(text: &str) -> Result<Self, AwsError> {
        match text {
            "GreaterThanThreshold" => Ok(Self::Greater),
            "GreaterThanOrEqualToThreshold" => Ok(Self::GreaterOrEqual),
            "LessThanThreshold" => Ok(Self::Less),
            "LessThanOrEqualToThreshold" => Ok(Self::LessOrEqual),
            _ => Err(AwsError::not_implemented("monitoring: anomaly detection")),
        }
    }
}

pub(super) fn check_name(name: &str) -> Result<(), AwsError> {
    let fits =
        (1..=255).contains(&name.chars().count()) && !name.chars().any(|c| c.is_ascii_control());
    if fits {
        Ok(())
    } else {
        Err(refuse(
            "AlarmName must have 1 to 255 characters and no control characters.",
        ))
    }
}

fn check_actions(body: &Value) -> Result<(), AwsError> {
    for member in ["OKActions", "AlarmActions", "InsufficientDataActions"] {
        let actions = body[member].as_array().map_or(&[][..], Vec::as_slice);
        if actions.len() > 5 {
            return Err(refuse(format!("{member} can have at most 5 items.")));
        }
        let is_arn = |action: &Value| {
            action
                .as_str()
                .is_some_and(|text| text.starts_with("arn:") && text.split(':').count() >= 6)
        };
        if !actions.iter().all(is_arn) {
            return Err(refuse("Invalid arn syntax in an action."));
        }
    }
    Ok(())
}

/// A whole number from 1.
fn count(value: &Value, member: &str) -> Result<Option<usize>, AwsError> {
    match value.as_i64() {
        None => Ok(None),
        Some(number) => usize::try_from(number)
            .ok()
            .filter(|number| *number >= 1)
            .map(Some)
            .ok_or_else(|| refuse(format!("{member} must be at least 1."))),
    }
}

/// Reads the configuration of an alarm.
pub(super) fn parse(body: &Value) -> Result<Rules, AwsError> {
    check_name(body["AlarmName"].as_str().unwrap_or_default())?;
    for member in [
        "EvaluationCriteria",
        "ThresholdMetricId",
        "EvaluationInterval",
    ] {
        if !body[member].is_null() {
            return Err(AwsError::not_implemented(format!("monitoring: {member}")));
        }
    }
    check_actions(body)?;
    let Some(comparison) = body["ComparisonOperator"].as_str() else {
        return Err(refuse("ComparisonOperator is required."));
    };
    let comparison = Comparison::read(comparison)?;
    let Some(periods) = count(&body["EvaluationPeriods"], "EvaluationPeriods")? else {
        return Err(refuse("EvaluationPeriods is required."));
    };
    let datapoints = count(&body["DatapointsToAlarm"], "DatapointsToAlarm")?.unwrap_or(periods);
    if datapoints > periods {
        return Err(refuse(
            "DatapointsToAlarm cannot be greater than EvaluationPeriods.",
        ));
    }
    let Some(threshold) = body["Threshold"].as_f64() else {
        return Err(refuse("Threshold is required."));
    };
    let watched = Watched::parse(body)?;
    // A day for periods below an hour, seven otherwise.
    let longest = if watched.period < 60 { DAY } else { 7 * DAY };
    if watched.period.saturating_mul(periods as u64) > longest {
        return Err(refuse(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), or, with \
             periods of an hour and more, a week.",
        ));
    }
    let missing = match body["TreatMissingData"].as_str() {
        Some("ignore") => Missing::Ignore,
        Some("breaching") => Missing::Breaching,
        Some("notBreaching") => Missing::NotBreaching,
        _ => Missing::Unknown,
    };
    Ok(Rules {
        watched,
        periods,
        datapoints,
        comparison,
        threshold,
        missing,
    })
}
