//! One pass over a living object: observe, plan, guard, execute, assess, report. The only IO is the plan's own calls, the demand for facts
//! and the writing of status; a pass never waits for a rate limit or a read.

use super::execution::{Caller, execute, execute_announced};
use super::next::{Next, Timers, after_problem, next, want_facts};
use super::placing;
use super::remembered::Remembered;
use super::request;
use super::scaling;
use super::secrets::{Settled, Settling};
use super::standing;
use super::watched_secrets::Secrets;
use super::waves;
use super::writing::Writer;
use crate::context::Context;
use crate::events::Event;
use crate::kind;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::conditions::Reason;
use privateservice_api::{PrivateService, PrivateServiceStatus};
use privateservice_aws::{Account, For, Lane, Priority};
use privateservice_core::assess::{self, Pass};
use privateservice_core::claim;
use privateservice_core::conditions;
use privateservice_core::desired::Desired;
use privateservice_core::evidence;
use privateservice_core::fact::Fact;
use privateservice_core::failure::Failure;
use privateservice_core::guard;
use privateservice_core::hash::Hash;
use privateservice_core::memory;
use privateservice_core::observed::{Observed, Scope, Service, ServiceStatus};
use privateservice_core::owner::Owner;
use privateservice_core::pin::{self, Pin};
use privateservice_core::place::Place;
use privateservice_core::plan::{self, Need, Plan, WaitingOn};
use privateservice_core::problem::Problem;
use privateservice_core::report::{self, Report};
use privateservice_core::resolve::Resolved;
use privateservice_core::rollout;
use privateservice_core::secret_versions::{self, StoredAt};
use privateservice_core::step::{Outcome, Step};
use std::sync::Arc;

