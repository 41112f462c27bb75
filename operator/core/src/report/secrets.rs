//! What status says of secrets: names and versions, never values.

use super::Report;
use crate::stored_secret::Kept;
use privateservice_api::privateservice::{PrivateServiceStatus, SecretInUse};

/// Colons in the ARN of a secret or parameter; what ECS is told beside it follows.
const ARN_PARTS: usize = 7;

/// Brings status up to date; `rolled` says that what is wanted has been sent, or is in force.
pub(super) fn show(status: &mut PrivateServiceStatus, report: &Report<'_>, rolled: bool) {
    let secrets = report.secrets;
    if let (Some(stored), Some(secret)) = (&mut status.stored_secret, &secrets.stored) {
        stored.pending = secret.pending;
        if rolled {
            let mut kept = Kept::of(stored);
            kept.roll(&secret.version);
            stored.rolled_out_version_id = kept.pinned;
            stored.earlier_version_ids = kept.earlier;
        }
    }
    // While an earlier revision serves instead of the spec, tasks have what that one names.
    let rolled = rolled && report.resolved.desired.pinned.is_none();
    secrets.show(&mut status.aws_secrets, rolled);
    if rolled {
        let container = &report.resolved.desired.task_definition.container;
        status.secrets = container
            .secrets
            .iter()
            .map(|(name, from)| in_use(name, from))
            .collect();
    }
}

/// ECS's `valueFrom`: an ARN, for a secret with key, stage and version after it where there are such.
fn in_use(name: &str, value_from: &str) -> SecretInUse {
    let parts: Vec<&str> = value_from.split(':').collect();
    let arn = parts.get(..ARN_PARTS).unwrap_or(&parts).join(":");
    let is_secret = parts.get(2) == Some(&"secretsmanager");
    let version = parts
        .get(ARN_PARTS + 2)
        .filter(|id| is_secret && !id.is_empty());
    SecretInUse {
        name: name.to_owned(),
        arn: if is_secret {
            arn
        } else {
            value_from.to_owned()
        },
        version_id: version.map(|&id| id.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_stage_and_version_are_told_from_the_arn() {
        let secret = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:a/b-AbCdEf";
        for (from, arn, version) in [
            (secret.to_owned(), secret, None),
            (format!("{secret}:url::"), secret, None),
            (format!("{secret}:url::v1"), secret, Some("v1")),
            (
                "arn:aws:ssm:eu-west-3:111122223333:parameter/a/b".to_owned(),
                "arn:aws:ssm:eu-west-3:111122223333:parameter/a/b",
                None,
            ),
        ] {
            let shown = in_use("A", &from);
            assert_eq!(shown.arn, arn);
            assert_eq!(shown.version_id.as_deref(), version);
        }
    }
}
