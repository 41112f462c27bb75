//! From specs to what is to be in AWS.

use crate::fixtures::resolved;
use crate::scaling::{
    Adjustment, Bounds, Comparison, Decimal, Policy, Rendered, Source, Suspended, Tracked, Watched,
    render,
};

fn rendered(spec: &str) -> Rendered {
    let desired = resolved(&format!("{{source: {{image: {{name: 'a:1'}}}}, {spec}}}")).desired;
    render(&desired.scaling, &desired.scope)
}

fn names<T>(of: &std::collections::BTreeMap<String, T>) -> Vec<&str> {
    of.keys().map(String::as_str).collect()
}

fn bounds(min: i32, max: i32) -> Bounds {
    Bounds { min, max }
}

#[test]
fn defaults_are_one_to_ten_tasks_by_cpu() {
    let rendered = rendered("tags: {}");
    assert_eq!(rendered.target.bounds, bounds(1, 10));
    assert_eq!(rendered.target.suspended, Suspended::NONE);
    assert_eq!(
        names(&rendered.policies),
        ["pre-prod/api/scale-in", "pre-prod/api/scale-out"]
    );
    assert_eq!(
        names(&rendered.alarms),
        ["pre-prod/api/cpu-high", "pre-prod/api/scale-in"]
    );
    assert_eq!(names(&rendered.schedules), [""; 0]);
}

