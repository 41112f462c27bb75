//! TargetTracking, minute by minute: AWS's own rules with AWS's own alarms, which the operator neither makes nor changes.

use super::{Scaled, counts, cpu};
use aws_sdk_cloudwatch::types::MetricAlarm;
use aws_sim::Options;
use serde_json::json;

/// Every alarm there is, by name.
async fn alarms(scaled: &Scaled) -> Vec<MetricAlarm> {
    let client = aws_sdk_cloudwatch::Client::new(&scaled.world.sdk());
    let described = client.describe_alarms().send().await.unwrap();
    described.metric_alarms().to_vec()
}

/// What is configured of them; states and times change.
fn configured(alarms: Vec<MetricAlarm>) -> Vec<String> {
    alarms
        .into_iter()
        .map(|alarm| {
            let name = alarm.alarm_name().unwrap().to_owned();
            let (threshold, periods) = (alarm.threshold(), alarm.evaluation_periods());
            let (missing, actions) = (alarm.treat_missing_data(), alarm.alarm_actions());
            format!("{name} {threshold:?} {periods:?} {missing:?} {actions:?}")
        })
        .collect()
}

#[tokio::test]
async fn it_is_awss_business_and_left_alone() {
    let mut spec = json!({"scaling": {"policy": "TargetTracking", "cpuThreshold": 50}});
    let scaled = Scaled::new(Options::default(), &spec).await;
    let mut scaled = Box::pin(scaled.at_work(4)).await;
    let before = alarms(&scaled).await;
    let theirs = |alarm: &MetricAlarm| {
        let name = alarm.alarm_name().unwrap();
        name.starts_with("TargetTracking-service/flexstack/api-")
    };
    assert_eq!(before.len(), 2);
    assert!(before.iter().all(theirs), "{before:?}");

    // In proportion after three minutes; from 90 % on nothing; one by one after fifteen below that.
    assert_eq!(scaled.minutes(&cpu(75.0), 3), [4, 4, 6]);
    assert_eq!(scaled.minutes(&cpu(45.0), 30), [6; 30]);
    assert_eq!(
        scaled.minutes(&cpu(10.0), 22),
        counts(&[(6, 14), (5, 6), (4, 2)])
    );
    scaled.look().await;
    assert_eq!(scaled.converge().await, [""; 0]);
    let after = alarms(&scaled).await;
    assert_eq!(configured(after), configured(before));
    for operation in ["monitoring:PutMetricAlarm", "monitoring:DeleteAlarms"] {
        assert_eq!(scaled.world.calls(operation), 0, "{operation}");
    }

    // Theirs go with their policy, and ours are all that is deleted on the way back.
    spec["scaling"]["policy"] = json!("StepAlarms");
    scaled.edit(&spec);
    scaled.converge().await;
    assert_eq!(scaled.world.calls("monitoring:DeleteAlarms"), 0);
    assert!(!alarms(&scaled).await.iter().any(theirs));
    assert_eq!(scaled.minutes(&cpu(65.0), 3).last(), Some(&5), "25 % of 4");
    spec["scaling"]["policy"] = json!("TargetTracking");
    scaled.edit(&spec);
    scaled.look().await;
    scaled.converge().await;
    let back = alarms(&scaled).await;
    assert!(back.len() == 2 && back.iter().all(theirs), "{back:?}");
}
