//! The Environment controller: looks at what an Environment names in AWS, judges it, reports it.
//!
//! Reads AWS (three calls a look, rarely) and writes status and Events. Invariant: AWS being unreachable does not unset Ready.

mod rivals;
mod seen;
mod verdict;

pub(crate) use seen::Seen;

use crate::context::Context;
use crate::environment::rivals::Rivals;
use crate::events;
use crate::status::WriteError;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use privateservice_api::{Environment, EnvironmentStatus, meta};
use privateservice_aws::{Lane, Priority};
use privateservice_core::conditions;
use privateservice_core::environment;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What belongs to scaling and to Environments is read every sixth sweep.
const SWEEPS_BETWEEN_LOOKS: u32 = 6;
/// Pause between two statuses that differ in the count of services alone.
const COUNT_PAUSE: Duration = Duration::from_secs(2);
/// Services from which a Warning is due: a Cloud Map namespace holds 300 for ECS, a limit that cannot be raised (ECS developer guide,
/// Service Connect).
const NEARLY_FULL: usize = 270;

/// One pass over one Environment.
///
/// # Errors
/// Only trouble with the Kubernetes API; everything else is a condition.
pub(crate) async fn reconcile(
    object: &Environment,
    context: &Arc<Context>,
) -> anyhow::Result<Action> {
    let name = object.name_any();
    let uid = object.uid().unwrap_or_default();
    let mut seen = context
        .environments_seen
        .lock()
        .remove(&name)
        .filter(|seen| seen.is_of(&uid))
        .unwrap_or_else(|| Seen::new(uid));
    let result = Box::pin(one_pass(object, context, &mut seen)).await;
    context.environments_seen.lock().insert(name, seen);
    match result {
        // Its next event brings it back, if it is still there.
        Err(error) if error.downcast_ref().is_some_and(WriteError::is_gone) => {
            Ok(Action::await_change())
        }
        other => other,
    }
}

async fn one_pass(
    object: &Environment,
    context: &Arc<Context>,
    seen: &mut Seen,
) -> anyhow::Result<Action> {
    let previous = context.environment_statuses.current(object);
    let pace = seen::Pace {
        ready: context.config.sweep_interval * SWEEPS_BETWEEN_LOOKS,
        not_ready: context.config.environment_retry,
        unanswered: context.config.sweep_interval * verdict::MISSED_SWEEPS,
    };
    let users = context.index.user_count(&object.name_any());
    let query = match environment::query(object) {
        Ok(query) => query,
        Err(problem) => {
            let verdict = verdict::problem(&problem);
            write(
                object,
                context,
                seen,
                &previous,
                next(&previous, object, &verdict, users),
            )
            .await?;
            return Ok(Action::await_change());
        }
    };
    let asked = asked(object);
    let ready = conditions::is_ready(&previous.conditions);
    if seen.is_due(&query, asked.as_deref(), ready, Instant::now(), &pace) {
        let priority = Priority {
            lane: Lane::Edit,
            since: Timestamp::now(),
        };
        let account = context.account(&object.spec.region);
        let facts = Box::pin(account.look_at_environment(&query, priority)).await;
        tracing::debug!(?facts, "looked at AWS");
        seen.looked(query, asked, facts, Instant::now());
    }
    let Some(facts) = seen.facts().cloned() else {
        return Ok(Action::requeue(pace.not_ready));
    };
    let judgement = environment::judge(object, &facts, &Rivals(context.environments.state()));
    seen.answered(!matches!(
        &judgement,
        Err(environment::Unfit::Unanswered(_))
    ));
    let before = verdict::Before {
        ready,
        not_ready: verdict::is_not_ready(&previous),
        long_unanswered: seen.is_unanswered_for(pace.unanswered, Instant::now()),
    };
    let verdict = verdict::conclude(&judgement, before);
    let mut status = match &verdict {
        Some(verdict) => next(&previous, object, verdict, users),
        None => EnvironmentStatus {
            services: Some(count(users)),
            ..previous.clone()
        },
    };
    if let (Ok(()), Ok(account)) = (&judgement, &facts.account) {
        status = EnvironmentStatus {
            observed_generation: status.observed_generation,
            conditions: status.conditions,
            ..environment::offers(object, account, count(users))
        };
    }
    if users >= NEARLY_FULL {
        context.events.notice(
            object,
            "NamespaceNearlyFull",
            "the Cloud Map namespace is nearly full: AWS allows 300 services in one; put further services into another Environment",
        );
    }
    let ready = conditions::is_ready(&status.conditions);
    let stalled = conditions::until_stalled(&status.conditions, Timestamp::now())
        .and_then(|left| Duration::try_from(left).ok());
    let later = write(object, context, seen, &previous, status).await?;
    let look = seen.next_look(ready, Instant::now(), &pace);
    let after = [Some(look), stalled, later]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(look);
    Ok(Action::requeue(after.max(Duration::from_millis(100))))
}

/// The status with another verdict.
fn next(
    previous: &EnvironmentStatus,
    object: &Environment,
    verdict: &conditions::Verdict,
    users: usize,
) -> EnvironmentStatus {
    let generation = object.metadata.generation;
    EnvironmentStatus {
        observed_generation: generation,
        conditions: conditions::conditions(
            &previous.conditions,
            verdict,
            generation,
            Timestamp::now(),
        ),
        services: Some(count(users)),
        ..previous.clone()
    }
}

/// Writes the status and the Events of its change. Yields when to come back if a mere count has to wait.
async fn write(
    object: &Environment,
    context: &Context,
    seen: &mut Seen,
    previous: &EnvironmentStatus,
    status: EnvironmentStatus,
) -> anyhow::Result<Option<Duration>> {
    let only_count = EnvironmentStatus {
        services: previous.services,
        ..status.clone()
    } == *previous;
    if only_count && status.services != previous.services {
        // A mass creation would otherwise write once a service.
        if let Some(wait) = seen.until_next_count(COUNT_PAUSE, Instant::now()) {
            return Ok(Some(wait));
        }
    }
    if context.environment_statuses.write(object, &status).await? {
        seen.written(Instant::now());
        context.metrics.status_written("Environment");
        for event in events::environment_events(previous, &status) {
            context.events.publish(object, event);
        }
    }
    Ok(None)
}

/// The value by which a user asked for a look.
fn asked(object: &Environment) -> Option<String> {
    let annotations = object.annotations();
    let values = [meta::RECONCILE_AT, meta::FLUX_REQUESTED_AT].map(|name| annotations.get(name));
    let values: Vec<&str> = values.into_iter().flatten().map(String::as_str).collect();
    (!values.is_empty()).then(|| values.join("\n"))
}

fn count(users: usize) -> i32 {
    i32::try_from(users).unwrap_or(i32::MAX)
}
