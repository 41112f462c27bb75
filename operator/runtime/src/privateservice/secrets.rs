//! The one secret of a service, brought to hold what Kubernetes has, before anything is rolled out that names it. Calls AWS about that secret
//! alone; status knows of it before AWS does.

use super::next::{self, Next};
use super::pass::was_ready;
use super::remembered::Remembered;
use super::writing::Writer;
use crate::context::Context;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::PrivateServiceStatus;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::StoredSecret;
use privateservice_aws::{Account, For, SecretOutcome};
use privateservice_core::failure::Failure;
use privateservice_core::owner::Owner;
use privateservice_core::place::Place;
use privateservice_core::problem::Problem;
use privateservice_core::stored_secret::{
    Description, Kept, SecretPlan, SecretStep, Stored, VersionKey, plan,
};
use privateservice_core::{assess, claim, report};

/// Calls that one pass makes about a secret: a description, a restoration, labels, and what the description asks for. Where more are needed,
/// the next pass makes them.
const MOST_CALLS: usize = 8;

/// What a pass knows of the secret after this.
pub(super) enum Settled {
    /// It is stored: whole ARN, newest version.
    Stored { arn: String, version: String },
    /// The pass ends here, and status says why.
    Ended(Next),
}

/// A pass, as far as the secret is concerned.
pub(super) struct Settling<'a> {
    pub(super) ctx: &'a Context,
    pub(super) account: &'a Account,
    pub(super) place: &'a Place,
    pub(super) owner: &'a Owner,
    pub(super) writer: &'a Writer<'a>,
    pub(super) whom: For<'a>,
    pub(super) generation: Option<i64>,
    /// True if AWS is to be asked although status says that all is stored.
    pub(super) look: bool,
}

