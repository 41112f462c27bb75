//! One pass over a living object: observe, plan, guard, execute, assess, report. The only IO is the plan's own calls, the demand for facts
//! and the writing of status; a pass never waits for a rate limit or a read.

use super::next::{Next, after_problem, next, want_facts};
use super::placing;
use super::remembered::Remembered;
use super::request;
use super::writing::Writer;
use crate::context::Context;
use crate::kind;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::RolloutPhase;
use privateservice_api::{PrivateService, PrivateServiceStatus};
use privateservice_aws::{Account, Outputs, Priority};
use privateservice_core::assess::{self, Pass};
use privateservice_core::claim;
use privateservice_core::conditions;
use privateservice_core::fact::Fact;
use privateservice_core::failure::Failure;
use privateservice_core::guard;
use privateservice_core::hash::Hash;
use privateservice_core::memory::{self, Memory};
use privateservice_core::observed::{Observed, Scope, Service, ServiceStatus};
use privateservice_core::owner::{ObjectKey, Owner};
use privateservice_core::place::Place;
use privateservice_core::plan::{self, Need, Plan, WaitingOn};
use privateservice_core::problem::Problem;
use privateservice_core::report::{self, Report};
use privateservice_core::resolve::Resolved;
use privateservice_core::rollout::{self, Judgement};
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
    let desired = &resolved.desired;
    if let Some(problem) = claim::displaced(&previous, place) {
        super::rest(ctx, object);
        writer.problem(&problem).await?;
        return Ok(after_problem(&problem));
    }
    let account = ctx.account(&place.region);
    let inventory = account.inventory();
    inventory.track(key, &desired.owner, &desired.scope);
    inventory.seed(&desired.scope, memory::remembered_revisions(&previous));
    let _pass = account.begin_pass(key);
    let mut observed = inventory.observed(&desired.scope);
    let mut memory = memory::memory(
        object.metadata.uid.as_deref().unwrap_or_default(),
        &previous,
        now,
    );
    if let Some(service) = observed.service.present()
        && rollout::is_outdated(service, &memory, previous.rollout.as_ref())
    {
        observed.service = Fact::Unknown;
    }
    let judgement = judge(resolved, &observed, &mut memory, &previous);
    memory.futile = remembered.repairs.futile(now);
    let mut plan = plan::plan(desired, &observed, &memory);
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
        plan = Plan {
            epoch: plan.epoch,
            ..Plan::default()
        };
        plan.waiting_on.push(WaitingOn::Read(Need::Service));
    }
    if !plan.steps.is_empty()
        && let Some(claim) = claim::claim(&previous, place, &plan)
    {
        // A crash right after the first call must find in status where to look.
        writer.write(claim.clone()).await?;
        previous = claim;
    }
    let execution = execute(&account, &plan, &desired.owner, key, remembered.priority()).await;
    want_facts(
        &account,
        &desired.scope,
        &plan,
        &observed,
        remembered.priority(),
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
    let after = inventory.observed(&desired.scope);
    let service = last_service(&account, &desired.scope, &desired.owner);
    remembered.short_since = service
        .as_ref()
        .and_then(|service| assess::short_of_tasks(service, remembered.short_since, now));
    let read_failure = inventory.last_failure(&desired.scope);
    let verdict = assess::assess(&Pass {
        plan: &plan,
        executed: execution.outcomes.len(),
        failure: execution.failure.as_ref(),
        read_failure: read_failure.as_ref(),
        service: service.as_ref(),
        judgement: judgement.as_ref(),
        dns: desired.dns.as_ref().map(|_| after.dns.present().is_some()),
        short_since: remembered.short_since,
        missed_sweeps: inventory.missed_sweeps(&desired.scope),
        was_ready: was_ready(&previous, object.metadata.generation),
        now,
    });
    let completed = execution.failure.is_none() && execution.outcomes.len() == plan.steps.len();
    let mut status = report::status(
        &previous,
        &Report {
            place,
            resolved,
            observed_before: &observed,
            observed: &after,
            service: service.as_ref(),
            plan: &plan,
            outcomes: &execution.outcomes,
            completed,
            judgement: judgement.as_ref(),
        },
        &verdict,
        object.metadata.generation,
        now,
    );
    let handled = previous.last_handled_reconcile_at.as_deref();
    let answered = request::answered(object, handled, inventory, &desired.scope, remembered, now);
    if answered.is_some() {
        status.last_handled_reconcile_at = answered;
    }
    writer.write(status).await?;
    if plan.is_settled() {
        remembered.settled();
    }
    if execution
        .outcomes
        .iter()
        .any(|outcome| matches!(outcome, Outcome::ServiceUpdated { .. }))
    {
        remembered.repairs.mended(&plan.drift, now);
    }
    inventory.set_moving(
        key,
        is_moving(
            &plan,
            &execution.outcomes,
            judgement.as_ref(),
            service.as_ref(),
        ),
    );
    Ok(next(
        &plan,
        execution.failure.as_ref(),
        &observed,
        remembered,
        now,
    ))
}

