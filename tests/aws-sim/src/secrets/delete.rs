//! The end of a secret, and its return. In: DeleteSecret and RestoreSecret. Out: a secret that cannot be used until it is
//! restored or gone. No IO.

use std::time::Duration;

use serde_json::{Value, json};

use super::Secrets;
use super::refusals;
use super::secret::Deletion;
use crate::clock::Moment;
use crate::errors::AwsError;

/// The recovery window in days unless asked otherwise (Secrets Manager API reference, DeleteSecret).
const WINDOW: u64 = 30;

impl Secrets {
    pub(super) fn delete(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let is_forced = body["ForceDeleteWithoutRecovery"] == json!(true);
        let window = &body["RecoveryWindowInDays"];
        if is_forced && !window.is_null() {
            return Err(refusals::parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        let days = if window.is_null() {
            WINDOW
        } else {
            window.as_u64().unwrap_or(0)
        };
        if !(7..=30).contains(&days) {
            return Err(refusals::parameter(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            ));
        }
        let reference = body["SecretId"].as_str().unwrap_or_default();
        let takes = if is_forced {
            self.forced_deletion
        } else {
            Duration::from_hours(24 * days)
        };
        let found = match self.name_of(reference, now) {
            // A forced deletion of what is not there succeeds (API reference, DeleteSecret).
            Err(error) if is_forced && error.code == "ResourceNotFoundException" => None,
            found => Some(found?),
        };
        let Some(secret) = found.and_then(|name| self.all.get_mut(&name)) else {
            let arn = if reference.starts_with("arn:") {
                reference.to_owned()
            } else {
                self.new_arn(reference)
            };
            return Ok(json!({"ARN": arn, "Name": reference, "DeletionDate": now.seconds()}));
        };
        if secret.deletion.is_some() && !is_forced {
            return Err(refusals::marked_for_deletion());
        }
        let due = now + takes;
        if !secret.deletion.is_some_and(|deletion| deletion.is_forced) {
            secret.deletion = Some(Deletion {
                asked: now,
                due,
                is_forced,
            });
            secret.changed = now;
            self.first_goes = Some(self.first_goes.map_or(due, |at| at.min(due)));
        }
        let mut answer = secret.named();
        let shown = if is_forced { now } else { due };
        answer["DeletionDate"] = json!(shown.seconds());
        Ok(answer)
    }

    pub(super) fn restore(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let secret = self.found(body, now)?;
        if secret.deletion.is_some_and(|deletion| deletion.is_forced) {
            return Err(refusals::marked_for_deletion());
        }
        if secret.deletion.take().is_some() {
            secret.changed = now;
        }
        Ok(secret.named())
    }
}
