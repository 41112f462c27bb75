//! Minutes without data: they make nothing more and nothing fewer.
//!
//! An alarm takes the most recent data points of a range that is somewhat longer than its periods, and treats what it still lacks as not
//! breaching (CloudWatch user guide, How alarm state is evaluated when data is missing).

use super::{Scaled, counts, cpu};
use aws_sim::{Load, Options};
use serde_json::{Value, json};
use std::time::Duration;

async fn at(tasks: i32, scaling: &Value) -> Scaled {
    let spec = json!({"scaling": scaling});
    let scaled = Scaled::new(Options::default(), &spec).await;
    Box::pin(scaled.at_work(tasks)).await
}

/// Tasks run, and nothing is reported about them.
fn nothing() -> Load {
    Load::default()
}

#[tokio::test]
async fn no_data_at_all_changes_nothing() {
    for scaling in [
        json!({"cooldownSeconds": 60}),
        json!({}),
        json!({"memoryThreshold": 60}),
        json!({"memoryThreshold": 60, "cooldownSeconds": 60}),
    ] {
        let scaled = at(3, &scaling).await;
        for _ in 0..20 {
            scaled.world.sim.advance(Duration::from_mins(1));
            assert_eq!(scaled.count(), 3, "{scaling}");
        }
        assert_eq!(scaled.minutes(&nothing(), 20), [3; 20], "{scaling}");
    }
}

/// The alarm is in ALARM when its data end, and would go on shrinking the service after its cooldown if what is missing kept it there.
#[tokio::test]
async fn data_that_end_while_they_are_low_end_the_shrinking() {
    for scaling in [json!({}), json!({"memoryThreshold": 60})] {
        let scaled = at(5, &scaling).await;
        assert_eq!(scaled.walk([10.0; 5].map(cpu)), [5, 5, 5, 5, 4]);
        assert_eq!(scaled.minutes(&nothing(), 30), [4; 30], "{scaling}");
        assert_eq!(
            scaled.walk([10.0; 5].map(cpu)),
            counts(&[(4, 4), (3, 1)]),
            "a whole window again: {scaling}"
        );
    }
}

#[tokio::test]
async fn data_that_end_while_they_are_high_end_the_growth() {
    let scaled = at(2, &json!({})).await;
    assert_eq!(scaled.walk([95.0; 3].map(cpu)), [2, 2, 3]);
    assert_eq!(scaled.minutes(&nothing(), 30), [3; 30]);
}

/// A missing minute is neither high nor low; those before it stand in, but not for long.
#[tokio::test]
async fn a_gap_is_bridged_and_a_longer_one_is_not() {
    let scaled = at(1, &json!({})).await;
    let high = || cpu(95.0);
    let long = [high(), high(), nothing(), nothing(), nothing(), high()];
    assert_eq!(scaled.walk(long), [1; 6]);
    assert_eq!(scaled.walk([nothing(), nothing(), nothing()]), [1; 3]);
    let short = [high(), nothing(), high(), nothing(), high()];
    assert_eq!(scaled.walk(short), [1, 1, 1, 1, 2]);

    let scaled = at(4, &json!({})).await;
    let low = |minutes| vec![cpu(10.0); minutes];
    let long = [low(4), vec![nothing(); 3], low(1)].concat();
    assert_eq!(scaled.walk(long), [4; 8]);
    assert_eq!(scaled.walk(vec![nothing(); 7]), [4; 7]);
    let short = [low(2), vec![nothing()], low(3)].concat();
    assert_eq!(scaled.walk(short), counts(&[(4, 5), (3, 1)]));
}

#[tokio::test]
async fn a_metric_that_is_missing_is_never_low() {
    let scaling = json!({"memoryThreshold": 60, "cooldownSeconds": 60});
    let scaled = at(3, &scaling).await;
    let only_cpu = Load {
        cpu_percent: Some(1.0),
        ..Load::default()
    };
    assert_eq!(scaled.minutes(&only_cpu, 20), [3; 20]);
    let only_memory = Load {
        memory_percent: Some(1.0),
        ..Load::default()
    };
    assert_eq!(scaled.minutes(&only_memory, 20), [3; 20]);
    // What is there may still ask for more.
    let full = Load {
        memory_percent: Some(61.0),
        ..Load::default()
    };
    assert_eq!(scaled.minutes(&full, 3), [3, 3, 4]);
}
