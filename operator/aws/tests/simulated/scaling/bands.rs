//! How many tasks more, by how far three averages are above the threshold, at the exact edges: 10 % from the threshold on, 25 % from 10
//! points above it, 50 % from 25 points.
//!
//! Lower bounds are inclusive and upper ones exclusive; a percentage is rounded down, and to 1 below that (Application Auto Scaling user
//! guide, Step scaling policies: Step adjustments, Scaling adjustment types).

use super::{Scaled, cpu};
use aws_sim::{Load, Options};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tasks, and how many there are after a little, more and much too much.
const GROWTH: [(i32, [i64; 3]); 15] = [
    (1, [2, 2, 2]),
    (2, [3, 3, 3]),
    (3, [4, 4, 4]),
    (4, [5, 5, 6]),
    (5, [6, 6, 7]),
    (7, [8, 8, 10]),
    (8, [9, 10, 12]),
    (9, [10, 11, 13]),
    (10, [11, 12, 15]),
    (11, [12, 13, 16]),
    (19, [20, 23, 28]),
    (20, [22, 25, 30]),
    (29, [31, 36, 43]),
    (39, [42, 48, 58]),
    (40, [44, 50, 60]),
];

/// Points above the threshold: both ends of each band.
const EDGES: [[f64; 2]; 3] = [[0.01, 9.99], [10.0, 24.99], [25.0, 50.0]];

/// Bounds that are never met, and a cooldown that is soon over.
fn spec(scaling: &Value) -> Value {
    let mut spec = json!({"ports": [{"name": "default", "port": 8080, "protocol": "http"}],
        "scaling": {"maxTasks": 100, "cpuThreshold": 0, "cooldownSeconds": 60}});
    for (field, value) in scaling.as_object().unwrap() {
        spec["scaling"][field] = value.clone();
    }
    spec
}

/// The growth from each count in each band; `load` is that of so many points above the threshold, for so many tasks.
async fn grows(scaled: &Scaled, load: impl Fn(f64, i32) -> Load) {
    for (tasks, grown) in GROWTH {
        for (points, grown) in EDGES.into_iter().zip(grown) {
            for points in points {
                scaled.set(tasks).await;
                let before = i64::from(tasks);
                // Neither high nor low, until the cooldown before it is over.
                let calm = scaled.minutes(&load(-2.0, tasks), 4);
                assert_eq!(calm, [before; 4], "{tasks} before {points}");
                let counts = scaled.minutes(&load(points, tasks), 3);
                let wanted = [before, before, grown];
                assert_eq!(counts, wanted, "{points} points above, {tasks} tasks");
            }
        }
    }
}

#[tokio::test]
async fn of_cpu() {
    let spec = spec(&json!({"cpuThreshold": 50}));
    let scaled = Scaled::new(Options::default(), &spec).await;
    let scaled = Box::pin(scaled.at_work(1)).await;
    grows(&scaled, |points, _| cpu(50.0 + points)).await;
}

#[tokio::test]
async fn of_memory() {
    let spec = spec(&json!({"memoryThreshold": 40}));
    let scaled = Scaled::new(Options::default(), &spec).await;
    let scaled = Box::pin(scaled.at_work(1)).await;
    let load = |points: f64, _| Load {
        cpu_percent: Some(5.0),
        memory_percent: Some(40.0 + points),
        ..Load::default()
    };
    grows(&scaled, load).await;
}

/// Points of requests are percent of the threshold: 10 of them above 2000 are 2200 for each task.
#[tokio::test]
async fn of_requests() {
    let spec = spec(&json!({"requestThreshold": 2000}));
    let scaled = Scaled::http(&["default"], &spec).await;
    let scaled = Box::pin(scaled.at_work(1)).await;
    let load = |points: f64, tasks: i32| {
        let each = 2000.0 + 20.0 * points;
        Load {
            cpu_percent: Some(5.0),
            requests_per_minute: BTreeMap::from([(
                "api_default".to_owned(),
                each * f64::from(tasks),
            )]),
            ..Load::default()
        }
    };
    grows(&scaled, load).await;
}

/// The step is that of the average of the three minutes (AWS: `MetricAggregationType`), not of the last or the highest.
#[tokio::test]
async fn three_minutes_count_as_their_average() {
    let spec = spec(&json!({"cpuThreshold": 50}));
    let scaled = Scaled::new(Options::default(), &spec).await;
    let scaled = Box::pin(scaled.at_work(20)).await;
    for (minutes, grown) in [
        ([51.0, 51.0, 77.0], 22),
        ([77.0, 51.0, 52.0], 25),
        ([51.0, 74.0, 99.0], 25),
        ([55.0, 80.0, 90.0], 30),
    ] {
        scaled.set(20).await;
        assert_eq!(scaled.walk([48.0; 4].map(cpu)), [20; 4]);
        assert_eq!(
            scaled.walk(minutes.map(cpu)),
            [20, 20, grown],
            "{minutes:?}"
        );
    }
}