/// Runs one pass over an object that was resolved.
pub(super) async fn run(
    ctx: &Context,
    object: &PrivateService,
    place: &Place,
    resolved: &Resolved,
    remembered: &mut Remembered,
    writer: &Writer<'_>,
) -> anyhow::Result<Next> {
    let now = Timestamp::now();
    let key = &kind::key(object);
    let mut previous = writer.previous();
    if let Some(problem) = claim::displaced(&previous, place) {
        super::rest(ctx, object);
        writer.problem(&problem).await?;
        return Ok(after_problem(&problem));
    }
    let account = ctx.account(&place.region, place.role.as_ref());
    let inventory = account.inventory();
    let scope = &resolved.desired.scope;
    inventory.track(key, &resolved.desired.owner, scope);
    inventory.seed(scope, memory::remembered_revisions(&previous));
    let _pass = account.begin_pass(key);
    let mut observed = inventory.observed(scope);
    let mut memory = memory::memory(
        object.metadata.uid.as_deref().unwrap_or_default(),
        &previous,
        now,
    );
    if let Some(service) = observed.service.present()
        && rollout::is_outdated(service, &memory)
    {
        observed.service = Fact::Unknown;
    }
    let redeploy = request::redeploy(object).or_else(|| memory.handled_redeploy.clone());
    let (pinned, unread) = match pin::pin(request::rollback_to(object), scope, &observed) {
        Pin::None => (None, None),
        Pin::To(pinned) => (Some(pinned), None),
        Pin::Unread(arn) => (None, Some(arn)),
        Pin::Refused(problem) => {
            super::rest(ctx, object);
            writer.problem(&problem).await?;
            return Ok(after_problem(&problem));
        }
    };
    let asked = |desired: Desired| desired.asked(redeploy.clone(), pinned.clone());
    let stored = match &resolved.stored {
        None => None,
        Some(stored) => {
            let look = remembered.secret_look_due(object, &previous, now);
            let settling = Settling {
                ctx,
                account: &account,
                place,
                owner: &resolved.desired.owner,
                writer,
                whom: For {
                    key,
                    priority: remembered.priority(),
                },
                generation: object.metadata.generation,
                look,
            };
            let at = match settling.run(stored, &mut previous, remembered).await? {
                Settled::Stored { arn, version } => (arn, version),
                Settled::Ended(next) => {
                    inventory.set_moving(key, false);
                    return Ok(next);
                }
            };
            if look {
                remembered.secret_looked(object, now);
            }
            Some((stored, at))
        }
    };
    let stored = stored.as_ref().map(|(stored, (arn, newest))| StoredAt {
        stored,
        arn,
        newest,
    });
    let applied = memory.applied.as_ref().map(|applied| &applied.intent);
    let choice = secret_versions::choose(resolved, stored, &previous, applied, asked);
    let in_force = &choice.in_force;
    in_force.note(&mut previous);
    let secrets = Secrets {
        account: &account,
        key,
        resolved,
        choice: &choice,
    };
    let unread_secrets =
        secrets.are_unread(&asked(resolved.desired.clone()), &memory, remembered, now);
    let resolved = &Resolved {
        desired: choice.desired.clone(),
        ..resolved.clone()
    };
    let desired = &resolved.desired;
    rollout::follow(desired, &observed, &mut memory);
    let abort = request::abort(object, &previous);
    let judgement = standing::judge(
        desired,
        &observed,
        &mut memory,
        abort.is_some(),
        remembered,
        now,
    );
    memory.futile = remembered.repairs.futile(now);
    let mut plan = match unread {
        // Whatever is to be served instead of the spec must be known first.
        Some(arn) => Plan::wait(memory.epoch, WaitingOn::Read(Need::Revision(arn))),
        None if unread_secrets => Plan::wait(memory.epoch, WaitingOn::Read(Need::Secrets)),
        None => plan::plan(desired, &observed, &memory),
    };
    if plan.waiting_on.is_empty() {
        remembered.repairs.seen(&plan.drift);
    }
    plan.steps
        .retain(|step| !is_about_tags(step) || !remembered.was_tagged(&Hash::of(step), now));
    for drift in plan.drift.iter().filter(|drift| drift.futile) {
        ctx.events.notice(
            object,
            "RepairPaused",
            &format!(
                "{} of the ECS service keeps being changed, or AWS does not keep it: it is repaired ever more rarely",
                drift.member
            ),
        );
    }
    if let Some(elder) = elder_claims(ctx, object, place, &observed, &desired.owner) {
        let problem = Problem::new(
            Reason::NameConflict,
            format!(
                "PrivateService {elder} already has this name in Environment {}: choose another name, or delete that one",
                place.environment
            ),
        );
        inventory.set_moving(key, false);
        writer.problem(&problem).await?;
        return Ok(after_problem(&problem));
    }
    if let Err(violation) = guard::check(&plan, &observed, &desired.owner) {
        tracing::error!(%violation, "a plan was dropped: this is a bug of the operator");
        plan = Plan::wait(plan.epoch, WaitingOn::Read(Need::Service));
    }
    if !in_force.rolls {
        remembered.asked = waves::gate(ctx, key, place, desired, &memory, &mut plan, now);
    }
    if !plan.steps.is_empty()
        && let Some(claim) = claim::claim(&previous, place, &plan)
    {
        // A crash right after the first call must find in status where to look.
        writer.write(claim.clone()).await?;
        previous = claim;
    }
    let caller = Caller {
        account: &account,
        owner: &desired.owner,
        key,
        priority: remembered.priority(),
    };
    let attempt = claim::attempt(desired, &plan, &observed, None);
    let execution = execute_announced(caller, &plan, attempt, &mut previous, writer).await?;
    let scene = scaling::Scene {
        desired,
        observed: &observed,
        memory: &memory,
        execution: &execution,
    };
    let scaled = Box::pin(scaling::scale(
        caller,
        scene,
        remembered,
        &mut previous,
        writer,
        now,
    ))
    .await?;
    // What was made just now and is gone already is no progress: it would be made again and again.
    let in_vain = matches!(
        execution.failure,
        Some(Failure::RevisionGone { .. } | Failure::Conflict { .. })
    );
    let changed = !execution.outcomes.is_empty() || scaled.has_changed_something();
    if changed && !in_vain {
        remembered.progressed();
    }
    let collected = collect(caller, &plan).await;
    want_facts(&account, scope, &plan, &observed, caller.priority, now);
    standing::want_evidence(
        &account,
        scope,
        &observed,
        judgement.as_ref(),
        remembered,
        now,
    );
    for step in plan
        .steps
        .iter()
        .take(execution.outcomes.len())
        .filter(|step| is_about_tags(step))
    {
        remembered.tagged(Hash::of(step), now);
    }
    remembered.stop_refused(&plan, &execution.outcomes);
    let after = inventory.observed(scope);
    let service = last_service(&account, scope, &desired.owner);
    standing::look_for_shortage(
        service.as_ref(),
        judgement.as_ref(),
        desired.scaling.bounds.min,
        &previous,
        remembered,
        now,
    );
    let failures = evidence::failures(
        &previous.failures,
        after.stopped.present(),
        desired,
        judgement
            .as_ref()
            .and_then(|judgement| judgement.id.as_deref()),
    );
    let stop_refused = judgement
        .as_ref()
        .and_then(|judgement| judgement.stoppable.as_ref())
        .is_some_and(|arn| remembered.refused_stop.as_ref() == Some(arn));
    let overdue = judgement
        .as_ref()
        .is_some_and(|judgement| rollout::is_overdue(judgement, &memory, desired, now));
    let read_failure = inventory.last_failure(scope).or_else(|| secrets.failure());
    let verdict = assess::assess(&Pass {
        plan: &plan,
        executed: execution.outcomes.len(),
        failure: execution.failure.as_ref(),
        read_failure: read_failure.as_ref(),
        service: service.as_ref(),
        judgement: judgement.as_ref(),
        failures: &failures,
        desired,
        overdue,
        stop_refused,
        secrets: in_force,
        dns: desired.dns.as_ref().map(|_| after.dns.present().is_some()),
        shortage: remembered.shortage,
        missed_sweeps: inventory.missed_sweeps(scope),
        was_ready: was_ready(&previous, object.metadata.generation),
        now,
    });
    let verdict = scaled.weigh(caller, scene, &previous, verdict);
    let completed = execution.failure.is_none() && execution.outcomes.len() == plan.steps.len();
    // Nothing is known yet, as after a restart: what status says about this very spec stays said.
    let reading = observed.service.is_unknown()
        && execution.outcomes.is_empty()
        && execution.failure.is_none()
        && read_failure.is_none()
        && previous.observed_generation == object.metadata.generation;
    let mut status = if reading {
        previous.clone()
    } else {
        report::status(
            &previous,
            &Report {
                place,
                resolved,
                observed_before: &observed,
                observed: &after,
                service: service.as_ref(),
                secrets: in_force,
                plan: &plan,
                outcomes: &execution.outcomes,
                completed,
                ambiguous: matches!(execution.failure, Some(Failure::Ambiguous { .. })),
                memory: &memory,
                failures: &failures,
                judgement: judgement.as_ref(),
            },
            &verdict,
            object.metadata.generation,
            now,
        )
    };
    if !reading && plan.conflict.is_none() {
        scaled.report(scene, &after, &previous, &mut status);
    }
    let handled = previous.last_handled_reconcile_at.as_deref();
    let answered = request::answered(object, handled, &account, scope, remembered, now);
    if answered.is_some() {
        status.last_handled_reconcile_at = answered;
    }
    status.last_handled_abort_at = request::abort_answered(
        object,
        &previous,
        rollout::abort(judgement.as_ref(), &plan, &execution.outcomes, stop_refused),
        |why| {
            let words = format!("nothing to abort: {why}");
            let event = Event::warning("NothingToAbort", words, "Execute");
            ctx.events.publish(object, event);
        },
    );
    let stalled_in = conditions::until_stalled(&status.conditions, now);
    writer.write(status).await?;
    if plan.is_settled() && scaled.is_settled() {
        remembered.settled();
    }
    if execution
        .outcomes
        .iter()
        .any(|outcome| matches!(outcome, Outcome::ServiceUpdated { .. }))
    {
        remembered.repairs.mended(&plan.drift, now);
    }
    let moving = standing::is_moving(
        &plan,
        &execution.outcomes,
        judgement.as_ref(),
        service.as_ref(),
    ) || remembered.shortage.is_some();
    inventory.set_moving(key, moving);
    let overdue_in = judgement
        .as_ref()
        .and_then(|judgement| rollout::until_overdue(judgement, &memory, desired, now));
    let again = next(
        &plan,
        execution.failure.as_ref(),
        &observed,
        remembered,
        &Timers {
            collected,
            overdue_in,
            stalled_in,
            secret_look_in: in_force
                .stored
                .is_some()
                .then(|| remembered.until_secret_look(now)),
        },
        now,
    );
    Ok(scaled.next(again, &observed, remembered, now))
}

