//! Several metrics: each of them may ask for more tasks, and fewer need all of them low at once.

use super::{Scaled, counts};
use aws_sim::{Load, Options};
use serde_json::json;

/// Thresholds of 80 percent of CPU and 60 of memory.
async fn at(tasks: i32) -> Scaled {
    let spec = json!({"scaling": {"maxTasks": 6, "memoryThreshold": 60}});
    let scaled = Scaled::new(Options::default(), &spec).await;
    Box::pin(scaled.at_work(tasks)).await
}

/// Percent of CPU and of memory.
fn load((cpu, memory): (f64, f64)) -> Load {
    Load {
        cpu_percent: Some(cpu),
        memory_percent: Some(memory),
        ..Load::default()
    }
}

#[tokio::test]
async fn high_memory_and_an_idle_cpu_never_shrink() {
    let scaled = at(2).await;
    for memory in [55.0, 58.0, 60.0] {
        assert_eq!(
            scaled.minutes(&load((0.5, memory)), 20),
            [2; 20],
            "{memory}"
        );
    }
    // Above it they grow instead, one by one up to the most there may be.
    assert_eq!(
        scaled.minutes(&load((0.5, 61.0)), 60),
        counts(&[(2, 2), (3, 6), (4, 6), (5, 6), (6, 40)])
    );
}

#[tokio::test]
async fn a_high_cpu_and_idle_memory_never_shrink() {
    let scaled = at(2).await;
    for cpu in [75.0, 78.0, 80.0] {
        assert_eq!(scaled.minutes(&load((cpu, 0.5)), 20), [2; 20], "{cpu}");
    }
    assert_eq!(scaled.minutes(&load((80.1, 0.5)), 3), [2, 2, 3]);
}

#[tokio::test]
async fn all_must_be_low_in_every_minute_of_the_window() {
    let scaled = at(4).await;
    let low = (74.99, 54.99);
    let (busy_cpu, busy_memory) = ((75.0, 1.0), (1.0, 55.0));
    // Each of them is low for five minutes or more, but not in the same ones.
    let minutes = [
        low,
        low,
        low,
        low,
        busy_cpu,
        low,
        low,
        low,
        low,
        busy_memory,
        low,
        low,
        low,
        busy_cpu,
    ];
    assert_eq!(scaled.walk(minutes.map(load)), [4; 14]);
    assert_eq!(
        scaled.walk([low; 12].map(load)),
        counts(&[(4, 4), (3, 6), (2, 2)])
    );
}

/// Three minutes in a row are those of one metric.
#[tokio::test]
async fn high_minutes_of_different_metrics_do_not_add_up() {
    let scaled = at(2).await;
    let (cpu, memory) = ((90.0, 58.0), (78.0, 70.0));
    let minutes = [cpu, cpu, memory, memory, cpu, cpu, memory, memory];
    assert_eq!(scaled.walk(minutes.map(load)), [2; 8]);
    assert_eq!(scaled.walk([memory].map(load)), [3]);
}

/// Both are high: one scale-out, by the one that asks for more.
#[tokio::test]
async fn of_two_that_are_high_the_higher_one_counts() {
    let spec = json!({"scaling": {"maxTasks": 100, "cpuThreshold": 50, "memoryThreshold": 60}});
    for both in [(52.0, 86.0), (76.0, 61.0), (76.0, 86.0)] {
        let scaled = Scaled::new(Options::default(), &spec).await;
        let scaled = Box::pin(scaled.at_work(20)).await;
        assert_eq!(
            scaled.minutes(&load(both), 8),
            counts(&[(20, 2), (30, 6)]),
            "{both:?}"
        );
    }
}
