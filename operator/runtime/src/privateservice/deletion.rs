//! Deleting: works from status alone, whatever state the Environment and the spec are in, and lets go of the finalizer when nothing is
//! left in AWS.

use super::execution::{self, Caller};
use super::next::{self, Next};
use super::remembered::Remembered;
use super::secrets;
use super::writing::Writer;
use crate::context::Context;
use crate::finalizer;
use crate::kind;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use privateservice_api::privateservice::DeletionPolicy;
use privateservice_api::{PrivateService, PrivateServiceStatus};
use privateservice_aws::For;
use privateservice_core::assess;
use privateservice_core::claim;
use privateservice_core::fact::Fact;
use privateservice_core::guard;
use privateservice_core::names;
use privateservice_core::owner::Owner;
use privateservice_core::plan::{self, Need, WaitingOn};
use privateservice_core::report;
use privateservice_core::scaling;
use privateservice_core::step::{Outcome, Step};

/// Runs one pass over an object that is being deleted.
pub(super) async fn run(
    ctx: &Context,
    object: &PrivateService,
    remembered: &mut Remembered,
    writer: &Writer<'_>,
) -> anyhow::Result<Next> {
    let now = Timestamp::now();
    let key = kind::key(object);
    let mut previous = writer.previous();
    if previous.cluster.is_none()
        && let Some(environment) = ctx
            .environment_name(object)
            .and_then(|name| ctx.environment(&name))
    {
        // Status may have been lost with a backup: what was made is where the Environment says.
        claim::locate_in(&mut previous, &environment);
    }
    let owner = Owner {
        cluster_id: ctx.cluster_id.clone(),
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    };
    let retain = object.spec.deletion_policy == Some(DeletionPolicy::Retain);
    let place = claim::remains(owner.clone(), &previous, retain).zip(region(&previous));
    let Some(((remains, scope), region)) = place else {
        // No call was ever made for it, as far as anybody knows: status is written before the first one.
        finalizer::remove(&ctx.client.0, object).await?;
        return Ok(Next::AwaitChange);
    };
    let account = ctx.account(&region, previous.assume_role.as_ref());
    let inventory = account.inventory();
    inventory.track(&key, &owner, &scope);
    let _pass = account.begin_pass(&key);
    let mut observed = inventory.observed(&scope);
    let read_failure = inventory.last_failure(&scope);
    if observed.service.is_unknown()
        && let Some(since) = remembered.cluster_gone(read_failure.as_ref(), now)
    {
        // A cluster can only be deleted without services.
        observed.service = Fact::Absent {
            first: since,
            last: now,
        };
    }
    let plan = plan::plan_deletion(&remains, &observed);
    if let Err(violation) = guard::check(&plan, &observed, &owner) {
        anyhow::bail!("a deletion was dropped, which is a bug of the operator: {violation}");
    }
    // Whoever says Retain while AWS cannot be read wants the object gone, not AWS changed.
    let scaling_unread =
        remains.scaling.is_some() && observed.scaling.is_unknown() && !observed.scaling_unsupported;
    let read_failure = read_failure.or_else(|| {
        let failure = inventory.scaling_failure(&scope);
        failure.filter(|_| scaling_unread)
    });
    let unreadable = observed.service.is_unknown() || observed.dns.is_unknown() || scaling_unread;
    let let_go = retain && unreadable && read_failure.is_some();
    if plan.is_settled()
        && let Some(secret) = &previous.stored_secret
    {
        let whom = For {
            key: &key,
            priority: remembered.priority(),
        };
        // Last, so that no task starts without it.
        let removal = secrets::remove(&account, secret, &owner, retain, whom).await;
        if let Err(failure) = removal {
            let verdict = assess::assess_deletion(&plan, Some(&failure));
            let status = report::with_verdict(&previous, &verdict, object.metadata.generation, now);
            writer.write(status).await?;
            return Ok(next::after_failure(&failure, remembered));
        }
    }
    if plan.is_settled() || let_go {
        finalizer::remove(&ctx.client.0, object).await?;
        account.forget(&key);
        return Ok(Next::AwaitChange);
    }
    let caller = Caller {
        account: &account,
        owner: &owner,
        key: &key,
        priority: remembered.priority(),
    };
    let execution = execution::execute(caller, &plan).await;
    if !execution.outcomes.is_empty() {
        remembered.progressed();
    }
    next::want_facts(
        &account,
        &scope,
        &plan,
        &observed,
        remembered.priority(),
        now,
    );
    let draining = plan.waiting_on.iter().any(|waiting| {
        matches!(
            waiting,
            WaitingOn::Draining | WaitingOn::AbsenceConfirmation(Need::Service)
        )
    }) || plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::DeleteService { .. }));
    inventory.set_moving(&key, draining);
    let failure = execution.failure.as_ref().or(read_failure.as_ref());
    let verdict = assess::assess_deletion(&plan, failure);
    let mut status = report::with_verdict(&previous, &verdict, object.metadata.generation, now);
    status.autoscaling = previous
        .autoscaling
        .as_ref()
        .map(|before| scaling::forget(before, &plan, execution.outcomes.len()));
    if execution.outcomes.contains(&Outcome::DnsServiceDeleted) {
        // The ECS service went before, and this we removed ourselves: one look that does not find it is enough.
        status.create_epoch = None;
        if let Some(discovery) = &mut status.discovery {
            (discovery.service_id, discovery.service_arn) = (None, None);
        }
    }
    writer.write(status).await?;
    Ok(next::next(
        &plan,
        execution.failure.as_ref(),
        &observed,
        remembered,
        &next::Timers::default(),
        now,
    ))
}

/// The Region of what status names.
fn region(status: &PrivateServiceStatus) -> Option<String> {
    status
        .region
        .clone()
        .or_else(|| names::region_of(status.cluster.as_deref()?).map(str::to_owned))
}
