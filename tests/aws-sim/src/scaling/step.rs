//! The arithmetic of step scaling. In: a policy, a capacity and how far the metric is from the threshold. Out: the new
//! capacity. Pure. Rules: Application Auto Scaling API reference, StepAdjustment; user guide, Step scaling policies.

use super::step_rules::{Adjustment, Aggregation, Step, StepPolicy};

/// The data points that an alarm evaluated, as one value; `None` without any.
pub(super) fn aggregate(aggregation: Aggregation, values: &[f64]) -> Option<f64> {
    // At most a week's minutes.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let count = values.len() as f64;
    let values = values.iter().copied();
    match aggregation {
        Aggregation::Average => values
            .reduce(|one, other| one + other)
            .map(|sum| sum / count),
        Aggregation::Minimum => values.reduce(f64::min),
        Aggregation::Maximum => values.reduce(f64::max),
    }
}

/// Of a percentage: towards zero, but never to nothing at all (12.7 is 12, 0.67 is 1, -0.58 is -1, -6.67 is -6).
fn rounded(change: f64) -> i64 {
    let whole = if change == 0.0 {
        0.0
    } else if change.abs() < 1.0 {
        change.signum()
    } else {
        change.trunc()
    };
    // Capacities end at 5,000, adjustments at 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "far below 2^53")]
    let whole = whole as i64;
    whole
}

impl StepPolicy {
    /// The step for a difference between metric and threshold. Bounds include the end nearer to the threshold.
    fn step(&self, difference: f64, is_upper: bool) -> Option<&Step> {
        self.steps.iter().find(|step| {
            if is_upper {
                step.lower <= difference && difference < step.upper
            } else {
                step.lower < difference && difference <= step.upper
            }
        })
    }

    /// The capacity it asks for from `capacity` on; `None` if no step fits.
    pub(super) fn capacity(&self, capacity: u32, difference: f64, is_upper: bool) -> Option<i64> {
        let step = self.step(difference, is_upper)?;
        let capacity = i64::from(capacity);
        Some(match self.adjustment {
            Adjustment::Exact => step.adjustment,
            Adjustment::Change => capacity + step.adjustment,
            Adjustment::Percent => {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
                let change = rounded(capacity as f64 * step.adjustment as f64 / 100.0);
                let at_least = change.abs().max(self.smallest);
                capacity + step.adjustment.signum() * at_least
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::step_rules;
    use super::*;

    fn policy(kind: &str, adjustment: i64, smallest: Option<i64>) -> StepPolicy {
        step_rules::parse(&json!({
            "AdjustmentType": kind, "MinAdjustmentMagnitude": smallest,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": adjustment}],
        }))
        .unwrap()
    }

    #[test]
    fn what_an_adjustment_means() {
        let cases = [
            ("ChangeInCapacity", 3, None, 10, 13),
            ("ChangeInCapacity", -3, None, 10, 7),
            ("ExactCapacity", 3, None, 10, 3),
            ("PercentChangeInCapacity", 200, None, 10, 30),
            // 12.7 -> 12
            ("PercentChangeInCapacity", 127, None, 10, 22),
            // 0.25 -> 1
            ("PercentChangeInCapacity", 25, None, 1, 2),
            // -0.5 -> -1
            ("PercentChangeInCapacity", -5, None, 10, 9),
            // -6.6 -> -6
            ("PercentChangeInCapacity", -66, None, 10, 4),
            // "25 percent of 4 is 1. However, because you specified a MinAdjustmentMagnitude of 2 ..."
            ("PercentChangeInCapacity", 25, Some(2), 4, 6),
            ("PercentChangeInCapacity", -25, Some(2), 4, 2),
            ("PercentChangeInCapacity", 50, None, 0, 0),
        ];
        for (kind, adjustment, smallest, from, to) in cases {
            let policy = policy(kind, adjustment, smallest);
            let capacity = policy.capacity(from, 5.0, true);
            assert_eq!(capacity, Some(to), "{kind} {adjustment} of {from}");
        }
    }

    #[test]
    fn bounds_include_the_end_nearer_to_the_threshold() {
        let steps = |bounds: &[(Option<f64>, Option<f64>, i64)]| {
            let steps = bounds.iter().map(|(lower, upper, adjustment)| {
                json!({"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper,
                       "ScalingAdjustment": adjustment})
            });
            let steps: Vec<_> = steps.collect();
            step_rules::parse(
                &json!({"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps}),
            )
            .unwrap()
        };
        let upper = steps(&[(Some(0.0), Some(10.0), 1), (Some(10.0), None, 2)]);
        let cases = [
            (-1.0, None),
            (0.0, Some(6)),
            (9.9, Some(6)),
            (10.0, Some(7)),
        ];
        for (difference, expected) in cases {
            assert_eq!(
                upper.capacity(5, difference, true),
                expected,
                "{difference}"
            );
        }
        let lower = steps(&[(Some(-10.0), Some(0.0), -1), (None, Some(-10.0), -2)]);
        let cases = [
            (1.0, None),
            (0.0, Some(4)),
            (-9.9, Some(4)),
            (-10.0, Some(3)),
        ];
        for (difference, expected) in cases {
            assert_eq!(
                lower.capacity(5, difference, false),
                expected,
                "{difference}"
            );
        }
    }

    #[test]
    fn several_data_points_become_one() {
        let values = [80.0, 90.0, 100.0];
        assert_eq!(aggregate(Aggregation::Average, &values), Some(90.0));
        assert_eq!(aggregate(Aggregation::Minimum, &values), Some(80.0));
        assert_eq!(aggregate(Aggregation::Maximum, &values), Some(100.0));
        assert_eq!(aggregate(Aggregation::Average, &[]), None);
    }
}
