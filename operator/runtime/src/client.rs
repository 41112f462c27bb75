//! The connection to Kubernetes, and what must be there before anything starts. Reads KUBECONFIG or the in-cluster account.

use crate::kind::Kind;
use crate::readiness::Readiness;
use crate::status::{WriteError, within_deadline};
use crate::telemetry::chain;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::{Api, Client};
use std::time::Duration;

/// How often something that is not there yet is looked for.
const POLL: Duration = Duration::from_secs(2);
/// The API server closes a watch after 5 to 10 minutes and sends a bookmark about every minute in between; a connection that is silent for
/// longer than this is dead.
const SILENCE: Duration = Duration::from_secs(330);

/// A client by the standard configuration.
///
/// # Errors
/// There is no configuration, or it cannot be used.
pub async fn connect() -> anyhow::Result<Client> {
    let mut config = kube::Config::infer().await?;
    // Fifteen hidden retries would hold a pass for minutes; passes are repeated anyway, with fresh data.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(10));
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    config.write_timeout = Some(Duration::from_secs(30));
    Ok(Client::try_from(config)?)
}

/// The uid of the namespace kube-system, which no two clusters share. Waits for the API server.
pub(crate) async fn cluster_uid(client: &Client, readiness: &Readiness) -> String {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    poll(readiness, "cluster id", || async {
        let namespace = within_deadline(namespaces.get_metadata("kube-system")).await?;
        // The API server sets it on everything; without one, ownership would have no meaning.
        namespace.metadata.uid.ok_or(WriteError::Timeout)
    })
    .await
}

/// Waits until the API server serves a kind. Needs no more rights than the watch itself.
pub(crate) async fn served<K: Kind>(
    client: &Client,
    namespace: Option<&str>,
    readiness: &Readiness,
) {
    let objects = match namespace {
        Some(_) => K::api(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let parameters = ListParams::default().limit(1);
    poll(readiness, K::NAME, || async {
        within_deadline(objects.list_metadata(&parameters))
            .await
            .map(drop)
    })
    .await;
}

/// Asks until there is an answer; says in log and readiness why there is none yet.
async fn poll<T, F>(readiness: &Readiness, part: &'static str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, WriteError>>,
{
    let mut said = String::new();
    loop {
        let error = match ask().await {
            Ok(answer) => {
                readiness.is_up(part);
                return answer;
            }
            Err(error) if error.is_not_found() => {
                "the API server does not serve it: apply the CRDs".to_owned()
            }
            Err(error) => chain(&error),
        };
        if error != said {
            tracing::warn!(part, error, "waiting");
            readiness.waits(part, error.clone());
            said = error;
        }
        tokio::time::sleep(POLL).await;
    }
}
