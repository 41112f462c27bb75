//! Waves: the laws by random histories, and what counts as the doing of an Environment.

use super::*;
use crate::fixtures::{self, Known, apply, at, empty, object, place};
use crate::memory;
use crate::observed::Observed;
use crate::place::{Place, SharedValue};
use crate::plan::plan;
use crate::report;
use crate::resolve::{Resolved, resolve};
use privateservice_api::privateservice::{Attempt, AwsSecretRef, RolloutStatus};
use proptest::prelude::*;
use std::collections::VecDeque;

const DEADLINE: u32 = 100;
const SPEC: &str = "{source: {image: {name: 'redis:7'}}, env: [{name: OWN, value: a}]}";

fn key(number: usize) -> ObjectKey {
    ObjectKey {
        namespace: "team-a".into(),
        name: format!("s{number:02}"),
    }
}

fn caused(generation: i64) -> RolloutWave {
    RolloutWave {
        environment_generation: generation,
        failed_before: false,
    }
}

fn ask(wave: &mut Wave, number: usize, generation: i64, pace: Pace) -> Result<(), Hold> {
    let request = Request {
        environment: "pre-prod",
        key: &key(number),
        wave: caused(generation),
        pace,
        deadline: DEADLINE,
    };
    wave.ask(&request, at(0))
}

fn in_phase(phase: RolloutPhase, generation: i64) -> PrivateServiceStatus {
    PrivateServiceStatus {
        rollout: Some(RolloutStatus {
            phase: Some(phase),
            wave: Some(caused(generation)),
            started_at: Some(Time(at(0))),
            ..RolloutStatus::default()
        }),
        ..PrivateServiceStatus::default()
    }
}

fn member(phase: RolloutPhase, generation: i64) -> Option<Member> {
    Member::of(&in_phase(phase, generation), DEADLINE, at(0))
}

fn pace(max_concurrent: usize, stop_after_failures: usize) -> Pace {
    Pace {
        max_concurrent,
        stop_after_failures,
    }
}

/// A world of services that an edit is to reach; passes happen only to those that are woken.
struct Play {
    wave: Wave,
    pace: Pace,
    statuses: Vec<PrivateServiceStatus>,
    bad: BTreeSet<usize>,
    queue: VecDeque<usize>,
}

impl Play {
    fn new(count: usize, pace: Pace, bad: BTreeSet<usize>) -> Self {
        Self {
            wave: Wave::default(),
            pace,
            statuses: vec![PrivateServiceStatus::default(); count],
            bad,
            queue: (0..count).collect(),
        }
    }

    fn phase(&self, number: usize) -> Option<RolloutPhase> {
        self.statuses[number].rollout.as_ref()?.phase
    }

    fn in_phase(&self, phase: RolloutPhase) -> Vec<usize> {
        (0..self.statuses.len())
            .filter(|number| self.phase(*number) == Some(phase))
            .collect()
    }

    /// A pass over the service whose turn in the queue it is; `sends` tells whether its call gets through at once.
    fn pass(&mut self, sends: bool) {
        let Some(number) = self.queue.pop_front() else {
            return;
        };
        let mut asked = Asked::Nothing;
        if self.phase(number).is_none() {
            let failed = self.in_phase(RolloutPhase::RolledBack).len();
            match ask(&mut self.wave, number, 5, self.pace) {
                Ok(()) => {
                    let limit = self.pace.stop_after_failures;
                    assert!(limit == 0 || failed < limit, "let through after failures");
                    asked = Asked::Promised;
                    if sends {
                        self.statuses[number] = in_phase(RolloutPhase::Progressing, 5);
                    } else {
                        self.queue.push_back(number);
                    }
                }
                Err(_) => asked = Asked::Waits,
            }
        }
        self.passed(number, asked);
    }

    fn passed(&mut self, number: usize, asked: Asked) {
        let member = Member::of(&self.statuses[number], DEADLINE, at(0));
        self.wave.passed(&key(number), member, asked);
        for woken in self.wave.to_wake(at(0)) {
            let number: usize = woken.name[1..].parse().unwrap();
            self.queue.push_back(number);
        }
    }

    /// One of those that roll ends.
    fn end_one(&mut self, pick: usize) {
        let running = self.in_phase(RolloutPhase::Progressing);
        let Some(number) = running.get(pick % running.len().max(1)).copied() else {
            return;
        };
        let phase = if self.bad.contains(&number) {
            RolloutPhase::RolledBack
        } else {
            RolloutPhase::Complete
        };
        self.statuses[number] = in_phase(phase, 5);
        self.passed(number, Asked::Nothing);
    }

    /// Another process: only statuses are left, and everybody is looked at.
    fn restart(&mut self) {
        self.wave = Wave::default();
        for (number, status) in self.statuses.iter().enumerate() {
            let member = Member::of(status, DEADLINE, at(0));
            self.wave.passed(&key(number), member, Asked::Nothing);
        }
        self.queue = (0..self.statuses.len()).rev().collect();
    }

