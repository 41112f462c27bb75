use aws_sdk_applicationautoscaling::types::{
    AdjustmentType, ServiceNamespace, StepAdjustment, StepScalingPolicyConfiguration,
    SuspendedState,
};
use aws_sdk_cloudwatch::types::ComparisonOperator;
use aws_sim::{Behaviour, Options, ScalingOptions, Subject};
use std::time::Duration;

use super::step;
use crate::cloud_watch::{math, stat};
use crate::harness::{CLUSTER, Harness, start};

async fn scaled(minimum: i32, maximum: i32) -> Harness {
    let harness = start(Options::default()).await;
    harness.scalable("api", minimum, maximum).await;
    harness.scaled_by_cpu("api", 2, 1, 300).await;
    harness.align();
    harness
}

#[tokio::test]
async fn two_high_minutes_do_nothing_and_three_scale_out() {
    let harness = scaled(1, 10).await;
    assert_eq!(
        harness.counts("api", &[95.0, 95.0, 50.0, 95.0, 95.0]).await,
        [1; 5]
    );
    assert_eq!(harness.counts("api", &[95.0]).await, [3]);
    assert_eq!(harness.simulator.alarm_state("high"), Some("ALARM"));
    let counts = harness.simulator.counts();
    assert!(
        !counts.contains_key("ecs:UpdateService"),
        "not a client's call"
    );
    let asked = harness.scaling.describe_scaling_activities();
    let shown = asked
        .service_namespace(ServiceNamespace::Ecs)
        .send()
        .await
        .unwrap();
    let activity = &shown.scaling_activities()[0];
    assert_eq!(
        activity.cause(),
        "monitor alarm high in state ALARM triggered policy out"
    );
    assert_eq!(activity.description(), "Setting desired count to 3.");
    assert_eq!(activity.status_code().as_str(), "InProgress");
    // Tasks need 15 s to start.
    harness.advance(20);
    let activities = harness.simulator.scaling_activities("api");
    assert_eq!(activities.len(), 1);
    assert_eq!(activities[0].desired_count, 3);
    assert_eq!(activities[0].status, "Successful");
}

#[tokio::test]
async fn three_low_minutes_scale_in() {
    let harness = scaled(1, 10).await;
    harness.update("api").desired_count(4).send().await.unwrap();
    let counts = harness.counts("api", &[10.0, 10.0, 10.0]).await;
    assert_eq!(counts, [4, 4, 3]);
    assert_eq!(harness.simulator.alarm_state("low"), Some("ALARM"));
    assert_eq!(harness.simulator.alarm_state("high"), Some("OK"));
}

#[tokio::test]
async fn the_count_stays_within_the_bounds() {
    let harness = scaled(1, 2).await;
    assert_eq!(harness.counts("api", &[95.0; 3]).await, [1, 1, 2]);
    assert_eq!(harness.counts("api", &[95.0; 9]).await, [2; 9]);
    // Beyond the maximum, where somebody else has put it.
    harness.update("api").desired_count(5).send().await.unwrap();
    assert_eq!(
        harness.counts("api", &[95.0; 6]).await,
        [5; 6],
        "a bound is no scale-in"
    );
    harness.update("api").desired_count(1).send().await.unwrap();
    assert_eq!(harness.counts("api", &[10.0; 12]).await, [1; 12]);
}

#[tokio::test]
async fn suspended_scaling_does_not_happen() {
    let harness = scaled(1, 10).await;
    let suspend = |outwards: bool, inwards: bool| {
        let state = SuspendedState::builder()
            .dynamic_scaling_out_suspended(outwards)
            .dynamic_scaling_in_suspended(inwards);
        harness.target("api").suspended_state(state.build()).send()
    };
    suspend(true, false).await.unwrap();
    assert_eq!(harness.counts("api", &[95.0; 5]).await, [1; 5]);
    suspend(false, true).await.unwrap();
    assert_eq!(
        harness.counts("api", &[95.0]).await,
        [3],
        "the alarm still stands"
    );
    assert_eq!(harness.counts("api", &[10.0; 12]).await, [3; 12]);
    suspend(false, false).await.unwrap();
    assert_eq!(harness.counts("api", &[10.0]).await, [2]);
}

