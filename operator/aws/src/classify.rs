//! One table from AWS's errors to what follows from them. Pure.
//!
//! In: an SDK error. Out: exactly one [`Failure`]. Request ids and other parts that change from call to call are stripped from its message,
//! because status shows it and must not change while nothing changes.

mod words;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use privateservice_api::conditions::Reason;
use privateservice_core::failure::Failure;
use std::error::Error;

pub(crate) use words::readable;

/// Whether a call changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    Read,
    /// It changes something; when its answer is lost, nobody knows whether it did.
    Write,
}

/// What a row of the table leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Throttled,
    Ambiguous,
    NotYet(Reason),
    Conflict,
    RevisionGone,
    Waiting(Reason),
    Refused,
}

/// A row: an error code (any, if `None`) and words of the message (any, if empty), in lower case.
struct Row {
    code: Option<&'static str>,
    words: &'static str,
    verdict: Verdict,
}

const fn code(code: &'static str, verdict: Verdict) -> Row {
    Row {
        code: Some(code),
        words: "",
        verdict,
    }
}

const fn words(words: &'static str, verdict: Verdict) -> Row {
    Row {
        code: None,
        words,
        verdict,
    }
}

/// The first row that fits decides. Words go before codes, because ECS says many different things in one code.
const TABLE: &[Row] = &[
    // Throttling. ECS: developer guide, Request throttling. Cloud Map: API reference, RequestLimitExceeded. The rest: AWS general
    // reference, Common errors.
    code("ThrottlingException", Verdict::Throttled),
    code("Throttling", Verdict::Throttled),
    code("ThrottledException", Verdict::Throttled),
    code("RequestThrottled", Verdict::Throttled),
    code("RequestThrottledException", Verdict::Throttled),
    code("RequestLimitExceeded", Verdict::Throttled),
    code("TooManyRequestsException", Verdict::Throttled),
    code("TooManyRequests", Verdict::Throttled),
    code("SlowDown", Verdict::Throttled),
    // Credentials. AWS general reference, Common errors.
    code("ExpiredToken", Verdict::Waiting(Reason::CredentialsError)),
    code(
        "ExpiredTokenException",
        Verdict::Waiting(Reason::CredentialsError),
    ),
    code(
        "UnrecognizedClientException",
        Verdict::Waiting(Reason::CredentialsError),
    ),
    code(
        "InvalidClientTokenId",
        Verdict::Waiting(Reason::CredentialsError),
    ),
    code(
        "InvalidSignatureException",
        Verdict::Waiting(Reason::CredentialsError),
    ),
    code(
        "IncompleteSignature",
        Verdict::Waiting(Reason::CredentialsError),
    ),
    code(
        "SignatureDoesNotMatch",
        Verdict::Waiting(Reason::CredentialsError),
    ),
    code(
        "MissingAuthenticationToken",
        Verdict::Waiting(Reason::CredentialsError),
    ),
    code(
        "MissingAuthenticationTokenException",
        Verdict::Waiting(Reason::CredentialsError),
    ),
    // IAM takes up to minutes to let a new role be used, and a role that stays unusable is worth telling. ECS troubleshooting guide;
    // reported by users of infrastructure tools, which retry these.
    words("cannot be assumed", Verdict::Waiting(Reason::AccessDenied)),
    words(
        "unable to assume the service linked role",
        Verdict::Waiting(Reason::AccessDenied),
    ),
    words(
        "unable to assume the role",
        Verdict::Waiting(Reason::AccessDenied),
    ),
    words(
        "verify that the ecs service role",
        Verdict::Waiting(Reason::AccessDenied),
    ),
    words(
        "verify that the ecs service linked role",
        Verdict::Waiting(Reason::AccessDenied),
    ),
    // Permissions. ECS says it in AccessDeniedException, and inside other codes for iam:PassRole.
    words(
        "is not authorized to perform",
        Verdict::Waiting(Reason::AccessDenied),
    ),
    code(
        "AccessDeniedException",
        Verdict::Waiting(Reason::AccessDenied),
    ),
    code("AccessDenied", Verdict::Waiting(Reason::AccessDenied)),
    code(
        "UnauthorizedOperation",
        Verdict::Waiting(Reason::AccessDenied),
    ),
    code("OptInRequired", Verdict::Waiting(Reason::AccessDenied)),
    code("BlockedException", Verdict::Waiting(Reason::AccessDenied)),
    // Secrets Manager API reference: the key that encrypts a secret cannot be used.
    code("EncryptionFailure", Verdict::Waiting(Reason::AccessDenied)),
    code("DecryptionFailure", Verdict::Waiting(Reason::AccessDenied)),
    // ECS API reference, CreateService: the name stays taken while the old service drains.
    words("still draining", Verdict::NotYet(Reason::Draining)),
    code("ResourceInUse", Verdict::NotYet(Reason::Draining)),
    // An ACTIVE service of that name with other parameters: look again, it may be ours.
    words("was not idempotent", Verdict::Conflict),
    code("ServiceAlreadyExists", Verdict::Conflict),
    code("ConflictException", Verdict::Conflict),
    // Concurrent changes. ECS API reference, RegisterTaskDefinition and UpdateService.
    words(
        "too many concurrent attempts",
        Verdict::NotYet(Reason::Deploying),
    ),
    code(
        "ConcurrentUpdateException",
        Verdict::NotYet(Reason::Deploying),
    ),
    code(
        "UpdateInProgressException",
        Verdict::NotYet(Reason::Deploying),
    ),
    code("DuplicateRequest", Verdict::NotYet(Reason::Deploying)),
    words(
        "while deployments are active",
        Verdict::NotYet(Reason::Draining),
    ),
    code(
        "ServiceNotActiveException",
        Verdict::NotYet(Reason::Deploying),
    ),
    code(
        "ServiceNotFoundException",
        Verdict::NotYet(Reason::Deploying),
    ),
    code("ServiceNotFound", Verdict::NotYet(Reason::Deploying)),
    // ECS API reference, DeregisterTaskDefinition: an INACTIVE revision serves no new deployment.
    words("taskdefinition is inactive", Verdict::RevisionGone),
    words("task definition is inactive", Verdict::RevisionGone),
    words("taskdefinition not found", Verdict::RevisionGone),
    words("task definition does not exist", Verdict::RevisionGone),
    words("unable to find task definition", Verdict::RevisionGone),
    words("unable to describe task definition", Verdict::RevisionGone),
    // The Environment's parts are missing, or were made a moment ago.
    code(
        "ClusterNotFoundException",
        Verdict::Waiting(Reason::EnvironmentNotReady),
    ),
    code(
        "NamespaceNotFoundException",
        Verdict::Waiting(Reason::EnvironmentNotReady),
    ),
    code(
        "NamespaceNotFound",
        Verdict::Waiting(Reason::EnvironmentNotReady),
    ),
    words(
        "cluster not found",
        Verdict::Waiting(Reason::EnvironmentNotReady),
    ),
    // ECS API reference, CreateService, capacityProviderStrategy: providers must be associated with the cluster.
    words(
        "not associated with the cluster",
        Verdict::Waiting(Reason::CapacityUnavailable),
    ),
    words(
        "capacity is unavailable",
        Verdict::Waiting(Reason::CapacityUnavailable),
    ),
    // Quotas. LimitExceededException is a hard quota, not throttling. ECS: Service quotas. Cloud Map: API reference.
    code(
        "LimitExceededException",
        Verdict::Waiting(Reason::QuotaExceeded),
    ),
    code(
        "ResourceLimitExceeded",
        Verdict::Waiting(Reason::QuotaExceeded),
    ),
    code(
        "ServiceQuotaExceededException",
        Verdict::Waiting(Reason::QuotaExceeded),
    ),
    code(
        "AttributeLimitExceededException",
        Verdict::Waiting(Reason::QuotaExceeded),
    ),
    words("quota", Verdict::Waiting(Reason::QuotaExceeded)),
    words("maximum number of", Verdict::Waiting(Reason::QuotaExceeded)),
    words("limit exceeded", Verdict::Waiting(Reason::QuotaExceeded)),
    // CloudFormation, whose only code says it in words. API reference, CreateChangeSet and ExecuteChangeSet.
    words(
        "state and can not be updated",
        Verdict::NotYet(Reason::Deploying),
    ),
    words("and cannot be updated", Verdict::NotYet(Reason::Deploying)),
    code(
        "OperationInProgressException",
        Verdict::NotYet(Reason::Deploying),
    ),
    code("InvalidChangeSetStatus", Verdict::NotYet(Reason::Deploying)),
    code("ChangeSetNotFound", Verdict::NotYet(Reason::Deploying)),
    code("InsufficientCapabilitiesException", Verdict::Refused),
    code("ValidationError", Verdict::Refused),
    // The server's own trouble. ECS API reference, ServerException.
    code("ServerException", Verdict::Ambiguous),
    code("InternalFailure", Verdict::Ambiguous),
    code("InternalError", Verdict::Ambiguous),
    code("InternalServerError", Verdict::Ambiguous),
    code("ServiceUnavailable", Verdict::Ambiguous),
    code("ServiceUnavailableException", Verdict::Ambiguous),
    code("RequestTimeout", Verdict::Ambiguous),
    code("RequestTimeoutException", Verdict::Ambiguous),
    // Whatever else is wrong with the request lies in what was asked for.
    code("InvalidParameterException", Verdict::Refused),
    code("ClientException", Verdict::Refused),
    code("InvalidInput", Verdict::Refused),
    code("ValidationException", Verdict::Refused),
    code("PlatformUnknownException", Verdict::Refused),
    code(
        "PlatformTaskDefinitionIncompatibilityException",
        Verdict::Refused,
    ),
    code("UnsupportedFeatureException", Verdict::Refused),
    code("TooManyTagsException", Verdict::Refused),
];

