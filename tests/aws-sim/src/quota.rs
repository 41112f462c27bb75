//! AWS's published API rates. In: an operation and the time. Out: whether it passes. No IO.
//! Invariant: the buckets and numbers are those of the ECS developer guide, Request throttling.

use std::collections::HashMap;
use std::time::Duration;

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

/// The state of all buckets.
#[derive(Debug)]
pub(crate) struct Limiter {
    quotas: Option<Quotas>,
    levels: HashMap<usize, (f64, Duration)>,
}

impl Limiter {
    pub(crate) fn new(quotas: Option<Quotas>) -> Self {
        Self {
            quotas,
            levels: HashMap::new(),
        }
    }

    /// Whether an ECS operation passes at `now`. A refused call takes no token.
    pub(crate) fn admits(&mut self, operation: &str, now: Duration) -> bool {
        let Some(quotas) = self.quotas else {
            return true;
        };
        let found = BUCKETS
            .iter()
            .enumerate()
            .find(|(_, bucket)| bucket.operations.contains(&operation));
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_burst_and_refills_at_its_rate() {
        let mut limiter = Limiter::new(Some(Quotas::default()));
        let mut pass = |now| limiter.admits("RegisterTaskDefinition", Duration::from_secs(now));
        assert_eq!((0..30).filter(|_| pass(0)).count(), 20);
        assert_eq!((0..30).filter(|_| pass(7)).count(), 7);
    }

    #[test]
    fn register_and_deregister_share_a_bucket() {
        let mut limiter = Limiter::new(Some(Quotas::default()));
        let spent = (0..20).all(|_| limiter.admits("DeregisterTaskDefinition", Duration::ZERO));
        assert!(spent && !limiter.admits("RegisterTaskDefinition", Duration::ZERO));
    }
}
