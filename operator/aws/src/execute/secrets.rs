//! The calls about the one secret of a service. They are few and made for one service at a time, so that the inventory does not follow
//! them: each answer goes to whoever asked.
//!
//! Invariant: no value is in a failure, whatever AWS answers.

use crate::calls::CallError;
use crate::connect::Account;
use crate::convert;
use crate::limits::Priority;
use crate::operations::{
    CREATE_SECRET, DELETE_SECRET, DESCRIBE_SECRET, GET_SECRET_VALUE, Operation, PUT_SECRET_VALUE,
    RESTORE_SECRET, UNTAG_SECRET, UPDATE_SECRET_VERSION_STAGE,
};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use privateservice_core::failure::Failure;
use privateservice_core::owner::{ObjectKey, Owner};
use privateservice_core::stored_secret::{
    CURRENT, Description, ObservedSecret, SecretStep, Stored, stored_label,
};

/// Days for which a deleted secret can be restored; Secrets Manager takes no fewer (API reference, DeleteSecret).
const RECOVERY_DAYS: i64 = 7;

/// For whom a call is made.
#[derive(Clone, Copy, Debug)]
pub struct For<'a> {
    /// The object.
    pub key: &'a ObjectKey,
    /// What its calls may go ahead of.
    pub priority: Priority,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretOutcome {
    /// It was made; the secret has this ARN.
    Done {
        /// Whole ARN.
        arn: String,
    },
    /// The secret is not in the state that the call was planned for: describe it.
    Otherwise,
}

impl Account {
    /// Describes the secret of a name or ARN; `None` if there is none.
    ///
    /// # Errors
    /// [`Failure::Queued`] when the limits had no call to spare; else AWS's.
    pub async fn describe_secret(&self, id: &str, whom: For<'_>) -> Result<Description, Failure> {
        self.allow(DESCRIBE_SECRET, whom)?;
        let call = self.clients.secrets.describe_secret().secret_id(id).send();
        match self.calls.send(DESCRIBE_SECRET, Box::pin(call)).await {
            Ok(answer) => Ok(described(&answer)),
            Err(error) if error.says_gone() => Ok(None),
            Err(error) => Err(error.failure),
        }
    }

    /// Makes a call that brings the secret towards holding this version.
    ///
    /// # Errors
    /// [`Failure::Queued`] when the limits had no call to spare; else AWS's, without values.
    pub async fn change_secret(
        &self,
        step: &SecretStep,
        stored: &Stored,
        version: &str,
        whom: For<'_>,
    ) -> Result<SecretOutcome, Failure> {
        match step {
            SecretStep::Create => self.create_secret(stored, version, whom).await,
            SecretStep::Restore { arn } => {
                self.allow(RESTORE_SECRET, whom)?;
                let call = self.clients.secrets.restore_secret().secret_id(arn).send();
                let sent = self.calls.send(RESTORE_SECRET, Box::pin(call)).await;
                outcome(arn, sent)
            }
            SecretStep::Put { arn } => {
                self.allow(PUT_SECRET_VALUE, whom)?;
                let call = self
                    .clients
                    .secrets
                    .put_secret_value()
                    .secret_id(arn)
                    .client_request_token(version)
                    .secret_string(stored.values.canonical_json())
                    .send();
                let sent = self.calls.send(PUT_SECRET_VALUE, Box::pin(call)).await;
                outcome(arn, sent).map_err(|failure| without_values(failure, stored))
            }
            SecretStep::Promote { arn, from } => {
                self.move_label(arn, CURRENT, from.as_deref(), Some(version), whom)
                    .await
            }
            SecretStep::Label { arn, version } => {
                let label = stored_label(version);
                self.move_label(arn, &label, None, Some(version), whom)
                    .await
            }
            SecretStep::Unlabel { arn, version } => {
                let label = stored_label(version);
                self.move_label(arn, &label, Some(version), None, whom)
                    .await
            }
        }
    }

    async fn create_secret(
        &self,
        stored: &Stored,
        version: &str,
        whom: For<'_>,
    ) -> Result<SecretOutcome, Failure> {
        self.allow(CREATE_SECRET, whom)?;
        let call = self
            .clients
            .secrets
            .create_secret()
            .name(&stored.name)
            .client_request_token(version)
            .secret_string(stored.values.canonical_json())
            .set_tags(Some(convert::secret_tags(&stored.tags)))
            .send();
        match self.calls.send(CREATE_SECRET, Box::pin(call)).await {
            Ok(answer) => match answer.arn() {
                Some(arn) => Ok(SecretOutcome::Done {
                    arn: arn.to_owned(),
                }),
                None => Ok(SecretOutcome::Otherwise),
            },
            // There is one of that name, or one that is scheduled for deletion.
            Err(error) if is_otherwise(&error) => Ok(SecretOutcome::Otherwise),
            Err(error) => Err(without_values(error.failure, stored)),
        }
    }

