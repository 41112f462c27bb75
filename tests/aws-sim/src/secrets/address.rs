//! Finding a secret. In: a name, an ARN, or an ARN without its last seven characters. Out: the secret. No IO.

use serde_json::Value;

use super::Secrets;
use super::refusals;
use super::secret::Secret;
use crate::clock::Moment;
use crate::errors::AwsError;

/// Refuses characters that neither a name nor an ARN has.
pub(super) fn check_name(name: &str) -> Result<(), AwsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c);
    if name.chars().all(allowed) {
        Ok(())
    } else {
        Err(refusals::invalid_name())
    }
}

/// The name before a hyphen and six characters, which Secrets Manager takes for the end of a complete ARN even where they are
/// the end of a name (Secrets Manager user guide, Troubleshoot).
fn before_suffix(rest: &str) -> Option<&str> {
    let (name, suffix) = rest.rsplit_once('-')?;
    let is_suffix = suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_suffix.then_some(name)
}

impl Secrets {
    /// What every ARN of this account and Region begins with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of the secret that a reference names, if it exists.
    pub(super) fn name_of(&self, reference: &str, now: Moment) -> Result<String, AwsError> {
        let rest = reference.strip_prefix(&self.prefix);
        if rest.is_none() && reference.starts_with("arn:") {
            return Err(refusals::no_secret());
        }
        check_name(rest.unwrap_or(reference))?;
        let complete = rest.and_then(before_suffix);
        let name = complete.or(rest).unwrap_or(reference);
        let found = self.all.get(name).filter(|secret| !secret.is_gone(now));
        found
            .filter(|secret| complete.is_none() || secret.arn == reference)
            .map(|secret| secret.name.clone())
            .ok_or_else(refusals::no_secret)
    }

    /// The secret named in `SecretId`, also while it is scheduled for deletion.
    pub(super) fn found(&mut self, body: &Value, now: Moment) -> Result<&mut Secret, AwsError> {
        let reference = body["SecretId"].as_str().unwrap_or_default();
        self.referred(reference, now)
    }

    /// The secret named in `SecretId`, unless it is scheduled for deletion.
    pub(super) fn usable(&mut self, body: &Value, now: Moment) -> Result<&mut Secret, AwsError> {
        let secret = self.found(body, now)?;
        if secret.deletion.is_some() {
            return Err(refusals::marked_for_deletion());
        }
        Ok(secret)
    }

    pub(super) fn referred(
        &mut self,
        reference: &str,
        now: Moment,
    ) -> Result<&mut Secret, AwsError> {
        let name = self.name_of(reference, now)?;
        self.all.get_mut(&name).ok_or_else(refusals::no_secret)
    }
}
