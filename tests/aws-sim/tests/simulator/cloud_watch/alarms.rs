use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Tag};
use aws_sim::{Fault, FaultKind, Options, Quotas};

use crate::harness::{refusal, start};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

#[tokio::test]
async fn an_alarm_is_described_as_it_was_put() {
    let harness = start(Options::default()).await;
    let before = harness.simulator.now().seconds();
    harness
        .alarm("cpu", "api")
        .alarm_description("high")
        .datapoints_to_alarm(2)
        .treat_missing_data("notBreaching")
        .alarm_actions("arn:aws:sns:us-east-1:111122223333:topic")
        .send()
        .await
        .unwrap();
    let alarm = harness.described_alarm("cpu").await.unwrap();
    assert_eq!(
        alarm.alarm_arn(),
        Some("arn:aws:cloudwatch:us-east-1:111122223333:alarm:cpu")
    );
    assert_eq!(alarm.alarm_description(), Some("high"));
    assert_eq!(alarm.state_value(), Some(&StateValue::InsufficientData));
    assert_eq!(alarm.threshold(), Some(80.0));
    assert_eq!(
        (alarm.period(), alarm.evaluation_periods()),
        (Some(60), Some(3))
    );
    assert_eq!(alarm.datapoints_to_alarm(), Some(2));
    assert_eq!(alarm.treat_missing_data(), Some("notBreaching"));
    assert_eq!(alarm.actions_enabled(), Some(true));
    assert_eq!(alarm.dimensions()[1].value(), Some("api"));
    assert!(alarm.ok_actions().is_empty());
    let at = alarm.state_updated_timestamp().unwrap().as_secs_f64();
    assert!((at - before).abs() < 0.001, "{at} is not {before}");
    let requests = harness.simulator.requests();
    let put = requests
        .iter()
        .find(|one| one.name() == "monitoring:PutMetricAlarm");
    let body = &put.unwrap().body;
    assert_eq!(body["Threshold"], 80.0);
    assert_eq!(body["Dimensions"][1]["Value"], "api");
}

#[tokio::test]
async fn putting_again_replaces_all_but_state_and_tags() {
    let harness = start(Options::default()).await;
    let tagged = harness.alarm("cpu", "api").tags(tag("owner", "team"));
    let first = tagged.alarm_description("first").datapoints_to_alarm(2);
    first.send().await.unwrap();
    harness.advance(30);
    let second = harness.alarm("cpu", "api").tags(tag("owner", "other"));
    let second = second.comparison_operator(ComparisonOperator::LessThanThreshold);
    second.send().await.unwrap();
    let alarm = harness.described_alarm("cpu").await.unwrap();
    assert_eq!(alarm.alarm_description(), None);
    assert_eq!(alarm.datapoints_to_alarm(), None);
    assert_eq!(
        alarm.comparison_operator(),
        Some(&ComparisonOperator::LessThanThreshold)
    );
    let configured = alarm.alarm_configuration_updated_timestamp().unwrap();
    let updated = alarm.state_updated_timestamp().unwrap();
    assert!((configured.as_secs_f64() - updated.as_secs_f64() - 30.0).abs() < 0.001);
    let arn = alarm.alarm_arn().unwrap();
    let tags = || {
        harness
            .cloud_watch
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
    };
    assert_eq!(tags().await.unwrap().tags(), [tag("owner", "team")]);
    let add = harness.cloud_watch.tag_resource().resource_arn(arn);
    add.tags(tag("owner", ""))
        .tags(tag("stage", "live"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        tags().await.unwrap().tags(),
        [tag("owner", ""), tag("stage", "live")]
    );
    let remove = harness.cloud_watch.untag_resource().resource_arn(arn);
    remove.tag_keys("owner").send().await.unwrap();
    assert_eq!(tags().await.unwrap().tags(), [tag("stage", "live")]);
    let lost = harness.cloud_watch.list_tags_for_resource();
    let lost = lost.resource_arn(format!("{arn}2")).send().await;
    assert!(
        lost.as_ref()
            .unwrap_err()
            .as_service_error()
            .unwrap()
            .is_resource_not_found_exception()
    );
}

#[tokio::test]
async fn the_known_alarms_go_even_if_others_are_unknown() {
    let harness = start(Options::default()).await;
    for name in ["a", "b"] {
        harness.alarm(name, "api").send().await.unwrap();
    }
    let delete = harness.cloud_watch.delete_alarms();
    let delete = delete.alarm_names("a").alarm_names("lost").send().await;
    let error = delete.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found(), "{error:?}");
    assert!(harness.described_alarm("a").await.is_none());
    assert!(harness.described_alarm("b").await.is_some());
    let many = (0..101).map(|n| n.to_string()).collect();
    let delete = harness
        .cloud_watch
        .delete_alarms()
        .set_alarm_names(Some(many));
    assert!(refusal(delete.send().await).starts_with("ValidationError"));
}

