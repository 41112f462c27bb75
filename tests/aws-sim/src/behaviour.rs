//! How the tasks of an image or a service behave, as a test or a person sets it. Plain data; does no
//! IO. Durations are in seconds of simulated time on the wire (`start_delay_seconds` and so on).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the tasks of an image or a service behave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// From the start of a task to RUNNING (or to the failed start).
    #[serde(with = "seconds", rename = "start_delay_seconds")]
    pub start_delay: Duration,
    /// The essential container exits this long after RUNNING.
    #[serde(with = "optional_seconds", rename = "exits_after_seconds")]
    pub exits_after: Option<Duration>,
    /// Its exit code.
    pub exit_code: i64,
    /// Its `reason` when it exits, such as `OutOfMemoryError: ...`.
    pub exit_reason: Option<String>,
    /// Whether the container health check ever passes.
    pub healthy: bool,
    /// From RUNNING to the first passing health check, at least one interval.
    #[serde(with = "seconds", rename = "healthy_after_seconds")]
    pub healthy_after: Duration,
    /// The image does not exist: short for `fails_to_start` with AWS's text and the image's name.
    pub cannot_pull: bool,
    /// The task stops before RUNNING with this `stoppedReason`.
    pub fails_to_start: Option<String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            start_delay: Duration::from_secs(15),
            exits_after: None,
            exit_code: 1,
            exit_reason: None,
            healthy: true,
            healthy_after: Duration::ZERO,
            cannot_pull: false,
            fails_to_start: None,
        }
    }
}

impl Behaviour {
    /// Starts in 15 s and passes its first health check.
    #[must_use]
    pub fn healthy() -> Self {
        Self::default()
    }

    /// The image does not exist.
    #[must_use]
    pub fn cannot_pull() -> Self {
        Self {
            cannot_pull: true,
            ..Self::default()
        }
    }

    /// The image exists, but not for the task's CPU architecture (text after public reports).
    #[must_use]
    pub fn wrong_architecture() -> Self {
        Self::failing(
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): image \
             Manifest does not contain descriptor matching platform 'linux/arm64'",
        )
    }

    /// A secret that the task definition names does not exist (text after public reports).
    #[must_use]
    pub fn secret_missing() -> Self {
        Self::failing(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
             retrieval failed: unable to retrieve secret from asm: service call has been retried 1 \
             time(s): failed to fetch secret from secrets manager: ResourceNotFoundException: Secrets \
             Manager can't find the specified secret.",
        )
    }

    /// The essential container exits with `code` this long after RUNNING.
    #[must_use]
    pub fn exits(after: Duration, code: i64) -> Self {
        Self {
            exits_after: Some(after),
            exit_code: code,
            ..Self::default()
        }
    }

    /// The essential container is killed for its memory this long after RUNNING (ECS developer guide,
    /// Stopped task error messages).
    #[must_use]
    pub fn out_of_memory(after: Duration) -> Self {
        Self {
            exit_reason: Some("OutOfMemoryError: Container killed due to memory usage".to_owned()),
            ..Self::exits(after, 137)
        }
    }

    /// Runs, but its container health check never passes.
    #[must_use]
    pub fn never_healthy() -> Self {
        Self {
            healthy: false,
            ..Self::default()
        }
    }

    fn failing(reason: &str) -> Self {
        Self {
            fails_to_start: Some(reason.to_owned()),
            ..Self::default()
        }
    }

    /// Why a task of `image` stops before RUNNING, if it does.
    pub(crate) fn start_failure(&self, image: &str) -> Option<String> {
        self.fails_to_start.clone().or_else(|| {
            self.cannot_pull.then(|| {
                format!(
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): \
                     failed to resolve ref {image}: {image}: not found"
                )
            })
        })
    }

    pub(crate) fn passes_check_after(&self) -> Option<Duration> {
        self.healthy.then_some(self.healthy_after)
    }
}

/// What a behaviour is set for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Tasks whose first essential container runs this image, exactly as in the task definition.
    Image(String),
    /// Tasks of the service of this name, in any cluster; wins over the image.
    Service(String),
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

mod optional_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the signature serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(|value| value.as_secs_f64()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Option::<f64>::deserialize(from)?
            .map(|seconds| Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom))
            .transpose()
    }
}
