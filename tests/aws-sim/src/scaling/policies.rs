//! Scaling policies. In: request JSON. Out: stored policies. No IO. Invariants: a policy's ARN outlives updates and
//! is never used again after a deletion; two target tracking policies of a service follow different metrics.

use serde_json::{Value, json};

use super::address;
use super::step_rules::{self, StepPolicy};
use super::targets::Target;
use super::tracking_rules::{self, TrackingPolicy};
use super::{page, refuse};
use crate::clock::Moment;
use crate::cloud_watch::ByAction;
use crate::ecs::world::{ServiceKey, World};
use crate::errors::AwsError;

/// Policies of one target (AWS General Reference, Application Auto Scaling quotas).
const PER_TARGET: usize = 50;

/// What a policy does.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Step(StepPolicy),
    Tracking(TrackingPolicy),
}

/// A scaling policy.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) created: Moment,
    pub(super) kind: Kind,
    /// As it was asked for.
    pub(super) configuration: Value,
    /// Names of the alarms that were made for it.
    pub(super) alarms: Vec<String>,
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Kind::Step(_) => "StepScaling",
            Kind::Tracking(_) => "TargetTrackingScaling",
        }
    }

    fn member(&self) -> &'static str {
        match self {
            Kind::Step(_) => "StepScalingPolicyConfiguration",
            Kind::Tracking(_) => "TargetTrackingScalingPolicyConfiguration",
        }
    }
}

/// What a request asks for, over what there is.
fn asked(body: &Value, before: Option<&Policy>) -> Result<(Kind, Value), AwsError> {
    // Application Auto Scaling API reference, PutScalingPolicy: step scaling if no type is named.
    let otherwise = before.map_or("StepScaling", |before| before.kind.name());
    let name = body["PolicyType"].as_str().unwrap_or(otherwise);
    if before.is_some_and(|before| before.kind.name() != name) {
        return Err(refuse("The type of a scaling policy cannot be changed."));
    }
    let step = &body["StepScalingPolicyConfiguration"];
    let tracking = &body["TargetTrackingScalingPolicyConfiguration"];
    match name {
        "StepScaling" if tracking.is_null() => {
            let mut configuration = before.map_or(json!({}), |before| before.configuration.clone());
            for (member, value) in step.as_object().into_iter().flatten() {
                configuration[member] = value.clone();
            }
            let policy = step_rules::parse(&configuration)?;
            Ok((Kind::Step(policy), configuration))
        }
        "TargetTrackingScaling" if step.is_null() => {
            let configuration = match before {
                Some(before) if tracking.is_null() => before.configuration.clone(),
                _ => tracking.clone(),
            };
            let policy = tracking_rules::parse(&configuration)?;
            Ok((Kind::Tracking(policy), configuration))
        }
        "PredictiveScaling" => Err(AwsError::not_implemented(
            "application-autoscaling: PredictiveScaling",
        )),
        _ => Err(refuse(format!(
            "The configuration given is not that of a {name} policy."
        ))),
    }
}

impl World {
    pub(super) fn put_scaling_policy(
        &mut self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let key = address::required(body)?;
        let name = body["PolicyName"].as_str().unwrap_or_default().to_owned();
        let printable = name.chars().all(|c| !c.is_control());
        if name.chars().count() > 256 || !printable {
            return Err(refuse("Invalid PolicyName."));
        }
        let target = self.settled_target(&key, now)?;
        let before = target.policies.get(&name);
        let (kind, configuration) = asked(body, before)?;
        let others = || target.policies.values().filter(|other| other.name != name);
        if before.is_none() && others().count() >= PER_TARGET {
            return Err(AwsError::new(
                "LimitExceededException",
                "The number of scaling policies of the target is at its limit.",
            ));
        }
        if let Kind::Tracking(_) = kind {
            let metric = tracking_rules::metric_of(&configuration);
            let same = others().any(|other| {
                let is_tracking = matches!(other.kind, Kind::Tracking(_));
                is_tracking && tracking_rules::metric_of(&other.configuration) == metric
            });
            if same {
                return Err(refuse(
                    "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
                ));
            }
        }
        let (arn, created, alarms) = match before {
            Some(before) => (before.arn.clone(), before.created, before.alarms.clone()),
            None => (self.policy_arn(&key, &name), now, Vec::new()),
        };
        let mut policy = Policy {
            name: name.clone(),
            arn,
            created,
            kind,
            configuration,
            alarms,
        };
        self.put_tracking_alarms(&key, &mut policy, now)?;
        let alarms = self.cloud_watch.invoking([policy.arn.as_str()].into_iter());
        let alarms: Vec<Value> = alarms.into_values().flatten().collect();
        let answer = json!({"PolicyARN": policy.arn, "Alarms": alarms});
        let arn = policy.arn.clone();
        self.scaling.owners.insert(arn, key.clone());
        if let Some(target) = self.scaling.targets.get_mut(&key) {
            target.policies.insert(name, policy);
        }
        Ok(answer)
    }

