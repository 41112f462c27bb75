//! The simulated ECS. In: an operation, its JSON, the moment, and what Cloud Map says. Out: the
//! answer or the error. No IO. Invariant: the world is up to date with the moment before and after.

mod breaker;
pub(crate) mod cluster;
mod create;
mod delete;
mod deployment_alarms;
mod deployments_api;
mod launch;
mod page;
mod read;
mod register_rules;
pub(crate) mod registrations;
mod rollout;
mod scale;
pub mod scheduler;
mod service;
mod service_connect;
mod service_deployment;
mod service_rules;
mod shapes;
mod surroundings;
mod tags;
mod task;
mod task_definition;
mod task_secrets;
mod tasks_api;
mod told;
mod turn_back;
mod update;
pub(crate) mod upstream_facts;
pub(crate) mod world;

use serde_json::Value;

use crate::clock::Moment;
use crate::errors::AwsError;
use upstream_facts::UpstreamFacts;
use world::World;

/// Whether a request's `include` names something.
fn includes(body: &Value, what: &str) -> bool {
    body["include"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|item| item == what)
}

impl World {
    /// Answers one ECS operation at `now`.
    pub(crate) fn answer(
        &mut self,
        operation: &str,
        body: &Value,
        now: Moment,
        access_key: &str,
        facts: &UpstreamFacts,
    ) -> Result<Value, AwsError> {
        self.tick(now);
        let known = KNOWN_OPERATIONS.contains(&operation);
        if !known {
            return Err(AwsError::not_implemented(format!("ecs:{operation}")));
        }
        // Names an ECS without service deployments does not know.
        let is_newer =
            operation.contains("ServiceDeployment") || operation.contains("ServiceRevision");
        if is_newer && self.options.hide_service_deployments {
            return Err(AwsError::new(
                "UnknownOperationException",
                "Unknown operation.",
            ));
        }
        let body = &shapes::check(operation, body)?;
        match operation {
            "CreateCluster" => self.create_cluster(body),
            "DeleteCluster" => self.delete_cluster(body),
            "DescribeClusters" => Ok(self.describe_clusters(body)),
            "PutClusterCapacityProviders" => self.put_cluster_capacity_providers(body),
            "RegisterTaskDefinition" => self.register_task_definition(body, now, access_key),
            "DescribeTaskDefinition" => self.describe_task_definition(body),
            "DeregisterTaskDefinition" => self.deregister_task_definition(body, now),
            "ListTaskDefinitions" => self.list_task_definitions(body),
            "CreateService" => self.create_service(body, now, access_key, facts),
            "UpdateService" => self.update_service(body, now, facts),
            "DeleteService" => self.delete_service(body, now),
            "DescribeServices" => self.describe_services(body, now),
            "ListServices" => self.list_services(body, now),
            "TagResource" => self.tag_resource(body),
            "UntagResource" => self.untag_resource(body),
            "ListTagsForResource" => self.list_tags_for_resource(body),
            "ListTasks" => self.list_tasks(body, now),
            "DescribeTasks" => self.describe_tasks(body, now),
            "StopTask" => self.stop_task(body, now),
            "ListServiceDeployments" => self.list_service_deployments(body, now),
            "DescribeServiceDeployments" => self.describe_service_deployments(body, now),
            "DescribeServiceRevisions" => self.describe_service_revisions(body),
            "StopServiceDeployment" => self.stop_service_deployment(body, now),
            _ => Err(AwsError::not_implemented(format!("ecs:{operation}"))),
        }
    }
}

/// Operations the simulator answers; any other is a loud 501.
pub const KNOWN_OPERATIONS: [&str; 23] = [
    "CreateCluster",
    "DeleteCluster",
    "DescribeClusters",
    "PutClusterCapacityProviders",
    "RegisterTaskDefinition",
    "DescribeTaskDefinition",
    "DeregisterTaskDefinition",
    "ListTaskDefinitions",
    "CreateService",
    "UpdateService",
    "DeleteService",
    "DescribeServices",
    "ListServices",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    "ListTasks",
    "DescribeTasks",
    "StopTask",
    "ListServiceDeployments",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "StopServiceDeployment",
];

impl World {
    /// Everything, for tests and people to look at.
    pub(crate) fn state(&self, now: Moment) -> Value {
        let clusters: Vec<&String> = self.clusters.keys().collect();
        let services: Vec<Value> = self
            .services
            .values()
            .map(|service| service.to_json(now, true))
            .collect();
        let tasks: Vec<Value> = self
            .services
            .values()
            .flat_map(|service| {
                let show =
                    |task: &task::Task| task.to_json(now, &service.cluster_arn, &service.name);
                service.tasks.values().map(show).collect::<Vec<_>>()
            })
            .collect();
        let deployments: Vec<Value> = self
            .services
            .values()
            .flat_map(|service| service.history.iter().map(|one| one.to_json(service, now)))
            .collect();
        let definitions: Vec<Value> = self
            .definitions
            .all()
            .map(|(_, one)| serde_json::json!({"arn": one.arn, "active": one.active}))
            .collect();
        serde_json::json!({
            "now": now.seconds(), "clusters": clusters, "services": services, "tasks": tasks,
            "serviceDeployments": deployments, "taskDefinitions": definitions,
            "secrets": self.secrets.state(),
            "scaling": self.scaling_state(), "cloudWatch": self.cloud_watch_state(),
        })
    }

    /// The Service Connect namespace that the service named in an UpdateService has now.
    pub(crate) fn namespace_of(&self, body: &Value) -> Option<String> {
        let key = (
            cluster::name_of(&body["cluster"]),
            read::service_name(&body["service"]),
        );
        let connect = self
            .services
            .get(&key)?
            .spec
            .get("serviceConnectConfiguration")?;
        connect["namespace"].as_str().map(str::to_owned)
    }
}
