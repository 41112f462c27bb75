//! ListTasks, DescribeTasks, StopTask. In: request JSON. Out: tasks at the moment. No IO.

use serde_json::{Value, json};

use super::page;
use super::task::{End, Task};
use super::task_secrets::Given;
use super::world::World;
use crate::clock::Moment;
use crate::errors::AwsError;

fn task_id(reference: &Value) -> String {
    let text = reference.as_str().unwrap_or_default();
    text.rsplit('/').next().unwrap_or(text).to_owned()
}

impl World {
    pub(crate) fn list_tasks(&self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let (cluster_name, cluster) = self.cluster(&body["cluster"])?;
        let wanted_service = body["serviceName"]
            .as_str()
            .map(|_| super::read::service_name(&body["serviceName"]));
        if let Some(name) = &wanted_service {
            let known = self
                .services
                .contains_key(&(cluster_name.clone(), name.clone()));
            if !known {
                return Err(AwsError::new(
                    "ServiceNotFoundException",
                    "Service not found.",
                ));
            }
        }
        let stopped = body["desiredStatus"] == json!("STOPPED");
        let pending = body["desiredStatus"] == json!("PENDING");
        let family = body["family"].as_str();
        let started_by = body["startedBy"].as_str();
        let wanted = |task: &&Task| {
            let of_family = |family: &str| {
                task.definition
                    .rsplit(":task-definition/")
                    .next()
                    .and_then(|rest| rest.split(':').next())
                    == Some(family)
            };
            // No task ever has the desired status PENDING (ECS API reference, ListTasks).
            !pending
                && task.is_kept(now)
                && task.is_stopping() == stopped
                && family.is_none_or(of_family)
                && started_by.is_none_or(|by| task.deployment == by)
        };
        let prefix = cluster.arn.replacen(":cluster/", ":task/", 1);
        let arns = self
            .services
            .iter()
            .filter(|((of, name), _)| {
                *of == cluster_name && wanted_service.as_ref().is_none_or(|wanted| wanted == name)
            })
            .flat_map(|(_, service)| service.tasks.values().filter(wanted))
            .map(|task| json!(format!("{prefix}/{}", task.id)))
            .collect();
        page::list(body, arns, "taskArns", 100)
    }

    pub(crate) fn describe_tasks(&self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let (cluster_name, cluster) = self.cluster(&body["cluster"])?;
        let asked = body["tasks"].as_array().cloned().unwrap_or_default();
        if asked.is_empty() || asked.len() > 100 {
            return Err(AwsError::invalid(
                "Tasks must have between 1 and 100 items.",
            ));
        }
        let (mut tasks, mut failures) = (Vec::new(), Vec::new());
        for reference in &asked {
            let id = task_id(reference);
            let service = self
                .task_index
                .get(&id)
                .filter(|(of, _)| *of == cluster_name)
                .and_then(|key| self.services.get(key));
            let found = service.and_then(|service| Some((service, service.tasks.get(&id)?)));
            let found = found.filter(|(_, task)| task.is_kept(now));
            if let Some((service, task)) = found {
                tasks.push(task.to_json(now, &cluster.arn, &service.name));
            } else {
                let prefix = cluster.arn.replacen(":cluster/", ":task/", 1);
                failures.push(json!({"arn": format!("{prefix}/{id}"), "reason": "MISSING"}));
            }
        }
        Ok(json!({"tasks": tasks, "failures": failures}))
    }

    /// What a task was given at its start, by its ARN or id.
    pub(crate) fn given_to(&self, reference: &str) -> Option<&Given> {
        let id = reference.rsplit('/').next().unwrap_or(reference);
        let service = self.services.get(self.task_index.get(id)?)?;
        service.tasks.get(id).map(|task| &task.given)
    }

    pub(crate) fn stop_task(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let (_, cluster) = self.cluster(&body["cluster"])?;
        let id = task_id(&body["task"]);
        let missing = || AwsError::invalid("The referenced task was not found.");
        let key = self.task_index.get(&id).cloned().ok_or_else(missing)?;
        let takes = self.options.timing.task_stop;
        let service = self.services.get_mut(&key).ok_or_else(missing)?;
        let task = service.tasks.get_mut(&id).ok_or_else(missing)?;
        let reason = body["reason"]
            .as_str()
            .unwrap_or("Task stopped by user")
            .to_owned();
        task.begin_stop(
            now,
            End {
                code: "UserInitiated",
                reason,
                exit_code: Some(143),
                container_reason: None,
            },
            takes,
        );
        let answer = json!({"task": task.to_json(now, &cluster.arn, &key.1)});
        self.touch(&key, now);
        Ok(answer)
    }
}
