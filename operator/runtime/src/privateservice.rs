//! A pass over one PrivateService, whatever state it is in: being deleted, suspended, without a place, or alive.
//!
//! In: an object from the cache. Out: calls to AWS, status, finalizer, Events. A pass never waits for a rate limit or a read.

mod deletion;
mod execution;
mod next;
mod pass;
mod placing;
mod remembered;
mod request;
mod scaling;
mod secrets;
mod standing;
mod watched_secrets;
mod waves;
mod writing;

pub(crate) use remembered::Remembered;
pub(crate) use waves::{Waves, gone as wave_without};

use crate::context::Context;
use crate::status::WriteError;
use crate::{finalizer, kind};
use k8s_openapi::jiff::Timestamp;
use kube::runtime::controller::Action;
use next::Next;
use privateservice_api::PrivateService;
use privateservice_core::wave::Asked;
use privateservice_core::{assess, conditions, resolve};
use std::sync::Arc;
use std::time::Duration;
use writing::Writer;

/// How long a change of an Environment may take to be looked at before its services look again by themselves.
const ENVIRONMENT_PENDING: Duration = Duration::from_secs(15);

/// One pass over one object.
///
/// # Errors
/// Only trouble with the Kubernetes API; everything else is a condition.
pub(crate) async fn reconcile(
    object: &PrivateService,
    context: &Arc<Context>,
) -> anyhow::Result<Action> {
    let key = kind::key(object);
    let uid = object.metadata.uid.clone().unwrap_or_default();
    let now = Timestamp::now();
    let before = context.remembered.lock().remove(&key);
    let mut remembered = before
        .filter(|remembered| remembered.is_of(&uid))
        .unwrap_or_else(|| Remembered::new(uid, now));
    remembered.asked = Asked::Nothing;
    let result = Box::pin(one_pass(object, context, &mut remembered, now)).await;
    waves::after_pass(context, object, remembered.asked);
    if !matches!(result, Ok(None)) {
        context.remembered.lock().insert(key, remembered);
    }
    match result {
        Ok(Some(Next::After(pause))) => Ok(Action::requeue(pause)),
        Ok(Some(Next::AwaitChange) | None) => Ok(Action::await_change()),
        // It changed or went while we wrote: its next event brings it back.
        Err(error) if error.downcast_ref().is_some_and(WriteError::is_gone) => {
            Ok(Action::await_change())
        }
        Err(error) => Err(error),
    }
}

/// `None` if the object is none of our business any more.
async fn one_pass(
    object: &PrivateService,
    ctx: &Context,
    remembered: &mut Remembered,
    now: Timestamp,
) -> anyhow::Result<Option<Next>> {
    let writer = Writer::new(ctx, object);
    let handled = writer.previous().observed_generation;
    remembered.see(object.metadata.generation, handled, now);
    if object.metadata.deletion_timestamp.is_some() {
        if !finalizer::has(object) {
            return Ok(None);
        }
        return deletion::run(ctx, object, remembered, &writer)
            .await
            .map(Some);
    }
    if !finalizer::has(object) {
        finalizer::add(&ctx.client.0, object).await?;
        return Ok(Some(Next::AwaitChange));
    }
    if object.spec.suspend == Some(true) {
        rest(ctx, object);
        for (_, account) in ctx.connector.accounts() {
            account.secrets().forget(&kind::key(object));
        }
        writer.verdict(&assess::assess_suspended()).await?;
        return Ok(Some(Next::AwaitChange));
    }
    if conditions::is_ready(&writer.previous().conditions) && placing::is_pending(object, ctx) {
        // The Environment is being looked at and wakes its services after that.
        return Ok(Some(Next::After(ENVIRONMENT_PENDING)));
    }
    let surroundings = placing::Surroundings::of(object, ctx).await?;
    let resolved = surroundings.and_then(|surroundings| {
        let place = placing::place(object, ctx)?;
        let surroundings = surroundings.at(&place, &writer.previous());
        let resolved = resolve::resolve(object, &place, &ctx.cluster_id, &surroundings);
        if resolved.is_ok() {
            surroundings.asked_for_all();
        } else if request::is_new(object, &writer.previous()) {
            surroundings.look_afresh(now);
        }
        Ok((place, resolved?))
    });
    match resolved {
        Ok((place, resolved)) => {
            for notice in &resolved.notices {
                ctx.events.notice(object, notice.reason, &notice.message);
            }
            // Boxed: it holds the futures of every kind of call.
            let pass = pass::run(ctx, object, &place, &resolved, remembered, &writer);
            Box::pin(pass).await.map(Some)
        }
        Err(problem) => {
            rest(ctx, object);
            writer.problem(&problem).await?;
            Ok(Some(next::after_problem(&problem)))
        }
    }
}

/// Nothing is done for the object now, so that AWS need not be watched for it.
fn rest(ctx: &Context, object: &PrivateService) {
    for (_, account) in ctx.connector.accounts() {
        account.inventory().set_moving(&kind::key(object), false);
    }
}
