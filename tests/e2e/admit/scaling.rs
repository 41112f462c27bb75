//! Rules on `scaling`, and on rollout percentages by how many tasks there may be.

use super::service::BASE;
use super::{ACCEPTED, Case, Kind, check};

#[tokio::test]
async fn bounds_thresholds_and_cooldown() {
    let percent: &[&str] = &["write 80, for instance"];
    let cases: &[Case<'_>] = &[
        ("scaling: {}", ACCEPTED),
        ("paused: true", ACCEPTED),
        ("scaling: {minTasks: 3, maxTasks: 3}", ACCEPTED),
        ("scaling: {minTasks: 10}", ACCEPTED),
        (
            "scaling: {minTasks: 0}",
            &["spec.scaling.minTasks", "or equal to 1"],
        ),
        (
            "scaling: {minTasks: 11}",
            &[
                "spec.scaling.maxTasks",
                "minTasks (1 where absent) is above maxTasks (10 where absent): write maxTasks: as many as minTasks, or more",
            ],
        ),
        (
            "scaling: {minTasks: 3, maxTasks: 2}",
            &["write maxTasks: as many as minTasks, or more"],
        ),
        (
            "scaling: {maxTasks: 5001}",
            &["spec.scaling.maxTasks", "or equal to 5000"],
        ),
        ("scaling: {cpuThreshold: 0, memoryThreshold: 0}", ACCEPTED),
        (
            "scaling: {cpuThreshold: 10, memoryThreshold: 100}",
            ACCEPTED,
        ),
        ("scaling: {cpuThreshold: 9}", percent),
        ("scaling: {memoryThreshold: 1}", percent),
        (
            "scaling: {cpuThreshold: 101}",
            &["spec.scaling.cpuThreshold", "or equal to 100"],
        ),
        ("scaling: {cooldownSeconds: 60}", ACCEPTED),
        ("scaling: {cooldownSeconds: 86400}", ACCEPTED),
        (
            "scaling: {cooldownSeconds: 90}",
            &["spec.scaling.cooldownSeconds", "write 60, 300 or 900"],
        ),
        (
            "scaling: {cooldownSeconds: 30}",
            &["spec.scaling.cooldownSeconds", "or equal to 60"],
        ),
        ("scaling: {policy: TargetTracking}", ACCEPTED),
        (
            "scaling: {policy: Steps}",
            &["spec.scaling.policy", "\"StepAlarms\", \"TargetTracking\""],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn requests_need_a_port_whose_requests_are_counted() {
    let refused: &[&str] = &[
        "spec.scaling.requestThreshold",
        "write protocol: http, http2 or grpc on a port",
    ];
    let cases: &[Case<'_>] = &[
        ("scaling: {requestThreshold: 100}", refused),
        (
            "{ports: [{name: db, port: 1}], scaling: {requestThreshold: 100}}",
            refused,
        ),
        ("{ports: [], scaling: {requestThreshold: 100}}", refused),
        (
            "{ports: [{name: db, port: 1}, {name: web, port: 2, protocol: grpc}], scaling: {requestThreshold: 100}}",
            ACCEPTED,
        ),
        ("scaling: {requestThreshold: 0}", ACCEPTED),
        (
            "scaling: {requestThreshold: -1}",
            &["spec.scaling.requestThreshold", "or equal to 0"],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn schedules() {
    let write: &[&str] = &["write cron(0 20 ? * MON-FRI *) with six fields, rate(12 hours) or"];
    let with = |schedule: &str| {
        format!("scaling: {{schedules: [{{name: a, maxTasks: 2, schedule: '{schedule}'}}]}}")
    };
    let good = [
        "cron(0 20 ? * MON-FRI *)",
        "cron(*/5 0-7 1,15 * ? 2027)",
        "rate(1 minute)",
        "rate(12 hours)",
        "at(2027-01-31T08:00:00)",
    ];
    let bad = [
        "0 20 * * *",
        "cron(0 20 * * *)",
        "cron(0 20 ? * MON-FRI * *)",
        "rate(1 hours)",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "at(2027-01-31)",
        "at(2027-01-31T08:00:00Z)",
        "every day",
    ];
    let good: Vec<String> = good.iter().map(|one| with(one)).collect();
    let bad: Vec<String> = bad.iter().map(|one| with(one)).collect();
    let mut cases: Vec<Case<'_>> = good.iter().map(|one| (one.as_str(), ACCEPTED)).collect();
    cases.extend(bad.iter().map(|one| (one.as_str(), write)));
    let rest: &[Case<'_>] = &[
        (
            "scaling: {schedules: [{name: a, schedule: rate(1 day)}]}",
            &["a schedule changes minTasks, maxTasks or both: write at least one"],
        ),
        (
            "scaling: {schedules: [{name: A, schedule: rate(1 day), minTasks: 1}]}",
            &["schedules[0].name", "should match"],
        ),
        (
            "scaling: {schedules: [{name: a, schedule: rate(1 day), minTasks: 1}, {name: a, schedule: rate(1 day), minTasks: 2}]}",
            &["spec.scaling.schedules[1]", "Duplicate value"],
        ),
        (
            "scaling: {schedules: [{name: a, schedule: rate(1 day), timezone: 'Berlin time', minTasks: 1}]}",
            &["schedules[0].timezone", "should match"],
        ),
        (
            "scaling: {schedules: [{name: stop, schedule: rate(1 day), minTasks: 0, maxTasks: 0}]}",
            ACCEPTED,
        ),
        // Absent bounds are those of scaling, and their defaults.
        (
            "scaling: {schedules: [{name: a, schedule: rate(1 day), minTasks: 11}]}",
            &["spec.scaling.schedules", "write both minTasks and maxTasks"],
        ),
        (
            "scaling: {minTasks: 4, schedules: [{name: a, schedule: rate(1 day), maxTasks: 3}]}",
            &["spec.scaling.schedules", "write both minTasks and maxTasks"],
        ),
        (
            "scaling: {minTasks: 4, schedules: [{name: a, schedule: rate(1 day), minTasks: 1, maxTasks: 3}]}",
            ACCEPTED,
        ),
    ];
    cases.extend(rest);
    check(Kind::Service, BASE, &cases).await;
}

/// What can never roll depends on how few tasks there may be.
#[tokio::test]
async fn percentages_that_can_roll_the_fewest_tasks() {
    let cases: &[Case<'_>] = &[
        (
            "{rollout: {minHealthyPercent: 50, maxPercent: 150}, scaling: {minTasks: 2}}",
            ACCEPTED,
        ),
        (
            "{rollout: {maxPercent: 125}, scaling: {minTasks: 4}}",
            ACCEPTED,
        ),
        (
            "{rollout: {maxPercent: 125}, scaling: {minTasks: 3}}",
            &[
                "spec.rollout",
                "could never roll a service of so few tasks: write minHealthyPercent: 100 and maxPercent: 134, \
                 or minHealthyPercent: 66 and maxPercent: 100",
            ],
        ),
        (
            "{rollout: {minHealthyPercent: 66, maxPercent: 100}, scaling: {minTasks: 3}}",
            ACCEPTED,
        ),
        (
            "{rollout: {minHealthyPercent: 67, maxPercent: 100}, scaling: {minTasks: 3}}",
            &["minHealthyPercent: 66 and maxPercent: 100"],
        ),
        (
            "{rollout: {minHealthyPercent: 50, maxPercent: 150}, scaling: {minTasks: 2, schedules: [{name: a, schedule: rate(1 day), minTasks: 1}]}}",
            &["could never roll a service of one task"],
        ),
        // No tasks need no rolling.
        (
            "{rollout: {minHealthyPercent: 50, maxPercent: 150}, scaling: {minTasks: 2, schedules: [{name: a, schedule: rate(1 day), minTasks: 0}]}}",
            ACCEPTED,
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}