#[tokio::test]
async fn no_scaling_in_during_a_deployment_but_out() {
    let harness = scaled(1, 10).await;
    harness.update("api").desired_count(3).send().await.unwrap();
    harness.advance(60);
    let never = Behaviour {
        start_delay: Duration::from_hours(1),
        ..Behaviour::default()
    };
    harness
        .simulator
        .behave(Subject::Image("slow".into()), never);
    harness.roll("api", "slow").await;
    assert_eq!(harness.counts("api", &[10.0; 6]).await, [3; 6]);
    assert_eq!(harness.counts("api", &[95.0; 3]).await, [3, 3, 5]);
}

#[tokio::test]
async fn a_service_without_running_tasks_is_not_scaled() {
    let harness = scaled(0, 10).await;
    harness.update("api").desired_count(0).send().await.unwrap();
    assert_eq!(harness.counts("api", &[95.0; 8]).await, [0; 8]);
    let state = harness.simulator.alarm_state("high");
    assert_eq!(state, Some("INSUFFICIENT_DATA"));
}

/// "All other more recent data points are breaching or missing": unless missing ones are treated as not breaching.
#[tokio::test]
async fn one_high_minute_scales_out_after_the_data_have_stopped() {
    for (treatment, expected) in [("missing", [0, 2]), ("notBreaching", [0, 0])] {
        let harness = scaled(0, 10).await;
        let policies = harness.scaling.describe_scaling_policies();
        let policies = policies.service_namespace(ServiceNamespace::Ecs);
        let policies = policies.send().await.unwrap();
        let mut policies = policies.scaling_policies().iter();
        let out = policies.find(|policy| policy.policy_name() == "out");
        let high = harness.alarm("high", "api").treat_missing_data(treatment);
        let high = high.alarm_actions(out.unwrap().policy_arn());
        high.send().await.unwrap();
        harness.minute("api", 95.0);
        harness.update("api").desired_count(0).send().await.unwrap();
        assert_eq!(
            harness.counts("api", &[95.0; 2]).await,
            expected,
            "{treatment}"
        );
    }
}

#[tokio::test]
async fn the_step_depends_on_the_breach_and_the_rounding_is_awss() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 100).await;
    let adjustment = |lower: f64, upper: Option<f64>, by: i32| {
        StepAdjustment::builder()
            .metric_interval_lower_bound(lower)
            .set_metric_interval_upper_bound(upper)
            .scaling_adjustment(by)
            .build()
            .unwrap()
    };
    let percent = StepScalingPolicyConfiguration::builder()
        .adjustment_type(AdjustmentType::PercentChangeInCapacity)
        .step_adjustments(adjustment(0.0, Some(10.0), 25))
        .step_adjustments(adjustment(10.0, None, 250))
        .cooldown(0)
        .build();
    let policy = harness.step_policy("api", "out", percent).await;
    let high = harness.alarm("high", "api").evaluation_periods(1);
    high.alarm_actions(policy).send().await.unwrap();
    harness.align();
    // 25 % of 1 is 1; then 250 % of 2; then 25 % of 7 is 1.75.
    assert_eq!(harness.counts("api", &[85.0, 95.0, 85.0]).await, [2, 7, 8]);
}

