//! Which version of secrets that others keep is current: read once for all services that name a secret, again once in a sweep, and when
//! somebody needs to know what is current now. Metadata only (`DescribeSecret`), never a value.
//!
//! In: who names what. Out: [`AwsSecret`] from memory, and a wake-up of everybody who names a secret when another version became current,
//! when it came or went, or when a read that somebody waits for ended. The reader calls AWS; nothing else here does IO.
//!
//! Invariants: a secret is never read twice at once; a failed read changes nothing of what is known.

mod table;

use crate::calls::Calls;
use crate::classify;
use crate::clock;
use crate::connect::Clients;
use crate::execute::secrets::described;
use crate::inventory::jittered;
use crate::limits::{Bucket, Limits};
use crate::operations::DESCRIBE_SECRET;
use crate::timing::Timing;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::conditions::Reason;
use privateservice_core::owner::ObjectKey;
use privateservice_core::watched_secret::{Absence, AwsSecret};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use table::{Next, Pauses, Seen, Table};
use tokio::sync::{Notify, mpsc};

/// The watched secrets of one account and Region.
#[derive(Debug)]
pub struct SecretWatch {
    table: Mutex<Table>,
    clients: Clients,
    limits: Arc<Limits>,
    calls: Arc<Calls>,
    timing: Timing,
    wake: mpsc::UnboundedSender<ObjectKey>,
    reads: Notify,
}

impl SecretWatch {
    pub(crate) fn new(
        clients: Clients,
        limits: Arc<Limits>,
        calls: Arc<Calls>,
        timing: Timing,
        wake: mpsc::UnboundedSender<ObjectKey>,
    ) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            clients,
            limits,
            calls,
            timing,
            wake,
            reads: Notify::new(),
        })
    }

    /// What is known of a secret, by its name or ARN. From now on it is watched for this object; one that was not read yet is read, and the
    /// object is woken after that.
    pub fn look(&self, key: &ObjectKey, id: &str) -> AwsSecret {
        let secret = self.lock().look(key, id, now());
        if let AwsSecret::Unread { .. } = secret {
            self.reads.notify_one();
        }
        secret
    }

    /// The object names these secrets and no others.
    pub fn keep(&self, key: &ObjectKey, ids: &BTreeSet<String>) {
        self.lock().keep(key, ids);
    }

    /// The object names no secret any more, or is gone.
    pub fn forget(&self, key: &ObjectKey) {
        self.keep(key, &BTreeSet::new());
    }

    /// Has secrets that the object names read again, unless they were read since then, and wakes it after that.
    pub fn read_since<'a>(
        &self,
        key: &ObjectKey,
        ids: impl IntoIterator<Item = &'a str>,
        since: Timestamp,
    ) {
        let mut table = self.lock();
        let mut ended = false;
        for id in ids {
            ended |= table.read_since(id, since, now());
        }
        drop(table);
        if ended {
            // What it did not know yet when it decided to ask.
            self.wake([key.clone()]);
        }
        self.reads.notify_one();
    }

    /// The same for all that the object names.
    pub fn look_afresh(&self, key: &ObjectKey, since: Timestamp) {
        let named = self.lock().named_by(key);
        self.read_since(key, named.iter().map(String::as_str), since);
    }

    /// True if every secret that the object names was read since then, or could not be.
    pub fn was_read_since(&self, key: &ObjectKey, since: Timestamp) -> bool {
        self.lock().was_read_since(key, since)
    }

    /// Reads what is due, the most urgent first. Never returns.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let next = self.lock().next(now());
            match next {
                None => self.reads.notified().await,
                Some(Next::At(at)) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = self.reads.notified() => {}
                    }
                }
                Some(Next::Read(priority)) => {
                    tokio::select! {
                        biased;
                        () = self.limits.admit(Bucket::SecretRead, priority) => {
                            let began = clock::now();
                            let taken = self.lock().take(now(), began);
                            match taken {
                                Some(id) => drop(tokio::spawn(Arc::clone(&self).read(id, began))),
                                None => self.limits.give_back(Bucket::SecretRead),
                            }
                        }
                        // Something more urgent may be wanted now: ask again with its priority.
                        () = self.reads.notified() => {}
                    }
                }
            }
        }
    }

    async fn read(self: Arc<Self>, id: String, began: Timestamp) {
        let seen = self.describe(&id).await;
        let pauses = Pauses {
            sweep: jittered(self.timing.sweep_interval),
            missing: self.timing.missing_secret_retry,
            failed: (self.timing.retry_after, self.timing.retry_cap),
        };
        let to_wake = self.lock().complete(&id, began, seen, now(), pauses);
        self.wake(to_wake);
        self.reads.notify_one();
    }

    async fn describe(&self, id: &str) -> Seen {
        let call = self.clients.secrets.describe_secret().secret_id(id).send();
        let error = match self.calls.send(DESCRIBE_SECRET, Box::pin(call)).await {
            Ok(answer) => {
                return match described(&answer) {
                    None => Seen::Missing(Absence::NoSuchSecret),
                    Some(secret) if secret.deleted => Seen::Missing(Absence::ScheduledForDeletion),
                    Some(secret) => match secret.current() {
                        None => Seen::Missing(Absence::NoValue),
                        Some(version) => Seen::Current {
                            version: version.to_owned(),
                            arn: secret.arn,
                        },
                    },
                };
            }
            Err(error) => error,
        };
        if error.says_gone() {
            return Seen::Missing(Absence::NoSuchSecret);
        }
        if error.failure.reason() == Reason::AccessDenied {
            return Seen::Unreadable(format!(
                "{}: allow it, it shows no value (privateservice-operator iam-policy --services)",
                error.failure
            ));
        }
        if classify::is_unsupported(&error.error) {
            return Seen::Unreadable(error.failure.to_string());
        }
        Seen::Failed(error.failure)
    }

    fn wake(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        for key in keys {
            // A closed channel means that the process is stopping.
            drop(self.wake.send(key));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Every change is complete before anything in a critical section could panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runtime's clock, which tests can stop and move.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
