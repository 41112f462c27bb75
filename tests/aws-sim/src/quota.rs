//! AWS's published API rates. In: an operation and the time. Out: whether it passes. No IO.
//! Invariant: the buckets and numbers are those of the ECS developer guide, Request throttling, of the AWS General Reference,
//! Secrets Manager quotas, and of the CloudWatch user guide, CloudWatch service quotas.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use crate::options::Quotas;

/// One bucket: its operations, its capacity in calls, and its refill in calls per second.
struct Bucket {
    operations: &'static [&'static str],
    burst: f64,
    rate: f64,
}

const BUCKETS: [Bucket; 13] = [
    Bucket {
        operations: &["RegisterTaskDefinition", "DeregisterTaskDefinition"],
        burst: 20.0,
        rate: 1.0,
    },
    Bucket {
        operations: &["DeleteTaskDefinitions"],
        burst: 5.0,
        rate: 1.0,
    },
    Bucket {
        operations: &[
            "DescribeTaskDefinition",
            "ListTaskDefinitions",
            "ListTaskDefinitionFamilies",
        ],
        burst: 50.0,
        rate: 20.0,
    },
    Bucket {
        operations: &["CreateService", "UpdateService", "DeleteService"],
        burst: 50.0,
        rate: 5.0,
    },
    Bucket {
        operations: &["DescribeServices", "ListServices"],
        burst: 100.0,
        rate: 20.0,
    },
    Bucket {
        operations: &[
            "DescribeServiceDeployments",
            "ListServiceDeployments",
            "DescribeServiceRevisions",
        ],
        burst: 50.0,
        rate: 20.0,
    },
    Bucket {
        operations: &["ListServicesByNamespace"],
        burst: 10.0,
        rate: 1.0,
    },
    Bucket {
        operations: &["DescribeTasks", "ListTasks"],
        burst: 100.0,
        rate: 20.0,
    },
    Bucket {
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
        operations: &["TagResource", "UntagResource"],
        burst: 20.0,
        rate: 10.0,
    },
    Bucket {
        operations: &["ListTagsForResource"],
        burst: 50.0,
        rate: 20.0,
    },
    Bucket {
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
        operations: &["DescribeClusters"],
        burst: 50.0,
        rate: 20.0,
    },
];

/// Published as calls per second without a burst, which is taken to be those of one second.
const fn per_second(operations: &'static [&'static str], rate: f64) -> Bucket {
    Bucket {
        operations,
        burst: rate,
        rate,
    }
}

const SECRETS_MANAGER: [Bucket; 10] = [
    per_second(&["CreateSecret"], 50.0),
    per_second(&["DeleteSecret"], 50.0),
    per_second(&["RestoreSecret"], 50.0),
    per_second(
        &["PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"],
        50.0,
    ),
    per_second(&["TagResource", "UntagResource"], 50.0),
    per_second(&["ListSecrets"], 100.0),
    per_second(&["ListSecretVersionIds"], 50.0),
    per_second(&["BatchGetSecretValue"], 100.0),
    per_second(&["GetSecretValue"], 10_000.0),
    per_second(&["DescribeSecret"], 40_000.0),
];

const CLOUD_WATCH: [Bucket; 4] = [
    per_second(&["PutMetricAlarm"], 3.0),
    per_second(&["DeleteAlarms"], 3.0),
    per_second(&["DescribeAlarms"], 9.0),
    per_second(
        &["TagResource", "UntagResource", "ListTagsForResource"],
        20.0,
    ),
];

/// The buckets of a service that publishes them.
fn buckets(service: &str) -> (&'static str, &'static [Bucket]) {
    match service {
        "ecs" => ("ecs", &BUCKETS),
        "monitoring" => ("monitoring", &CLOUD_WATCH),
        "secretsmanager" => ("secretsmanager", &SECRETS_MANAGER),
        _ => ("", &[]),
    }
}

/// The state of all buckets.
#[derive(Debug)]
pub(crate) struct Limiter {
    quotas: Option<Quotas>,
    /// Whether CloudWatch's alarms are kept here.
    counts_alarms: bool,
    /// By service and place among its buckets.
    levels: HashMap<(&'static str, usize), (f64, Duration)>,
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
        if service == "monitoring" && !self.counts_alarms {
            return true;
        }
        let (service, buckets) = buckets(service);
        let found = buckets
            .iter()
            .enumerate()
            .find(|(_, bucket)| bucket.operations.contains(&operation));
        let Some((index, bucket)) = found else {
            return true;
        };
        let burst = bucket.burst * quotas.burst_factor;
        let (level, at) = self.levels.entry((service, index)).or_insert((burst, now));
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
        let mut pass =
            |now| limiter.admits("ecs", "RegisterTaskDefinition", Duration::from_secs(now));
        assert_eq!((0..30).filter(|_| pass(0)).count(), 20);
        assert_eq!((0..30).filter(|_| pass(7)).count(), 7);
    }

    #[test]
    fn register_and_deregister_share_a_bucket() {
        let mut limiter = Limiter::new(Some(Quotas::default()), true);
        let mut pass = |operation| limiter.admits("ecs", operation, Duration::ZERO);
        let spent = (0..20).all(|_| pass("DeregisterTaskDefinition"));
        assert!(spent && !pass("RegisterTaskDefinition"));
    }

    #[test]
    fn services_share_names_of_operations_and_no_bucket() {
        let mut limiter = Limiter::new(Some(Quotas::default()), true);
        let mut pass = |service| limiter.admits(service, "TagResource", Duration::ZERO);
        assert_eq!((0..60).filter(|_| pass("ecs")).count(), 20);
        assert_eq!((0..60).filter(|_| pass("secretsmanager")).count(), 50);
        assert_eq!((0..60).filter(|_| pass("logs")).count(), 60);
    }

    #[test]
    fn alarms_count_where_they_are_kept() {
        let passed = |counts_alarms| {
            let mut limiter = Limiter::new(Some(Quotas::default()), counts_alarms);
            let mut pass = |operation| limiter.admits("monitoring", operation, Duration::ZERO);
            (0..9).filter(|_| pass("PutMetricAlarm")).count()
        };
        assert_eq!((passed(true), passed(false)), (3, 9));
    }
}
