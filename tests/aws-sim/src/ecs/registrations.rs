//! The instances that tasks are in Cloud Map. In: a service and the moment. Out: registrations for the
//! outbox. No IO. Invariant: a task is registered exactly while it serves.

use std::collections::BTreeMap;

use serde_json::Value;

use super::service::Service;
use super::world::World;
use crate::clock::Moment;

/// A change of a Cloud Map service's instances that follows from a task's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) cloud_map_service: String,
    pub(crate) instance: String,
    /// The key that created the ECS service: the stand-in keeps accounts apart by it.
    pub(crate) access_key: Option<String>,
    /// The attributes of the instance; `None` removes it.
    pub(crate) attributes: Option<BTreeMap<String, String>>,
}

impl World {
    /// Keeps the instances of the service's Cloud Map registry equal to the tasks that serve.
    pub(super) fn register_instances(&mut self, service: &mut Service, now: Moment) -> bool {
        let mut changed = false;
        let mut registrations = Vec::new();
        for task in service.tasks.values() {
            let serves = !task.is_stopping() && task.serves_from().is_some_and(|from| from <= now);
            if serves == task.registered {
                continue;
            }
            let deployment = service.deployments.iter().find(|d| d.id == task.deployment);
            let members = deployment
                .and_then(|deployment| service.revision(&deployment.revision))
                .map_or(&service.spec, |revision| &revision.members);
            let registries = members.get("serviceRegistries").and_then(Value::as_array);
            for registry in registries.into_iter().flatten() {
                let arn = registry["registryArn"].as_str().unwrap_or_default();
                let attributes = BTreeMap::from([
                    ("AWS_INSTANCE_IPV4".to_owned(), task.ip.clone()),
                    ("AWS_INIT_HEALTH_STATUS".to_owned(), "HEALTHY".to_owned()),
                    ("ECS_SERVICE_NAME".to_owned(), service.name.clone()),
                    ("REGION".to_owned(), self.options.region.clone()),
                ]);
                registrations.push(Registration {
                    cloud_map_service: arn.rsplit('/').next().unwrap_or_default().to_owned(),
                    instance: task.id.clone(),
                    access_key: service.access_key.clone(),
                    attributes: serves.then_some(attributes),
                });
            }
            changed = true;
        }
        for task in service.tasks.values_mut() {
            task.registered =
                !task.is_stopping() && task.serves_from().is_some_and(|from| from <= now);
        }
        // Without a Cloud Map behind there is nobody to tell.
        if self.options.upstream.is_some() {
            self.outbox.append(&mut registrations);
        }
        changed
    }
}
