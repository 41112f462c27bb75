//! The alarms of CloudWatch.

mod alarms;
mod over_time;
mod protocols;
mod rules;

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, Statistic,
};

use crate::harness::{CLUSTER, Harness};

pub(crate) fn dimension(name: &str, value: &str) -> Dimension {
    Dimension::builder().name(name).value(value).build()
}

/// A metric of AWS/ECS of a service in a query of one minute.
pub(crate) fn stat(id: &str, metric: &str, service: &str, statistic: &str) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace("AWS/ECS")
        .metric_name(metric)
        .dimensions(dimension("ClusterName", CLUSTER))
        .dimensions(dimension("ServiceName", service))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(60)
        .stat(statistic);
    MetricDataQuery::builder()
        .id(id)
        .metric_stat(stat.build())
        .return_data(false)
        .build()
}

pub(crate) fn math(id: &str, expression: &str) -> MetricDataQuery {
    MetricDataQuery::builder()
        .id(id)
        .expression(expression)
        .return_data(true)
        .build()
}

impl Harness {
    /// An alarm without a metric: above 80, three minutes out of three.
    pub(crate) fn bare_alarm(&self, name: &str) -> PutMetricAlarmFluentBuilder {
        self.cloud_watch
            .put_metric_alarm()
            .alarm_name(name)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .threshold(80.0)
            .evaluation_periods(3)
    }

    /// The same of a service's average CPU utilization.
    pub(crate) fn alarm(&self, name: &str, service: &str) -> PutMetricAlarmFluentBuilder {
        self.bare_alarm(name)
            .namespace("AWS/ECS")
            .metric_name("CPUUtilization")
            .dimensions(dimension("ClusterName", CLUSTER))
            .dimensions(dimension("ServiceName", service))
            .statistic(Statistic::Average)
            .period(60)
    }

    pub(crate) async fn described_alarm(&self, name: &str) -> Option<MetricAlarm> {
        let asked = self.cloud_watch.describe_alarms().alarm_names(name);
        let found = asked.send().await.unwrap();
        found.metric_alarms().first().cloned()
    }
}
