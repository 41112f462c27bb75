//! The cooldown, minute by minute, in the cases that AWS documents (Application Auto Scaling user guide, Step scaling policies, Cooldown
//! period):
//!
//! 1. After a scale-out the desired capacity is increased again only when "either a larger scale out is triggered or the cooldown period
//!    ends", and what was added counts: an increase of 3 after one of 2 adds only 1.
//! 2. After a scale-in "scale-in activities are blocked until the cooldown period has expired".
//! 3. A scale-out during the cooldown after a scale-in happens "immediately. In this case, the cooldown period for the scale-in activity
//!    stops and doesn't complete."
//!
//! It begins when a scaling is complete, here seconds after the minute that led to it: five minutes of cooldown are over at the sixth.

use super::{Scaled, counts, cpu};
use aws_sim::{Options, ScalingOptions};
use serde_json::{Value, json};

async fn at(tasks: i32, scaling: &Value) -> Scaled {
    let spec = json!({"scaling": scaling});
    let scaled = Scaled::new(Options::default(), &spec).await;
    Box::pin(scaled.at_work(tasks)).await
}

#[tokio::test]
async fn as_much_again_waits_for_the_end_of_the_cooldown() {
    let scaled = at(8, &json!({"maxTasks": 100, "cpuThreshold": 50})).await;
    assert_eq!(
        scaled.minutes(&cpu(65.0), 16),
        counts(&[(8, 2), (10, 6), (12, 6), (15, 2)]),
        "25 % of what there is each time"
    );
}

#[tokio::test]
async fn a_larger_scale_out_in_the_cooldown_adds_only_what_is_not_there_yet() {
    let scaled = at(8, &json!({"maxTasks": 100, "cpuThreshold": 50})).await;
    assert_eq!(scaled.walk([65.0; 5].map(cpu)), [8, 8, 10, 10, 10]);
    // On average 75: 50 % of the 8 there were are 4, of which 2 are there.
    assert_eq!(scaled.walk([95.0].map(cpu)), [12]);
    assert_eq!(
        scaled.walk([95.0; 6].map(cpu)),
        [12, 12, 12, 12, 12, 18],
        "as much again only after a cooldown of its own"
    );
}

#[tokio::test]
async fn a_smaller_scale_out_in_the_cooldown_adds_nothing() {
    let scaled = at(8, &json!({"maxTasks": 100, "cpuThreshold": 50})).await;
    assert_eq!(scaled.walk([95.0; 3].map(cpu)), [8, 8, 12]);
    assert_eq!(
        scaled.walk([55.0; 6].map(cpu)),
        [12, 12, 12, 12, 12, 13],
        "10 % of 12, at its end"
    );
}

#[tokio::test]
async fn one_task_fewer_blocks_the_next_until_the_cooldown_is_over() {
    let scaled = at(4, &json!({"cooldownSeconds": 120})).await;
    assert_eq!(
        scaled.minutes(&cpu(10.0), 14),
        counts(&[(4, 1), (3, 3), (2, 3), (1, 7)])
    );
    let scaled = at(4, &json!({})).await;
    assert_eq!(
        scaled.minutes(&cpu(10.0), 22),
        counts(&[(4, 4), (3, 6), (2, 6), (1, 6)])
    );
}

#[tokio::test]
async fn a_scale_out_ends_the_cooldown_after_a_scale_in() {
    let scaling = json!({"maxTasks": 100, "cpuThreshold": 50, "cooldownSeconds": 600});
    let scaled = at(8, &scaling).await;
    assert_eq!(scaled.walk([10.0; 10].map(cpu)), counts(&[(8, 9), (7, 1)]));
    // In the third of ten minutes.
    assert_eq!(scaled.walk([65.0; 3].map(cpu)), [7, 7, 8]);
    // It was stopped: from here on the rules are those after the scale-out, which started from 7.
    assert_eq!(scaled.walk([95.0; 3].map(cpu)), [10, 10, 10]);
    assert_eq!(
        scaled.walk([10.0; 12].map(cpu)),
        counts(&[(10, 9), (9, 3)]),
        "nothing is left of it either"
    );
}

/// AWS does not say whether a scale-out blocks scaling in. Either way no task goes before `cooldownSeconds` are over: the window is as long.
#[tokio::test]
async fn after_more_tasks_there_are_not_fewer_for_as_long_as_the_cooldown() {
    for (blocks, minutes) in [(true, 6), (false, 5)] {
        let options = Options {
            scaling: Some(ScalingOptions {
                out_cooldown_blocks_in: blocks,
                ..ScalingOptions::default()
            }),
            ..Options::default()
        };
        let scaled = Scaled::new(options, &json!({})).await;
        let scaled = Box::pin(scaled.at_work(1)).await;
        assert_eq!(scaled.walk([95.0; 3].map(cpu)), [1, 1, 2]);
        assert_eq!(
            scaled.minutes(&cpu(10.0), minutes),
            counts(&[(2, minutes - 1), (1, 1)]),
            "{blocks}"
        );
    }
}

/// "During a cooldown period, when a scheduled action starts at the scheduled time, it can trigger a scaling activity immediately" (the
/// same page).
#[tokio::test]
async fn a_schedule_waits_for_no_cooldown() {
    let scaling = json!({"maxTasks": 12, "cooldownSeconds": 3600,
        "schedules": [{"name": "often", "schedule": "rate(10 minutes)", "minTasks": 6}]});
    let scaled = at(2, &scaling).await;
    let busy = [95.0, 95.0, 95.0].map(cpu);
    assert_eq!(scaled.walk(busy), [2, 2, 3]);
    // Two minutes before the walk it was put.
    assert_eq!(scaled.walk([78.0; 6].map(cpu)), [3, 3, 3, 3, 6, 6]);
}
