//! Running passes over Environments: when, and what is counted and logged of each.
//!
//! Invariant: of one Environment only one pass runs at a time. They are few, and their passes wait for AWS.

use super::{reconcile, verdict};
use crate::context::Context;
use crate::kind::Kind;
use crate::status::WriteError;
use futures::{StreamExt, stream};
use kube::ResourceExt;
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config, ReconcileRequest};
use kube::runtime::reflector::ObjectRef;
use privateservice_api::Environment;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Pause after a pass that could not be finished, which only trouble with the Kubernetes API makes happen.
const RETRY: Duration = Duration::from_secs(5);

/// A pass that could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("the pass could not be finished")]
struct Unfinished(#[source] anyhow::Error);

/// Runs a pass over each Environment that is sent, until `shutdown`; then lets the passes that run end.
pub(crate) async fn run(
    context: Arc<Context>,
    shutdown: CancellationToken,
    mut wake: mpsc::UnboundedReceiver<String>,
) {
    let requests = stream::poll_fn(move |task| wake.poll_recv(task))
        .map(|name| Ok::<_, Infallible>(ReconcileRequest::from(ObjectRef::new(&name))))
        .take_until(shutdown.cancelled_owned());
    let store = context.environments.clone();
    // What a pass comes to is dealt with inside of it; what is left is an object that has gone meanwhile.
    applier(pass, |_, _, _| Action::requeue(RETRY), context, store, requests, Config::default())
        .for_each(|_| futures::future::ready(()))
        .await;
}

async fn pass(object: Arc<Environment>, context: Arc<Context>) -> Result<Action, Unfinished> {
    let span = tracing::info_span!(
        "reconcile",
        kind = Environment::NAME,
        name = object.name_any(),
        generation = object.metadata.generation,
    );
    async {
        let began = Instant::now();
        let result = reconcile(&object, &context).await;
        let status = context.environment_statuses.current(&object);
        let reason = result.as_ref().ok().and_then(|_| verdict::reason(&status));
        context.metrics.reconciled(Environment::NAME, reason, began.elapsed());
        match result {
            // Its next event brings it back, if it is still there.
            Err(error) if error.downcast_ref().is_some_and(WriteError::is_gone) => {
                Ok(Action::await_change())
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "pass not finished");
                Err(Unfinished(error))
            }
            done => done.map_err(Unfinished),
        }
    }
    .instrument(span)
    .await
}
