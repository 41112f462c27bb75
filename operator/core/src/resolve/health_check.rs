//! The container health check, within ECS's ranges.

use super::Notice;
use crate::defaults;
use crate::problem::Problem;
use crate::task_definition::HealthCheck;
use privateservice_api::conditions::Reason;
use privateservice_api::environment::EnvironmentType;
use privateservice_api::privateservice::HealthCheck as Spec;

/// Resolves `healthCheck`. A timeout of 61 to 120 seconds runs as 60, ECS's limit, and is told.
pub(super) fn health_check(
    spec: Option<&Spec>,
) -> Result<(Option<HealthCheck>, Option<Notice>), Problem> {
    let Some(spec) = spec else {
        return Ok((None, None));
    };
    let command = match (&spec.command, &spec.exec) {
        (Some(command), None) => vec!["CMD-SHELL".to_owned(), command.clone()],
        (None, Some(exec)) => std::iter::once("CMD".to_owned())
            .chain(exec.iter().cloned())
            .collect(),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::new(
                Reason::InvalidSpec,
                "healthCheck: write exactly one of command and exec",
            ));
        }
    };
    let or = |value: Option<i32>, default: u32| {
        value
            .and_then(|value| u32::try_from(value).ok())
            .unwrap_or(default)
    };
    let asked = or(spec.timeout_seconds, defaults::HEALTH_TIMEOUT);
    let timeout = asked.min(defaults::HEALTH_TIMEOUT_MAX);
    let clamp = (timeout != asked).then(|| Notice {
        reason: "HealthCheckTimeoutClamped",
        message: format!(
            "healthCheck.timeoutSeconds is {asked}, but ECS stops a health check after {timeout} seconds: it runs as {timeout}"
        ),
    });
    let check = HealthCheck {
        command,
        interval: or(spec.interval_seconds, defaults::HEALTH_INTERVAL),
        timeout,
        retries: or(spec.retries, defaults::HEALTH_RETRIES),
        start_period: or(spec.start_period_seconds, defaults::HEALTH_START_PERIOD),
    };
    Ok((Some(check), clamp))
}

/// A production service without a health check deserves a warning: ECS then only sees whether the process runs.
pub(super) fn missing(spec: Option<&Spec>, kind: EnvironmentType) -> Option<Notice> {
    (spec.is_none() && kind == EnvironmentType::Production).then(|| Notice {
        reason: "NoHealthCheck",
        message: "no healthCheck is set: ECS cannot tell a broken task from a working one".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout(seconds: i32) -> (u32, bool) {
        let spec = Spec {
            command: Some("true".into()),
            timeout_seconds: Some(seconds),
            ..Spec::default()
        };
        let (check, notice) = health_check(Some(&spec)).unwrap();
        (check.unwrap().timeout, notice.is_some())
    }

    #[test]
    fn timeouts_beyond_sixty_run_as_sixty_and_say_so() {
        assert_eq!(timeout(60), (60, false));
        assert_eq!(timeout(61), (60, true));
        assert_eq!(timeout(120), (60, true));
    }
}
