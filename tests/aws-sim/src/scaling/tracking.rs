//! Target tracking: the capacity that brings a metric to its target. In: a policy, a capacity and the metric's value. Out:
//! the new capacity. Pure. AWS publishes no formula: that it scales out in proportion, and in "more gradually", is in the
//! Application Auto Scaling user guide, How target tracking scaling works; one task at a time is assumed.

use super::tracking_rules::TrackingPolicy;

/// The capacity a policy asks for from `capacity` on.
pub(super) fn capacity(
    policy: &TrackingPolicy,
    capacity: u32,
    value: f64,
    is_upper: bool,
) -> Option<i64> {
    let proportional = (f64::from(capacity) * value / policy.target).ceil();
    if !proportional.is_finite() {
        return None;
    }
    // Bounded by the target's maximum afterwards; a cast stops at the ends of its range.
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    let proportional = proportional as i64;
    let capacity = i64::from(capacity);
    if is_upper {
        Some(proportional.max(capacity + 1))
    } else if policy.scales_in {
        Some(proportional.max(capacity - 1))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tracking_rules;
    use super::*;

    #[test]
    fn out_in_proportion_and_in_one_by_one() {
        let policy = |scales_in: bool| {
            tracking_rules::parse(&json!({
                "TargetValue": 50.0, "DisableScaleIn": !scales_in,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            }))
            .unwrap()
        };
        let cases = [
            (4, 75.0, true, Some(6)),
            (4, 51.0, true, Some(5)),
            (10, 500.0, true, Some(100)),
            (10, 10.0, false, Some(9)),
            // It would be above its target with one task fewer.
            (2, 40.0, false, Some(2)),
        ];
        for (from, value, is_upper, expected) in cases {
            let to = capacity(&policy(true), from, value, is_upper);
            assert_eq!(to, expected, "{from} at {value}");
        }
        assert_eq!(capacity(&policy(false), 10, 10.0, false), None);
    }
}
