//! UpdateService. In: request JSON. Out: the changed service, with a new deployment where AWS starts
//! one. No IO. Invariants: absent members keep their value, `[]` removes, a refused request changes
//! nothing.

use serde_json::{Value, json};

use super::service::{SETTING_MEMBERS, Status};
use super::world::World;
use super::{create, rollout, service_rules, upstream_facts::UpstreamFacts};
use crate::clock::Moment;
use crate::errors::AwsError;
use crate::options::CurrentDeployment;

/// Members whose change starts a deployment by itself (ECS API reference, UpdateService).
const STARTS_DEPLOYMENT: [&str; 5] = [
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "serviceRegistries",
    "serviceConnectConfiguration",
];

const MUST_FORCE: &str = "When switching from launch type to capacity provider strategy on an \
    existing service, or making a change to a capacity provider strategy on a service that is already \
    using one, you must force a new deployment.";

impl World {
    pub(crate) fn update_service(
        &mut self,
        body: &Value,
        now: Moment,
        facts: &UpstreamFacts,
    ) -> Result<Value, AwsError> {
        let (cluster_name, cluster) = self.cluster(&body["cluster"])?;
        let key = (cluster_name, super::read::service_name(&body["service"]));
        let missing = || AwsError::new("ServiceNotFoundException", "Service not found.");
        let service = self.services.get(&key).ok_or_else(missing)?;
        if service.status == Status::Inactive
            && !service.is_visible(now, self.options.timing.inactive_kept)
        {
            return Err(missing());
        }
        if service.status != Status::Active {
            return Err(AwsError::new(
                "ServiceNotActiveException",
                "Service was not ACTIVE.",
            ));
        }
        service_rules::refuse_unmodelled(body)?;
        if !body["loadBalancers"].is_null() {
            return Err(AwsError::not_implemented("ecs: updating loadBalancers"));
        }
        let forced = body["forceNewDeployment"] == json!(true);
        let desired = create::desired_count(&body["desiredCount"])?.unwrap_or(service.desired);
        let mut spec = service.spec.clone();
        let mut settings = service.settings.clone();

        let reference = match &body["taskDefinition"] {
            Value::Null => spec.get("taskDefinition").cloned().unwrap_or_default(),
            given => given.clone(),
        };
        // A service keeps running an INACTIVE revision; only naming one afresh is refused.
        let definition = if body["taskDefinition"].is_null() {
            self.definitions
                .find(reference.as_str().unwrap_or_default())
                .cloned()
        } else {
            Some(self.usable_definition(&reference)?)
        };
        if let Some(definition) = &definition {
            spec.insert("taskDefinition".to_owned(), json!(definition.arn));
        }
        if !body["networkConfiguration"].is_null() {
            let network = service_rules::network(&body["networkConfiguration"])?;
            facts.check_subnets()?;
            spec.insert("networkConfiguration".to_owned(), network);
        }
        if !body["platformVersion"].is_null() {
            spec.insert(
                "platformVersion".to_owned(),
                body["platformVersion"].clone(),
            );
        }
        if !body["serviceRegistries"].is_null() {
            facts.check_registries(&body["serviceRegistries"])?;
            spec.insert(
                "serviceRegistries".to_owned(),
                body["serviceRegistries"].clone(),
            );
        }
        if !body["monitoring"].is_null() {
            spec.insert("monitoring".to_owned(), body["monitoring"].clone());
        }
        let asked = &body["capacityProviderStrategy"];
        if asked.is_array() {
            let strategy = service_rules::strategy(asked, &cluster)?;
            let before = spec
                .remove("capacityProviderStrategy")
                .unwrap_or_else(|| json!([]));
            let changes = service_rules::canonical(&before) != service_rules::canonical(&strategy);
            if changes && !forced {
                return Err(AwsError::invalid(MUST_FORCE));
            }
            if strategy.as_array().is_some_and(Vec::is_empty) {
                spec.insert("launchType".to_owned(), json!("FARGATE"));
            } else {
                spec.remove("launchType");
                spec.insert("capacityProviderStrategy".to_owned(), strategy);
            }
        }
        // The configuration in force must fit the task definition that will run, also when only
        // the latter changes.
        let connect = match &body["serviceConnectConfiguration"] {
            Value::Null => spec
                .get("serviceConnectConfiguration")
                .cloned()
                .unwrap_or_default(),
            given => given.clone(),
        };
        let shown = definition
            .as_ref()
            .map_or(Value::Null, |definition| definition.shown.clone());
        let connect =
            if body["serviceConnectConfiguration"].is_null() && body["taskDefinition"].is_null() {
                None
            } else {
                let checked = self
                    .endpoints
                    .check(&connect, &shown, &service.arn, facts)?;
                match &checked {
                    Some(checked) => {
                        let shown = checked.configuration.clone();
                        spec.insert("serviceConnectConfiguration".to_owned(), shown);
                    }
                    None => {
                        spec.remove("serviceConnectConfiguration");
                    }
                }
                checked
            };
        service_rules::exec(
            settings_after(&settings, body, "enableExecuteCommand"),
            &shown,
        )?;
        for member in SETTING_MEMBERS {
            if member != "deploymentConfiguration" && !body[member].is_null() {
                settings.insert(member.to_owned(), body[member].clone());
            }
        }
        let rebalancing = settings
            .get("availabilityZoneRebalancing")
            .and_then(Value::as_str);
        let configuration = service_rules::deployment_configuration(
            &body["deploymentConfiguration"],
            settings.get("deploymentConfiguration"),
            rebalancing.unwrap_or("DISABLED"),
        )?;
        settings.insert("deploymentConfiguration".to_owned(), configuration);

        let changes = STARTS_DEPLOYMENT.iter().any(|member| {
            let value = |of: &serde_json::Map<String, Value>| {
                service_rules::canonical(of.get(*member).unwrap_or(&Value::Null))
            };
            value(&spec) != value(&service.spec)
        });
        // A deployment names the revision afresh (ECS API reference, DeregisterTaskDefinition).
        if changes || forced {
            self.usable_definition(spec.get("taskDefinition").unwrap_or(&Value::Null))?;
        }
        let lag = self.options.update_lag;
        let before = (!lag.is_zero()).then(|| (now + lag, self.service_json(service, now, true)));
        let arn = service.arn.clone();
        let taken = connect.map(|connect| self.endpoints.take(&arn, &connect));
        let service = self.services.get_mut(&key).ok_or_else(missing)?;
        if let Some(taken) = taken {
            service.endpoints = taken;
        }
        service.shown_before.retain(|(until, _)| *until > now);
        service.shown_before.extend(before);
        service.spec = spec;
        service.settings = settings;
        service.desired = desired;
        if changes || forced {
            let in_alarm = &self.surroundings.in_alarm;
            rollout::begin(service, now, &mut self.ids, in_alarm);
        }
        let service = self.services.get(&key).ok_or_else(missing)?;
        let mut answer = self.service_json(service, now, true);
        if self.options.current_deployment == CurrentDeployment::NotInAnswers
            && let Some(shown) = answer.as_object_mut()
        {
            shown.remove("currentServiceDeployment");
        }
        self.touch(&key, now);
        Ok(json!({"service": answer}))
    }
}

/// A setting as it will be after the update.
fn settings_after<'a>(
    before: &'a serde_json::Map<String, Value>,
    body: &'a Value,
    member: &str,
) -> &'a Value {
    match &body[member] {
        Value::Null => before.get(member).unwrap_or(&Value::Null),
        given => given,
    }
}
