//! Running passes: which objects, when, how many at once, and what is counted and logged of each. The passes themselves are elsewhere.
//!
//! Invariant: of one object only one pass runs at a time.

use crate::context::{Context, service_ref};
use crate::kind::{self, Kind};
use crate::status::Statuses;
use crate::{environment, privateservice};
use futures::{FutureExt, Stream, StreamExt, stream};
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config, ReconcileRequest};
use kube::runtime::reflector::{ObjectRef, Store};
use privateservice_api::conditions::Reason;
use privateservice_api::{Environment, PrivateService};
use privateservice_core::conditions;
use privateservice_core::owner::ObjectKey;
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

/// Runs a pass over each PrivateService that is sent, until `stop`; then lets the passes that run end.
pub(crate) async fn services(
    context: Arc<Context>,
    mut wake: mpsc::UnboundedReceiver<ObjectKey>,
    stop: CancellationToken,
) {
    let queue = stream::poll_fn(move |task| wake.poll_recv(task)).map(|key| service_ref(&key));
    let concurrency = context.config.concurrency;
    let store = context.services.clone();
    let pass = |object: Arc<PrivateService>, context: Arc<Context>| async move {
        Box::pin(privateservice::reconcile(&object, &context)).await
    };
    run(
        context,
        store,
        queue,
        concurrency,
        pass,
        |context| &context.service_statuses,
        stop,
    )
    .await;
}

/// The same for Environments. They are few, and their passes wait for AWS.
pub(crate) async fn environments(
    context: Arc<Context>,
    mut wake: mpsc::UnboundedReceiver<String>,
    stop: CancellationToken,
) {
    let queue = stream::poll_fn(move |task| wake.poll_recv(task)).map(|name| ObjectRef::new(&name));
    let store = context.environments.clone();
    let pass = |object: Arc<Environment>, context: Arc<Context>| async move {
        Box::pin(environment::reconcile(&object, &context)).await
    };
    run(
        context,
        store,
        queue,
        0,
        pass,
        |context| &context.environment_statuses,
        stop,
    )
    .await;
}

async fn run<K, Pass, Passing>(
    context: Arc<Context>,
    store: Store<K>,
    queue: impl Stream<Item = ObjectRef<K>> + Send + 'static,
    concurrency: u16,
    pass: Pass,
    statuses: fn(&Context) -> &Statuses<K>,
    stop: CancellationToken,
) where
    K: Kind,
    Pass: Fn(Arc<K>, Arc<Context>) -> Passing + Copy + Send + Sync + 'static,
    Passing: Future<Output = anyhow::Result<Action>> + Send + 'static,
{
    let requests = queue
        .map(|object| Ok::<_, Infallible>(ReconcileRequest::from(object)))
        .take_until(stop.cancelled_owned());
    let config = Config::default().concurrency(concurrency);
    let counted = move |object: Arc<K>, context: Arc<Context>| {
        let key = kind::key(&*object);
        let span = tracing::info_span!(
            "reconcile",
            kind = K::NAME,
            namespace = key.namespace,
            name = key.name,
            generation = object.meta().generation,
        );
        let counted = async move {
            let began = Instant::now();
            let result = pass(Arc::clone(&object), Arc::clone(&context)).await;
            let status = statuses(&context).current(&object);
            let reason = result
                .as_ref()
                .ok()
                .and_then(|_| ready_reason::<K>(&status));
            let took = began.elapsed();
            context.metrics.reconciled(K::NAME, reason, took);
            match &result {
                Ok(_) => {
                    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                    let reason = reason.map(Reason::as_str);
                    tracing::debug!(reason, milliseconds, "pass");
                }
                Err(error) => tracing::warn!(error = format!("{error:#}"), "pass not finished"),
            }
            result.map_err(Unfinished)
        };
        // A task of its own, so that passes use all cores, and one that panics is repeated like one that failed.
        tokio::spawn(counted.instrument(span)).map(|ended| match ended {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%error, "a pass panicked");
                Err(Unfinished(error.into()))
            }
        })
    };
    // What a pass comes to is dealt with inside of it; what is left to ignore here is an object that has gone meanwhile.
    applier(
        counted,
        |_, _, _| Action::requeue(RETRY),
        context,
        store,
        requests,
        config,
    )
    .for_each(|_| futures::future::ready(()))
    .await;
}

fn ready_reason<K: Kind>(status: &K::Status) -> Option<Reason> {
    conditions::ready_reason(K::conditions(status))
}
