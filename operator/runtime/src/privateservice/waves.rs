//! Waves of Environments, as this process keeps them: the decision is `core`'s, the statuses come from the caches. Sends keys to the queue;
//! no other IO.
//!
//! A wave is put together from the statuses of all its services when the first of them asks, so that a new leader counts what runs. After
//! that every pass says how its service stands, and wakes those whose turn that brings.

use crate::context::Context;
use crate::kind;
use crate::locked::Locked;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::{PrivateService, PrivateServiceStatus};
use privateservice_core::defaults;
use privateservice_core::desired::Desired;
use privateservice_core::memory::Memory;
use privateservice_core::owner::ObjectKey;
use privateservice_core::place::Place;
use privateservice_core::plan::Plan;
use privateservice_core::wave::{self, Asked, Member, Request, Wave};
use std::collections::HashMap;

/// The waves of all Environments, by name; those in which nobody has asked for a turn yet are not there.
#[derive(Debug, Default)]
pub(crate) struct Waves(Locked<HashMap<String, Wave>>);

/// Lets a plan's rollout pass, or takes it out of the plan until its turn comes.
pub(super) fn gate(
    ctx: &Context,
    key: &ObjectKey,
    place: &Place,
    desired: &Desired,
    memory: &Memory,
    plan: &mut Plan,
    now: Timestamp,
) -> Asked {
    let Some(cause) = wave::cause(plan, desired, memory, place.generation) else {
        return Asked::Nothing;
    };
    let name = &place.environment;
    let mut waves = ctx.waves.0.lock();
    let wave = waves
        .entry(name.clone())
        .or_insert_with(|| gathered(ctx, name, now));
    let request = Request {
        environment: name,
        key,
        wave: cause,
        pace: place.pace,
        deadline: desired.progress_deadline,
    };
    match wave.ask(&request, now) {
        Ok(()) => {
            plan.wave = Some(cause);
            Asked::Promised
        }
        Err(hold) => {
            if let Some(words) = hold.announcement()
                && let Some(environment) = ctx.environment(name)
            {
                ctx.events.notice(&*environment, "WaveStopped", &words);
            }
            wave::hold(plan, hold);
            Asked::Waits
        }
    }
}

/// After a pass: how the service stands now, and who may go on because of that.
pub(super) fn after_pass(ctx: &Context, object: &PrivateService, asked: Asked) {
    let now = Timestamp::now();
    change(ctx, ctx.environment_name(object).as_deref(), |wave| {
        let key = kind::key(object);
        match ctx.service(&key).filter(|object| is_followed(object)) {
            Some(object) => {
                let status = ctx.service_statuses.current(&object);
                wave.passed(&key, member(&object, &status, now), asked);
            }
            None => wave.left(&key),
        }
    });
}

/// A service is gone.
pub(crate) fn gone(ctx: &Context, environment: Option<&str>, key: &ObjectKey) {
    change(ctx, environment, |wave| wave.left(key));
}

fn change(ctx: &Context, environment: Option<&str>, change: impl FnOnce(&mut Wave)) {
    let Some(environment) = environment else {
        return;
    };
    let mut waves = ctx.waves.0.lock();
    let Some(wave) = waves.get_mut(environment) else {
        return;
    };
    change(wave);
    for key in wave.to_wake(Timestamp::now()) {
        ctx.wake(key);
    }
}

/// The wave as the statuses of all services of the Environment show it.
fn gathered(ctx: &Context, environment: &str, now: Timestamp) -> Wave {
    let mut wave = Wave::default();
    for key in ctx.index.users(environment) {
        let Some(object) = ctx.service(&key).filter(|object| is_followed(object)) else {
            continue;
        };
        let status = ctx.service_statuses.current(&object);
        wave.passed(&key, member(&object, &status, now), Asked::Nothing);
    }
    wave
}

/// False for a service whose rollout nobody follows: it is being deleted or suspended.
fn is_followed(object: &PrivateService) -> bool {
    object.metadata.deletion_timestamp.is_none() && object.spec.suspend != Some(true)
}

fn member(
    object: &PrivateService,
    status: &PrivateServiceStatus,
    now: Timestamp,
) -> Option<Member> {
    let deadline = object
        .spec
        .rollout
        .as_ref()
        .and_then(|rollout| rollout.progress_deadline_seconds)
        .and_then(|seconds| u32::try_from(seconds).ok())
        .unwrap_or(defaults::PROGRESS_DEADLINE);
    Member::of(status, deadline, now)
}