/// Threshold, comparison and minutes of each alarm.
#[test]
fn alarms_by_threshold_and_cooldown() {
    type Row = (&'static str, Comparison, i32, i32);
    let cases: &[(&str, &[Row])] = &[
        (
            "scaling: {}",
            &[
                ("cpu-high", Comparison::Above, 80, 3),
                ("scale-in", Comparison::Below, 75, 5),
            ],
        ),
        (
            "scaling: {cpuThreshold: 10, cooldownSeconds: 60}",
            &[
                ("cpu-high", Comparison::Above, 10, 3),
                ("scale-in", Comparison::Below, 5, 1),
            ],
        ),
        (
            "scaling: {cpuThreshold: 0, memoryThreshold: 70, cooldownSeconds: 86400}",
            &[
                ("memory-high", Comparison::Above, 70, 3),
                ("scale-in", Comparison::Below, 65, 1440),
            ],
        ),
        (
            "scaling: {memoryThreshold: 70}",
            &[
                ("cpu-high", Comparison::Above, 80, 3),
                ("memory-high", Comparison::Above, 70, 3),
                ("scale-in", Comparison::AtLeast, 1, 5),
            ],
        ),
        (
            "ports: [{name: web, port: 80, protocol: http}], scaling: {cpuThreshold: 0, requestThreshold: 1200}",
            &[
                ("requests-high", Comparison::Above, 100, 3),
                ("scale-in", Comparison::Below, 95, 5),
            ],
        ),
        // What nothing can count.
        ("scaling: {cpuThreshold: 0, requestThreshold: 1200}", &[]),
        ("scaling: {cpuThreshold: 0}", &[]),
        ("scaling: {minTasks: 3, maxTasks: 3}", &[]),
    ];
    for (spec, wanted) in cases {
        let rendered = rendered(spec);
        let found: Vec<_> = rendered
            .alarms
            .iter()
            .map(|(name, wanted)| {
                assert_eq!(wanted.alarm.periods, wanted.alarm.datapoints);
                assert_eq!(wanted.alarm.missing, "notBreaching");
                assert!(wanted.alarm.enabled);
                let last = crate::names::last_segment(name);
                let calls = if last == "scale-in" {
                    "pre-prod/api/scale-in"
                } else {
                    "pre-prod/api/scale-out"
                };
                assert_eq!(wanted.calls, calls);
                (
                    last,
                    wanted.alarm.comparison,
                    wanted.alarm.threshold,
                    wanted.alarm.periods,
                )
            })
            .collect();
        let wanted: Vec<_> = wanted
            .iter()
            .map(|(name, comparison, threshold, minutes)| {
                (*name, *comparison, Decimal::whole(*threshold), *minutes)
            })
            .collect();
        assert_eq!(found, wanted, "{spec}");
        assert_eq!(rendered.policies.is_empty(), wanted.is_empty(), "{spec}");
    }
}

#[test]
fn the_farther_above_the_threshold_the_more_tasks_and_at_least_one() {
    let rendered = rendered("scaling: {cooldownSeconds: 120}");
    let Policy::Step(out) = &rendered.policies["pre-prod/api/scale-out"] else {
        panic!()
    };
    assert_eq!(
        (out.adjustment, out.at_least, out.cooldown),
        (Adjustment::Percent, Some(1), 120)
    );
    let steps: Vec<_> = out
        .steps
        .iter()
        .map(|step| (step.lower, step.upper, step.change))
        .collect();
    let at = |points| Some(Decimal::whole(points));
    assert_eq!(
        steps,
        [
            (at(0), at(10), 10),
            (at(10), at(25), 25),
            (at(25), None, 50)
        ]
    );
}

/// A plain metric is below its threshold when it fires, metric math at or above: the one step must cover that side.
#[test]
fn one_task_fewer_at_a_time() {
    for (spec, lower, upper) in [
        ("scaling: {}", None, Some(Decimal::whole(0))),
        (
            "scaling: {memoryThreshold: 60}",
            Some(Decimal::whole(0)),
            None,
        ),
    ] {
        let rendered = rendered(spec);
        let Policy::Step(fewer) = &rendered.policies["pre-prod/api/scale-in"] else {
            panic!()
        };
        assert_eq!(
            (fewer.adjustment, fewer.at_least),
            (Adjustment::Tasks, None)
        );
        let [step] = fewer.steps.as_slice() else {
            panic!()
        };
        assert_eq!((step.lower, step.upper, step.change), (lower, upper, -1));
    }
}

#[test]
fn fewer_tasks_need_every_metric_low() {
    let rendered = rendered(
        "ports: [{name: web, port: 80, protocol: http}, {name: db, port: 81}, {name: rpc, port: 82, protocol: grpc}], \
         scaling: {memoryThreshold: 60, requestThreshold: 900}",
    );
    assert_eq!(
        names(&rendered.alarms),
        [
            "pre-prod/api/cpu-high",
            "pre-prod/api/memory-high",
            "pre-prod/api/requests-high",
            "pre-prod/api/scale-in"
        ]
    );
    let Watched::Queries(queries) = &rendered.alarms["pre-prod/api/scale-in"].alarm.watched else {
        panic!()
    };
    let shown: Vec<String> = queries
        .iter()
        .map(|query| {
            let returns = if query.returns { "*" } else { "" };
            match &query.source {
                Source::Expression(text) => format!("{}{returns} = {text}", query.id),
                Source::Metric(metric) => format!(
                    "{}{returns} = {} {} {:?} {}",
                    query.id,
                    metric.statistic,
                    metric.name,
                    metric.dimensions.values().collect::<Vec<_>>(),
                    metric.period
                ),
            }
        })
        .collect();
    assert_eq!(
        shown,
        [
            "cpu = Average CPUUtilization [\"shared\", \"api\"] 60",
            "low* = (cpu < 75) * (memory < 55) * (requests < 95)",
            "memory = Average MemoryUtilization [\"shared\", \"api\"] 60",
            "r1 = Sum RequestCount [\"shared\", \"api_rpc\", \"api\"] 60",
            "r2 = Sum RequestCount [\"shared\", \"api_web\", \"api\"] 60",
            "requests = 100 * (FILL(r1, 0) + FILL(r2, 0)) / tasks / 900",
            "tasks = SampleCount CPUUtilization [\"shared\", \"api\"] 60",
        ]
    );
}

#[test]
fn target_tracking_has_one_policy_for_each_metric_and_no_alarm_of_ours() {
    let rendered = rendered(
        "ports: [{name: web, port: 80, protocol: http2}], \
         scaling: {policy: TargetTracking, memoryThreshold: 60, requestThreshold: 900, cooldownSeconds: 600}",
    );
    assert_eq!(names(&rendered.alarms), [""; 0]);
    let shown: Vec<_> = rendered
        .policies
        .iter()
        .map(|(name, policy)| {
            let Policy::Tracking(policy) = policy else {
                panic!()
            };
            assert_eq!(
                (policy.in_cooldown, policy.out_cooldown, policy.no_scale_in),
                (600, 600, false)
            );
            let tracked = match &policy.tracked {
                Tracked::Cpu => "cpu".to_owned(),
                Tracked::Memory => "memory".to_owned(),
                Tracked::Queries(queries) => {
                    let returned = queries.iter().find(|query| query.returns).unwrap();
                    format!("{:?}", returned.source)
                }
                Tracked::Other => panic!(),
            };
            (name.as_str(), tracked, policy.target)
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("pre-prod/api/cpu", "cpu".to_owned(), Decimal::whole(80)),
            (
                "pre-prod/api/memory",
                "memory".to_owned(),
                Decimal::whole(60)
            ),
            (
                "pre-prod/api/requests",
                "Expression(\"FILL(r1, 0) / tasks\")".to_owned(),
                Decimal::whole(900)
            ),
        ]
    );
}

#[test]
fn schedules_set_both_bounds_and_keep_a_fixed_number_from_having_no_policies() {
    let rendered = rendered(
        "scaling: {minTasks: 2, maxTasks: 2, schedules: [\
         {name: day, schedule: 'cron(0 7 ? * MON-FRI *)', timezone: Europe/Berlin, minTasks: 4, maxTasks: 20}, \
         {name: evening, schedule: 'cron(0 20 ? * * *)', minTasks: 1}]}",
    );
    let actions: Vec<_> = rendered
        .schedules
        .iter()
        .map(|(name, action)| (name.as_str(), action.timezone.as_deref(), action.bounds()))
        .collect();
    assert_eq!(
        actions,
        [
            (
                "pre-prod_api_day",
                Some("Europe/Berlin"),
                Some(bounds(4, 20))
            ),
            ("pre-prod_api_evening", None, Some(bounds(1, 2))),
        ]
    );
    assert!(!rendered.alarms.is_empty());
}

#[test]
fn a_pause_allows_no_tasks_and_suspends_everything() {
    let rendered = rendered("paused: true, scaling: {minTasks: 3}");
    assert_eq!(rendered.target.bounds, bounds(0, 10));
    assert_eq!(rendered.target.suspended, Suspended::ALL);
    // The rest stays, so that leaving it is quick.
    assert!(!rendered.alarms.is_empty());
}
