//! Causes of failed tasks that are recognised in ECS's words, each with a sentence for people. Pure.
//!
//! The words are those of ECS's documentation of stopped-task errors (ECS developer guide, Stopped task error messages; Container exit
//! codes; CannotPullContainer). What is not recognised is told in ECS's own words.

use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::TaskFailure;

/// Why a task failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
pub enum Cause {
    /// It used more memory than it has.
    OutOfMemory,
    /// The image is for another CPU architecture.
    WrongArchitecture,
    /// The registry has no such image.
    ImageNotFound,
    /// The registry does not let us pull.
    ImageDenied,
    /// The registry cannot be reached from the task's network.
    ImageUnreachable,
    /// The image could not be pulled for another reason.
    ImagePullFailed,
    /// A secret or parameter does not exist.
    SecretNotFound,
    /// The execution role may not read a secret, pull, or write logs; or cannot be assumed.
    AccessDenied,
    /// Secrets or the registry cannot be reached from the task's network.
    ResourceUnreachable,
    /// The health check failed.
    HealthCheckFailed,
    /// The container exited.
    ContainerExited,
    /// Spot capacity was taken back.
    SpotInterrupted,
    /// There was no capacity.
    CapacityUnavailable,
    /// Anything else.
    TaskFailed,
}

/// Recognises the cause of a failure.
pub fn cause(failure: &TaskFailure) -> Cause {
    let words = failure.reason.as_deref().unwrap_or_default().to_lowercase();
    let any = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    let code = failure.stop_code.as_deref().unwrap_or_default();
    if any(&["outofmemory", "out of memory"]) {
        return Cause::OutOfMemory;
    }
    if any(&[
        "exec format error",
        "descriptor matching platform",
        "no matching manifest",
        "does not match the specified platform",
    ]) {
        return Cause::WrongArchitecture;
    }
    if any(&["capacity is unavailable", "capacity is not available"]) {
        return Cause::CapacityUnavailable;
    }
    let unreachable = any(&[
        "i/o timeout",
        "dial tcp",
        "context deadline exceeded",
        "connection refused",
        "no such host",
        "request canceled",
        "failed to verify certificate",
    ]);
    let denied = any(&[
        "accessdenied",
        "access denied",
        "is not authorized",
        "unable to assume",
        "no basic auth credentials",
        "unauthorized",
        "403 forbidden",
    ]);
    if any(&["cannotpull", "pull image", "pull access", "image manifest"]) {
        return if unreachable {
            Cause::ImageUnreachable
        } else if any(&["pull access denied"]) || denied {
            Cause::ImageDenied
        } else if any(&[
            "not found",
            "manifest unknown",
            "does not exist",
            "name unknown",
        ]) {
            Cause::ImageNotFound
        } else {
            Cause::ImagePullFailed
        };
    }
    if any(&[
        "resourceinitializationerror",
        "unable to pull secrets",
        "fetching secret",
    ]) {
        return if any(&[
            "resourcenotfound",
            "can't find the specified secret",
            "invalid parameters",
            "parameternotfound",
            "did not contain json key",
            "not found",
        ]) {
            Cause::SecretNotFound
        } else if denied {
            Cause::AccessDenied
        } else if unreachable {
            Cause::ResourceUnreachable
        } else {
            Cause::TaskFailed
        };
    }
    if any(&[
        "failed container health checks",
        "failed health check",
        "health checks",
    ]) {
        return Cause::HealthCheckFailed;
    }
    match code {
        "SpotInterruption" => Cause::SpotInterrupted,
        _ if denied => Cause::AccessDenied,
        "EssentialContainerExited" => Cause::ContainerExited,
        _ if failure.exit_code.is_some_and(|code| code != 0) => Cause::ContainerExited,
        _ => Cause::TaskFailed,
    }
}

impl Cause {
    /// The reason of the Event about it.
    pub fn event_reason(self) -> &'static str {
        self.into()
    }

    /// The reason of `Ready` while ECS goes on trying, if there is one for it.
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::ImageNotFound => Some(Reason::ImageNotFound),
            Self::SecretNotFound => Some(Reason::SecretNotFound),
            Self::AccessDenied | Self::ImageDenied => Some(Reason::AccessDenied),
            Self::CapacityUnavailable => Some(Reason::CapacityUnavailable),
            Self::OutOfMemory
            | Self::WrongArchitecture
            | Self::ImageUnreachable
            | Self::ImagePullFailed
            | Self::ResourceUnreachable
            | Self::HealthCheckFailed
            | Self::ContainerExited
            | Self::SpotInterrupted
            | Self::TaskFailed => None,
        }
    }

    /// One sentence about a failure of this cause, without a full stop.
    pub fn sentence(self, failure: &TaskFailure) -> String {
        let words = failure.reason.as_deref().unwrap_or("ECS gave no reason");
        let exit = failure
            .exit_code
            .map_or_else(String::new, |code| format!(" with code {code}"));
        let container = failure.container.as_deref().unwrap_or("container");
        let what = match self {
            Self::OutOfMemory => {
                return "the container was killed because it used more memory than resources.memory gives it".to_owned();
            }
            Self::HealthCheckFailed => {
                return "the health check failed: the container runs, but the command of healthCheck does not succeed in time".to_owned();
            }
            Self::ContainerExited if failure.exit_code == Some(137) => {
                return "the container was killed (code 137): out of memory, or it did not stop in time".to_owned();
            }
            Self::ContainerExited => return format!("the container {container} exited{exit}"),
            Self::SpotInterrupted => {
                return "AWS took the Spot capacity back".to_owned();
            }
            Self::WrongArchitecture => {
                "the image does not run on the CPU architecture of the task (architecture)"
            }
            Self::ImageNotFound => "the image does not exist",
            Self::ImageDenied => "the registry does not let ECS pull the image",
            Self::ImageUnreachable => {
                "the image registry cannot be reached from the subnets and security groups of the task"
            }
            Self::ImagePullFailed => "the image cannot be pulled",
            Self::SecretNotFound => "a secret or parameter does not exist",
            Self::AccessDenied => {
                "the execution role is not allowed to do what starting the task needs"
            }
            Self::ResourceUnreachable => {
                "what the task needs to start cannot be reached from its subnets and security groups"
            }
            Self::CapacityUnavailable => "AWS has no Fargate capacity of this kind now",
            Self::TaskFailed => "a task failed",
        };
        format!("{what} ({})", words.trim_end_matches('.'))
    }
}
