//! What surrounds the services: capacity, networks, alarms. In: what a test or a person breaks or
//! mends. Out: what the scheduler and deployments meet. No IO.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::world::World;
use crate::clock::Moment;

/// What is not as it should be. Everything else is.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// Capacity providers that can place no task.
    without_capacity: BTreeSet<String>,
    /// Subnets and security groups through which no registry can be reached.
    broken_networks: BTreeSet<String>,
    /// CloudWatch alarms in ALARM.
    pub(super) in_alarm: BTreeSet<String>,
}

fn set(names: &mut BTreeSet<String>, name: &str, present: bool) {
    if present {
        names.insert(name.to_owned());
    } else {
        names.remove(name);
    }
}

impl Surroundings {
    pub(super) fn has_capacity(&self, provider: &str) -> bool {
        !self.without_capacity.contains(provider)
    }

    /// Whether a task with these members of a revision can reach nothing: one broken subnet or group
    /// is enough, so that it does not depend on which subnet AWS would draw.
    pub(super) fn is_cut_off(&self, members: &Map<String, Value>) -> bool {
        let vpc = members
            .get("networkConfiguration")
            .map_or(&Value::Null, |network| &network["awsvpcConfiguration"]);
        ["subnets", "securityGroups"]
            .iter()
            .filter_map(|member| vpc[*member].as_array())
            .flatten()
            .filter_map(Value::as_str)
            .any(|id| self.broken_networks.contains(id))
    }
}

/// `stoppedReason` of a task that reaches no registry (ECS developer guide, Stopped task error
/// messages).
pub(super) fn cut_off_reason(image: &str) -> String {
    format!(
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve \
         ref {image}: dial tcp 10.0.0.1:443: i/o timeout"
    )
}

impl World {
    /// Gives or takes all capacity of a provider.
    pub(crate) fn set_capacity(&mut self, provider: &str, available: bool, now: Moment) {
        let names = &mut self.surroundings.without_capacity;
        set(names, provider, !available);
        if available {
            for service in self.services.values_mut() {
                service.unplaced_until = None;
            }
        }
        self.touch_all(now);
    }

    /// Breaks or mends a subnet or a security group for tasks that start from now on.
    pub(crate) fn break_network(&mut self, id: &str, broken: bool) {
        set(&mut self.surroundings.broken_networks, id, broken);
    }

    /// Puts an alarm into ALARM or OK.
    pub(crate) fn set_alarm(&mut self, name: &str, in_alarm: bool, now: Moment) {
        set(&mut self.surroundings.in_alarm, name, in_alarm);
        self.touch_all(now);
    }

    fn touch_all(&mut self, now: Moment) {
        let keys: Vec<_> = self.services.keys().cloned().collect();
        for key in keys {
            self.touch(&key, now);
        }
    }
}
