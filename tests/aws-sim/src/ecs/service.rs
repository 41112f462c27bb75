//! One ECS service and its records. In: values the operations store. Out: its JSON as
//! DescribeServices shows it. Pure. Invariant: `deployments[0]` is the PRIMARY one, and every
//! deployment names a revision of this service.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::scheduler::Limits;
use super::service_deployment::ServiceDeployment;
use super::task::Task;
use super::told::Told;
use super::turn_back::TurnBack;
use crate::clock::Moment;

/// Events kept and shown per service (ECS API reference, Service).
const EVENTS_KEPT: usize = 100;

/// Members of a service that belong to no revision.
pub(crate) const SETTING_MEMBERS: [&str; 9] = [
    "deploymentConfiguration",
    "availabilityZoneRebalancing",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "placementConstraints",
    "placementStrategy",
    "loadBalancers",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Draining,
    Inactive,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Active => "ACTIVE",
            Status::Draining => "DRAINING",
            Status::Inactive => "INACTIVE",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) revision: String,
    /// ARN of its service deployment.
    pub(crate) record: String,
    pub(crate) rollout: Rollout,
    pub(crate) reason: String,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
    /// Failed starts in a row.
    pub(crate) failed_tasks: u32,
    /// No start before this moment.
    pub(crate) not_before: Moment,
    pub(crate) is_rollback: bool,
    /// When its bake time ends; set once its tasks are first healthy.
    pub(crate) baked: Option<Moment>,
    pub(crate) turn_back: Option<TurnBack>,
}

#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) arn: String,
    pub(crate) created: Moment,
    pub(crate) members: Map<String, Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) cluster_arn: String,
    pub(crate) status: Status,
    pub(crate) created: Moment,
    pub(crate) visible: Moment,
    pub(crate) deleted: Option<Moment>,
    pub(crate) inactive: Option<Moment>,
    pub(crate) desired: u32,
    /// The members of the newest revision asked for.
    pub(crate) spec: Map<String, Value>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) revisions: Vec<Revision>,
    /// Service deployments, oldest first.
    pub(crate) history: Vec<ServiceDeployment>,
    /// The revision a rollback returns to.
    pub(crate) last_completed: Option<String>,
    pub(crate) tasks: BTreeMap<String, Task>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) events: VecDeque<(String, Moment, String)>,
    /// What EventBridge was told.
    pub(crate) told: Told,
    /// No attempt to place a task before this moment, after one for which there was no capacity.
    pub(crate) unplaced_until: Option<Moment>,
    /// What readers see until a moment because an update has not reached them.
    pub(crate) shown_before: VecDeque<(Moment, Value)>,
    pub(crate) next_wake: Option<Moment>,
    /// Service Connect endpoints held: (namespace, discovery name).
    pub(crate) endpoints: Vec<(String, String)>,
    /// The key that created it.
    pub(crate) access_key: Option<String>,
}

impl Service {
    pub(crate) fn limits(&self) -> Limits {
        let configuration = &self.settings["deploymentConfiguration"];
        let percent = |member: &str, otherwise: u32| {
            configuration[member]
                .as_u64()
                .and_then(|v| u32::try_from(v).ok())
                .unwrap_or(otherwise)
        };
        Limits {
            desired: self.desired,
            minimum_percent: percent("minimumHealthyPercent", 100),
            maximum_percent: percent("maximumPercent", 200),
        }
    }

    pub(crate) fn primary(&self) -> Option<&Deployment> {
        self.deployments.first()
    }

    pub(crate) fn revision(&self, arn: &str) -> Option<&Revision> {
        self.revisions.iter().find(|revision| revision.arn == arn)
    }

    pub(crate) fn record(&mut self, arn: &str) -> Option<&mut ServiceDeployment> {
        self.history
            .iter_mut()
            .find(|deployment| deployment.arn == arn)
    }

    pub(crate) fn say(&mut self, id: String, now: Moment, text: &str) {
        self.events
            .push_front((id, now, format!("(service {}) {text}", self.name)));
        self.events.truncate(EVENTS_KEPT);
    }

    /// Whether a reader sees it at all.
    pub(crate) fn is_visible(&self, now: Moment, kept: Duration) -> bool {
        self.visible <= now && self.inactive.is_none_or(|at| now < at + kept)
    }

