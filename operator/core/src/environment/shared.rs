//! What an Environment shares with all its services: no secret that is one namespace's. Pure.

use super::invalid;
use crate::grants;
use crate::names;
use crate::place::SharedValue;
use crate::problem::Problem;
use privateservice_api::environment::Environment;

/// Whether every secret in `spec.env` may be shared.
///
/// # Errors
/// `InvalidSpec` for one that belongs to a Kubernetes namespace.
pub(super) fn check(environment: &Environment) -> Result<(), Problem> {
    let name = environment.metadata.name.as_deref().unwrap_or_default();
    for entry in &environment.spec.env {
        if let Some(SharedValue::Secret(secret)) = SharedValue::of(entry)
            && let Some(owner) = namespace_of(&secret.id, name, environment)
        {
            return Err(invalid(format!(
                "spec.env {}: the secret {} belongs to the Kubernetes namespace {owner}, because its name begins with {name}/{owner}/, and cannot \
                 be shared: name a secret of another name",
                entry.name, secret.id
            )));
        }
    }
    Ok(())
}

/// The Kubernetes namespace that a secret belongs to, if it has a name of the operator's naming in the Environment's account and Region.
fn namespace_of<'a>(secret: &'a str, name: &str, environment: &Environment) -> Option<&'a str> {
    if !names::is_arn(secret) {
        return grants::namespace_of_name(secret, name);
    }
    let spec = &environment.spec;
    let status = environment.status.as_ref();
    let account = spec
        .account_id
        .as_deref()
        .or_else(|| status.and_then(|status| status.account_id.as_deref()));
    let here = names::region_of(secret) == Some(spec.region.as_str())
        // As long as the account is not known, it may be this one.
        && account.is_none_or(|account| names::account_of(secret) == Some(account));
    grants::namespace_of_name(names::name_of_secret(secret)?, name).filter(|_| here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use privateservice_api::conditions::Reason;
    use privateservice_api::environment::EnvironmentSpec;
    use serde_json::json;

    /// The execution role could read it, and no service of another namespace may.
    #[test]
    fn a_secret_of_one_namespace_is_not_shared_with_all() {
        let arn = |region: &str, account: &str, name: &str| {
            format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf")
        };
        let account = "111122223333";
        for (id, owner) in [
            ("pre-prod/team-a/api".to_owned(), Some("team-a")),
            (
                arn("eu-west-3", account, "pre-prod/team-a/api"),
                Some("team-a"),
            ),
            (
                arn("eu-west-3", "444455556666", "pre-prod/team-a/api"),
                None,
            ),
            (arn("eu-west-1", account, "pre-prod/team-a/api"), None),
            ("pre-prod/shared".to_owned(), None),
            ("production/team-a/api".to_owned(), None),
        ] {
            let env = json!([{"name": "DB", "valueFrom": {"awsSecretRef": {"id": id}}}]);
            let spec = EnvironmentSpec {
                region: "eu-west-3".into(),
                account_id: Some(account.into()),
                env: serde_json::from_value(env).unwrap(),
                ..EnvironmentSpec::default()
            };
            let checked = check(&Environment::new("pre-prod", spec));
            assert_eq!(checked.is_err(), owner.is_some(), "{id}");
            if let (Err(problem), Some(owner)) = (checked, owner) {
                assert_eq!(problem.reason, Reason::InvalidSpec);
                let words = format!("belongs to the Kubernetes namespace {owner}");
                assert!(problem.message.starts_with("spec.env DB: "), "{problem:?}");
                assert!(problem.message.contains(&words), "{problem:?}");
            }
        }
    }
}
