//! The Environment controller: makes what an Environment leaves to the operator, looks at all of it in AWS, judges it, reports it.
//!
//! Reads AWS (three calls a look, rarely; one more for the stack), has the event queue read, changes the stack, writes the finalizer, status and
//! Events.
//! Invariants: AWS being unreachable does not unset Ready; nothing is written in the wrong account.

mod deletion;
mod founding;
mod listening;
mod orphans;
mod rivals;
mod seen;
mod verdict;

pub(crate) use seen::Seen;

use crate::context::Context;
use crate::environment::deletion::Farewell;
use crate::environment::founding::{Founding, Says, Work};
use crate::environment::rivals::Rivals;
use crate::environment::verdict::Fit;
use crate::events;
use crate::finalizer;
use crate::status::WriteError;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use privateservice_api::conditions::Reason;
use privateservice_api::{Environment, EnvironmentStatus, meta};
use privateservice_aws::{Lane, Priority};
use privateservice_core::conditions;
use privateservice_core::environment::{self, Parts};
use privateservice_core::foundation::{self, Outputs, Wanted};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What belongs to Environments is read every sixth sweep.
const SWEEPS_BETWEEN_LOOKS: u32 = 6;
/// Pause between two statuses that differ in the count of services alone.
const COUNT_PAUSE: Duration = Duration::from_secs(2);
/// Pause between two looks at what a deletion waits for; the last PrivateService to go wakes it at once.
const DELETION_POLL: Duration = Duration::from_secs(5);
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
    if context.environment(&name).is_some() {
        let status = context.environment_statuses.current(object);
        seen.listening.follow(object, context, &status);
    } else {
        // It vanished meanwhile, and nobody would ever stop what it began.
        seen.listening.stop();
    }
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
        sweep: context.config.sweep_interval,
        ready: context.config.sweep_interval * SWEEPS_BETWEEN_LOOKS,
        not_ready: context.config.environment_retry,
        unanswered: context.config.sweep_interval * verdict::MISSED_SWEEPS,
    };
    if object.metadata.deletion_timestamp.is_some() {
        return leave(object, context, seen, &previous).await;
    }
    if !finalizer::has(object) {
        // Its event brings the object back.
        finalizer::add(&context.client.0, object).await?;
        return Ok(Action::await_change());
    }
    let users = context.index.user_count(&object.name_any());
    let checked = environment::check(object).and_then(|()| {
        // A stack that was made is looked after, also once `existing` names all that it made: which is refused.
        let needed = foundation::is_needed(object) || previous.stack_id.is_some();
        needed
            .then(|| foundation::render(object, &context.cluster_id))
            .transpose()
    });
    let wanted = match checked {
        Ok(wanted) => wanted,
        Err(problem) => {
            let verdict = verdict::problem(&problem);
            let status = next(&previous, object, &verdict, users);
            write(object, context, seen, &previous, status).await?;
            return Ok(Action::await_change());
        }
    };
    let mut status = previous.clone();
    let judgement = match &wanted {
        Some(wanted) => founded(object, context, seen, &mut status, wanted, &pace).await?,
        None => Ok(Founding::made(Outputs::default())),
    };
    let ready = conditions::is_ready(&previous.conditions);
    let judgement = match judgement {
        Ok(founding) => judge(object, context, seen, &mut status, founding, ready, &pace).await,
        Err(unfit) => Err(unfit),
    };
    seen.answered(!matches!(
        &judgement,
        Err(environment::Unfit::Unanswered(_))
    ));
    let before = verdict::Before {
        ready,
        not_ready: verdict::is_not_ready(&previous),
        observed: previous.observed_generation == object.metadata.generation,
        long_unanswered: seen.is_unanswered_for(pace.unanswered, Instant::now()),
    };
    let mut status = match verdict::conclude(&judgement, before) {
        Some(verdict) => next(&status, object, &verdict, users),
        None => status,
    };
    status.services = Some(count(users));
    if let Some(pending) = &status.pending_change_set {
        let message = verdict::approval(pending);
        context.events.notice(object, "ApprovalNeeded", &message);
    }
    if let Some(failure) = seen.listening.trouble() {
        context.events.notice(
            object,
            "EventQueueUnreadable",
            &format!(
                "{failure}; until it can be read, what changes in AWS is seen with the next sweep"
            ),
        );
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
    // What was done meanwhile may have been written down already.
    let previous = context.environment_statuses.current(object);
    let later = write(object, context, seen, &previous, status).await?;
    let now = Instant::now();
    let look = seen.next_look(ready, now, &pace).unwrap_or(pace.not_ready);
    let stack = wanted.and_then(|_| seen.next_founding(now));
    let after = [Some(look), stalled, later, stack]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(look);
    Ok(Action::requeue(after.max(Duration::from_millis(100))))
}