    async fn move_label(
        &self,
        arn: &str,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
        whom: For<'_>,
    ) -> Result<SecretOutcome, Failure> {
        let operation = UPDATE_SECRET_VERSION_STAGE;
        self.allow(operation, whom)?;
        let call = self
            .clients
            .secrets
            .update_secret_version_stage()
            .secret_id(arn)
            .version_stage(label)
            .set_remove_from_version_id(from.map(str::to_owned))
            .set_move_to_version_id(to.map(str::to_owned))
            .send();
        let sent = self.calls.send(operation, Box::pin(call)).await;
        outcome(arn, sent)
    }

    /// Whether a version of a secret holds what is to be stored. The one case in which a value is read: the key of the ids was lost.
    ///
    /// # Errors
    /// [`Failure::Queued`] when the limits had no call to spare; else AWS's.
    pub async fn secret_holds(
        &self,
        arn: &str,
        version: &str,
        stored: &Stored,
        whom: For<'_>,
    ) -> Result<bool, Failure> {
        self.allow(GET_SECRET_VALUE, whom)?;
        let call = self
            .clients
            .secrets
            .get_secret_value()
            .secret_id(arn)
            .version_id(version)
            .send();
        match self.calls.send(GET_SECRET_VALUE, Box::pin(call)).await {
            Ok(answer) => Ok(answer.secret_string() == Some(&stored.values.canonical_json())),
            Err(error) if error.says_gone() => Ok(false),
            Err(error) if is_otherwise(&error) => Ok(false),
            Err(error) => Err(error.failure),
        }
    }

    /// Schedules a secret for deletion, which can be undone for 7 days.
    ///
    /// # Errors
    /// [`Failure::Queued`] when the limits had no call to spare; else AWS's.
    pub async fn delete_secret(&self, arn: &str, whom: For<'_>) -> Result<(), Failure> {
        self.allow(DELETE_SECRET, whom)?;
        let call = self
            .clients
            .secrets
            .delete_secret()
            .secret_id(arn)
            .recovery_window_in_days(RECOVERY_DAYS)
            .send();
        match self.calls.send(DELETE_SECRET, Box::pin(call)).await {
            Ok(_) => Ok(()),
            Err(error) if error.says_gone() => Ok(()),
            Err(error) => Err(error.failure),
        }
    }

    /// Takes tags away from a secret.
    ///
    /// # Errors
    /// [`Failure::Queued`] when the limits had no call to spare; else AWS's.
    pub async fn untag_secret(
        &self,
        arn: &str,
        keys: &[String],
        whom: For<'_>,
    ) -> Result<(), Failure> {
        self.allow(UNTAG_SECRET, whom)?;
        let call = self
            .clients
            .secrets
            .untag_resource()
            .secret_id(arn)
            .set_tag_keys(Some(keys.to_vec()))
            .send();
        self.calls.send(UNTAG_SECRET, Box::pin(call)).await?;
        Ok(())
    }

    fn allow(&self, operation: Operation, whom: For<'_>) -> Result<(), Failure> {
        self.admit_for(whom.key, whom.priority, operation)
    }
}

/// What a description says; `None` for one that names no secret.
pub(crate) fn described(answer: &DescribeSecretOutput) -> Option<ObservedSecret> {
    answer.arn().map(|arn| ObservedSecret {
        arn: arn.to_owned(),
        owner: Owner::from_tags(&convert::from_secret(answer.tags())),
        deleted: answer.deleted_date().is_some(),
        versions: answer
            .version_ids_to_stages()
            .into_iter()
            .flatten()
            .map(|(version, labels)| (version.clone(), labels.iter().cloned().collect()))
            .collect(),
    })
}

/// True for an error that says that the secret is not in the state that was believed: it is there already, it is scheduled for deletion, or a
/// label is elsewhere (Secrets Manager API reference, InvalidRequestException).
fn is_otherwise<E: ProvideErrorMetadata>(error: &CallError<E>) -> bool {
    matches!(
        error.error.code(),
        Some("ResourceExistsException" | "InvalidRequestException")
    )
}

fn outcome<T, E: ProvideErrorMetadata>(
    arn: &str,
    sent: Result<T, CallError<E>>,
) -> Result<SecretOutcome, Failure> {
    match sent {
        Ok(_) => Ok(SecretOutcome::Done {
            arn: arn.to_owned(),
        }),
        Err(error) if error.says_gone() || is_otherwise(&error) => Ok(SecretOutcome::Otherwise),
        Err(error) => Err(error.failure),
    }
}

/// AWS's words, without what was sent: a refusal may quote it.
fn without_values(failure: Failure, stored: &Stored) -> Failure {
    failure.reworded(|words| stored.values.redacted(words))
}
