use aws_sdk_applicationautoscaling::types::{StepAdjustment, StepScalingPolicyConfiguration};
use aws_sim::{Options, ScalingOptions};

use crate::harness::{Harness, start};

/// A service of three tasks on a full minute.
async fn scaled(options: Options, cooldown: i32) -> Harness {
    let harness = start(options).await;
    harness.scalable("api", 1, 20).await;
    harness.update("api").desired_count(3).send().await.unwrap();
    harness.scaled_by_cpu("api", 2, 1, cooldown).await;
    harness.advance(60);
    harness.align();
    harness
}

#[tokio::test]
async fn a_cooldown_begins_when_the_new_tasks_run() {
    let harness = scaled(Options::default(), 120).await;
    // Set after the third minute; the tasks run 15 s later, and for 120 s nothing more is added.
    let counts = harness.counts("api", &[95.0; 7]).await;
    assert_eq!(counts, [3, 3, 5, 5, 5, 7, 7]);
}

#[tokio::test]
async fn a_larger_scale_out_adds_the_difference_during_the_cooldown() {
    let harness = scaled(Options::default(), 600).await;
    let adjustment = |lower: f64, upper: Option<f64>, by: i32| {
        StepAdjustment::builder()
            .metric_interval_lower_bound(lower)
            .set_metric_interval_upper_bound(upper)
            .scaling_adjustment(by)
            .build()
            .unwrap()
    };
    let steps = StepScalingPolicyConfiguration::builder()
        .step_adjustments(adjustment(0.0, Some(10.0), 2))
        .step_adjustments(adjustment(10.0, None, 3))
        .build();
    harness.step_policy("api", "out", steps).await;
    assert_eq!(harness.counts("api", &[85.0; 5]).await, [3, 3, 5, 5, 5]);
    // "The previous increase of 2 is considered part of the current capacity. Therefore, only 1 is added." The average of the
    // three minutes passes 90 with the second of them.
    assert_eq!(
        harness.counts("api", &[95.0, 95.0, 95.0, 95.0]).await,
        [5, 6, 6, 6]
    );
}

#[tokio::test]
async fn nothing_is_removed_during_the_cooldown_of_a_scale_out() {
    let harness = scaled(Options::default(), 300).await;
    harness.counts("api", &[95.0; 3]).await;
    // Fulfilled after 15 s, so that it ends 15 s after the fifth minute.
    assert_eq!(harness.counts("api", &[10.0; 6]).await, [5, 5, 5, 5, 5, 4]);
}

#[tokio::test]
async fn whether_it_blocks_scaling_in_can_be_chosen() {
    let options = Options {
        scaling: Some(ScalingOptions {
            out_cooldown_blocks_in: false,
            ..ScalingOptions::default()
        }),
        ..Options::default()
    };
    let harness = scaled(options, 300).await;
    harness.counts("api", &[95.0; 3]).await;
    assert_eq!(harness.counts("api", &[10.0; 3]).await, [5, 5, 4]);
}

#[tokio::test]
async fn one_removal_in_a_cooldown() {
    let harness = scaled(Options::default(), 120).await;
    // The task is gone 5 s later.
    assert_eq!(harness.counts("api", &[10.0; 6]).await, [3, 3, 2, 2, 2, 1]);
}

#[tokio::test]
async fn a_scale_out_ends_the_cooldown_of_a_scale_in() {
    let harness = scaled(Options::default(), 600).await;
    assert_eq!(harness.counts("api", &[10.0; 3]).await, [3, 3, 2]);
    assert_eq!(harness.counts("api", &[95.0; 3]).await, [2, 2, 4]);
    // Now it is the scale-out's.
    assert_eq!(harness.counts("api", &[95.0; 4]).await, [4; 4]);
}
