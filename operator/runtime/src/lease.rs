//! Leader election on a Lease: of all processes that share it, one changes things.
//!
//! Reads and writes one Lease and nothing else. In: a client, the Lease's place. Out: a [`Permit`] that lasts as long as the last
//! renewal surely does. Invariant: a permit ends [`MARGIN`] before another process could take the Lease; with decision record 4 that
//! holds also when the API server is out of reach. A task of its own renews, so that busy passes do not delay it.

mod permitted;
mod record;

pub(crate) use permitted::permitted;

use crate::readiness::Readiness;
use crate::telemetry::chain;
use anyhow::bail;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use privateservice_aws::Permit;
use record::{Sighting, Standing};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long the Lease is held after each renewal. Kubernetes' own controllers use the same 15 s.
pub(crate) const DURATION: Duration = Duration::from_secs(15);
/// The holder counts itself out this much earlier: two clocks may not run equally fast.
const MARGIN: Duration = Duration::from_secs(1);
/// Pause between two renewals.
const RENEW: Duration = Duration::from_secs(2);
/// Pause after a renewal that failed.
const RETRY: Duration = Duration::from_millis(500);
/// Pause between two looks of those who wait. A released Lease is taken within this time.
const LOOK: Duration = Duration::from_secs(1);
/// Time limit of a request about the Lease, so that a renewal without an answer is repeated before writes stop.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// A process that wants to lead.
#[derive(Clone)]
pub(crate) struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
}

/// The right to change things, being renewed.
pub(crate) struct Leadership {
    permit: Permit,
    release: CancellationToken,
    keeping: JoinHandle<anyhow::Result<()>>,
}

/// Why a request about the Lease came to nothing.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The API server refused, or could not be reached.
    #[error("the API server refused or could not be reached")]
    Api(#[from] kube::Error),
    /// No answer in time.
    #[error("the API server did not answer within {} s", REQUEST_TIMEOUT.as_secs())]
    Timeout,
}

impl Trouble {
    fn has_code(&self, code: u16) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.code == code)
    }
}

