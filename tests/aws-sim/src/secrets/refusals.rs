//! The errors of Secrets Manager in one place. In: what was asked. Out: code and text. No IO. Texts are AWS's own as public
//! recordings and reports quote them; the README's table says which are not.

use crate::errors::AwsError;

pub(super) fn not_simulated(what: &str) -> AwsError {
    AwsError::not_implemented(format!("secretsmanager:{what}"))
}

/// A member that breaks the model: length, range, pattern.
pub(super) fn validation(text: impl Into<String>) -> AwsError {
    AwsError::new("ValidationException", text)
}

pub(super) fn request(text: impl Into<String>) -> AwsError {
    AwsError::new("InvalidRequestException", text)
}

pub(super) fn parameter(text: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterException", text)
}

fn exists(text: String) -> AwsError {
    AwsError::new("ResourceExistsException", text)
}

fn not_found(text: impl Into<String>) -> AwsError {
    AwsError::new("ResourceNotFoundException", text)
}

pub(super) fn no_secret() -> AwsError {
    not_found("Secrets Manager can't find the specified secret.")
}

pub(super) fn no_version(id: &str) -> AwsError {
    not_found(format!(
        "Secrets Manager can't find the specified secret value for VersionId: {id}"
    ))
}

pub(super) fn no_stage(label: &str) -> AwsError {
    not_found(format!(
        "Secrets Manager can't find the specified secret value for staging label: {label}"
    ))
}

pub(super) fn stage_of_another_version() -> AwsError {
    request("You provided a VersionStage that is not associated to the provided VersionId.")
}

pub(super) fn marked_for_deletion() -> AwsError {
    request("You can't perform this operation on the secret because it was marked for deletion.")
}

pub(super) fn name_scheduled_for_deletion() -> AwsError {
    request(
        "You can't create this secret because a secret with this name is already scheduled for \
         deletion.",
    )
}

pub(super) fn name_taken(name: &str) -> AwsError {
    exists(format!(
        "The operation failed because the secret {name} already exists."
    ))
}

pub(super) fn token_taken(token: &str, arn: &str) -> AwsError {
    exists(format!(
        "You can't use ClientRequestToken {token} because that value is already in use for a \
         version of secret {arn}."
    ))
}

pub(super) fn no_token() -> AwsError {
    request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
}

pub(super) fn invalid_name() -> AwsError {
    validation(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
         following: -/_+=.@!",
    )
}

pub(super) fn too_many_labels() -> AwsError {
    AwsError::new(
        "LimitExceededException",
        "You exceeded the maximum number of staging labels allowed on a secret.",
    )
}