/// True for a call that changes tags of the ECS service and nothing else.
const fn is_about_tags(step: &Step) -> bool {
    matches!(step, Step::TagService { .. } | Step::UntagService { .. })
}

/// What executing a plan came to.
pub(super) struct Execution {
    /// What the executed steps yielded, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// What stopped it.
    pub(super) failure: Option<Failure>,
}

/// Executes the steps in order until one fails.
pub(super) async fn execute(
    account: &Arc<Account>,
    plan: &Plan,
    owner: &Owner,
    key: &ObjectKey,
    priority: Priority,
) -> Execution {
    let mut outputs = Outputs::default();
    let mut outcomes = Vec::new();
    for step in &plan.steps {
        // Boxed: the SDK's futures are large, and most passes hold none.
        let call = Box::pin(account.execute(step, &mut outputs, owner, key, priority));
        match call.await {
            Ok(outcome) => {
                tracing::info!(operation = step.operation(), ?outcome, "executed");
                outcomes.push(outcome);
            }
            Err(failure) => {
                tracing::info!(operation = step.operation(), %failure, "not executed");
                return Execution {
                    outcomes,
                    failure: Some(failure),
                };
            }
        }
    }
    Execution {
        outcomes,
        failure: None,
    }
}

/// Judges the rollout and lets a failure seen now hold the plan at once.
fn judge(
    resolved: &Resolved,
    observed: &Observed,
    memory: &mut Memory,
    previous: &PrivateServiceStatus,
) -> Option<Judgement> {
    let judgement = rollout::judge(
        &resolved.desired,
        observed,
        memory,
        previous.rollout.as_ref(),
    );
    if let Some(failed) = judgement
        .as_ref()
        .and_then(|judgement| judgement.failed.clone())
    {
        memory.failed_rollout = Some(failed);
    } else if judgement.is_some() {
        // Nothing speaks of a failure of what this spec asks for: what failed before was another one.
        memory.failed_rollout = None;
    }
    judgement
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

fn was_ready(status: &PrivateServiceStatus, generation: Option<i64>) -> bool {
    status.observed_generation == generation && conditions::is_ready(&status.conditions)
}

/// True while AWS changes by itself, so that it is read often.
fn is_moving(
    plan: &Plan,
    outcomes: &[Outcome],
    judgement: Option<&Judgement>,
    service: Option<&Service>,
) -> bool {
    let rolling = judgement.is_some_and(|judgement| {
        matches!(
            judgement.phase,
            RolloutPhase::Progressing | RolloutPhase::RollingBack
        )
    });
    // ECS starts no more tasks after a failure that it could not roll back.
    let failed = judgement.is_some_and(|judgement| judgement.phase == RolloutPhase::Failed);
    let counting = service.is_some_and(|service| {
        service.running_count != service.desired_count || service.pending_count != 0
    });
    let started = outcomes.iter().any(|outcome| {
        matches!(
            outcome,
            Outcome::ServiceCreated { .. } | Outcome::ServiceUpdated { .. }
        )
    });
    // A service that is not shown yet, right after it was created, soon is.
    let unsettled = plan.waiting_on.iter().any(|waiting| {
        matches!(
            waiting,
            WaitingOn::Draining | WaitingOn::AbsenceConfirmation(Need::Service)
        )
    });
    rolling || (counting && !failed) || started || unsettled
}
