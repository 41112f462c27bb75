//! What ECS tells EventBridge of a service. In: the service as it is now, and what was told of it before. Out: events as the ECS developer
//! guide documents them (Amazon ECS events). Pure.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::service::{Rollout, Service};
use super::world::World;
use crate::clock::Moment;

/// What was told of one service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Last and desired status of each task, and how often it was told of.
    tasks: HashMap<String, (&'static str, bool, u64)>,
    deployments: HashMap<String, Rollout>,
    /// Id of the newest entry in the service's own events that was looked at.
    entry: Option<String>,
}

/// A kind of event, and the service's own words for it.
const ACTIONS: [(&str, &str, &str); 2] = [
    ("has reached a steady state", "INFO", "SERVICE_STEADY_STATE"),
    (
        "was unable to place a task",
        "ERROR",
        "SERVICE_TASK_PLACEMENT_FAILURE",
    ),
];

impl World {
    /// Tells of everything about a service that is not as it was told last.
    pub(super) fn tell(&mut self, service: &mut Service, now: Moment) {
        let mut told = std::mem::take(&mut service.told);
        for (id, task) in &service.tasks {
            let status = (task.last_status(now), task.is_stopping());
            let before = told.tasks.get(id).copied();
            if before.map(|(last, stopping, _)| (last, stopping)) == Some(status) {
                continue;
            }
            let version = before.map_or(1, |(_, _, version)| version + 1);
            told.tasks.insert(id.clone(), (status.0, status.1, version));
            let task = task.to_json(now, &service.cluster_arn, &service.name);
            let arn = task["taskArn"].clone();
            let detail = as_event(task, version);
            self.event("ECS Task State Change", &arn, &detail, now);
        }
        told.tasks.retain(|id, _| service.tasks.contains_key(id));
        let arn = json!(service.arn);
        for deployment in service.deployments.iter().rev() {
            let state = deployment.rollout;
            if told.deployments.insert(deployment.id.clone(), state) == Some(state) {
                continue;
            }
            let (kind, name) = match state {
                Rollout::InProgress => ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
                Rollout::Completed => ("INFO", "SERVICE_DEPLOYMENT_COMPLETED"),
                Rollout::Failed => ("ERROR", "SERVICE_DEPLOYMENT_FAILED"),
            };
            // No member names the cluster.
            let detail = json!({
                "eventType": kind, "eventName": name, "deploymentId": deployment.id,
                "updatedAt": written(now), "reason": deployment.reason,
            });
            self.event("ECS Deployment State Change", &arn, &detail, now);
        }
        let deployments = &service.deployments;
        told.deployments
            .retain(|id, _| deployments.iter().any(|one| one.id == *id));
        let newest = service.events.front().map(|(id, _, _)| id.clone());
        let new = service
            .events
            .iter()
            .take_while(|(id, _, _)| told.entry.as_ref() != Some(id));
        for (_, _, words) in new.collect::<Vec<_>>().into_iter().rev() {
            let action = ACTIONS.iter().find(|(text, _, _)| words.contains(text));
            let Some((_, kind, name)) = action else {
                continue;
            };
            let detail = json!({
                "eventType": kind, "eventName": name, "clusterArn": service.cluster_arn,
                "createdAt": written(now),
            });
            self.event("ECS Service Action", &arn, &detail, now);
        }
        told.entry = newest;
        service.told = told;
    }

    fn event(&mut self, kind: &str, resource: &Value, detail: &Value, now: Moment) {
        let event = json!({
            "version": "0", "id": self.ids.uuid(), "detail-type": kind, "source": "aws.ecs",
            "account": self.options.account, "time": written(now), "region": self.options.region,
            "resources": [resource], "detail": detail,
        });
        self.told.push(event);
    }
}

/// A moment as events write it.
fn written(at: Moment) -> String {
    let milliseconds = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(milliseconds)
        .unwrap_or(Timestamp::MAX)
        .to_string()
}

/// A described task as the detail of an event: times are texts, its health is not told.
fn as_event(mut task: Value, version: u64) -> Value {
    if let Some(members) = task.as_object_mut() {
        members.remove("healthStatus");
        for (_, value) in members.iter_mut().filter(|(name, _)| name.ends_with("At")) {
            let since = Duration::from_secs_f64(value.as_f64().unwrap_or_default());
            *value = json!(written(Moment(0) + since));
        }
        members.insert("version".to_owned(), json!(version));
    }
    task
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ecs::upstream_facts::UpstreamFacts;
    use crate::options::Options;

    fn kinds(world: &mut World) -> Vec<String> {
        let told = std::mem::take(&mut world.told);
        let kind = |event: &Value| {
            let detail = &event["detail"];
            let what = detail["lastStatus"]
                .as_str()
                .or(detail["eventName"].as_str());
            what.unwrap_or_default().to_owned()
        };
        told.iter().map(kind).collect()
    }

    #[test]
    fn a_service_is_told_of_from_its_first_task_to_its_last() {
        let mut world = World::new(Options {
            events: true,
            ..Options::default()
        });
        let start = Moment(1_800_000_000_000);
        let call = |world: &mut World, operation: &str, body: Value, now: Moment| {
            let facts = UpstreamFacts::default();
            world.answer(operation, &body, now, "", &facts).unwrap()
        };
        call(
            &mut world,
            "CreateCluster",
            json!({"clusterName": "one"}),
            start,
        );
        let containers = json!([{"name": "app", "image": "app:1", "essential": true}]);
        let family = json!({
            "family": "web", "containerDefinitions": containers, "cpu": "256", "memory": "512",
            "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        });
        call(&mut world, "RegisterTaskDefinition", family, start);
        let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
        let service = json!({
            "cluster": "one", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1,
            "launchType": "FARGATE", "networkConfiguration": network,
        });
        let made = call(&mut world, "CreateService", service, start);
        let first = world.told.first().cloned().unwrap();
        assert_eq!(first["source"], "aws.ecs");
        assert_eq!(first["detail"]["group"], "service:web");
        assert_eq!(first["detail"]["createdAt"], "2027-01-15T08:00:00Z");
        assert_eq!(first["detail"]["clusterArn"], made["service"]["clusterArn"]);
        assert_eq!(
            kinds(&mut world),
            ["PROVISIONING", "SERVICE_DEPLOYMENT_IN_PROGRESS"]
        );
        world.tick(start + Duration::from_mins(5));
        let told = world.told.clone();
        assert_eq!(
            kinds(&mut world),
            [
                "RUNNING",
                "SERVICE_DEPLOYMENT_COMPLETED",
                "SERVICE_STEADY_STATE"
            ]
        );
        // ECS developer guide: service deployment state change events have no clusterArn, service action events do.
        assert_eq!(told[1]["detail"]["clusterArn"], Value::Null);
        assert_eq!(told[1]["resources"], json!([made["service"]["serviceArn"]]));
        assert!(told[2]["detail"]["clusterArn"].is_string());
        let later = start + Duration::from_mins(6);
        world.tick(later);
        assert_eq!(kinds(&mut world), [""; 0], "nothing happened");
        let gone = json!({"cluster": "one", "service": "web", "force": true});
        call(&mut world, "DeleteService", gone, later);
        world.tick(later + Duration::from_mins(5));
        assert_eq!(kinds(&mut world), ["STOPPING", "STOPPED"]);
    }
}