    fn check(&self) {
        let running = self.in_phase(RolloutPhase::Progressing).len();
        assert!(running <= self.pace.max_concurrent, "{running} roll");
    }

    fn run_out(&mut self) {
        while !self.queue.is_empty() || !self.in_phase(RolloutPhase::Progressing).is_empty() {
            while !self.queue.is_empty() {
                self.pass(true);
                self.check();
            }
            self.end_one(0);
            self.check();
        }
    }
}

proptest! {
    #[test]
    fn never_more_than_may_be_and_everybody_in_the_end_or_none_after_failures(
        count in 1_usize..25,
        max in 1_usize..6,
        stop in 0_usize..3,
        bad in prop::collection::btree_set(0_usize..25, 0..4),
        events in prop::collection::vec((0_u8..8, any::<usize>()), 0..120),
    ) {
        let bad: BTreeSet<usize> = bad.into_iter().filter(|number| *number < count).collect();
        let mut play = Play::new(count, pace(max, stop), bad.clone());
        for (event, pick) in events {
            match event {
                0..=3 => play.pass(true),
                4 => play.pass(false),
                5 | 6 => play.end_one(pick),
                _ => play.restart(),
            }
            play.check();
        }
        play.run_out();
        let failed = play.in_phase(RolloutPhase::RolledBack).len();
        let done = play.in_phase(RolloutPhase::Complete).len();
        if stop == 0 || bad.len() < stop {
            prop_assert_eq!(done + failed, count);
        } else if done + failed < count {
            prop_assert!(failed >= stop, "{} of {} failed, the rest waits", failed, stop);
        }
        // The next edit of the Environment reaches those that are left, if all is well with it.
        let left: Vec<usize> = (0..count).filter(|number| play.phase(*number).is_none()).collect();
        if let Some(first) = left.first() {
            prop_assert_eq!(ask(&mut play.wave, *first, 6, pace(max, stop)), Ok(()));
        }
    }
}

#[test]
fn a_stop_is_told_to_all_that_wait_and_its_end_too() {
    let mut wave = Wave::default();
    assert_eq!(ask(&mut wave, 0, 5, pace(1, 1)), Ok(()));
    for number in 1..4 {
        let held = ask(&mut wave, number, 5, pace(1, 1));
        assert!(matches!(held, Err(Hold::Full { .. })), "{held:?}");
    }
    wave.passed(
        &key(0),
        member(RolloutPhase::Progressing, 5),
        Asked::Promised,
    );
    assert_eq!(wave.to_wake(at(0)), []);
    wave.passed(
        &key(0),
        member(RolloutPhase::RollingBack, 5),
        Asked::Nothing,
    );
    assert_eq!(wave.to_wake(at(0)), [key(1), key(2), key(3)]);
    assert_eq!(wave.to_wake(at(0)), []);
    let held = ask(&mut wave, 1, 5, pace(1, 1)).unwrap_err().to_string();
    assert!(held.contains("failed at team-a/s00, and"), "{held}");
    // Mended: its newest rollout is no longer the failed one.
    wave.passed(&key(0), None, Asked::Nothing);
    assert_eq!(wave.to_wake(at(0)), [key(1), key(2), key(3)]);
    assert_eq!(ask(&mut wave, 2, 5, pace(1, 1)), Ok(()));
}

#[test]
fn whoever_was_let_through_and_has_not_begun_is_called_back_by_a_failure() {
    let mut wave = Wave::default();
    for number in 0..2 {
        assert_eq!(ask(&mut wave, number, 5, pace(2, 1)), Ok(()));
        wave.passed(&key(number), None, Asked::Promised);
    }
    wave.passed(&key(0), member(RolloutPhase::RolledBack, 5), Asked::Nothing);
    assert!(matches!(
        ask(&mut wave, 1, 5, pace(2, 1)),
        Err(Hold::Stopped { more: 0, .. })
    ));
    assert_eq!(wave.free(at(0)), 2);
}

#[test]
fn failures_count_for_their_own_edit_and_only_if_all_was_well_before() {
    let mut wave = Wave::default();
    wave.passed(&key(0), member(RolloutPhase::RolledBack, 4), Asked::Nothing);
    let mut before = in_phase(RolloutPhase::RolledBack, 5);
    if let Some(mark) = before.rollout.as_mut().and_then(|it| it.wave.as_mut()) {
        mark.failed_before = true;
    }
    wave.passed(
        &key(1),
        Member::of(&before, DEADLINE, at(0)),
        Asked::Nothing,
    );
    assert_eq!(ask(&mut wave, 2, 5, pace(1, 1)), Ok(()));
}

#[test]
fn a_rollout_that_takes_too_long_is_a_failure_and_keeps_its_place_only_so_long() {
    let long = Member::of(&in_phase(RolloutPhase::Progressing, 5), DEADLINE, at(0)).unwrap();
    assert!(long.is_running(at(199)) && !long.is_running(at(200)));
    assert!(!long.has_failed(5, at(99)) && long.has_failed(5, at(100)));
    let attempt = PrivateServiceStatus {
        attempt: Some(Attempt {
            wave: Some(caused(5)),
            at: Some(Time(at(0))),
            ..Attempt::default()
        }),
        ..in_phase(RolloutPhase::RolledBack, 4)
    };
    let about_to = Member::of(&attempt, DEADLINE, at(0)).unwrap();
    assert!(about_to.is_running(at(0)) && !about_to.has_failed(4, at(0)));
}