impl Settling<'_> {
    /// Makes the calls that are needed for the secret to hold `stored`. What came of them is in status and in `status` afterwards.
    ///
    /// # Errors
    /// Trouble with the Kubernetes API.
    pub(super) async fn run(
        &self,
        stored: &Stored,
        status: &mut PrivateServiceStatus,
        remembered: &mut Remembered,
    ) -> anyhow::Result<Settled> {
        let key = match self.ctx.version_key.get().await? {
            Ok(key) => key,
            Err(problem) => return self.ended_by(&problem).await,
        };
        match self.bring_about(stored, key, status).await? {
            Ok(settled) => Ok(settled),
            Err(Trouble::Problem(problem)) => self.ended_by(&problem).await,
            Err(Trouble::Failure(failure)) => {
                tracing::info!(%failure, "secret not stored");
                let was_ready = was_ready(status, self.generation);
                let verdict = assess::assess_secret_failure(&failure, was_ready);
                let now = Timestamp::now();
                let next = next::after_failure(&failure, remembered);
                let status = report::with_verdict(status, &verdict, self.generation, now);
                self.writer.write(status).await?;
                Ok(Settled::Ended(next))
            }
        }
    }

    async fn ended_by(&self, problem: &Problem) -> anyhow::Result<Settled> {
        self.writer.problem(problem).await?;
        Ok(Settled::Ended(next::after_problem(problem)))
    }

    async fn bring_about(
        &self,
        stored: &Stored,
        key: &VersionKey,
        status: &mut PrivateServiceStatus,
    ) -> anyhow::Result<Result<Settled, Trouble>> {
        let before = status.stored_secret.clone().unwrap_or_default();
        let computed = key.version_id(&stored.partial_arn, &stored.values.canonical_json());
        let wanted = match self.wanted(stored, key, &before, &computed).await {
            Ok(wanted) => wanted,
            Err(failure) => return Ok(Err(failure.into())),
        };
        let mut kept = Kept::of(&before);
        let mut seen: Option<Description> = None;
        if self.look && kept.arn.is_some() {
            match self.describe(stored).await {
                Ok(description) => seen = Some(description),
                Err(failure) => return Ok(Err(failure.into())),
            }
        }
        for _ in 0..MOST_CALLS {
            match plan(&wanted, self.owner, &kept, seen.as_ref()) {
                SecretPlan::Stored { arn } => {
                    let settled = StoredSecret {
                        name: stored.name.clone(),
                        arn: Some(arn.clone()),
                        version_id: Some(wanted.clone()),
                        computed_id: Some(computed),
                        key_id: Some(key.id()),
                        ..before
                    };
                    if status.stored_secret.as_ref() != Some(&settled) {
                        status.stored_secret = Some(settled);
                        self.writer.write(status.clone()).await?;
                    }
                    return Ok(Ok(Settled::Stored {
                        arn,
                        version: wanted,
                    }));
                }
                SecretPlan::Taken { arn, owner } => return Ok(Err(taken(&arn, owner).into())),
                SecretPlan::Read => match self.describe(stored).await {
                    Ok(description) => seen = Some(description),
                    Err(failure) => return Ok(Err(failure.into())),
                },
                SecretPlan::Do(step) => {
                    self.announce(stored, status).await?;
                    match self.make(&step, stored, &wanted).await {
                        // What is true now follows from the call.
                        Ok(SecretOutcome::Done { arn })
                            if matches!(
                                step,
                                SecretStep::Create
                                    | SecretStep::Put { .. }
                                    | SecretStep::Promote { .. }
                            ) =>
                        {
                            kept.arn = Some(arn);
                            kept.newest = Some(wanted.clone());
                            seen = None;
                        }
                        Ok(SecretOutcome::Done { .. } | SecretOutcome::Otherwise) => {
                            match self.describe(stored).await {
                                Ok(description) => seen = Some(description),
                                Err(failure) => return Ok(Err(failure.into())),
                            }
                        }
                        Err(failure) => return Ok(Err(failure.into())),
                    }
                }
            }
        }
        let operation = "secretsmanager:DescribeSecret";
        let message = "the secret is not yet what it was made to be".to_owned();
        Ok(Err(Failure::Conflict { operation, message }.into()))
    }

    /// The version that holds what is to be stored: the one that the key makes of it, unless another key made the one that is there.
    async fn wanted(
        &self,
        stored: &Stored,
        key: &VersionKey,
        before: &StoredSecret,
        computed: &str,
    ) -> Result<String, Failure> {
        let (Some(newest), Some(arn)) = (&before.version_id, &before.arn) else {
            return Ok(computed.to_owned());
        };
        if before.computed_id.as_deref() == Some(computed) {
            return Ok(newest.clone());
        }
        let same_key = before.key_id.as_ref() == Some(&key.id());
        if !same_key
            && self
                .account
                .secret_holds(arn, newest, stored, self.whom)
                .await?
        {
            return Ok(newest.clone());
        }
        Ok(computed.to_owned())
    }

    async fn describe(&self, stored: &Stored) -> Result<Description, Failure> {
        Box::pin(self.account.describe_secret(&stored.name, self.whom)).await
    }

    async fn make(
        &self,
        step: &SecretStep,
        stored: &Stored,
        version: &str,
    ) -> Result<SecretOutcome, Failure> {
        let call = self.account.change_secret(step, stored, version, self.whom);
        let outcome = Box::pin(call).await?;
        tracing::info!(operation = step.operation(), ?outcome, "executed");
        Ok(outcome)
    }

    /// Says in status where the secret is going to be, so that a crash right after its creation leaves nothing behind.
    async fn announce(
        &self,
        stored: &Stored,
        status: &mut PrivateServiceStatus,
    ) -> anyhow::Result<()> {
        let mut claimed = status.clone();
        claim::locate(&mut claimed, self.place);
        claimed
            .stored_secret
            .get_or_insert_with(StoredSecret::default)
            .name
            .clone_from(&stored.name);
        if claimed != *status {
            self.writer.write(claimed.clone()).await?;
            *status = claimed;
        }
        Ok(())
    }
}

/// Why the secret could not be brought about.
enum Trouble {
    Failure(Failure),
    Problem(Problem),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

fn taken(arn: &str, owner: Option<Owner>) -> Problem {
    let whose = owner.map_or_else(
        || "carries no ownership tag of this operator".to_owned(),
        |owner| format!("belongs to {}", owner.tag_value()),
    );
    Problem::new(
        Reason::NameConflict,
        format!(
            "the secret {arn} {whose}, so it is not touched: remove it, or give this service another name"
        ),
    )
}

/// Removes the secret of an object that is being deleted, or lets go of it.
///
/// # Errors
/// AWS's.
pub(super) async fn remove(
    account: &Account,
    secret: &StoredSecret,
    owner: &Owner,
    retain: bool,
    whom: For<'_>,
) -> Result<(), Failure> {
    let description = Box::pin(account.describe_secret(&secret.name, whom)).await?;
    let ours = description.filter(|secret| !secret.deleted && secret.owner.as_ref() == Some(owner));
    let Some(secret) = ours else {
        return Ok(());
    };
    if retain {
        let keys = Owner::TAG_KEYS.map(str::to_owned);
        return Box::pin(account.untag_secret(&secret.arn, &keys, whom)).await;
    }
    Box::pin(account.delete_secret(&secret.arn, whom)).await
}