/// How far the stack has come; looks at it if that is due.
async fn founded(
    object: &Environment,
    context: &Context,
    seen: &mut Seen,
    status: &mut EnvironmentStatus,
    wanted: &Wanted,
    pace: &seen::Pace,
) -> anyhow::Result<Result<Founding, environment::Unfit>> {
    let asked = asked(object);
    let cause = (object.metadata.generation, asked.clone());
    if let Some(founding) = seen.founding(&cause, Instant::now()) {
        return Ok(Ok(founding.clone()));
    }
    let account = context.account(&object.spec.region, object.spec.assume_role.as_ref());
    let caller = account.caller_account(priority()).await;
    let others = Rivals(context.environments.state());
    if let Err(unfit) = environment::judge_place(object, &caller, &others) {
        seen.not_founded(Instant::now(), pace);
        return Ok(Err(unfit));
    }
    let work = Work {
        object,
        context,
        account: &account,
        wanted,
        asked: asked.as_deref(),
    };
    let gone = |found: bool| seen.stack_is_gone(found, Instant::now());
    let founding = Box::pin(work.advance(status, gone)).await?;
    seen.founded(cause, founding.clone(), Instant::now(), pace);
    Ok(Ok(founding))
}

/// Looks at the parts if that is due, and judges them. What they are is put into `status` if services can run there.
async fn judge(
    object: &Environment,
    context: &Context,
    seen: &mut Seen,
    status: &mut EnvironmentStatus,
    founding: Founding,
    ready: bool,
    pace: &seen::Pace,
) -> Result<Fit, environment::Unfit> {
    let Some(outputs) = &founding.outputs else {
        if let Says::Failed(_) = founding.says {
            seen.silent(Instant::now());
        }
        return Err(verdict::without_outputs(founding.says));
    };
    let parts = Parts::of(object.spec.existing.as_ref(), outputs)?;
    let (query, asked) = (parts.query(object.spec.assume_role.clone()), asked(object));
    if seen.is_due(&query, asked.as_deref(), ready, Instant::now(), pace) {
        let account = context.account(&object.spec.region, object.spec.assume_role.as_ref());
        let facts = Box::pin(account.look_at_environment(&query, priority())).await;
        tracing::debug!(?facts, "looked at AWS");
        seen.looked(query.clone(), asked, facts, Instant::now());
        look_for_orphans(object, context, &account, seen, status).await;
    }
    let Some(facts) = seen.facts() else {
        return Ok(Fit::Well);
    };
    environment::judge(object, &query, facts, &Rivals(context.environments.state()))?;
    if let Ok(account) = &facts.account {
        *status = environment::offers(status, object, parts, account);
    }
    status.pending_change_set.clone_from(&founding.pending);
    Ok(verdict::with_outputs(founding))
}

/// Counts what nobody stands for, with every look at the parts of an Environment that is there.
async fn look_for_orphans(
    object: &Environment,
    context: &Context,
    account: &privateservice_aws::Account,
    seen: &mut Seen,
    status: &mut EnvironmentStatus,
) {
    let Some(Ok(Some(cluster))) = seen.facts().map(|facts| facts.cluster.clone()) else {
        return;
    };
    let found = orphans::find(object, context, account, &cluster.arn, seen.strangers()).await;
    match found {
        Ok(Some(orphans)) => {
            status.orphans = Some(count(orphans.len()));
            if !orphans.is_empty() {
                let message = orphans::message(&orphans);
                context.events.notice(object, "Orphans", &message);
            }
        }
        Ok(None) => status.orphans = None,
        // A count that cannot be had is no trouble of the Environment.
        Err(failure) => tracing::debug!(%failure, "orphans were not looked for"),
    }
}

/// One pass over an Environment that is being deleted.
async fn leave(
    object: &Environment,
    context: &Context,
    seen: &mut Seen,
    previous: &EnvironmentStatus,
) -> anyhow::Result<Action> {
    match deletion::run(object, context, previous).await? {
        Farewell::Gone => Ok(Action::await_change()),
        Farewell::Stays(verdict) => {
            let users = context.index.user_count(&object.name_any());
            let moving = verdict.reason == Reason::Deleting;
            let status = next(previous, object, &verdict, users);
            let later = write(object, context, seen, previous, status).await?;
            let pause = if moving {
                DELETION_POLL
            } else {
                context.config.environment_retry
            };
            Ok(Action::requeue(later.unwrap_or(pause).min(pause)))
        }
    }
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

/// Environments are few, and services wait for them.
fn priority() -> Priority {
    Priority {
        lane: Lane::Edit,
        since: Timestamp::now(),
    }
}

fn count(users: usize) -> i32 {
    i32::try_from(users).unwrap_or(i32::MAX)
}