/// Makes the call that tidies up, if the plan has one. Nothing depends on it: it is tried again another time.
async fn collect(caller: Caller<'_>, plan: &Plan) -> bool {
    let Some(step) = &plan.collect else {
        return false;
    };
    let alone = Plan {
        steps: vec![step.clone()],
        ..Plan::default()
    };
    let caller = Caller {
        priority: Priority {
            lane: Lane::Garbage,
            ..caller.priority
        },
        ..caller
    };
    execute(caller, &alone).await.failure.is_none()
}

/// True for a call that changes tags of the ECS service and nothing else.
const fn is_about_tags(step: &Step) -> bool {
    matches!(step, Step::TagService { .. } | Step::UntagService { .. })
}

/// An older object that has this name, unless AWS already says that the name is ours.
fn elder_claims(
    ctx: &Context,
    object: &PrivateService,
    place: &Place,
    observed: &Observed,
    owner: &Owner,
) -> Option<String> {
    let ours = observed.service.present().is_some_and(|service| {
        service.status != ServiceStatus::Inactive && service.owner().as_ref() == Some(owner)
    });
    if ours || observed.service.is_unknown() {
        return None;
    }
    placing::elder(object, place, ctx)
}

/// The service as it was last seen, if it is ours.
fn last_service(account: &Arc<Account>, scope: &Scope, owner: &Owner) -> Option<Service> {
    account
        .inventory()
        .last_known(scope)
        .filter(|service| service.owner().as_ref() == Some(owner))
        .filter(|service| service.status != ServiceStatus::Inactive)
}

/// True if status says Ready about this very generation.
pub(super) fn was_ready(status: &PrivateServiceStatus, generation: Option<i64>) -> bool {
    status.observed_generation == generation && conditions::is_ready(&status.conditions)
}
