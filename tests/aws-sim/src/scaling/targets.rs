//! Scalable targets. In: request JSON. Out: stored targets, and services brought within their bounds. No IO.
//! Invariant: after a target is registered or changed, its service's desired count is within its bounds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::address;
use super::cooldown::Cooldown;
use super::policies::Policy;
use super::scheduled_actions::ScheduledAction;
use super::{page, refuse, tags};
use crate::clock::Moment;
use crate::ecs::world::{ServiceKey, World};
use crate::errors::AwsError;
use crate::options::Options;

/// Tasks of one service (AWS General Reference, ECS service quotas).
const LARGEST: i64 = 5000;

/// Which scaling is suspended. It covers policies and scheduled actions only.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Suspended {
    pub(super) scale_in: bool,
    pub(super) scale_out: bool,
    pub(super) scheduled: bool,
}

impl Suspended {
    /// What is not given stays.
    fn with(self, given: &Value) -> Self {
        let read = |member: &str, now: bool| given[member].as_bool().unwrap_or(now);
        Self {
            scale_in: read("DynamicScalingInSuspended", self.scale_in),
            scale_out: read("DynamicScalingOutSuspended", self.scale_out),
            scheduled: read("ScheduledScalingSuspended", self.scheduled),
        }
    }

    fn to_json(self) -> Value {
        json!({
            "DynamicScalingInSuspended": self.scale_in,
            "DynamicScalingOutSuspended": self.scale_out,
            "ScheduledScalingSuspended": self.scheduled,
        })
    }
}

/// A service that may be scaled, and what scales it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) arn: String,
    pub(super) created: Moment,
    pub(super) minimum: u32,
    pub(super) maximum: u32,
    pub(super) suspended: Suspended,
    pub(super) tags: BTreeMap<String, String>,
    /// By name.
    pub(super) policies: BTreeMap<String, Policy>,
    /// By name.
    pub(super) scheduled: BTreeMap<String, ScheduledAction>,
    pub(super) cooldown: Option<Cooldown>,
}

impl Target {
    pub(super) fn to_json(&self, key: &ServiceKey, options: &Options) -> Value {
        json!({
            "ServiceNamespace": address::NAMESPACE,
            "ResourceId": address::resource_id(key),
            "ScalableDimension": address::DIMENSION,
            "MinCapacity": self.minimum,
            "MaxCapacity": self.maximum,
            "RoleARN": format!(
                "arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/\
                 AWSServiceRoleForApplicationAutoScaling_ECSService",
                options.account
            ),
            "CreationTime": self.created.seconds(),
            "SuspendedState": self.suspended.to_json(),
            "ScalableTargetARN": self.arn,
        })
    }
}

/// A capacity as a request gives it, if it does.
pub(super) fn capacity(value: &Value) -> Result<Option<u32>, AwsError> {
    match value.as_i64() {
        None => Ok(None),
        Some(count) => u32::try_from(count)
            .ok()
            .filter(|_| count <= LARGEST)
            .map(Some)
            .ok_or_else(|| refuse(format!("Capacity must be between 0 and {LARGEST}."))),
    }
}

pub(super) fn check_bounds(minimum: u32, maximum: u32) -> Result<(), AwsError> {
    if minimum > maximum {
        return Err(refuse(
            "Maximum capacity cannot be less than minimum capacity",
        ));
    }
    Ok(())
}

impl World {
    /// Whether Application Auto Scaling finds the service: it reads like everybody else.
    fn sees_service(&self, key: &ServiceKey, now: Moment) -> bool {
        self.services
            .get(key)
            .is_some_and(|service| service.is_active() && service.visible <= now)
    }

    /// A target that is old enough to be found.
    pub(super) fn settled_target(
        &self,
        key: &ServiceKey,
        now: Moment,
    ) -> Result<&Target, AwsError> {
        let lag = self.scaling_options().register_lag;
        let target = self.scaling.targets.get(key);
        target
            .filter(|target| target.created + lag <= now)
            .ok_or_else(|| address::no_target(key))
    }

