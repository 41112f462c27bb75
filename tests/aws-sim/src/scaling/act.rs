//! What the alarms of a minute make of the counts. In: the actions they invoke. Out: scaled services. No IO. Invariant: a
//! policy scales a service at most once a minute, and of all that would, the largest capacity wins.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cooldown::{Cooldown, Direction, Situation};
use super::policies::{Kind, Policy};
use super::step;
use super::targets::Target;
use super::tracking;
use crate::clock::Moment;
use crate::cloud_watch::Invocation;
use crate::ecs::world::{ServiceKey, World};

/// What a policy would do.
#[derive(Debug)]
struct Proposal {
    to: u32,
    cause: String,
    cooldown: Duration,
}

impl Policy {
    fn propose(&self, invocation: &Invocation, situation: &Situation) -> Option<Proposal> {
        let (to, cooldown) = match &self.kind {
            Kind::Step(policy) => {
                let value = step::aggregate(policy.aggregation, &invocation.values)?;
                let difference = value - invocation.threshold;
                let wish = |from| policy.capacity(from, difference, invocation.is_upper);
                (situation.allowed(wish)?, policy.cooldown)
            }
            Kind::Tracking(policy) => {
                let value = *invocation.values.last()?;
                let wish = |from| tracking::capacity(policy, from, value, invocation.is_upper);
                let cooldown = if invocation.is_upper {
                    policy.out_cooldown
                } else {
                    policy.in_cooldown
                };
                (situation.allowed(wish)?, cooldown)
            }
        };
        let (alarm, state) = (&invocation.alarm, invocation.state.as_str());
        Some(Proposal {
            to,
            cause: format!(
                "monitor alarm {alarm} in state {state} triggered policy {}",
                self.name
            ),
            cooldown,
        })
    }
}

impl Target {
    /// The policies invoked in a minute and by what; target tracking scales in only when all of its policies agree
    /// (Application Auto Scaling user guide, Target tracking scaling policies).
    fn proposals(&self, invocations: &[&Invocation], situation: &Situation) -> Vec<Proposal> {
        let of = |policy: &Policy, is_upper: bool| {
            let mut all = invocations.iter();
            all.any(|one| one.action == policy.arn && one.is_upper == is_upper)
        };
        let mut tracking = self.policies.values().filter(|policy| match &policy.kind {
            Kind::Tracking(tracking) => tracking.scales_in,
            Kind::Step(_) => false,
        });
        let all_agree = tracking.all(|policy| of(policy, false));
        let mut proposals = Vec::new();
        for invocation in invocations {
            let mut policies = self.policies.values();
            let Some(policy) = policies.find(|policy| policy.arn == invocation.action) else {
                continue;
            };
            let is_tracking = matches!(policy.kind, Kind::Tracking(_));
            if is_tracking && !invocation.is_upper && !all_agree {
                continue;
            }
            proposals.extend(policy.propose(invocation, situation));
        }
        proposals
    }
}

impl World {
    fn situation(&self, key: &ServiceKey, target: &Target, now: Moment) -> Option<Situation> {
        let service = self.services.get(key).filter(|one| one.is_active())?;
        Some(Situation {
            capacity: service.desired,
            minimum: target.minimum,
            maximum: target.maximum,
            may_scale_out: !target.suspended.scale_out,
            // ECS developer guide, Automatically scale your Amazon ECS service: no scaling in during deployments.
            may_scale_in: !target.suspended.scale_in && !service.is_deploying(),
            cooldown: target.cooldown.filter(|cooldown| !cooldown.is_over(now)),
            out_blocks_in: self.scaling_options().out_cooldown_blocks_in,
        })
    }

    /// Carries out the actions of the alarms at the end of a minute, as far as they are policies.
    pub(super) fn act(&mut self, invocations: &[Invocation], now: Moment) {
        let mut by_target: BTreeMap<ServiceKey, Vec<&Invocation>> = BTreeMap::new();
        for invocation in invocations {
            if let Some(key) = self.scaling.owners.get(&invocation.action) {
                by_target.entry(key.clone()).or_default().push(invocation);
            }
        }
        for (key, invocations) in by_target {
            let Some(target) = self.scaling.targets.get(&key) else {
                continue;
            };
            let Some(situation) = self.situation(&key, target, now) else {
                continue;
            };
            let proposals = target.proposals(&invocations, &situation);
            let Some(best) = proposals.into_iter().max_by_key(|one| one.to) else {
                continue;
            };
            let direction = if best.to > situation.capacity {
                Direction::Out
            } else {
                Direction::In
            };
            let base = match situation.cooldown {
                Some(before) if before.direction == direction => before.base,
                _ => situation.capacity,
            };
            let cooldown = Cooldown {
                direction,
                base,
                length: best.cooldown,
                since: None,
            };
            if let Some(target) = self.scaling.targets.get_mut(&key) {
                target.cooldown = Some(cooldown);
            }
            self.scale(&key, best.to, best.cause, now);
        }
    }
}