/// What follows from an SDK error.
pub(crate) fn failure<E>(operation: &'static str, effect: Effect, error: &SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(service) = error {
        let status = service.raw().status().as_u16();
        let meta = service.err().meta();
        return of_answer(
            operation,
            status,
            meta.code().unwrap_or(""),
            meta.message().unwrap_or(""),
        );
    }
    if let Some(credentials) = credentials_error(error) {
        return Failure::Waiting {
            operation,
            message: readable(&format!("no valid AWS credentials: {}", told(credentials))),
            reason: Reason::CredentialsError,
        };
    }
    let message = match error {
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "AWS could not be reached",
        SdkError::ResponseError(_) => "the answer could not be read",
        SdkError::ConstructionFailure(_) => {
            return Failure::Refused {
                operation,
                message: "the request could not be built".into(),
                reason: Reason::InvalidSpec,
            };
        }
        _ => match effect {
            Effect::Read => "the read failed",
            Effect::Write => "the write failed",
        },
    };
    Failure::Ambiguous {
        operation,
        message: message.into(),
    }
}

/// What follows from an error AWS answered with.
fn of_answer(operation: &'static str, status: u16, code: &str, message: &str) -> Failure {
    let lower = message.to_lowercase();
    let row = TABLE
        .iter()
        .find(|row| row.code.is_none_or(|wanted| wanted == code) && lower.contains(row.words));
    let verdict = match row {
        Some(row) => row.verdict,
        None if status == 429 => Verdict::Throttled,
        // An error nobody has told us about is no reason to give up: it is read again and tried again.
        None => Verdict::Ambiguous,
    };
    let message = match (readable(message), code) {
        (text, "") if text.is_empty() => format!("HTTP status {status}"),
        (text, code) if text.is_empty() => code.to_owned(),
        (text, _) => text,
    };
    match verdict {
        Verdict::Throttled => Failure::Throttled { operation },
        Verdict::Ambiguous => Failure::Ambiguous { operation, message },
        Verdict::NotYet(reason) => Failure::NotYet {
            operation,
            message,
            reason,
        },
        Verdict::Conflict => Failure::Conflict { operation, message },
        Verdict::RevisionGone => Failure::RevisionGone { operation, message },
        Verdict::Waiting(reason) => Failure::Waiting {
            operation,
            message,
            reason,
        },
        Verdict::Refused => Failure::Refused {
            operation,
            message,
            reason: Reason::InvalidSpec,
        },
    }
}

