//! Requests per task and minute without a load balancer, as metric math. Pure.
//!
//! Service Connect's proxies publish `RequestCount` once a minute, by discovery name (ECS developer guide, CloudWatch metrics: dimensions
//! DiscoveryName, ServiceName, ClusterName; inbound requests, for ports with an application protocol). A minute without requests has no
//! point, so it is filled with 0; a minute without tasks has no number of tasks, and a division by nothing yields no point.

use super::parts::{Metric, Query, Source};
use std::collections::{BTreeMap, BTreeSet};

/// Namespace of ECS's metrics.
pub(super) const NAMESPACE: &str = "AWS/ECS";
/// Seconds of one point.
pub(super) const MINUTE: i32 = 60;
/// Id of the query that yields requests per task and minute, or its percentage of the threshold.
pub(super) const REQUESTS: &str = "requests";

/// The number of tasks: how many of them reported their CPU in a minute, which each does once (ECS developer guide, CloudWatch metrics:
/// RUNNING task count). Replaceable by `LiveTaskCount` of the same dimensions and its average.
fn tasks(cluster: &str, service: &str) -> Metric {
    Metric {
        statistic: "SampleCount".into(),
        ..utilization("CPUUtilization", cluster, service)
    }
}

/// A metric of the whole service, in percent.
pub(super) fn utilization(name: &str, cluster: &str, service: &str) -> Metric {
    Metric {
        namespace: NAMESPACE.into(),
        name: name.into(),
        dimensions: BTreeMap::from([
            ("ClusterName".into(), cluster.into()),
            ("ServiceName".into(), service.into()),
        ]),
        statistic: "Average".into(),
        period: MINUTE,
    }
}

/// The queries that yield requests per task and minute; as a percentage of a threshold, where one is given. The last of them returns it.
pub(super) fn queries(
    ports: &BTreeSet<String>,
    cluster: &str,
    service: &str,
    percent_of: Option<i32>,
    returns: bool,
) -> Vec<Query> {
    let mut queries = Vec::new();
    let mut filled = Vec::new();
    for (number, port) in (1..).zip(ports) {
        let id = format!("r{number}");
        let mut metric = utilization("RequestCount", cluster, service);
        metric
            .dimensions
            .insert("DiscoveryName".into(), port.clone());
        metric.statistic = "Sum".into();
        filled.push(format!("FILL({id}, 0)"));
        queries.push(Query {
            id,
            source: Source::Metric(metric),
            returns: false,
        });
    }
    let sum = match filled.as_slice() {
        [only] => only.clone(),
        all => format!("({})", all.join(" + ")),
    };
    queries.push(Query {
        id: "tasks".into(),
        source: Source::Metric(tasks(cluster, service)),
        returns: false,
    });
    let expression = match percent_of {
        Some(threshold) => format!("100 * {sum} / tasks / {threshold}"),
        None => format!("{sum} / tasks"),
    };
    queries.push(Query {
        id: REQUESTS.into(),
        source: Source::Expression(expression),
        returns,
    });
    queries
}
