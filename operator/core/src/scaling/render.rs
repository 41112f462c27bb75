//! From the wanted scaling to what is to be in AWS. Pure.
//!
//! StepAlarms: each metric has an alarm of its own for more tasks, all of them call one policy; one alarm for fewer tasks needs every metric
//! low, so that an idle metric never shrinks a busy service. The threshold of requests is told in percent of itself, so that a step
//! means the same for every metric.

use super::measure::{Measure, measures, sorted};
use super::parts::{
    Adjustment, Alarm, Comparison, Policy, Query, ScheduledAction, Source, StepAdjustment,
    StepPolicy, Suspended, Target, Tracked, TrackingPolicy, Watched,
};
use super::requests::{self, MINUTE, REQUESTS};
use super::{Bounds, Decimal, Scaling};
use crate::names;
use crate::observed::Scope;
use privateservice_api::privateservice::ScalingPolicy;
use serde::Serialize;
use std::collections::BTreeMap;

/// Points below a threshold from which on there may be fewer tasks.
const LOW: i32 = 5;
/// Minutes above a threshold after which there are more tasks.
const HIGH_MINUTES: i32 = 3;
/// How much more tasks there are, in percent, by how many points the threshold is exceeded.
const STEPS: [(i32, Option<i32>, i32); 3] = [(0, Some(10), 10), (10, Some(25), 25), (25, None, 50)];

/// An alarm, and the name of the policy it calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WantedAlarm {
    /// The alarm.
    pub alarm: Alarm,
    /// Name of the policy.
    pub calls: String,
}

/// What is to be in AWS, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rendered {
    /// The scalable target.
    pub target: Target,
    /// Scaling policies.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<String, Policy>,
    /// Alarms.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub alarms: BTreeMap<String, WantedAlarm>,
    /// Scheduled actions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub schedules: BTreeMap<String, ScheduledAction>,
}

/// What a scaling asks for in AWS.
pub fn render(scaling: &Scaling, scope: &Scope) -> Rendered {
    let target = if scaling.paused {
        // Suspension keeps policies and schedules quiet; a minimum above 0 would still lift the count to it (AWS: RegisterScalableTarget).
        Target {
            bounds: Bounds {
                min: 0,
                max: scaling.bounds.max,
            },
            suspended: Suspended::ALL,
        }
    } else {
        Target {
            bounds: scaling.bounds,
            suspended: Suspended::NONE,
        }
    };
    let schedules = scaling
        .schedules
        .iter()
        .map(|schedule| {
            let action = ScheduledAction {
                expression: schedule.expression.clone(),
                timezone: schedule.timezone.clone().filter(|zone| {
                    zone != "UTC" && ScheduledAction::has_zone(&schedule.expression)
                }),
                min: Some(schedule.bounds.min),
                max: Some(schedule.bounds.max),
                limited: false,
            };
            let name =
                names::scheduled_action(&scaling.environment, &scope.service, &schedule.name);
            (name, action)
        })
        .collect();
    let mut rendered = Rendered {
        target,
        policies: BTreeMap::new(),
        alarms: BTreeMap::new(),
        schedules,
    };
    let measures = measures(scaling);
    if !measures.is_empty() && !scaling.is_fixed() {
        match scaling.policy {
            ScalingPolicy::StepAlarms => step_alarms(scaling, scope, &measures, &mut rendered),
            ScalingPolicy::TargetTracking => {
                target_tracking(scaling, scope, &measures, &mut rendered);
            }
        }
    }
    rendered
}

fn name(scaling: &Scaling, scope: &Scope, what: &str) -> String {
    names::scaling(&scaling.environment, &scope.service, what)
}

