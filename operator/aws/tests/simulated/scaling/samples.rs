//! One-minute averages and what they are enough for: the number of tasks after each minute.

use super::{Scaled, counts, cpu};
use aws_sim::Options;
use serde_json::json;
use std::time::Duration;

/// Thresholds of 80 and 75, a cooldown and window of five minutes.
async fn at(tasks: i32) -> Scaled {
    let spec = json!({"scaling": {"maxTasks": 12}});
    let scaled = Scaled::new(Options::default(), &spec).await;
    Box::pin(scaled.at_work(tasks)).await
}

#[tokio::test]
async fn two_high_averages_do_nothing_and_three_in_a_row_make_more() {
    let scaled = at(1).await;
    let minutes = [
        95.0, 78.0, 95.0, 95.0, 78.0, 95.0, 95.0, 80.0, 95.0, 95.0, 95.0,
    ];
    assert_eq!(scaled.walk(minutes.map(cpu)), counts(&[(1, 10), (2, 1)]));
}

#[tokio::test]
async fn at_the_threshold_is_not_above_it() {
    let scaled = at(1).await;
    assert_eq!(scaled.walk([80.0; 10].map(cpu)), [1; 10]);
    assert_eq!(scaled.walk([80.01, 80.01, 80.0].map(cpu)), [1; 3]);
    assert_eq!(scaled.walk([80.01; 3].map(cpu)), [1, 1, 2]);
}

#[tokio::test]
async fn between_five_points_below_and_the_threshold_nothing_happens() {
    let scaled = at(3).await;
    for percent in [75.0, 75.01, 77.5, 79.99, 80.0] {
        assert_eq!(scaled.walk([percent; 12].map(cpu)), [3; 12], "{percent}");
    }
    let changing = [75.0, 80.0, 78.0, 75.0, 80.0, 76.0, 79.0, 75.0, 75.0, 75.0];
    assert_eq!(scaled.walk(changing.map(cpu)), [3; 10]);
    // Around it, for less than is enough.
    let around = [
        90.0, 90.0, 74.0, 74.0, 74.0, 74.0, 77.0, 90.0, 90.0, 74.0, 90.0,
    ];
    assert_eq!(scaled.walk(around.map(cpu)), [3; 11]);
}

#[tokio::test]
async fn every_average_of_the_window_must_be_more_than_five_points_below() {
    let scaled = at(4).await;
    let minutes = [10.0, 10.0, 10.0, 10.0, 75.0];
    assert_eq!(scaled.walk(minutes.map(cpu)), [4; 5]);
    assert_eq!(scaled.walk(minutes.map(cpu)), [4; 5]);
    assert_eq!(
        scaled.walk([74.99; 5].map(cpu)),
        counts(&[(4, 4), (3, 1)]),
        "one task fewer"
    );
}

#[tokio::test]
async fn the_window_is_as_long_as_the_cooldown() {
    for minutes in [1_u32, 2, 5, 15, 60] {
        let spec = json!({"scaling": {"cooldownSeconds": minutes * 60}});
        let scaled = Scaled::new(Options::default(), &spec).await;
        let scaled = Box::pin(scaled.at_work(2)).await;
        let minutes = usize::try_from(minutes).unwrap();
        let low = scaled.minutes(&cpu(74.9), minutes);
        assert_eq!(low, counts(&[(2, minutes - 1), (1, 1)]), "{minutes}");
    }
}

/// A threshold other than the default, and the lowest there is.
#[tokio::test]
async fn five_points_are_those_of_percent_whatever_the_threshold() {
    for threshold in [10, 33, 100] {
        let spec = json!({"scaling": {"cpuThreshold": threshold, "cooldownSeconds": 180}});
        let scaled = Scaled::new(Options::default(), &spec).await;
        let scaled = Box::pin(scaled.at_work(2)).await;
        let threshold = f64::from(threshold);
        let calm = scaled.minutes(&cpu(threshold - 5.0), 6);
        assert_eq!(calm, [2; 6], "{threshold}");
        let low = scaled.minutes(&cpu(threshold - 5.01), 3);
        assert_eq!(low, [2, 2, 1], "{threshold}");
        let high = scaled.minutes(&cpu(threshold + 0.01), 3);
        // A task cannot use more than all there is.
        let grown = if threshold < 100.0 { 2 } else { 1 };
        assert_eq!(high, [1, 1, grown], "{threshold}");
    }
}

/// One task that is busy is not enough: what counts is the average of all.
#[tokio::test]
async fn the_average_of_the_tasks_counts_and_not_the_busiest_of_them() {
    let scaled = at(2).await;
    let minute = |percents: [f64; 2]| {
        let of_service = [("ClusterName", "flexstack"), ("ServiceName", "api")];
        let (sim, metric) = (&scaled.world.sim, "CPUUtilization");
        sim.put_metric("AWS/ECS", metric, &of_service, sim.now(), &percents);
        sim.advance(Duration::from_mins(1));
        scaled.count().as_i64().unwrap()
    };
    assert_eq!([[100.0, 59.9]; 6].map(minute), [2; 6]);
    assert_eq!([[50.1, 100.0]; 6].map(minute), [2; 6]);
    assert_eq!([[100.0, 60.1]; 3].map(minute), [2, 2, 3]);
    assert_eq!([[100.0, 50.1]; 8].map(minute), [3; 8]);
    // High and idle, low on average.
    assert_eq!([[100.0, 49.9]; 5].map(minute), [3, 3, 3, 3, 2]);
}
