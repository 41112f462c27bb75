//! Starting a task. In: the revision of a deployment, what surrounds it, and the behaviour set for its
//! image or service. Out: a task whose whole life is decided, if it can be placed. No IO.

use std::time::Duration;

use serde_json::{Value, json};

use super::scheduler::Phase;
use super::service::Service;
use super::surroundings::cut_off_reason;
use super::task::{HealthCheck, Task};
use super::task_secrets::Given;
use super::world::{ServiceKey, World};
use crate::behaviour::Subject;
use crate::clock::Moment;

impl World {
    /// Starts a task of a deployment and returns its id; `None` if there is no capacity for it.
    pub(super) fn start_task(
        &mut self,
        service: &mut Service,
        key: &ServiceKey,
        deployment: &str,
        revision: &str,
        now: Moment,
    ) -> Option<String> {
        let members = service
            .revision(revision)
            .map(|revision| revision.members.clone())?;
        let provider = self.pick_provider(&members);
        // A service with a launch type draws on the same capacity.
        let capacity = provider.as_deref().unwrap_or("FARGATE");
        if !self.surroundings.has_capacity(capacity) {
            return None;
        }
        let arn = members
            .get("taskDefinition")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let definition = self
            .definitions
            .by_arn(arn)
            .map(|found| found.shown.clone());
        let definition = definition.unwrap_or_else(|| json!({}));
        let containers = definition["containerDefinitions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let essential = containers
            .iter()
            .position(|container| container["essential"] != json!(false))
            .unwrap_or_default();
        let essential_index = essential;
        let essential = containers.get(essential).cloned().unwrap_or_default();
        let image = essential["image"].as_str().unwrap_or_default().to_owned();
        let mut behaviour = self
            .behaviours
            .get(&Subject::Service(service.name.clone()))
            .or_else(|| self.behaviours.get(&Subject::Image(image.clone())))
            .unwrap_or(&self.options.default_behaviour)
            .clone();
        // Secrets are read before the image is pulled, and neither through a broken network.
        let mut given = Given::default();
        if self.surroundings.is_cut_off(&members) {
            behaviour.fails_to_start = Some(cut_off_reason(&image));
        } else {
            match self.give(&containers, essential_index, now) {
                Ok(read) => given = read,
                Err(reason) => behaviour.fails_to_start = Some(reason),
            }
        }
        let seconds = |value: &Value, otherwise: u64| {
            Duration::from_secs(value.as_u64().unwrap_or(otherwise))
        };
        let check = essential["healthCheck"].is_object().then(|| HealthCheck {
            interval: seconds(&essential["healthCheck"]["interval"], 30),
            retries: essential["healthCheck"]["retries"]
                .as_u64()
                .and_then(|retries| u32::try_from(retries).ok())
                .unwrap_or(3),
            start_period: seconds(&essential["healthCheck"]["startPeriod"], 0),
        });
        let restart = &essential["restartPolicy"];
        let restarts_after = (restart["enabled"] == json!(true))
            .then(|| seconds(&restart["restartAttemptPeriod"], 300));
        self.addresses += 1;
        let [_, second, third, fourth] = self.addresses.to_be_bytes();
        let id = self.ids.hex32();
        let mut task = Task {
            id: id.clone(),
            deployment: deployment.to_owned(),
            definition: arn.to_owned(),
            capacity_provider: provider,
            ip: format!("10.{second}.{third}.{fourth}"),
            containers: containers
                .iter()
                .map(|container| {
                    let text =
                        |member: &str| container[member].as_str().unwrap_or_default().to_owned();
                    (text("name"), text("image"))
                })
                .collect(),
            essential: essential_index,
            cpu: definition["cpu"].as_str().unwrap_or_default().to_owned(),
            memory: definition["memory"].as_str().unwrap_or_default().to_owned(),
            has_health_check: check.is_some(),
            created: now,
            pending: now,
            running: None,
            healthy: None,
            unhealthy: None,
            ends: None,
            stop: None,
            counted: Phase::Starting,
            registered: false,
            given,
        };
        task.schedule(&behaviour, check, &image, restarts_after);
        self.task_index.insert(id.clone(), key.clone());
        service.tasks.insert(id.clone(), task);
        Some(id)
    }

    /// One of the strategy's providers, by weight. Which one AWS picks for one task is not
    /// documented; `base` is not modelled.
    fn pick_provider(&mut self, members: &serde_json::Map<String, Value>) -> Option<String> {
        let items = members.get("capacityProviderStrategy")?.as_array()?;
        let weight = |item: &Value| item["weight"].as_u64().unwrap_or(0);
        let total: u64 = items.iter().map(weight).sum();
        let mut left = self.ids.next() % total.max(1);
        let chosen = items.iter().find(|item| {
            let here = weight(item);
            let found = left < here;
            left = left.saturating_sub(here);
            found
        });
        chosen.or(items.first())?["capacityProvider"]
            .as_str()
            .map(str::to_owned)
    }
}
