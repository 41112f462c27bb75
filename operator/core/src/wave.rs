//! Waves: an edit of an Environment reaches its services a few at a time, and no further once it has failed. Pure; who rolls out now comes
//! in as statuses, who was let through since is remembered here.
//!
//! Invariants: of one Environment never more than `maxConcurrent` services are in a rollout that only an edit of it causes; after
//! `stopAfterFailures` failed rollouts of one edit nobody is let through for it; whoever waits is named to be woken when its turn may have
//! come. An edit of a service itself, its creation and its repair never ask for a turn.

use crate::defaults;
use crate::desired::Desired;
use crate::memory::Memory;
use crate::owner::ObjectKey;
use crate::plan::{Need, Plan, WaitingOn};
use crate::step::Step;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::environment::EnvironmentRollout;
use privateservice_api::meta;
use privateservice_api::privateservice::{PrivateServiceStatus, RolloutPhase, RolloutWave};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How fast an edit of an Environment reaches its services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Services in a rollout at once, at least 1.
    pub max_concurrent: usize,
    /// Failed rollouts after which it goes no further; 0 never stops.
    pub stop_after_failures: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of(None)
    }
}

impl Pace {
    /// The pace a spec asks for, defaults filled in.
    pub fn of(rollout: Option<&EnvironmentRollout>) -> Self {
        let number = |value: Option<i32>, default| {
            value
                .and_then(|value| usize::try_from(value).ok())
                .unwrap_or(default)
        };
        let max = rollout.and_then(|rollout| rollout.max_concurrent);
        let stop = rollout.and_then(|rollout| rollout.stop_after_failures);
        Self {
            max_concurrent: number(max, defaults::WAVE_SERVICES).max(1),
            stop_after_failures: number(stop, defaults::WAVE_FAILURES),
        }
    }
}

/// Why a service has to wait for its turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Hold {
    /// As many services as may be are in a rollout.
    Full {
        /// Name of the Environment.
        environment: String,
        /// How many may be.
        max_concurrent: usize,
    },
    /// The edit failed elsewhere.
    Stopped {
        /// Name of the Environment.
        environment: String,
        /// The failed service that comes first by name.
        at: ObjectKey,
        /// How many more failed.
        more: usize,
        /// After how many it stops.
        stop_after_failures: usize,
    },
}

// No counts that change while a service waits: each would be a write of status for everybody who does.
impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full {
                environment,
                max_concurrent,
            } => write!(
                f,
                "waits its turn: the change of Environment {environment} rolls at most {max_concurrent} services at once (its rollout.maxConcurrent)"
            ),
            Self::Stopped {
                environment,
                at,
                more,
                stop_after_failures,
            } => {
                write!(
                    f,
                    "waits: the change of Environment {environment} failed at {at}"
                )?;
                if *more > 0 {
                    write!(f, " and {more} more")?;
                }
                write!(
                    f,
                    ", and goes no further after {stop_after_failures} (its rollout.stopAfterFailures): mend what failed, or change the Environment again; to go on with this service alone, edit its spec or set the annotation {}",
                    meta::REDEPLOY_AT
                )
            }
        }
    }
}

impl Hold {
    /// What the owners of the Environment should know, if it is more than a matter of time.
    pub fn announcement(&self) -> Option<String> {
        let Self::Stopped {
            at,
            more,
            stop_after_failures,
            ..
        } = self
        else {
            return None;
        };
        let more = if *more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Some(format!(
            "the newest change failed at {at}{more} and goes no further (rollout.stopAfterFailures is {stop_after_failures}): the services it has not reached keep what they run until what failed is mended or this Environment is changed again"
        ))
    }
}

/// The edit of the Environment that alone causes the rollout a plan is about, if it is one and could be sent now or as soon as AWS was read.
pub fn cause(
    plan: &Plan,
    desired: &Desired,
    memory: &Memory,
    generation: i64,
) -> Option<RolloutWave> {
    let applied = memory.applied.as_ref()?;
    let rolls = plan
        .drift
        .iter()
        .any(|drift| drift.member.rolls() && !drift.futile);
    let elsewhere = applied.own.as_ref() == Some(&desired.own) && applied.intent != desired.intent;
    // What it is to run need not be known for asking; everything else must.
    let readable = plan
        .waiting_on
        .iter()
        .all(|waiting| matches!(waiting, WaitingOn::Read(Need::Newest)));
    let due = rolls && elsewhere && readable && !plan.redeploy && plan.conflict.is_none();
    due.then(|| RolloutWave {
        environment_generation: generation,
        failed_before: failed_by_itself(memory),
    })
}