    fn policy_arn(&mut self, key: &ServiceKey, name: &str) -> String {
        format!(
            "arn:aws:autoscaling:{}:{}:scalingPolicy:{}:resource/{}/{}:policyName/{name}",
            self.options.region,
            self.options.account,
            self.ids.uuid(),
            address::NAMESPACE,
            address::resource_id(key),
        )
    }

    pub(super) fn delete_scaling_policy(
        &mut self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let key = address::required(body)?;
        let name = body["PolicyName"].as_str().unwrap_or_default();
        let target = self.scaling.targets.get_mut(&key);
        let removed = target.and_then(|target| target.policies.remove(name));
        let Some(removed) = removed else {
            let more = format!(", policy name: {name}");
            return Err(address::not_found("scaling policy found", &key, &more));
        };
        self.forget_policy(&removed, now);
        Ok(json!({}))
    }

    /// Removes what belongs to a policy that has been taken out of its target.
    pub(super) fn forget_policy(&mut self, policy: &Policy, now: Moment) {
        self.scaling.owners.remove(&policy.arn);
        for alarm in &policy.alarms {
            self.remove_alarm(alarm, now);
        }
    }

    /// As DescribeScalingPolicies shows it; `alarms` are those that invoke something, by its ARN.
    fn policy_json(key: &ServiceKey, policy: &Policy, alarms: &ByAction<'_>) -> Value {
        json!({
            "PolicyARN": policy.arn,
            "PolicyName": policy.name,
            "ServiceNamespace": address::NAMESPACE,
            "ResourceId": address::resource_id(key),
            "ScalableDimension": address::DIMENSION,
            "PolicyType": policy.kind.name(),
            policy.kind.member(): policy.configuration,
            "Alarms": alarms.get(policy.arn.as_str()).cloned().unwrap_or_default(),
            "CreationTime": policy.created.seconds(),
        })
    }

    pub(super) fn policies_json(&self, key: &ServiceKey, target: &Target) -> Vec<Value> {
        let arns = target.policies.values().map(|policy| policy.arn.as_str());
        let alarms = self.cloud_watch.invoking(arns);
        let policies = target.policies.values();
        policies
            .map(|policy| Self::policy_json(key, policy, &alarms))
            .collect()
    }

    /// Ten a page (Application Auto Scaling API reference, DescribeScalingPolicies).
    pub(super) fn describe_scaling_policies(&self, body: &Value) -> Result<Value, AwsError> {
        let wanted = address::filter(body)?;
        let names = body["PolicyNames"].as_array();
        if names.is_some_and(|names| names.len() > 50) {
            return Err(refuse("PolicyNames can have at most 50 items."));
        }
        let targets = self.scaling.targets.iter();
        let targets =
            targets.filter(|(key, _)| wanted.as_ref().is_none_or(|wanted| *key == wanted));
        let policies =
            targets.flat_map(|(key, target)| target.policies.values().map(move |one| (key, one)));
        let found = policies
            .filter(|(_, policy)| names.is_none_or(|names| names.contains(&json!(policy.name))));
        let found: Vec<(&ServiceKey, &Policy)> = found.collect();
        let arns = found.iter().map(|(_, policy)| policy.arn.as_str());
        let alarms = self.cloud_watch.invoking(arns);
        page::of(body, found, "ScalingPolicies", 10, |(key, policy)| {
            Self::policy_json(key, policy, &alarms)
        })
    }
}