fn step_alarms(
    scaling: &Scaling,
    scope: &Scope,
    measures: &[Measure<'_>],
    rendered: &mut Rendered,
) {
    let scale_out = name(scaling, scope, names::SCALE_OUT);
    let scale_in = name(scaling, scope, names::SCALE_IN);
    let steps = STEPS
        .iter()
        .map(|(lower, upper, change)| StepAdjustment {
            lower: Some(Decimal::whole(*lower)),
            upper: upper.map(Decimal::whole),
            change: *change,
        })
        .collect();
    let more = StepPolicy {
        adjustment: Adjustment::Percent,
        at_least: Some(1),
        cooldown: scaling.cooldown,
        steps,
    };
    // Metric math is at least its threshold of 1 when everything is low; a plain metric is below its own.
    let math = measures.len() > 1;
    let zero = Some(Decimal::whole(0));
    let fewer = StepPolicy {
        adjustment: Adjustment::Tasks,
        at_least: None,
        cooldown: scaling.cooldown,
        steps: vec![StepAdjustment {
            lower: zero.filter(|_| math),
            upper: zero.filter(|_| !math),
            change: -1,
        }],
    };
    rendered
        .policies
        .insert(scale_out.clone(), Policy::Step(more));
    rendered
        .policies
        .insert(scale_in.clone(), Policy::Step(fewer));
    for measure in measures {
        let alarm = alarm(
            measure.watched(scope),
            Comparison::Above,
            measure.points(),
            HIGH_MINUTES,
        );
        let name = name(scaling, scope, &names::high(measure.id()));
        let calls = scale_out.clone();
        rendered.alarms.insert(name, WantedAlarm { alarm, calls });
    }
    let minutes = scaling.cooldown / MINUTE;
    let alarm = match measures {
        [only] => alarm(
            only.watched(scope),
            Comparison::Below,
            only.points() - LOW,
            minutes,
        ),
        all => alarm(
            Watched::Queries(all_low(all, scope)),
            Comparison::AtLeast,
            1,
            minutes,
        ),
    };
    let calls = scale_in.clone();
    rendered
        .alarms
        .insert(scale_in, WantedAlarm { alarm, calls });
}

/// Metric math that is 1 in a minute in which every measure is low, and 0 or nothing in others: a comparison yields 1 or 0, one with a
/// missing point none, and a product with nothing is never 1 (CloudWatch user guide, Using math expressions).
fn all_low(measures: &[Measure<'_>], scope: &Scope) -> Vec<Query> {
    let mut queries: Vec<Query> = measures
        .iter()
        .flat_map(|measure| measure.queries(scope, false))
        .collect();
    let low: Vec<String> = measures
        .iter()
        .map(|measure| {
            let id = match measure {
                Measure::Utilization(id, ..) => id,
                Measure::Requests(..) => REQUESTS,
            };
            format!("({id} < {})", measure.points() - LOW)
        })
        .collect();
    queries.push(Query {
        id: "low".into(),
        source: Source::Expression(low.join(" * ")),
        returns: true,
    });
    sorted(queries)
}

fn alarm(watched: Watched, comparison: Comparison, threshold: i32, minutes: i32) -> Alarm {
    Alarm {
        watched,
        comparison,
        threshold: Decimal::whole(threshold),
        periods: minutes,
        datapoints: minutes,
        missing: "notBreaching".into(),
        enabled: true,
    }
}

fn target_tracking(
    scaling: &Scaling,
    scope: &Scope,
    measures: &[Measure<'_>],
    rendered: &mut Rendered,
) {
    let cluster = names::last_segment(&scope.cluster_arn);
    for measure in measures {
        let (tracked, target) = match measure {
            Measure::Utilization(id, _, threshold) if *id == names::CPU => {
                (Tracked::Cpu, *threshold)
            }
            Measure::Utilization(_, _, threshold) => (Tracked::Memory, *threshold),
            // AWS shows the number itself in its alarms, and has no steps to compare.
            Measure::Requests(_, threshold) => {
                let ports = &scaling.request_ports;
                let queries = requests::queries(ports, cluster, &scope.service, None, true);
                (Tracked::Queries(sorted(queries)), *threshold)
            }
        };
        let policy = TrackingPolicy {
            tracked,
            target: Decimal::whole(target),
            in_cooldown: scaling.cooldown,
            out_cooldown: scaling.cooldown,
            no_scale_in: false,
        };
        rendered
            .policies
            .insert(name(scaling, scope, measure.id()), Policy::Tracking(policy));
    }
}