/// True if the newest rollout failed, and not because of an edit of the Environment.
fn failed_by_itself(memory: &Memory) -> bool {
    memory.rollout.as_ref().is_some_and(|rollout| {
        let failed = matches!(
            rollout.phase,
            Some(RolloutPhase::RolledBack | RolloutPhase::Failed)
        );
        failed && rollout.wave.is_none_or(|wave| wave.failed_before)
    })
}

/// Takes the rollout out of a plan: all else in it goes on.
pub fn hold(plan: &mut Plan, hold: Hold) {
    plan.steps.retain(|step| {
        !step.starts_rollout() && !matches!(step, Step::RegisterTaskDefinition { .. })
    });
    plan.waiting_on = vec![WaitingOn::Wave(hold)];
}

/// Where a service stands in the waves of its Environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    wave: RolloutWave,
    stage: Stage,
    /// When its rollout counts as failed.
    overdue_at: Timestamp,
    /// When nobody follows it any more, as if its object cannot be resolved: it must not keep a place for ever. A rollout is
    /// stopped at its deadline, and going back is waited for at most as long again.
    lost_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Let through; status does not say so yet.
    Promised,
    Running,
    GoingBack,
    Failed,
}

impl Member {
    /// What status tells of a service; `None` if its newest rollout was not caused by its Environment, or is complete. `deadline` is its
    /// `rollout.progressDeadlineSeconds`.
    pub fn of(status: &PrivateServiceStatus, deadline: u32, now: Timestamp) -> Option<Self> {
        let since = |at: Option<&Time>| at.map_or(now, |at| at.0);
        if let Some(attempt) = &status.attempt
            && let Some(wave) = attempt.wave
        {
            let since = since(attempt.at.as_ref());
            return Some(Self::new(wave, Stage::Running, since, deadline));
        }
        let rollout = status.rollout.as_ref()?;
        let stage = match rollout.phase {
            None | Some(RolloutPhase::Progressing) => Stage::Running,
            Some(RolloutPhase::RollingBack) => Stage::GoingBack,
            Some(RolloutPhase::RolledBack | RolloutPhase::Failed) => Stage::Failed,
            Some(RolloutPhase::Complete) => return None,
        };
        let since = since(rollout.started_at.as_ref());
        Some(Self::new(rollout.wave?, stage, since, deadline))
    }

    fn new(wave: RolloutWave, stage: Stage, since: Timestamp, deadline: u32) -> Self {
        let deadline = SignedDuration::from_secs(deadline.into());
        let after = |time: Timestamp| time.checked_add(deadline).unwrap_or(Timestamp::MAX);
        Self {
            wave,
            stage,
            overdue_at: after(since),
            lost_at: after(after(since)),
        }
    }

    fn is_running(&self, now: Timestamp) -> bool {
        self.stage != Stage::Failed && now < self.lost_at
    }

    fn has_failed(&self, generation: i64, now: Timestamp) -> bool {
        self.wave.environment_generation == generation
            && !self.wave.failed_before
            && match self.stage {
                Stage::Failed | Stage::GoingBack => true,
                Stage::Running => now >= self.overdue_at,
                Stage::Promised => false,
            }
    }
}

/// The waves of one Environment.
#[derive(Clone, Debug, Default)]
pub struct Wave {
    /// Those in a rollout, and those whose rollout failed.
    members: BTreeMap<ObjectKey, Member>,
    /// Those that asked and were told to wait.
    waiting: BTreeSet<ObjectKey>,
    /// The newest edit that somebody asked for.
    generation: i64,
    pace: Pace,
    /// What those that wait were told: that the edit goes no further.
    told_stopped: bool,
}

