use super::*;

const OPERATION: &str = "ecs:CreateService";

fn answer(code: &str, message: &str) -> Failure {
    of_answer(OPERATION, 400, code, message)
}

fn reason_of(failure: &Failure) -> Reason {
    failure.reason()
}

#[test]
fn what_is_not_ready_yet_is_retried_soon() {
    for (code, message, reason) in [
        (
            "InvalidParameterException",
            "Unable to Start a service that is still Draining.",
            Reason::Draining,
        ),
        (
            "ResourceInUse",
            "Service contains registered instances; delete the instances first",
            Reason::Draining,
        ),
        (
            "ClientException",
            "Too many concurrent attempts to create a new revision of the specified family.",
            Reason::Deploying,
        ),
        (
            "UpdateInProgressException",
            "There's already a current update in progress",
            Reason::Deploying,
        ),
        (
            "ServiceNotActiveException",
            "Service was not ACTIVE.",
            Reason::Deploying,
        ),
    ] {
        let failure = answer(code, message);
        assert!(
            matches!(failure, Failure::NotYet { .. }),
            "{code} {message}: {failure:?}"
        );
        assert_eq!(reason_of(&failure), reason, "{code} {message}");
    }
}

#[test]
fn what_somebody_else_must_change_waits() {
    for (code, message, reason) in [
        (
            "AccessDeniedException",
            "User: x is not authorized to perform: ecs:CreateService",
            Reason::AccessDenied,
        ),
        (
            "ClientException",
            "User: arn:aws:sts::1:assumed-role/op/s1 is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/exec",
            Reason::AccessDenied,
        ),
        (
            "InvalidParameterException",
            "ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task. Role cannot be assumed.",
            Reason::AccessDenied,
        ),
        (
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
            Reason::AccessDenied,
        ),
        (
            "ExpiredTokenException",
            "The security token included in the request is expired",
            Reason::CredentialsError,
        ),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            Reason::CredentialsError,
        ),
        ("LimitExceededException", "", Reason::QuotaExceeded),
        (
            "InvalidParameterException",
            "The specified namespace has reached the maximum number of services",
            Reason::QuotaExceeded,
        ),
        (
            "ClusterNotFoundException",
            "Cluster not found.",
            Reason::EnvironmentNotReady,
        ),
        (
            "InvalidParameterException",
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster.",
            Reason::CapacityUnavailable,
        ),
    ] {
        let failure = answer(code, message);
        assert!(
            matches!(failure, Failure::Waiting { .. }),
            "{code} {message}: {failure:?}"
        );
        assert_eq!(reason_of(&failure), reason, "{code} {message}");
    }
}

#[test]
fn throttling_says_that_nothing_happened() {
    for code in [
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
    ] {
        assert_eq!(
            answer(code, "Rate exceeded"),
            Failure::Throttled {
                operation: OPERATION
            }
        );
    }
}

#[test]
fn a_server_error_or_an_unheard_of_one_is_ambiguous() {
    for (status, code) in [
        (500, "ServerException"),
        (503, "ServiceUnavailable"),
        (500, ""),
        (400, "NeverHeardOf"),
    ] {
        let failure = of_answer(OPERATION, status, code, "");
        assert!(
            matches!(failure, Failure::Ambiguous { .. }),
            "{code}: {failure:?}"
        );
    }
}

#[test]
fn conflicts_and_lost_revisions_are_told_apart_from_bad_specs() {
    let conflict = answer(
        "InvalidParameterException",
        "Creation of service was not idempotent.",
    );
    assert!(matches!(conflict, Failure::Conflict { .. }));
    let gone = answer("ClientException", "TaskDefinition is inactive");
    assert!(matches!(gone, Failure::RevisionGone { .. }));
    let refused = answer("ClientException", "Invalid 'cpu' setting for task.");
    assert!(matches!(
        refused,
        Failure::Refused {
            reason: Reason::InvalidSpec,
            ..
        }
    ));
}

#[test]
fn messages_do_not_change_from_call_to_call() {
    let one = "User: arn:aws:sts::1:assumed-role/op/i-0aa is not authorized to perform: ecs:X on resource: r (Service: AmazonECS; Status Code: 400; Request ID: 0e7b...)";
    let two = "User: arn:aws:sts::1:assumed-role/op/i-0bb is not authorized to perform: ecs:X on resource: r";
    assert_eq!(
        readable(one),
        "The operator's role is not authorized to perform: ecs:X on resource: r"
    );
    assert_eq!(readable(one), readable(two));
    let with_id = "Something broke. RequestId: 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";
    assert_eq!(readable(with_id), "Something broke.");
    let with_id = "Broke (Request ID: 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed)";
    assert_eq!(readable(with_id), "Broke");
}
