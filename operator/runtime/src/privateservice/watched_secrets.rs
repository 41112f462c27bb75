//! The secrets of others that an object names: whether they have to be read before anything new is rolled out. Demands reads; no other IO.

use super::remembered::Remembered;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_aws::Account;
use privateservice_core::desired::Desired;
use privateservice_core::failure::Failure;
use privateservice_core::memory::Memory;
use privateservice_core::owner::ObjectKey;
use privateservice_core::resolve::Resolved;
use privateservice_core::secret_versions::Choice;
use privateservice_core::watched_secret::AwsSecret;

/// How old a picture of a secret may be when a rollout takes it along that nobody asked for by `flexstack.dev/redeploy-at`: many services that
/// are applied together share one read.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// The secrets of one object during a pass.
pub(super) struct Secrets<'a> {
    pub(super) account: &'a Account,
    pub(super) key: &'a ObjectKey,
    pub(super) resolved: &'a Resolved,
    pub(super) choice: &'a Choice,
}

impl Secrets<'_> {
    /// True if they have to be read first; the end of that read wakes the object. `bare` is what is wanted, without versions of secrets.
    pub(super) fn are_unread(
        &self,
        bare: &Desired,
        memory: &Memory,
        remembered: &mut Remembered,
        now: Timestamp,
    ) -> bool {
        if self.resolved.watched.secrets.is_empty() {
            return false;
        }
        let wanted_since = remembered.wanted_since(&bare.intent, now);
        let applied = memory.applied.as_ref().map(|applied| &applied.intent);
        if applied == Some(&self.choice.desired.intent) && !memory.redeploy_due(bare) {
            return false;
        }
        // Whoever asks for a redeploy may have changed a secret a moment ago.
        let since = if memory.redeploy_due(bare) {
            wanted_since
        } else {
            wanted_since.checked_sub(FRESH).unwrap_or(Timestamp::MIN)
        };
        let stale = self.choice.stale(self.resolved, since);
        let is_stale = !stale.is_empty();
        if is_stale {
            self.account.secrets().read_since(self.key, stale, since);
        }
        self.choice.unread || is_stale
    }

    /// Why a secret that was not read yet could not be, if one could not.
    pub(super) fn failure(&self) -> Option<Failure> {
        let secrets = self.resolved.watched.secrets.values();
        let mut failures = secrets.filter_map(|secret| match secret {
            AwsSecret::Unread { failure, .. } => failure.clone(),
            AwsSecret::Current { .. } | AwsSecret::Missing(_) | AwsSecret::Unreadable { .. } => {
                None
            }
        });
        failures.next()
    }
}
