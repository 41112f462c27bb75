use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic};
use aws_sim::Options;

use super::{math, stat};
use crate::harness::{Harness, refusal, start};

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_refused() {
    let harness = start(Options::default()).await;
    let put = || harness.alarm("cpu", "api");
    let bare = || harness.bare_alarm("cpu");
    let topics = |n: usize| {
        let topic = "arn:aws:sns:us-east-1:111122223333:topic".to_owned();
        Some(vec![topic; n])
    };
    let long = "x".repeat(256);
    let cases = [
        ("no metric", bare()),
        ("a long name", harness.alarm(&long, "api")),
        ("a control character", harness.alarm("a\nb", "api")),
        ("a period between minutes", put().period(90)),
        ("no statistic", put().set_statistic(None)),
        ("no threshold", put().set_threshold(None)),
        ("no comparison", put().set_comparison_operator(None)),
        ("no evaluation periods", put().set_evaluation_periods(None)),
        ("more datapoints than periods", put().datapoints_to_alarm(4)),
        ("more than a day", put().evaluation_periods(1441)),
        ("six actions", put().set_alarm_actions(topics(6))),
        ("an action that is no ARN", put().ok_actions("topic")),
        (
            "a word for missing data",
            put().treat_missing_data("perhaps"),
        ),
    ];
    for (what, put) in cases {
        let refused = refusal(put.send().await);
        assert!(refused.starts_with("ValidationError"), "{what}: {refused}");
    }
    let both = put().metrics(math("e1", "TIME_SERIES(1)")).send().await;
    assert!(refusal(both).starts_with("InvalidParameterCombination"));
    let unmodelled = [
        (
            "anomaly detection",
            put().comparison_operator(ComparisonOperator::GreaterThanUpperThreshold),
        ),
        ("ten seconds", put().period(10)),
        (
            "a percentile",
            put().set_statistic(None).extended_statistic("p99"),
        ),
    ];
    for (what, put) in unmodelled {
        let refused = refusal(put.send().await);
        assert!(
            refused.starts_with("NotImplementedBySimulator"),
            "{what}: {refused}"
        );
    }
    assert!(harness.described_alarm("cpu").await.is_none());
    // At the edge.
    harness.alarm(&"x".repeat(255), "api").send().await.unwrap();
    let edge = put().evaluation_periods(1440).set_alarm_actions(topics(5));
    edge.statistic(Statistic::Sum).send().await.unwrap();
}

fn two(
    harness: &Harness,
) -> aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder {
    harness
        .bare_alarm("low")
        .metrics(stat("cpu", "CPUUtilization", "api", "Average"))
        .metrics(stat("memory", "MemoryUtilization", "api", "Average"))
}

#[tokio::test]
async fn an_alarm_on_an_expression_is_described_as_it_was_put() {
    let harness = start(Options::default()).await;
    let expression = "IF(cpu < 75 AND memory < 75, 1, 0)";
    let put = two(&harness).metrics(math("low", expression));
    put.send().await.unwrap();
    let alarm = harness.described_alarm("low").await.unwrap();
    assert_eq!(alarm.metrics().len(), 3);
    assert_eq!(alarm.metrics()[2].expression(), Some(expression));
    assert_eq!(alarm.metrics()[2].return_data(), Some(true));
    let stat = alarm.metrics()[1].metric_stat().unwrap();
    assert_eq!((stat.period(), stat.stat()), (Some(60), Some("Average")));
    assert_eq!(alarm.metric_name(), None);
}

#[tokio::test]
async fn an_expression_that_cannot_be_evaluated_is_refused() {
    let harness = start(Options::default()).await;
    let wrong = [
        "cpu +",
        "cpu + lost",
        "low + 1",
        "NOT(cpu)",
        "ANOMALY_DETECTION_BAND(cpu)",
        "SUM(cpu)",
        "METRICS()",
        "[cpu, memory]",
        "METRICS() + METRICS()",
        "METRICS() > 3",
        "FILL(cpu, memory)",
        "IF(METRICS(), 1, 0)",
        "TIME_SERIES(cpu)",
        "1",
    ];
    for expression in wrong {
        let put = two(&harness).metrics(math("low", expression));
        let refused = refusal(put.send().await);
        assert!(
            refused.starts_with("ValidationError"),
            "{expression}: {refused}"
        );
    }
    let cases = [
        (
            "two that return",
            two(&harness)
                .metrics(math("a", "cpu"))
                .metrics(math("b", "cpu")),
        ),
        ("none that returns", two(&harness)),
        (
            "an id in capitals",
            two(&harness).metrics(math("Low", "cpu")),
        ),
        (
            "an id used twice",
            two(&harness).metrics(math("cpu", "memory")),
        ),
        (
            "no metric at all",
            harness
                .bare_alarm("low")
                .metrics(math("low", "TIME_SERIES(1)")),
        ),
    ];
    for (what, put) in cases {
        let refused = refusal(put.send().await);
        assert!(refused.starts_with("ValidationError"), "{what}: {refused}");
    }
}
