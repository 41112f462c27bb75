//! The API buckets and their published rates. Pure.

use std::collections::BTreeMap;

/// A set of operations that share one rate limit (AWS: ECS developer guide, Request throttling).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// RegisterTaskDefinition and DeregisterTaskDefinition, which AWS counts together; the scarcest.
    TaskDefinitionModify,
    /// DescribeTaskDefinition.
    TaskDefinitionRead,
    /// CreateService, UpdateService, DeleteService; and StopServiceDeployment, whose own rate AWS does not publish.
    ServiceModify,
    /// DescribeServices, ListServices.
    ServiceRead,
    /// DescribeServiceDeployments, ListServiceDeployments.
    ServiceDeploymentRead,
    /// ListTasks, DescribeTasks.
    ClusterResourceRead,
    /// ecs:TagResource, ecs:UntagResource.
    TagModify,
    /// DescribeClusters.
    ClusterRead,
    /// Cloud Map reads.
    CloudMapRead,
    /// Cloud Map writes.
    CloudMapModify,
    /// Secrets Manager reads.
    SecretRead,
    /// Secrets Manager writes.
    SecretModify,
    /// STS.
    Sts,
    /// CloudFormation.
    CloudFormation,
    /// Application Auto Scaling reads.
    AutoScalingRead,
    /// Application Auto Scaling writes.
    AutoScalingModify,
    /// DescribeAlarms.
    AlarmRead,
    /// PutMetricAlarm.
    AlarmModify,
    /// DeleteAlarms.
    AlarmDelete,
    /// Tags of alarms.
    AlarmTags,
    /// SQS: receiving and deleting events.
    EventQueue,
}

impl Bucket {
    /// All buckets.
    pub const ALL: [Self; 21] = [
        Self::TaskDefinitionModify,
        Self::TaskDefinitionRead,
        Self::ServiceModify,
        Self::ServiceRead,
        Self::ServiceDeploymentRead,
        Self::ClusterResourceRead,
        Self::TagModify,
        Self::ClusterRead,
        Self::CloudMapRead,
        Self::CloudMapModify,
        Self::SecretRead,
        Self::SecretModify,
        Self::Sts,
        Self::CloudFormation,
        Self::AutoScalingRead,
        Self::AutoScalingModify,
        Self::AlarmRead,
        Self::AlarmModify,
        Self::AlarmDelete,
        Self::AlarmTags,
        Self::EventQueue,
    ];

    /// The name metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TaskDefinitionModify => "task-definition-modify",
            Self::TaskDefinitionRead => "task-definition-read",
            Self::ServiceModify => "service-modify",
            Self::ServiceRead => "service-read",
            Self::ServiceDeploymentRead => "service-deployment-read",
            Self::ClusterResourceRead => "cluster-resource-read",
            Self::TagModify => "tag-modify",
            Self::ClusterRead => "cluster-read",
            Self::CloudMapRead => "cloud-map-read",
            Self::CloudMapModify => "cloud-map-modify",
            Self::SecretRead => "secret-read",
            Self::SecretModify => "secret-modify",
            Self::Sts => "sts",
            Self::CloudFormation => "cloud-formation",
            Self::AutoScalingRead => "auto-scaling-read",
            Self::AutoScalingModify => "auto-scaling-modify",
            Self::AlarmRead => "alarm-read",
            Self::AlarmModify => "alarm-modify",
            Self::AlarmDelete => "alarm-delete",
            Self::AlarmTags => "alarm-tags",
            Self::EventQueue => "event-queue",
        }
    }
}

/// Rate limit of one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    /// Calls at once after a rest.
    pub burst: f64,
    /// Calls per second, sustained.
    pub rate: f64,
}

/// Rate limits of all buckets of one account and Region.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaTable(BTreeMap<Bucket, Quota>);

impl QuotaTable {
    /// What AWS publishes. ECS: developer guide, Request throttling. The rates of Cloud Map's control plane and of STS are
    /// not published: ten a second is our own, polite choice; so are two a second for CloudFormation, which throttles early, and five
    /// for Application Auto Scaling, which throttles a handful of policies at once. CloudWatch: user guide, Service quotas; its bursts are not
    /// published. Secrets Manager: user guide, Quotas (50 a second for each kind of write; reads may be made far more often than 100 times).
    /// SQS: developer guide, Standard queues (a nearly unlimited number of calls): fifty a second take five hundred events off a queue.
    pub fn published() -> Self {
        let quota = |bucket| match bucket {
            Bucket::TaskDefinitionModify => Quota {
                burst: 20.0,
                rate: 1.0,
            },
            Bucket::TaskDefinitionRead | Bucket::ServiceDeploymentRead | Bucket::ClusterRead => {
                Quota {
                    burst: 50.0,
                    rate: 20.0,
                }
            }
            Bucket::ServiceModify => Quota {
                burst: 50.0,
                rate: 5.0,
            },
            Bucket::ServiceRead | Bucket::ClusterResourceRead => Quota {
                burst: 100.0,
                rate: 20.0,
            },
            Bucket::CloudFormation => Quota {
                burst: 10.0,
                rate: 2.0,
            },
            Bucket::SecretRead => Quota {
                burst: 100.0,
                rate: 100.0,
            },
            Bucket::SecretModify | Bucket::EventQueue => Quota {
                burst: 50.0,
                rate: 50.0,
            },
            Bucket::AutoScalingRead | Bucket::AutoScalingModify => Quota {
                burst: 10.0,
                rate: 5.0,
            },
            Bucket::AlarmRead => Quota {
                burst: 9.0,
                rate: 9.0,
            },
            Bucket::AlarmModify | Bucket::AlarmDelete => Quota {
                burst: 3.0,
                rate: 3.0,
            },
            Bucket::AlarmTags => Quota {
                burst: 20.0,
                rate: 20.0,
            },
            Bucket::TagModify | Bucket::CloudMapRead | Bucket::CloudMapModify | Bucket::Sts => {
                Quota {
                    burst: 20.0,
                    rate: 10.0,
                }
            }
        };
        Self(
            Bucket::ALL
                .into_iter()
                .map(|bucket| (bucket, quota(bucket)))
                .collect(),
        )
    }

    /// The same with every rate multiplied by `rates` and every burst by `bursts` (both above 0).
    #[must_use]
    pub fn scaled(&self, rates: f64, bursts: f64) -> Self {
        let scale = |quota: &Quota| Quota {
            burst: quota.burst * bursts,
            rate: quota.rate * rates,
        };
        Self(
            self.0
                .iter()
                .map(|(bucket, quota)| (*bucket, scale(quota)))
                .collect(),
        )
    }

    /// The part of it that this installation may use (`--quota-share`).
    #[must_use]
    pub fn share(&self, share: f64) -> Self {
        self.scaled(share, share)
    }

    /// The limit of a bucket.
    pub fn get(&self, bucket: Bucket) -> Quota {
        // The table is total by construction; one call a second is the strictest published rate.
        self.0.get(&bucket).copied().unwrap_or(Quota {
            burst: 1.0,
            rate: 1.0,
        })
    }
}

impl Default for QuotaTable {
    fn default() -> Self {
        Self::published()
    }
}
