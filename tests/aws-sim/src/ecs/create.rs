//! CreateService. In: request JSON. Out: a new service with its first deployment, or the service that
//! the same token made before. No IO. Invariant: a refused request changes nothing.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use super::service::{Service, Status};
use super::told::Told;
use super::world::{UsedToken, World};
use super::{rollout, service_rules, tags, upstream_facts::UpstreamFacts};
use crate::clock::Moment;
use crate::errors::AwsError;

/// Tasks of one service (AWS General Reference, ECS service quotas).
pub(crate) const TASKS_PER_SERVICE: i64 = 5000;

pub(crate) fn desired_count(value: &Value) -> Result<Option<u32>, AwsError> {
    match value.as_i64() {
        None => Ok(None),
        Some(count) => u32::try_from(count)
            .ok()
            .filter(|_| count <= TASKS_PER_SERVICE)
            .map(Some)
            .ok_or_else(|| AwsError::invalid("desiredCount must be between 0 and 5000.")),
    }
}

impl World {
    pub(crate) fn create_service(
        &mut self,
        body: &Value,
        now: Moment,
        access_key: &str,
        facts: &UpstreamFacts,
    ) -> Result<Value, AwsError> {
        let (cluster_name, cluster) = self.cluster(&body["cluster"])?;
        let name = body["serviceName"].as_str().unwrap_or_default().to_owned();
        let well_formed = (1..=255).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if !well_formed {
            return Err(AwsError::invalid("Invalid service name."));
        }
        let key = (cluster_name.clone(), name.clone());
        let token = body["clientToken"].as_str().map(str::to_owned);
        if token
            .as_ref()
            .is_some_and(|token| token.len() > 36 || !token.is_ascii())
        {
            return Err(AwsError::invalid(
                "clientToken must be at most 36 ASCII characters.",
            ));
        }
        if let Some(answer) = self.replay(&cluster_name, &key, token.as_deref(), body, now)? {
            return Ok(answer);
        }
        service_rules::refuse_unmodelled(body)?;
        let tags = tags::parse(&body["tags"])?;
        let definition = self.usable_definition(&body["taskDefinition"])?;
        service_rules::exec(&body["enableExecuteCommand"], &definition.shown)?;
        let desired = desired_count(&body["desiredCount"])?.unwrap_or(0);
        // ECS API reference, CreateService: ENABLED when no value is given.
        let rebalancing = body["availabilityZoneRebalancing"]
            .as_str()
            .unwrap_or("ENABLED");
        let configuration = service_rules::deployment_configuration(
            &body["deploymentConfiguration"],
            None,
            rebalancing,
        )?;
        let network = service_rules::network(&body["networkConfiguration"])?;
        facts.check_subnets()?;
        facts.check_registries(&body["serviceRegistries"])?;
        let arn = self.arn(&format!("service/{cluster_name}/{name}"));
        let connect = self.endpoints.check(
            &body["serviceConnectConfiguration"],
            &definition.shown,
            &arn,
            facts,
        )?;

        let mut spec = Map::new();
        spec.insert("taskDefinition".to_owned(), json!(definition.arn));
        spec.insert("networkConfiguration".to_owned(), network);
        let version = body["platformVersion"].as_str().unwrap_or("LATEST");
        spec.insert("platformVersion".to_owned(), json!(version));
        let registries = &body["serviceRegistries"];
        let registries = if registries.is_array() {
            registries.clone()
        } else {
            json!([])
        };
        spec.insert("serviceRegistries".to_owned(), registries);
        let asked = &body["capacityProviderStrategy"];
        if asked.is_array() && !body["launchType"].is_null() {
            return Err(AwsError::invalid(
                "Specifying both a launch type and capacity provider strategy is not supported. \
                 Remove one and try again.",
            ));
        }
        let asked = if asked.is_array() || !body["launchType"].is_null() {
            asked
        } else {
            &cluster.default_strategy
        };
        if asked.as_array().is_some_and(|items| !items.is_empty()) {
            let strategy = service_rules::strategy(asked, &cluster)?;
            spec.insert("capacityProviderStrategy".to_owned(), strategy);
        } else {
            spec.insert("launchType".to_owned(), json!("FARGATE"));
        }
        if let Some(connect) = &connect {
            let shown = connect.configuration.clone();
            spec.insert("serviceConnectConfiguration".to_owned(), shown);
        }
        if body["monitoring"].is_object() {
            spec.insert("monitoring".to_owned(), body["monitoring"].clone());
        }
        let mut settings = Map::new();
        settings.insert("deploymentConfiguration".to_owned(), configuration);
        settings.insert("availabilityZoneRebalancing".to_owned(), json!(rebalancing));
        let defaults = [
            ("healthCheckGracePeriodSeconds", json!(0)),
            ("enableExecuteCommand", json!(false)),
            ("enableECSManagedTags", json!(false)),
            ("propagateTags", json!("NONE")),
            // Kept and shown; no traffic goes through them.
            ("loadBalancers", json!([])),
            ("placementConstraints", json!([])),
            ("placementStrategy", json!([])),
        ];
        for (member, default) in defaults {
            let value = if body[member].is_null() {
                default
            } else {
                body[member].clone()
            };
            settings.insert(member.to_owned(), value);
        }

        let endpoints = connect
            .map(|connect| self.endpoints.take(&arn, &connect))
            .unwrap_or_default();
        let mut service = Service {
            name,
            arn,
            cluster_arn: cluster.arn,
            status: Status::Active,
            created: now,
            visible: now + self.options.describe_lag,
            deleted: None,
            inactive: None,
            desired,
            spec,
            settings,
            deployments: Vec::new(),
            revisions: Vec::new(),
            history: Vec::new(),
            last_completed: None,
            tasks: BTreeMap::new(),
            tags,
            events: VecDeque::new(),
            told: Told::default(),
            unplaced_until: None,
            shown_before: VecDeque::new(),
            next_wake: None,
            endpoints,
            access_key: Some(access_key.to_owned()).filter(|key| !key.is_empty()),
        };
        let in_alarm = &self.surroundings.in_alarm;
        rollout::begin(&mut service, now, &mut self.ids, in_alarm);
        // The answer shows the service as it was asked for, before its scheduler ran.
        let answer = json!({"service": self.service_json(&service, now, true)});
        if let Some(token) = token {
            let used = UsedToken {
                request: service_rules::canonical(body),
                created: now,
            };
            self.tokens.insert((cluster_name, token), used);
        }
        self.forget_tasks(&key);
        self.services.insert(key.clone(), service);
        self.touch(&key, now);
        Ok(answer)
    }