    pub(super) fn register_scalable_target(
        &mut self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let key = address::required(body)?;
        let tags = tags::parse(&body["Tags"])?;
        let given = (
            capacity(&body["MinCapacity"])?,
            capacity(&body["MaxCapacity"])?,
        );
        if !self.sees_service(&key, now) {
            return Err(refuse("ECS service doesn't exist"));
        }
        if let Some(target) = self.scaling.targets.get_mut(&key) {
            if !tags.is_empty() {
                return Err(refuse(
                    "The scalable target that you tried to tag already exists. To update tags on an \
                     existing scalable target, use the TagResource API.",
                ));
            }
            let minimum = given.0.unwrap_or(target.minimum);
            let maximum = given.1.unwrap_or(target.maximum);
            check_bounds(minimum, maximum)?;
            target.minimum = minimum;
            target.maximum = maximum;
            target.suspended = target.suspended.with(&body["SuspendedState"]);
        } else {
            let (Some(minimum), Some(maximum)) = given else {
                return Err(refuse(
                    "MinCapacity and MaxCapacity are required to register a scalable target.",
                ));
            };
            check_bounds(minimum, maximum)?;
            if self.scaling.targets.len() >= self.scaling_options().targets {
                return Err(AwsError::new(
                    "LimitExceededException",
                    "The number of scalable targets for ecs is at its limit.",
                ));
            }
            let id = self.ids.hex32();
            let target = Target {
                arn: format!(
                    "arn:aws:application-autoscaling:{}:{}:scalable-target/{id}",
                    self.options.region, self.options.account
                ),
                created: now,
                minimum,
                maximum,
                suspended: Suspended::default().with(&body["SuspendedState"]),
                tags,
                policies: BTreeMap::new(),
                scheduled: BTreeMap::new(),
                cooldown: None,
            };
            self.scaling.targets.insert(key.clone(), target);
        }
        self.bring_within_bounds(&key, now);
        let target = self.scaling.targets.get(&key);
        let target = target.ok_or_else(|| address::no_target(&key))?;
        Ok(json!({"ScalableTargetARN": target.arn}))
    }

    /// Sets the count to the bound it is beyond, whatever is suspended.
    pub(super) fn bring_within_bounds(&mut self, key: &ServiceKey, now: Moment) {
        let Some(target) = self.scaling.targets.get(key) else {
            return;
        };
        let Some(count) = self.services.get(key).map(|service| service.desired) else {
            return;
        };
        let (to, cause) = if count < target.minimum {
            let to = target.minimum;
            (to, format!("minimum capacity was set to {to}"))
        } else if count > target.maximum {
            let to = target.maximum;
            (to, format!("maximum capacity was set to {to}"))
        } else {
            return;
        };
        self.scale(key, to, cause, now);
    }

    pub(super) fn deregister_scalable_target(
        &mut self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let key = address::required(body)?;
        if !self.scaling.targets.contains_key(&key) {
            return Err(address::no_target(&key));
        }
        self.forget_target(&key, now);
        Ok(json!({}))
    }

    /// Removes a target with its policies and scheduled actions; the alarms of others stay. Also what happens
    /// to the target of a service that is deleted.
    pub(crate) fn forget_target(&mut self, key: &ServiceKey, now: Moment) {
        let Some(target) = self.scaling.targets.remove(key) else {
            return;
        };
        for policy in target.policies.values() {
            self.forget_policy(policy, now);
        }
        self.plan_schedules();
    }

    pub(super) fn describe_scalable_targets(&self, body: &Value) -> Result<Value, AwsError> {
        let mut described = body.clone();
        let wanted = body["ResourceIds"].as_array();
        if let Some(wanted) = wanted {
            if wanted.len() > 50 {
                return Err(refuse("ResourceIds can have at most 50 items."));
            }
            // The dimension may be named without a single resource here.
            described["ResourceId"] = wanted.first().cloned().unwrap_or_default();
        }
        address::filter(&described)?;
        let targets = self.scaling.targets.iter();
        let targets = targets.filter(|(key, _)| {
            wanted.is_none_or(|wanted| wanted.contains(&json!(address::resource_id(key))))
        });
        page::of(
            body,
            targets.collect(),
            "ScalableTargets",
            50,
            |(key, target)| target.to_json(key, &self.options),
        )
    }
}
