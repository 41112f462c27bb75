//! AWS's published API rates. In: an operation and the time. Out: whether it passes. No IO.
//! Invariant: the buckets and numbers are those of the ECS developer guide, Request throttling, and of the CloudWatch user
//! guide, CloudWatch service quotas.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use crate::options::Quotas;

/// One bucket: its operations, its capacity in calls, and its refill in calls per second.
struct Bucket {
    service: &'static str,
    operations: &'static [&'static str],
    burst: f64,
    rate: f64,
}

const BUCKETS: [Bucket; 17] = [
    Bucket {
        service: "ecs",
        operations: &["RegisterTaskDefinition", "DeregisterTaskDefinition"],
        burst: 20.0,
        rate: 1.0,
    },
    Bucket {
        service: "ecs",
        operations: &["DeleteTaskDefinitions"],
        burst: 5.0,
        rate: 1.0,
    },
    Bucket {
        service: "ecs",
        operations: &[
            "DescribeTaskDefinition",
            "ListTaskDefinitions",
            "ListTaskDefinitionFamilies",
        ],
        burst: 50.0,
        rate: 20.0,
    },
    Bucket {
        service: "ecs",
        operations: &["CreateService", "UpdateService", "DeleteService"],
        burst: 50.0,
        rate: 5.0,
    },
    Bucket {
        service: "ecs",
        operations: &["DescribeServices", "ListServices"],
        burst: 100.0,
        rate: 20.0,
    },
    Bucket {
        service: "ecs",
        operations: &[
            "DescribeServiceDeployments",
            "ListServiceDeployments",
            "DescribeServiceRevisions",
        ],
        burst: 50.0,
        rate: 20.0,
    },
    Bucket {
        service: "ecs",
        operations: &["ListServicesByNamespace"],
        burst: 10.0,
        rate: 1.0,
    },
    Bucket {
        service: "ecs",
        operations: &["DescribeTasks", "ListTasks"],
        burst: 100.0,
        rate: 20.0,
    },
    Bucket {
        service: "ecs",
        operations: &[
            "RunTask",
            "StopTask",
            "ExecuteCommand",
            "StopServiceDeployment",
        ],
        burst: 100.0,
        rate: 40.0,
    },
    Bucket {
        service: "ecs",
        operations: &["TagResource", "UntagResource"],
        burst: 20.0,
        rate: 10.0,
    },
    Bucket {
        service: "ecs",
        operations: &["ListTagsForResource"],
        burst: 50.0,
        rate: 20.0,
    },
    Bucket {
        service: "ecs",
        operations: &[
            "CreateCluster",
            "DeleteCluster",
            "UpdateCluster",
            "PutClusterCapacityProviders",
        ],
        burst: 20.0,
        rate: 1.0,
    },
    Bucket {
        service: "ecs",
        operations: &["DescribeClusters"],
        burst: 50.0,
        rate: 20.0,
    },
    // CloudWatch publishes no bursts: a second's worth is assumed.
    Bucket {
        service: "monitoring",
        operations: &["PutMetricAlarm"],
        burst: 3.0,
        rate: 3.0,
    },
    Bucket {
        service: "monitoring",
        operations: &["DeleteAlarms"],
        burst: 3.0,
        rate: 3.0,
    },
    Bucket {
        service: "monitoring",
        operations: &["DescribeAlarms"],
        burst: 9.0,
        rate: 9.0,
    },
    Bucket {
        service: "monitoring",
        operations: &["TagResource", "UntagResource", "ListTagsForResource"],
        burst: 20.0,
        rate: 20.0,
    },
];

/// The state of all buckets.
#[derive(Debug)]
pub(crate) struct Limiter {
    quotas: Option<Quotas>,
    /// Whether CloudWatch's alarms are kept here.
    counts_alarms: bool,
    levels: HashMap<usize, (f64, Duration)>,
}

impl Limiter {
    pub(crate) fn new(quotas: Option<Quotas>, counts_alarms: bool) -> Self {
        Self {
            quotas,
            counts_alarms,
            levels: HashMap::new(),
        }
    }

    /// Whether an operation passes at `now`. A refused call takes no token.
    pub(crate) fn admits(&mut self, service: &str, operation: &str, now: Duration) -> bool {
        let Some(quotas) = self.quotas else {
            return true;
        };
        let found = BUCKETS.iter().enumerate().find(|(_, bucket)| {
            bucket.service == service
                && bucket.operations.contains(&operation)
                && (service == "ecs" || self.counts_alarms)
        });
        let Some((index, bucket)) = found else {
            return true;
        };
        let burst = bucket.burst * quotas.burst_factor;
        let (level, at) = self.levels.entry(index).or_insert((burst, now));
        let refill = now.saturating_sub(*at).as_secs_f64() * bucket.rate * quotas.rate_factor;
        *level = (*level + refill).min(burst);
        *at = now;
        let admitted = *level >= 1.0;
        if admitted {
            *level -= 1.0;
        }
        admitted
    }

    /// Whether the calls pass that Application Auto Scaling makes to CloudWatch in the caller's name: two alarms for a
    /// target tracking policy, a look at the alarms of policies that are described.
    pub(crate) fn admits_behind(&mut self, operation: &str, body: &Value, now: Duration) -> bool {
        let tracks = body["TargetTrackingScalingPolicyConfiguration"].is_object();
        let (behind, calls) = match operation {
            "PutScalingPolicy" if tracks => ("PutMetricAlarm", 2),
            "DescribeScalingPolicies" => ("DescribeAlarms", 1),
            _ => return true,
        };
        (0..calls).all(|_| self.admits("monitoring", behind, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_burst_and_refills_at_its_rate() {
        let mut limiter = Limiter::new(Some(Quotas::default()), true);
        let mut pass = |now| {
            let now = Duration::from_secs(now);
            limiter.admits("ecs", "RegisterTaskDefinition", now)
        };
        assert_eq!((0..30).filter(|_| pass(0)).count(), 20);
        assert_eq!((0..30).filter(|_| pass(7)).count(), 7);
    }

    #[test]
    fn register_and_deregister_share_a_bucket() {
        let mut limiter = Limiter::new(Some(Quotas::default()), true);
        let mut pass = |operation| limiter.admits("ecs", operation, Duration::ZERO);
        assert!((0..20).all(|_| pass("DeregisterTaskDefinition")));
        assert!(!pass("RegisterTaskDefinition"));
    }

    #[test]
    fn services_share_no_bucket_and_alarms_count_where_they_are_kept() {
        let passed = |counts_alarms| {
            let mut limiter = Limiter::new(Some(Quotas::default()), counts_alarms);
            let mut pass = |service, operation| limiter.admits(service, operation, Duration::ZERO);
            while pass("ecs", "TagResource") {}
            let alarms = (0..9).filter(|_| pass("monitoring", "PutMetricAlarm"));
            (alarms.count(), pass("monitoring", "TagResource"))
        };
        assert_eq!(passed(true), (3, true));
        assert_eq!(passed(false), (9, true));
    }
}
