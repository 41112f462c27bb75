//! The number of tasks and what changes it. Pure.

use super::ports::ResolvedPort;
use crate::defaults;
use crate::place::Place;
use crate::scaling::{Bounds, Scaling, Schedule, Thresholds};
use privateservice_api::privateservice::{PrivateServiceSpec, Protocol};

/// Resolves the scaling of a service.
pub(super) fn scaling(
    spec: &PrivateServiceSpec,
    name: &str,
    place: &Place,
    ports: &[ResolvedPort],
) -> Scaling {
    let asked = spec.scaling.clone().unwrap_or_default();
    let bounds = Bounds {
        min: asked.min_tasks.unwrap_or(defaults::MIN_TASKS),
        max: asked.max_tasks.unwrap_or(defaults::MAX_TASKS),
    };
    let on = |threshold: Option<i32>, default: i32| {
        Some(threshold.unwrap_or(default)).filter(|threshold| *threshold > 0)
    };
    let thresholds = Thresholds {
        cpu: on(asked.cpu_threshold, defaults::CPU_THRESHOLD),
        memory: on(asked.memory_threshold, 0),
        requests: on(asked.request_threshold, 0),
    };
    let mut schedules: Vec<Schedule> = asked
        .schedules
        .iter()
        .map(|schedule| Schedule {
            name: schedule.name.clone(),
            expression: schedule.schedule.clone(),
            timezone: schedule.timezone.clone(),
            bounds: Bounds {
                min: schedule.min_tasks.unwrap_or(bounds.min),
                max: schedule.max_tasks.unwrap_or(bounds.max),
            },
        })
        .collect();
    schedules.sort();
    let request_ports = ports
        .iter()
        .filter(|port| thresholds.requests.is_some() && port.protocol != Protocol::Tcp)
        .map(|port| crate::names::discovery_name(name, &port.name))
        .collect();
    Scaling {
        environment: place.environment.clone(),
        bounds,
        thresholds,
        cooldown: asked.cooldown_seconds.unwrap_or(defaults::COOLDOWN),
        policy: asked.policy.unwrap_or_default(),
        schedules,
        request_ports,
        paused: spec.paused.unwrap_or(false),
    }
}