/// True if this AWS does not have the operation at all: an older partition, a stand-in, or a feature that is not offered here.
pub(crate) fn is_unsupported<E>(error: &SdkError<E>) -> bool
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let SdkError::ServiceError(service) = error else {
        return false;
    };
    // AWS general reference, Common errors (InvalidAction); AWS JSON protocol (UnknownOperationException).
    matches!(
        service.err().meta().code(),
        Some("UnknownOperationException" | "InvalidAction" | "UnsupportedFeatureException")
    ) || service.raw().status().as_u16() == 501
}

/// The credentials error at the root of an error that never left this process.
fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<CredentialsError>() {
            return Some(found);
        }
        next = current.source();
    }
    None
}

/// What a credentials error says: its cause, where it has one.
fn told(error: &CredentialsError) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// Why a role could not be assumed: AWS's words, or those of the first cause.
pub(crate) fn assuming(error: &CredentialsError) -> String {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    let mut words = String::new();
    while let Some(current) = next {
        if let Some(refused) = current.downcast_ref::<AssumeRoleError>() {
            let meta = refused.meta();
            return readable(meta.message().or(meta.code()).unwrap_or("no reason given"));
        }
        words = current.to_string();
        next = current.source();
    }
    readable(&words)
}

#[cfg(test)]
mod tests;
