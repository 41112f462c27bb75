//! A standing load on a service. In: what a test or a person sets. Out: the samples of its running tasks, minute by minute.
//! No IO. Invariant: a service without running tasks has no samples (ECS developer guide, CloudWatch metrics).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::queries::MetricKey;
use crate::clock::Moment;
use crate::ecs::world::{ServiceKey, World};

/// How busy the tasks of a service are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Load {
    /// CPU utilization of each task, in percent; no samples if absent. A task cannot use more than 100.
    pub cpu_percent: Option<f64>,
    /// Memory utilization of each task, in percent; no samples if absent. A task cannot use more than 100.
    pub memory_percent: Option<f64>,
    /// The two percentages are totals, shared by the running tasks: 160 is 80 for each of two.
    pub is_total: bool,
    /// Requests to all tasks in a minute, by discovery name of a Service Connect service that has an application protocol;
    /// other names have no metric.
    pub requests_per_minute: BTreeMap<String, f64>,
}

/// The loads in force: by cluster and service, or by service in any cluster.
pub(crate) type Loads = BTreeMap<(Option<String>, String), Load>;

fn metric(name: &str, dimensions: &[(&str, &str)]) -> MetricKey {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    MetricKey {
        namespace: "AWS/ECS".to_owned(),
        name: name.to_owned(),
        dimensions: dimensions.iter().map(own).collect(),
    }
}

impl World {
    /// Adds the samples of the minute that ends at `end`: one per running task, so that their number is that of the tasks.
    pub(crate) fn emit(&mut self, end: Moment) {
        let loads = &self.cloud_watch.loads;
        if loads.is_empty() {
            return;
        }
        let mut samples = Vec::new();
        for (key, service) in &self.services {
            let anywhere = (None, key.1.clone());
            let here = (Some(key.0.clone()), key.1.clone());
            let Some(load) = loads.get(&here).or_else(|| loads.get(&anywhere)) else {
                continue;
            };
            let running = service.running(end);
            if running > 0 {
                let protocols = self.endpoints.with_protocol(&service.endpoints);
                samples.extend(load.samples(key, running, &protocols));
            }
        }
        let minute = (end.0 / super::MINUTE).saturating_sub(1);
        for (metric, values) in samples {
            self.cloud_watch.metrics.add(metric, minute, &values);
        }
    }
}

impl Load {
    /// The metrics of ECS with the dimensions of its developer guide, CloudWatch metrics.
    fn samples(
        &self,
        (cluster, service): &ServiceKey,
        running: usize,
        discovery_names: &[&str],
    ) -> Vec<(MetricKey, Vec<f64>)> {
        let of_service = [
            ("ClusterName", cluster.as_str()),
            ("ServiceName", service.as_str()),
        ];
        // At most 5,000 tasks.
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let tasks = running as f64;
        let each = |value: f64| vec![value; running];
        let mut samples = vec![(metric("LiveTaskCount", &of_service), vec![tasks])];
        let utilizations = [
            ("CPUUtilization", self.cpu_percent),
            ("MemoryUtilization", self.memory_percent),
        ];
        for (name, percent) in utilizations {
            let Some(percent) = percent else { continue };
            let percent = if self.is_total {
                percent / tasks
            } else {
                percent
            };
            samples.push((metric(name, &of_service), each(percent.clamp(0.0, 100.0))));
        }
        for name in discovery_names {
            let requests = self.requests_per_minute.get(*name).copied();
            // Without a request there is no data point.
            let Some(requests) = requests.filter(|requests| *requests > 0.0) else {
                continue;
            };
            let values = each(requests / tasks);
            let discovery = ("DiscoveryName", *name);
            let [first, second] = of_service;
            let full = metric("RequestCount", &[discovery, first, second]);
            samples.push((metric("RequestCount", &[discovery]), values.clone()));
            samples.push((full, values));
        }
        samples
    }
}