impl Candidate {
    /// A candidate with a name of its own, for the Lease `name` in `namespace` or, if absent, in the namespace of the client.
    pub(crate) fn new(client: &Client, namespace: Option<&str>, name: &str) -> Self {
        let leases = match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::default_namespaced(client.clone()),
        };
        // A container that starts again in the same Pod is another process, with nothing in memory.
        let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "operator".to_owned());
        let (process, started) = (std::process::id(), Timestamp::now().as_nanosecond());
        Self {
            leases,
            name: name.to_owned(),
            identity: format!("{host}_{process}_{started}"),
        }
    }

    /// Waits until the Lease is ours, for as long as that takes; `None` if asked to stop before.
    pub(crate) async fn lead(
        self,
        readiness: &Readiness,
        shutdown: &CancellationToken,
    ) -> Option<Leadership> {
        let mut sighting = Sighting::default();
        let mut said = String::new();
        // No request is cancelled half way: a claim that nobody knows of would keep everybody waiting.
        while !shutdown.is_cancelled() {
            let pause = match self.try_claim(&mut sighting).await {
                Ok(Claim::Won(leadership)) => {
                    readiness.is_up("lease");
                    tracing::info!(identity = self.identity, lease = self.name, "leads");
                    return Some(*leadership);
                }
                Ok(Claim::Held { holder, left }) => {
                    // To stand by is to be ready.
                    readiness.is_up("lease");
                    if said != holder {
                        tracing::info!(holder, lease = self.name, "stands by");
                        said = holder;
                    }
                    left.min(LOOK)
                }
                Ok(Claim::Lost) => Duration::ZERO,
                Err(trouble) => {
                    let error = chain(&trouble);
                    if said != error {
                        tracing::warn!(error, lease = self.name, "cannot claim the lease");
                        said.clone_from(&error);
                    }
                    readiness.waits("lease", error);
                    LOOK
                }
            };
            let _ = shutdown
                .run_until_cancelled(tokio::time::sleep(pause))
                .await;
        }
        None
    }

    async fn try_claim(&self, sighting: &mut Sighting) -> Result<Claim, Trouble> {
        let found = in_time(self.leases.get_opt(&self.name)).await?;
        if let Some(lease) = &found
            && record::holder(lease) != self.identity
            && let Standing::Held { holder, left } = sighting.look(lease, Instant::now(), DURATION)
        {
            return Ok(Claim::Held { holder, left });
        }
        let exists = found.is_some();
        let claim = record::claimed(
            found,
            &self.name,
            &self.identity,
            DURATION,
            Timestamp::now(),
        );
        let began = Instant::now();
        let parameters = PostParams::default();
        let written = if exists {
            in_time(self.leases.replace(&self.name, &parameters, &claim)).await
        } else {
            in_time(self.leases.create(&parameters, &claim)).await
        };
        match written {
            Ok(held) => Ok(Claim::Won(Box::new(self.clone().start(held, began)))),
            // Another claim was faster.
            Err(trouble) if trouble.has_code(409) => Ok(Claim::Lost),
            Err(trouble) => Err(trouble),
        }
    }

    fn start(self, held: Lease, began: Instant) -> Leadership {
        let (until, receiver) = watch::channel(Some(surely_until(began)));
        let release = CancellationToken::new();
        let keeping = tokio::spawn(self.keep(held, began, until, release.clone()));
        Leadership {
            permit: Permit::until(receiver),
            release,
            keeping,
        }
    }

    /// Renews until told to release.
    ///
    /// # Errors
    /// The Lease is lost.
    async fn keep(
        self,
        mut held: Lease,
        mut last: Instant,
        until: watch::Sender<Option<Instant>>,
        release: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut pause = RENEW;
        loop {
            if release
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                until.send_replace(None);
                self.release(&held).await;
                return Ok(());
            }
            let began = Instant::now();
            match self.renew(&held).await {
                Ok(Renewal::Renewed(lease)) => {
                    held = *lease;
                    last = began;
                    until.send_replace(Some(surely_until(began)));
                    pause = RENEW;
                }
                // An earlier renewal had its effect without an answer; it does not tell when, so another one must.
                Ok(Renewal::StillOurs(lease)) => {
                    held = *lease;
                    pause = Duration::ZERO;
                }
                Ok(Renewal::Lost(holder)) => {
                    until.send_replace(None);
                    bail!("the lease {:?} is held by {holder:?} now", self.name);
                }
                Err(trouble) => {
                    tracing::warn!(error = chain(&trouble), "cannot renew the lease");
                    pause = RETRY;
                }
            }
            if last.elapsed() >= DURATION {
                until.send_replace(None);
                bail!(
                    "the lease {:?} could not be renewed for {} s",
                    self.name,
                    DURATION.as_secs()
                );
            }
        }
    }

    async fn renew(&self, held: &Lease) -> Result<Renewal, Trouble> {
        let next = record::renewed(held, Timestamp::now());
        match in_time(
            self.leases
                .replace(&self.name, &PostParams::default(), &next),
        )
        .await
        {
            Ok(lease) => Ok(Renewal::Renewed(Box::new(lease))),
            // Somebody has written it since, which may have been us.
            Err(trouble) if trouble.has_code(409) => {
                let found = in_time(self.leases.get_opt(&self.name)).await?;
                Ok(match found {
                    Some(lease) if record::holder(&lease) == self.identity => {
                        Renewal::StillOurs(Box::new(lease))
                    }
                    Some(lease) => Renewal::Lost(record::holder(&lease).to_owned()),
                    None => Renewal::Lost(String::new()),
                })
            }
            Err(trouble) if trouble.has_code(404) => Ok(Renewal::Lost(String::new())),
            Err(trouble) => Err(trouble),
        }
    }

    async fn release(&self, held: &Lease) {
        let next = record::released(held, Timestamp::now());
        let parameters = PostParams::default();
        match in_time(self.leases.replace(&self.name, &parameters, &next)).await {
            Ok(_) => tracing::info!(lease = self.name, "released"),
            // It runs out by itself.
            Err(trouble) => tracing::warn!(error = chain(&trouble), "cannot release the lease"),
        }
    }
}

enum Claim {
    Won(Box<Leadership>),
    Held { holder: String, left: Duration },
    Lost,
}

enum Renewal {
    Renewed(Box<Lease>),
    StillOurs(Box<Lease>),
    Lost(String),
}

impl Leadership {
    /// What may be done meanwhile.
    pub(crate) fn permit(&self) -> Permit {
        self.permit.clone()
    }

    /// Waits until the Lease is lost; says why.
    pub(crate) async fn lost(&mut self) -> anyhow::Error {
        match (&mut self.keeping).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => anyhow::anyhow!("the lease was released"),
            Err(error) => anyhow::Error::from(error).context("renewing the lease failed"),
        }
    }

    /// Lets the next one take over at once. Only for those who change nothing any more.
    pub(crate) async fn release(mut self) {
        if self.keeping.is_finished() {
            return;
        }
        self.release.cancel();
        // What went wrong was logged; the Lease then runs out by itself.
        let _ = (&mut self.keeping).await;
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        // Whoever neither released nor lost it has stopped without knowing what is still under way: it runs out by itself.
        if !self.release.is_cancelled() {
            self.keeping.abort();
        }
    }
}

/// Until when nobody else can take a Lease that was renewed by a request begun at `began`.
fn surely_until(began: Instant) -> Instant {
    began + DURATION.saturating_sub(MARGIN)
}

async fn in_time<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, Trouble> {
    match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Trouble::Timeout),
    }
}

#[cfg(test)]
mod tests;
