//! The rules of a step scaling configuration. In: its JSON. Out: a policy that can be carried out, or the refusal.
//! Pure. Invariant: the steps of a policy neither overlap nor leave a gap.

use std::time::Duration;

use serde_json::Value;

use super::refuse;
use crate::errors::AwsError;

/// Steps of one policy (AWS General Reference, Application Auto Scaling quotas; adjustable).
const MOST_STEPS: usize = 20;

/// Unless a policy says otherwise (Application Auto Scaling API reference, StepScalingPolicyConfiguration).
const DEFAULT_COOLDOWN: Duration = Duration::from_mins(5);

/// What an adjustment means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adjustment {
    Change,
    Percent,
    Exact,
}

/// How several data points become the one that selects the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregation {
    Average,
    Minimum,
    Maximum,
}

/// What to do while the metric is this far from the alarm's threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Minus infinity if none is given.
    pub(super) lower: f64,
    /// Infinity if none is given.
    pub(super) upper: f64,
    pub(super) adjustment: i64,
}

/// A step scaling policy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepPolicy {
    pub(super) adjustment: Adjustment,
    /// From the lowest to the highest.
    pub(super) steps: Vec<Step>,
    pub(super) smallest: i64,
    pub(super) cooldown: Duration,
    pub(super) aggregation: Aggregation,
}

/// Reads a configuration (Application Auto Scaling API reference, StepScalingPolicyConfiguration, StepAdjustment).
pub(super) fn parse(configuration: &Value) -> Result<StepPolicy, AwsError> {
    let adjustment = match configuration["AdjustmentType"].as_str() {
        Some("ChangeInCapacity") => Adjustment::Change,
        Some("PercentChangeInCapacity") => Adjustment::Percent,
        Some("ExactCapacity") => Adjustment::Exact,
        _ => return Err(refuse("AdjustmentType is required.")),
    };
    let aggregation = match configuration["MetricAggregationType"].as_str() {
        Some("Minimum") => Aggregation::Minimum,
        Some("Maximum") => Aggregation::Maximum,
        _ => Aggregation::Average,
    };
    let smallest = configuration["MinAdjustmentMagnitude"].as_i64();
    if smallest.is_some_and(|smallest| smallest < 1 || adjustment != Adjustment::Percent) {
        return Err(refuse(
            "MinAdjustmentMagnitude must be positive and needs PercentChangeInCapacity.",
        ));
    }
    Ok(StepPolicy {
        adjustment,
        steps: steps(&configuration["StepAdjustments"], adjustment)?,
        smallest: smallest.unwrap_or(0),
        cooldown: cooldown(&configuration["Cooldown"])?.unwrap_or(DEFAULT_COOLDOWN),
        aggregation,
    })
}

/// Seconds, if any are given.
pub(super) fn cooldown(value: &Value) -> Result<Option<Duration>, AwsError> {
    match value.as_i64() {
        None => Ok(None),
        Some(seconds) => u64::try_from(seconds)
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .map_err(|_| refuse("A cooldown cannot be negative.")),
    }
}

fn steps(value: &Value, adjustment: Adjustment) -> Result<Vec<Step>, AwsError> {
    let given = value.as_array().map_or(&[][..], Vec::as_slice);
    if given.is_empty() {
        return Err(refuse("At least one step adjustment is required."));
    }
    if given.len() > MOST_STEPS {
        return Err(AwsError::new(
            "LimitExceededException",
            format!("A step scaling policy can have at most {MOST_STEPS} step adjustments."),
        ));
    }
    let mut steps = Vec::new();
    for one in given {
        let lower = one["MetricIntervalLowerBound"].as_f64();
        let upper = one["MetricIntervalUpperBound"].as_f64();
        let step = Step {
            lower: lower.unwrap_or(f64::NEG_INFINITY),
            upper: upper.unwrap_or(f64::INFINITY),
            adjustment: one["ScalingAdjustment"].as_i64().unwrap_or(0),
        };
        if lower.is_none() && upper.is_none() {
            return Err(refuse(
                "At least one of the bounds must be specified in a step adjustment.",
            ));
        }
        if step.lower >= step.upper {
            return Err(refuse(
                "The upper bound of a step adjustment must be greater than its lower bound.",
            ));
        }
        if adjustment == Adjustment::Exact && step.adjustment < 0 {
            return Err(refuse("An exact capacity cannot be negative."));
        }
        steps.push(step);
    }
    steps.sort_by(|one, other| one.lower.total_cmp(&other.lower));
    let meet = |pair: &[Step]| match pair {
        // Equal bounds are the same number written twice, so that they are the same bits.
        [one, other] => one.upper.to_bits() == other.lower.to_bits(),
        _ => true,
    };
    if !steps.windows(2).all(meet) {
        return Err(refuse(
            "The ranges of the step adjustments can neither overlap nor have a gap.",
        ));
    }
    let lowest = steps.first().map_or(0.0, |step| step.lower);
    let highest = steps.last().map_or(0.0, |step| step.upper);
    if (lowest < 0.0 && lowest.is_finite()) || (highest > 0.0 && highest.is_finite()) {
        return Err(refuse(
            "With a negative lower bound one step adjustment needs a null lower bound, with a positive upper bound \
             one needs a null upper bound.",
        ));
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Bounds = (Option<f64>, Option<f64>);

    fn with(steps: &[Bounds]) -> Result<StepPolicy, AwsError> {
        let steps: Vec<Value> = steps
            .iter()
            .map(|(lower, upper)| {
                json!({"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper,
                       "ScalingAdjustment": 1})
            })
            .collect();
        parse(&json!({"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps}))
    }

    #[test]
    fn steps_cover_a_range_without_gaps() {
        let cases: [(&[Bounds], bool); 9] = [
            (&[(Some(0.0), None)], true),
            (&[(None, Some(0.0))], true),
            (&[(Some(15.0), None), (Some(0.0), Some(15.0))], true),
            (&[(None, Some(-10.0)), (Some(-10.0), Some(0.0))], true),
            (&[(None, None)], false),
            (&[(Some(0.0), Some(10.0)), (Some(11.0), None)], false),
            (&[(Some(0.0), Some(10.0)), (Some(9.0), None)], false),
            (&[(Some(0.0), Some(10.0))], false),
            (&[(Some(5.0), Some(5.0)), (Some(5.0), None)], false),
        ];
        for (steps, holds) in cases {
            assert_eq!(with(steps).is_ok(), holds, "{steps:?}");
        }
    }

    #[test]
    fn twenty_steps_and_no_more() {
        let up_to = |count: u8| {
            let bound = |index: u8| Some(f64::from(index));
            let mut steps: Vec<_> = (0..count).map(|i| (bound(i), bound(i + 1))).collect();
            steps[usize::from(count) - 1].1 = None;
            with(&steps).map_err(|error| error.code)
        };
        assert_eq!(up_to(20).unwrap().steps.len(), 20);
        assert_eq!(up_to(21).unwrap_err(), "LimitExceededException");
    }
}
