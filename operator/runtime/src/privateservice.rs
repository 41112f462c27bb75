//! The PrivateService controller: watches objects, runs a pass over each when it, its Environment, its neighbours or AWS changed.

mod deletion;
mod neighbours;
mod pass;
mod placing;
mod remembered;
mod writing;

pub(crate) use neighbours::Neighbourhood;
pub(crate) use remembered::Remembered;

use crate::context::Context;
use crate::finalizer;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use neighbours::key_of;
use pass::Next;
use privateservice_api::PrivateService;
use privateservice_core::assess;
use privateservice_core::resolve;
use std::sync::Arc;
use writing::Writer;

/// One reconcile of one object.
///
/// # Errors
/// Only trouble with the Kubernetes API; everything else is a condition.
pub(crate) async fn reconcile(object: &PrivateService, ctx: &Arc<Context>) -> anyhow::Result<Action> {
    let key = key_of(object);
    let uid = object.metadata.uid.clone().unwrap_or_default();
    let now = Timestamp::now();
    let mut remembered = ctx
        .remembered
        .lock()
        .remove(&key)
        .filter(|remembered| remembered.uid == uid)
        .unwrap_or_else(|| Remembered::new(uid, now));
    let result = one_pass(object, ctx, &mut remembered, now).await;
    if result.as_ref().is_ok_and(|next| *next == Done::Gone) {
        return Ok(Action::await_change());
    }
    ctx.remembered.lock().insert(key, remembered);
    Ok(match result? {
        Done::Next(Next::AwaitChange) | Done::Gone => Action::await_change(),
        Done::Next(Next::After(pause)) => Action::requeue(pause),
    })
}

#[derive(PartialEq, Eq)]
enum Done {
    Next(Next),
    Gone,
}

async fn one_pass(
    object: &PrivateService,
    ctx: &Arc<Context>,
    remembered: &mut Remembered,
    now: Timestamp,
) -> anyhow::Result<Done> {
    let key = key_of(object);
    let writer = Writer::new(ctx, object);
    let handled = object.status.as_ref().and_then(|status| status.observed_generation);
    remembered.see(object.metadata.generation, handled, now);
    if object.metadata.deletion_timestamp.is_some() {
        if !finalizer::is_set(object) {
            return Ok(Done::Gone);
        }
        return deletion::run(ctx, object, remembered, &writer).await.map(Done::Next);
    }
    if !finalizer::is_set(object) {
        finalizer::add(&ctx.client, object).await?;
        return Ok(Done::Next(Next::AwaitChange));
    }
    if object.spec.suspend == Some(true) {
        writer.verdict(remembered, &assess::assess_suspended()).await?;
        return Ok(Done::Next(Next::AwaitChange));
    }
    let resolved = placing::place(object, ctx).and_then(|place| {
        let neighbours = placing::CachedNeighbours(ctx);
        resolve::resolve(object, &place, &ctx.cluster_id, &neighbours)
            .map(|resolved| (place, resolved))
    });
    let (place, resolved) = match resolved {
        Ok(resolved) => resolved,
        Err(problem) => {
            tracing::info!(reason = %problem.reason, %problem, "cannot go on");
            writer.problem(remembered, &problem).await?;
            return Ok(Done::Next(pass::after_problem(&problem)));
        }
    };
    writer.notices(remembered, &resolved.notices).await;
    tracing::debug!(name = object.name_any(), "pass");
    pass::run(ctx, object, &key, &place, &resolved, remembered, &writer).await.map(Done::Next)
}
