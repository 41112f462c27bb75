//! CloudWatch alarms. Pure.

use super::alarm_tags;
use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmInputBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric as CwMetric, MetricAlarm, MetricDataQuery, MetricStat,
    Statistic,
};
use privateservice_core::scaling::{
    Alarm, Comparison, Decimal, Metric, ObservedAlarm, Query, Source, Watched,
};
use std::collections::BTreeMap;

/// An alarm, for AWS.
pub(crate) fn put_alarm(
    name: &str,
    alarm: &Alarm,
    policy_arn: &str,
    tags: &BTreeMap<String, String>,
) -> PutMetricAlarmInputBuilder {
    let input = PutMetricAlarmInputBuilder::default()
        .alarm_name(name)
        .alarm_description(
            "Made by privateservice-operator, which puts it back when it is changed.",
        )
        .actions_enabled(alarm.enabled)
        .alarm_actions(policy_arn)
        .comparison_operator(operator(alarm.comparison))
        .threshold(alarm.threshold.as_f64())
        .evaluation_periods(alarm.periods)
        .datapoints_to_alarm(alarm.datapoints)
        .treat_missing_data(&alarm.missing)
        .set_tags(Some(alarm_tags(tags)));
    match &alarm.watched {
        Watched::Metric(metric) => input
            .namespace(&metric.namespace)
            .metric_name(&metric.name)
            .set_dimensions(Some(dimensions(metric)))
            .statistic(Statistic::from(metric.statistic.as_str()))
            .period(metric.period),
        Watched::Queries(queries) => {
            input.set_metrics(Some(queries.iter().map(data_query).collect()))
        }
    }
}

fn operator(comparison: Comparison) -> ComparisonOperator {
    match comparison {
        Comparison::Above => ComparisonOperator::GreaterThanThreshold,
        Comparison::AtLeast => ComparisonOperator::GreaterThanOrEqualToThreshold,
        // `Other` is never wanted.
        Comparison::Below | Comparison::Other => ComparisonOperator::LessThanThreshold,
    }
}

fn dimensions(metric: &Metric) -> Vec<Dimension> {
    metric
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(name).value(value).build())
        .collect()
}

fn data_query(query: &Query) -> MetricDataQuery {
    let builder = MetricDataQuery::builder()
        .id(&query.id)
        .return_data(query.returns);
    match &query.source {
        Source::Expression(expression) => builder.expression(expression),
        Source::Metric(metric) => builder.metric_stat(
            MetricStat::builder()
                .metric(
                    CwMetric::builder()
                        .namespace(&metric.namespace)
                        .metric_name(&metric.name)
                        .set_dimensions(Some(dimensions(metric)))
                        .build(),
                )
                .period(metric.period)
                .stat(&metric.statistic)
                .build(),
        ),
    }
    .build()
}

/// An alarm as AWS shows it; `None` without a name or an ARN.
pub(crate) fn observed_alarm(found: &MetricAlarm) -> Option<(String, ObservedAlarm)> {
    let watched = if found.metrics().is_empty() {
        Watched::Metric(Metric {
            namespace: found.namespace().unwrap_or_default().to_owned(),
            name: found.metric_name().unwrap_or_default().to_owned(),
            dimensions: from_dimensions(found.dimensions()),
            statistic: found
                .statistic()
                .map(Statistic::as_str)
                .or(found.extended_statistic())
                .unwrap_or_default()
                .to_owned(),
            period: found.period().unwrap_or_default(),
        })
    } else {
        let mut queries: Vec<Query> = found.metrics().iter().map(query).collect();
        queries.sort();
        Watched::Queries(queries)
    };
    let comparison = match found.comparison_operator() {
        Some(ComparisonOperator::GreaterThanThreshold) => Comparison::Above,
        Some(ComparisonOperator::GreaterThanOrEqualToThreshold) => Comparison::AtLeast,
        Some(ComparisonOperator::LessThanThreshold) => Comparison::Below,
        _ => Comparison::Other,
    };
    let periods = found.evaluation_periods().unwrap_or_default();
    let alarm = ObservedAlarm {
        arn: found.alarm_arn()?.to_owned(),
        alarm: Alarm {
            watched,
            comparison,
            threshold: Decimal::near(found.threshold().unwrap_or_default()),
            periods,
            // AWS: PutMetricAlarm, DatapointsToAlarm: all of them where it is absent.
            datapoints: found.datapoints_to_alarm().unwrap_or(periods),
            // AWS: PutMetricAlarm, TreatMissingData: missing where it is absent.
            missing: found.treat_missing_data().unwrap_or("missing").to_owned(),
            enabled: found.actions_enabled().unwrap_or(true),
        },
        calls: found.alarm_actions().to_vec(),
    };
    Some((found.alarm_name()?.to_owned(), alarm))
}

fn query(found: &MetricDataQuery) -> Query {
    let source = match (found.expression(), found.metric_stat()) {
        (Some(expression), _) => Source::Expression(expression.to_owned()),
        (None, stat) => {
            let metric = stat.and_then(MetricStat::metric);
            Source::Metric(Metric {
                namespace: metric
                    .and_then(CwMetric::namespace)
                    .unwrap_or_default()
                    .to_owned(),
                name: metric
                    .and_then(CwMetric::metric_name)
                    .unwrap_or_default()
                    .to_owned(),
                dimensions: from_dimensions(metric.map(CwMetric::dimensions).unwrap_or_default()),
                statistic: stat
                    .and_then(MetricStat::stat)
                    .unwrap_or_default()
                    .to_owned(),
                period: stat.and_then(MetricStat::period).unwrap_or_default(),
            })
        }
    };
    Query {
        id: found.id().unwrap_or_default().to_owned(),
        source,
        // AWS: MetricDataQuery, ReturnData: true where it is absent.
        returns: found.return_data().unwrap_or(true),
    }
}

fn from_dimensions(found: &[Dimension]) -> BTreeMap<String, String> {
    found
        .iter()
        .filter_map(|one| Some((one.name()?.to_owned(), one.value()?.to_owned())))
        .collect()
}