/// A service that serves what `SPEC` asks for, as status and AWS have it.
fn serving() -> (Observed, PrivateServiceStatus) {
    let mut observed = empty();
    let mut status = PrivateServiceStatus::default();
    let resolved = resolved(SPEC, &place());
    for _ in 0..3 {
        let memory = memory::memory("uid-1", &status, at(9));
        let plan = plan(&resolved.desired, &observed, &memory);
        for step in &plan.steps {
            apply(&mut observed, step, 1);
        }
        let before = observed.clone();
        status = report::status(
            &status,
            &report::Report {
                place: &place(),
                resolved: &resolved,
                observed_before: &before,
                observed: &observed,
                service: observed.service.present(),
                secrets: crate::fixtures::no_secrets(),
                plan: &plan,
                outcomes: &[],
                completed: true,
                ambiguous: false,
                memory: &memory,
                failures: &[],
                judgement: None,
            },
            &crate::assess::assess_suspended(),
            Some(1),
            at(2),
        );
    }
    assert!(status.own_intent.is_some(), "{status:?}");
    (observed, status)
}

fn resolved(spec: &str, place: &Place) -> Resolved {
    resolve(
        &object(spec),
        place,
        fixtures::CLUSTER_ID,
        &Known::default(),
    )
    .unwrap()
}

fn edited() -> Place {
    let mut place = place();
    place.env.insert("SHARED".into(), "b".into());
    place.tags.insert("team".into(), "shop".into());
    place
}

fn planned(spec: &str, place: &Place, redeploy: Option<&str>) -> (Plan, Option<RolloutWave>) {
    let (observed, status) = serving();
    let desired = resolved(spec, place)
        .desired
        .asked(redeploy.map(str::to_owned), None);
    let memory = memory::memory("uid-1", &status, at(9));
    let plan = plan(&desired, &observed, &memory);
    let cause = cause(&plan, &desired, &memory, 5);
    (plan, cause)
}

#[test]
fn only_what_the_environment_alone_changed_asks_for_a_turn() {
    let own = "{source: {image: {name: 'redis:7'}}, env: [{name: OWN, value: b}]}";
    assert_eq!(planned(SPEC, &edited(), None).1, Some(caused(5)));
    assert_eq!(planned(SPEC, &place(), None).1, None, "nothing changed");
    assert_eq!(planned(own, &place(), None).1, None, "its own edit");
    assert_eq!(planned(own, &edited(), None).1, None, "its own edit too");
    assert_eq!(planned(SPEC, &edited(), Some("now")).1, None, "a redeploy");
    let mut network = place();
    network.security_groups.insert("sg-2".into());
    assert_eq!(planned(SPEC, &network, None).1, Some(caused(5)));
    let mut secret = place();
    let id = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:db-AbCdEf".to_owned();
    let shared = SharedValue::Secret(AwsSecretRef {
        id,
        ..AwsSecretRef::default()
    });
    secret.env.insert("DB".into(), shared);
    assert_eq!(planned(SPEC, &secret, None).1, Some(caused(5)));
    // The service's own entry wins, so that nothing is to be rolled out.
    let mut shadowed = place();
    shadowed.env.insert("OWN".into(), "other".into());
    assert_eq!(
        planned(SPEC, &shadowed, None).1,
        None,
        "a shadowed variable"
    );
}

#[test]
fn a_repair_and_a_status_of_an_older_operator_ask_for_no_turn() {
    let (mut observed, mut status) = serving();
    let memory = memory::memory("uid-1", &status, at(9));
    if let crate::fact::Fact::Present { value, .. } = &mut observed.service
        && let Some(network) = &mut value.network
    {
        network.security_groups.insert("sg-9".into());
    }
    let wanted = resolved(SPEC, &place()).desired;
    let repair = plan(&wanted, &observed, &memory);
    assert!(!repair.drift.is_empty());
    assert_eq!(cause(&repair, &wanted, &memory, 5), None);

    status.own_intent = None;
    let memory = memory::memory("uid-1", &status, at(9));
    let wanted = resolved(SPEC, &edited()).desired;
    let change = plan(&wanted, &observed, &memory);
    assert_eq!(cause(&change, &wanted, &memory, 5), None);
}

#[test]
fn what_waits_still_gets_its_tags() {
    let (mut plan, _) = planned(SPEC, &edited(), None);
    let full = Hold::Full {
        environment: "pre-prod".into(),
        max_concurrent: 10,
    };
    hold(&mut plan, full.clone());
    let left: Vec<&str> = plan.steps.iter().map(Step::operation).collect();
    assert_eq!(left, ["ecs:TagResource"]);
    assert_eq!(plan.waiting_on, [WaitingOn::Wave(full)]);
}