#[tokio::test]
async fn the_largest_capacity_of_a_minute_wins() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 10).await;
    for (name, adjustment) in [("a", 1), ("b", 3), ("c", -1)] {
        let policy = harness.step_policy("api", name, step(adjustment)).await;
        let alarm = harness.alarm(name, "api").evaluation_periods(1);
        let alarm = if adjustment < 0 {
            // Breached at the same time, from the other side.
            let alarm = alarm.comparison_operator(ComparisonOperator::LessThanThreshold);
            alarm.threshold(99.0)
        } else {
            alarm
        };
        alarm.alarm_actions(policy).send().await.unwrap();
    }
    harness.align();
    assert_eq!(harness.counts("api", &[95.0]).await, [4]);
    let activities = harness.simulator.scaling_activities("api");
    assert_eq!(activities.len(), 1, "{activities:?}");
    assert!(activities[0].cause.ends_with("policy b"));
}

#[tokio::test]
async fn one_alarm_on_an_expression_guards_both_metrics() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 10).await;
    harness.update("api").desired_count(4).send().await.unwrap();
    let policy = harness.step_policy("api", "in", step(-1)).await;
    // A step for values above the threshold would not fit a policy that removes: the expression counts downwards.
    harness
        .bare_alarm("low")
        .comparison_operator(ComparisonOperator::LessThanOrEqualToThreshold)
        .threshold(0.0)
        .metrics(stat("cpu", "CPUUtilization", "api", "Average"))
        .metrics(stat("memory", "MemoryUtilization", "api", "Average"))
        .metrics(math("low", "IF(cpu < 75 AND memory < 75, 0, 1)"))
        .alarm_actions(policy)
        .send()
        .await
        .unwrap();
    harness.align();
    let load = |cpu: f64, memory: f64| aws_sim::Load {
        cpu_percent: Some(cpu),
        memory_percent: Some(memory),
        ..aws_sim::Load::default()
    };
    harness
        .simulator
        .set_load(Some(CLUSTER), "api", Some(load(10.0, 90.0)));
    harness.advance(600);
    assert_eq!(harness.desired("api").await, 4);
    harness
        .simulator
        .set_load(Some(CLUSTER), "api", Some(load(10.0, 20.0)));
    harness.advance(120);
    assert_eq!(harness.desired("api").await, 4);
    harness.advance(60);
    assert_eq!(harness.desired("api").await, 3);
}

#[tokio::test]
async fn nothing_scales_after_the_target_is_deregistered() {
    let harness = scaled(1, 10).await;
    harness
        .scaling
        .deregister_scalable_target()
        .service_namespace(ServiceNamespace::Ecs)
        .scalable_dimension(super::DIMENSION)
        .resource_id(super::resource("api"))
        .send()
        .await
        .unwrap();
    assert_eq!(harness.counts("api", &[95.0; 4]).await, [1; 4]);
    assert_eq!(
        harness.simulator.alarm_state("high"),
        Some("ALARM"),
        "the alarms are others'"
    );
    // Nor with the policy's next life, whose ARN the alarm does not know.
    let asked = harness.target("api").min_capacity(1).max_capacity(10);
    asked.send().await.unwrap();
    harness.step_policy("api", "out", step(2)).await;
    assert_eq!(harness.counts("api", &[95.0]).await, [1]);
}

#[tokio::test]
async fn a_scaling_that_is_not_fulfilled_is_given_up() {
    let options = Options {
        scaling: Some(ScalingOptions {
            unfulfilled_after: Duration::from_mins(5),
            ..ScalingOptions::default()
        }),
        ..Options::default()
    };
    let harness = start(options).await;
    harness.scalable("api", 1, 10).await;
    harness.scaled_by_cpu("api", 2, 1, 300).await;
    harness.align();
    harness.simulator.set_capacity("FARGATE", false);
    assert_eq!(harness.counts("api", &[95.0; 3]).await, [1, 1, 3]);
    assert_eq!(harness.counts("api", &[95.0; 4]).await, [3; 4]);
    let status = |n: usize| {
        harness.simulator.scaling_activities("api")[n]
            .status
            .clone()
    };
    assert_eq!(status(0), "InProgress");
    harness.minute("api", 95.0);
    assert_eq!(status(0), "Unfulfilled");
    // Without a cooldown.
    assert_eq!(harness.counts("api", &[95.0]).await, [5]);
}
