//! The bounds hold, whatever the load, minute by minute.

use super::{Scaled, counts, cpu};
use aws_sim::{Load, Options};
use serde_json::json;

#[tokio::test]
async fn there_are_never_more_than_the_most_nor_fewer_than_the_fewest() {
    let spec = json!({"scaling": {"minTasks": 3, "maxTasks": 9, "cpuThreshold": 50,
        "cooldownSeconds": 60}});
    let scaled = Scaled::new(Options::default(), &spec).await;
    let scaled = Box::pin(scaled.at_work(8)).await;
    assert_eq!(
        scaled.minutes(&cpu(100.0), 60),
        counts(&[(8, 2), (9, 58)]),
        "50 % would be four more"
    );
    assert_eq!(
        scaled.minutes(&cpu(0.1), 60),
        counts(&[(8, 2), (7, 2), (6, 2), (5, 2), (4, 2), (3, 50)])
    );
}

#[tokio::test]
async fn a_fixed_number_never_moves() {
    let thresholds = json!({"minTasks": 3, "maxTasks": 3, "cpuThreshold": 50, "memoryThreshold": 50,
        "cooldownSeconds": 60});
    for policy in ["StepAlarms", "TargetTracking"] {
        let mut spec = json!({"scaling": thresholds});
        spec["scaling"]["policy"] = json!(policy);
        let mut scaled = Scaled::new(Options::default(), &spec).await;
        let called = scaled.converge().await;
        assert_eq!(called, ["application-autoscaling:RegisterScalableTarget"]);
        assert_eq!(scaled.count(), 3);
        for percent in [100.0, 51.0, 47.0, 0.1] {
            let load = Load {
                memory_percent: Some(percent),
                ..cpu(percent)
            };
            assert_eq!(scaled.minutes(&load, 20), [3; 20], "{percent}");
        }
        assert_eq!(scaled.minutes(&Load::default(), 10), [3; 10]);
    }
}

/// One that was scaled before: what would have moved it is gone, also while an alarm is in ALARM.
#[tokio::test]
async fn a_number_that_becomes_fixed_stays() {
    let mut spec = json!({"scaling": {"maxTasks": 9, "cpuThreshold": 50, "cooldownSeconds": 60}});
    let scaled = Scaled::new(Options::default(), &spec).await;
    let mut scaled = Box::pin(scaled.at_work(4)).await;
    assert_eq!(scaled.minutes(&cpu(90.0), 3), [4, 4, 6]);
    spec["scaling"]["minTasks"] = json!(5);
    spec["scaling"]["maxTasks"] = json!(5);
    scaled.edit(&spec);
    scaled.look().await;
    scaled.converge().await;
    assert_eq!(scaled.minutes(&cpu(90.0), 20), [5; 20]);
    assert_eq!(scaled.minutes(&cpu(1.0), 20), [5; 20]);
}