/// A service that asks for its turn.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Name of the Environment.
    pub environment: &'a str,
    /// The service.
    pub key: &'a ObjectKey,
    /// What causes its rollout.
    pub wave: RolloutWave,
    /// The Environment's pace.
    pub pace: Pace,
    /// The service's `rollout.progressDeadlineSeconds`.
    pub deadline: u32,
}

impl Wave {
    /// Asks for a turn. Whoever gets one keeps it until [`Wave::passed`] says that it is over.
    ///
    /// # Errors
    /// Why it has to wait; it is woken when that may be over.
    pub fn ask(&mut self, request: &Request<'_>, now: Timestamp) -> Result<(), Hold> {
        let generation = request.wave.environment_generation;
        if generation >= self.generation {
            (self.generation, self.pace) = (generation, request.pace);
        }
        let mine = self.members.get(request.key);
        let promised = mine.is_some_and(|mine| mine.stage == Stage::Promised);
        let running = mine.is_some_and(|mine| mine.is_running(now));
        let hold = match self.stopped(generation, request.environment, now) {
            None if running || self.free(now) > 0 => None,
            None => Some(Hold::Full {
                environment: request.environment.to_owned(),
                max_concurrent: self.pace.max_concurrent,
            }),
            stopped => stopped,
        };
        if let Some(hold) = hold {
            if promised {
                self.members.remove(request.key);
            }
            self.waiting.insert(request.key.clone());
            return Err(hold);
        }
        self.waiting.remove(request.key);
        // What status says of a rollout that runs already, or was about to, tells more than a promise.
        if !running {
            let member = Member::new(request.wave, Stage::Promised, now, request.deadline);
            self.members.insert(request.key.clone(), member);
        }
        Ok(())
    }

    /// A service as its status shows it at the end of a pass, or before anybody asked. `asked` says how its own asking in that pass ended.
    pub fn passed(&mut self, key: &ObjectKey, member: Option<Member>, asked: Asked) {
        if asked != Asked::Waits {
            self.waiting.remove(key);
        }
        let promised = self
            .members
            .get(key)
            .is_some_and(|member| member.stage == Stage::Promised);
        let sent = member.is_some_and(|member| member.stage != Stage::Failed);
        if asked == Asked::Promised && promised && !sent {
            // Its calls wait for their own turn.
            return;
        }
        match member {
            Some(member) => self.members.insert(key.clone(), member),
            None => self.members.remove(key),
        };
    }

    /// A service that is gone, or left alone: what it runs is no longer followed.
    pub fn left(&mut self, key: &ObjectKey) {
        self.waiting.remove(key);
        self.members.remove(key);
    }

    /// Those that wait and would hear something new if they asked: all of them when the edit has come to a stop or goes on, otherwise as many
    /// as there are places, by name. Whoever of them does not ask makes room for the next.
    pub fn to_wake(&mut self, now: Timestamp) -> Vec<ObjectKey> {
        let stopped = self.stopped(self.generation, "", now).is_some();
        let places = if std::mem::replace(&mut self.told_stopped, stopped) != stopped {
            usize::MAX
        } else if stopped {
            0
        } else {
            self.free(now)
        };
        self.waiting.iter().take(places).cloned().collect()
    }

    fn free(&self, now: Timestamp) -> usize {
        let running = self.members.values().filter(|one| one.is_running(now));
        self.pace.max_concurrent.saturating_sub(running.count())
    }

    fn stopped(&self, generation: i64, environment: &str, now: Timestamp) -> Option<Hold> {
        let limit = self.pace.stop_after_failures;
        let failed: Vec<&ObjectKey> = self
            .members
            .iter()
            .filter(|(_, member)| member.has_failed(generation, now))
            .map(|(key, _)| key)
            .collect();
        let first = failed.first()?;
        (limit > 0 && failed.len() >= limit).then(|| Hold::Stopped {
            environment: environment.to_owned(),
            at: (*first).clone(),
            more: failed.len() - 1,
            stop_after_failures: limit,
        })
    }
}

/// How the asking of a service ended in a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// It did not ask.
    #[default]
    Nothing,
    /// It may roll out.
    Promised,
    /// It waits.
    Waits,
}

#[cfg(test)]
mod tests;