    /// What a request for a name that is taken gets (ECS developer guide, Ensuring idempotency;
    /// public reports of the two texts).
    fn replay(
        &mut self,
        cluster: &str,
        key: &(String, String),
        token: Option<&str>,
        body: &Value,
        now: Moment,
    ) -> Result<Option<Value>, AwsError> {
        let used = token.and_then(|token| self.tokens.get(&(cluster.to_owned(), token.to_owned())));
        let same = used.is_some_and(|used| used.request == service_rules::canonical(body));
        let not_idempotent = || AwsError::invalid("Creation of service was not idempotent.");
        let Some(existing) = self.services.get(key) else {
            return if used.is_some() && !same {
                Err(not_idempotent())
            } else {
                Ok(None)
            };
        };
        let made_it = used.is_some_and(|used| used.created == existing.created);
        match existing.status {
            Status::Draining => Err(AwsError::invalid(
                "Unable to Start a service that is still Draining.",
            )),
            // A token outlives what it made: it replays the first answer instead of creating again.
            Status::Active | Status::Inactive if same && made_it => Ok(Some(
                json!({"service": self.service_json(existing, now, true)}),
            )),
            Status::Active => Err(not_idempotent()),
            Status::Inactive if used.is_some() && !same => Err(not_idempotent()),
            Status::Inactive => Ok(None),
        }
    }

    fn forget_tasks(&mut self, key: &(String, String)) {
        self.task_index.retain(|_, of| of != key);
    }
}