#[tokio::test]
async fn alarms_are_found_by_name_prefix_state_and_action_and_come_in_pages() {
    let harness = start(Options::default()).await;
    let topic = |n: usize| format!("arn:aws:sns:us-east-1:111122223333:topic-{n}");
    for n in 0..60 {
        let put = harness.alarm(&format!("cpu-{n:02}"), "api");
        put.alarm_actions(topic(n)).send().await.unwrap();
    }
    harness.alarm("memory", "api").send().await.unwrap();
    let ask = || harness.cloud_watch.describe_alarms();
    let names = (0..60).map(|n| format!("cpu-{n:02}")).collect();
    let page = ask().set_alarm_names(Some(names)).send().await.unwrap();
    assert_eq!(page.metric_alarms().len(), 50, "also with names");
    assert!(page.next_token().is_some());
    let first = ask()
        .alarm_name_prefix("cpu-")
        .max_records(59)
        .send()
        .await
        .unwrap();
    assert_eq!(first.metric_alarms().len(), 59);
    // What is deleted in between moves nothing.
    let delete = harness.cloud_watch.delete_alarms().alarm_names("cpu-00");
    delete.send().await.unwrap();
    let rest = ask()
        .alarm_name_prefix("cpu-")
        .set_next_token(first.next_token().map(str::to_owned));
    let rest = rest.send().await.unwrap();
    assert_eq!(rest.metric_alarms()[0].alarm_name(), Some("cpu-59"));
    assert_eq!((rest.metric_alarms().len(), rest.next_token()), (1, None));
    let by_action = ask().action_prefix(topic(7)).send().await.unwrap();
    assert_eq!(by_action.metric_alarms().len(), 1);
    let by_state = ask().state_value(StateValue::Alarm).send().await.unwrap();
    assert!(by_state.metric_alarms().is_empty());
    let both = ask()
        .alarm_names("memory")
        .alarm_name_prefix("cpu")
        .send()
        .await;
    assert!(refusal(both).starts_with("ValidationError"));
    let forged = ask().next_token("x").send().await;
    assert!(refusal(forged).starts_with("InvalidNextToken"));
    let children = ask().children_of_alarm_name("memory").send().await;
    assert!(refusal(children).starts_with("NotImplementedBySimulator"));
}

#[tokio::test]
async fn three_alarms_a_second_and_cloud_watchs_own_codes() {
    let options = Options {
        quotas: Some(Quotas::default()),
        ..Options::default()
    };
    let harness = start(options).await;
    for n in 0..3 {
        harness.alarm(&n.to_string(), "api").send().await.unwrap();
    }
    let refused = refusal(harness.alarm("3", "api").send().await);
    assert_eq!(refused, "Throttling: Rate exceeded");
    // Another bucket.
    assert!(harness.described_alarm("2").await.is_some());
    harness.advance(1);
    harness.alarm("3", "api").send().await.unwrap();
    harness
        .simulator
        .fault(Fault::next("monitoring:*", FaultKind::Throttle, 1));
    let refused = refusal(harness.alarm("4", "api").send().await);
    assert!(refused.starts_with("Throttling:"), "{refused}");
    harness.simulator.fault(Fault::next(
        "monitoring:DescribeAlarms",
        FaultKind::EmptyPage,
        1,
    ));
    assert!(harness.described_alarm("2").await.is_none());
    assert!(harness.described_alarm("2").await.is_some());
}

#[tokio::test]
async fn a_policy_shows_the_alarms_that_invoke_it() {
    let harness = start(Options::default()).await;
    harness.scalable("api", 1, 4).await;
    let arn = harness
        .step_policy("api", "out", crate::scaling::step(1))
        .await;
    harness
        .alarm("cpu", "api")
        .alarm_actions(&arn)
        .send()
        .await
        .unwrap();
    let asked = harness.scaling.describe_scaling_policies();
    let asked =
        asked.service_namespace(aws_sdk_applicationautoscaling::types::ServiceNamespace::Ecs);
    let found = asked.send().await.unwrap();
    let alarms = found.scaling_policies()[0].alarms();
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].alarm_name(), "cpu");
    assert!(alarms[0].alarm_arn().ends_with(":alarm:cpu"));
}