    /// The service deployment that readers are pointed to.
    pub(crate) fn current_record(&self, even_if_finished: bool) -> Option<&ServiceDeployment> {
        let newest = self.history.last();
        newest.filter(|newest| even_if_finished || newest.is_open())
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Task) -> bool) -> usize {
        self.tasks.values().filter(|task| wanted(task)).count()
    }

    /// Members that both the service and a deployment show of a revision.
    fn shown(members: &Map<String, Value>) -> Map<String, Value> {
        let mut shown = Map::new();
        for (member, value) in members {
            if !matches!(
                member.as_str(),
                "serviceConnectConfiguration"
                    | "serviceRegistries"
                    | "loadBalancers"
                    | "monitoring"
            ) {
                shown.insert(member.clone(), value.clone());
            }
        }
        shown.insert("platformFamily".to_owned(), json!("Linux"));
        shown
    }

    fn deployment_json(&self, index: usize, deployment: &Deployment, now: Moment) -> Value {
        let empty = Map::new();
        let members = self
            .revision(&deployment.revision)
            .map_or(&empty, |r| &r.members);
        let mine = |task: &Task| task.deployment == deployment.id;
        let mut shown = Self::shown(members);
        let desired = if index == 0 {
            self.desired as usize
        } else {
            self.count(|task| mine(task) && !task.is_stopping())
        };
        let state = json!({
            "id": deployment.id,
            "status": if index == 0 { "PRIMARY" } else { "ACTIVE" },
            "desiredCount": desired,
            "runningCount": self.count(|task| mine(task) && task.is_running(now)),
            "pendingCount": self.count(|task| mine(task) && task.is_pending(now)),
            "failedTasks": deployment.failed_tasks,
            "createdAt": deployment.created.seconds(),
            "updatedAt": deployment.updated.seconds(),
            "rolloutState": match deployment.rollout {
                Rollout::InProgress => "IN_PROGRESS",
                Rollout::Completed => "COMPLETED",
                Rollout::Failed => "FAILED",
            },
            "rolloutStateReason": deployment.reason,
        });
        if let Value::Object(state) = state {
            shown.extend(state);
        }
        if let Some(connect) = members.get("serviceConnectConfiguration") {
            shown.insert("serviceConnectConfiguration".to_owned(), connect.clone());
            let resources = connect["services"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|service| {
                    let name = service["discoveryName"].as_str().unwrap_or_default();
                    json!({"discoveryName": name, "discoveryArn": self.discovery_arn(name)})
                })
                .collect::<Vec<_>>();
            shown.insert("serviceConnectResources".to_owned(), json!(resources));
        }
        Value::Object(shown)
    }

    /// A revision with the tasks that run it now, whichever deployment started them.
    pub(crate) fn revision_json(&self, revision: &str, now: Moment) -> Value {
        let of = |task: &Task| {
            self.deployments
                .iter()
                .any(|one| one.revision == revision && one.id == task.deployment)
        };
        json!({
            "arn": revision,
            "requestedTaskCount": self.count(|task| of(task) && !task.is_stopping()),
            "runningTaskCount": self.count(|task| of(task) && task.is_running(now)),
            "pendingTaskCount": self.count(|task| of(task) && task.is_pending(now)),
        })
    }

    /// The ARN of the Cloud Map service that Service Connect keeps for an endpoint. It is derived,
    /// not created: the simulator's Service Connect does not write to Cloud Map.
    pub(crate) fn discovery_arn(&self, discovery_name: &str) -> String {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(format!("{}/{discovery_name}", self.arn));
        let id = digest
            .iter()
            .take(8)
            .fold(0_u64, |id, byte| (id << 8) | u64::from(*byte));
        let base = self.arn.replacen(":ecs:", ":servicediscovery:", 1);
        let prefix = base.split(":service/").next().unwrap_or_default();
        format!("{prefix}:service/srv-{id:016x}")
    }

    pub(crate) fn to_json(&self, now: Moment, with_tags: bool) -> Value {
        let mut shown = Self::shown(&self.spec);
        shown.extend(self.settings.clone());
        shown.insert(
            "serviceRegistries".to_owned(),
            self.spec
                .get("serviceRegistries")
                .cloned()
                .unwrap_or_else(|| json!([])),
        );
        let deployments = self
            .deployments
            .iter()
            .enumerate()
            .map(|(index, deployment)| self.deployment_json(index, deployment, now))
            .collect::<Vec<_>>();
        let events = self
            .events
            .iter()
            .map(|(id, at, text)| json!({"id": id, "createdAt": at.seconds(), "message": text}))
            .collect::<Vec<_>>();
        let mut revisions: Vec<&str> = Vec::new();
        for deployment in &self.deployments {
            if !revisions.contains(&deployment.revision.as_str()) {
                revisions.push(&deployment.revision);
            }
        }
        let current = revisions
            .into_iter()
            .map(|revision| self.revision_json(revision, now))
            .collect::<Vec<_>>();
        let state = json!({
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": self.cluster_arn,
            "status": self.status.as_str(),
            "desiredCount": self.desired,
            "runningCount": self.count(|task| task.is_running(now)),
            "pendingCount": self.count(|task| task.is_pending(now)),
            "deployments": deployments,
            "events": events,
            "createdAt": self.created.seconds(),
            "currentServiceRevisions": current,
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "resourceManagementType": "CUSTOMER",
            "createdBy": self.cluster_arn.replacen(":ecs:", ":iam:", 1)
                .split(":cluster/").next().map(|prefix| format!("{prefix}:root")),
        });
        if let Value::Object(state) = state {
            shown.extend(state);
        }
        if let Some(current) = self.current_record(true) {
            shown.insert("currentServiceDeployment".to_owned(), json!(current.arn));
        }
        if with_tags {
            shown.insert("tags".to_owned(), super::tags::to_json(&self.tags));
        }
        Value::Object(shown)
    }
}
