//! Secrets that a Kubernetes namespace may name, by their ARN or by as much of it as a name tells. Pure.

use super::{Reference, has, matches};
use crate::names;
use crate::place::Place;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;

/// A secret as far as it is known.
#[derive(Clone, Copy, Debug)]
pub enum SecretArn<'a> {
    /// Its whole ARN.
    Whole(&'a str),
    /// Its ARN without the hyphen and the six characters that AWS puts at the end.
    Partial(&'a str),
}

/// Whether a Kubernetes namespace may name a secret in a field. Of a partial ARN, whether it may if AWS has chosen the right characters: ask
/// again with the whole one.
///
/// # Errors
/// `NamespaceNotAllowed`, in words that say what the Environment's owners would have to add.
pub fn secret(
    field: &str,
    secret: SecretArn<'_>,
    place: &Place,
    namespace: &str,
) -> Result<(), Problem> {
    let (arn, to_add) = match secret {
        SecretArn::Whole(arn) => (arn, arn.to_owned()),
        SecretArn::Partial(arn) => (arn, format!("{arn}-*")),
    };
    match namespace_of_secret(arn, place) {
        Some(owner) if owner == namespace => Ok(()),
        Some(owner) => Err(Problem::new(
            Reason::NamespaceNotAllowed,
            format!(
                "{field}: {arn} belongs to the Kubernetes namespace {owner}, because its name begins with {}/{owner}/, and cannot be granted to \
                 {namespace}: ask the owners of Environment {} for a secret of another name",
                place.environment, place.environment
            ),
        )),
        None if has(place, namespace, |grant| {
            grant.secrets.iter().any(|pattern| secret.is_in(pattern))
        }) =>
        {
            Ok(())
        }
        None => {
            let reference = Reference {
                field,
                list: "secrets",
                id: &to_add,
            };
            Err(reference.refused(place, namespace))
        }
    }
}

impl SecretArn<'_> {
    fn is_in(self, pattern: &str) -> bool {
        match self {
            Self::Whole(arn) => matches(pattern, arn),
            Self::Partial(arn) => may_match(pattern, arn),
        }
    }
}

/// Characters that AWS puts behind a hyphen at the end of a secret's ARN (Secrets Manager API reference, CreateSecret).
const SUFFIX: usize = 6;

/// Whether a pattern matches a partial ARN that ends in some six characters.
fn may_match(pattern: &str, partial: &str) -> bool {
    let (start, whole) = match pattern.strip_suffix('*') {
        Some(start) => (start, false),
        None => (pattern, true),
    };
    if !whole && partial.starts_with(start) {
        return true;
    }
    let suffix = start
        .strip_prefix(partial)
        .and_then(|rest| rest.strip_prefix('-'));
    suffix.is_some_and(|suffix| {
        let long_enough = if whole {
            suffix.len() == SUFFIX
        } else {
            suffix.len() <= SUFFIX
        };
        long_enough && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The Kubernetes namespace that a secret of the operator's naming, `<Environment>/<namespace>/...` in the Environment's account and
/// Region, belongs to. The execution role can read all of those.
fn namespace_of_secret<'a>(arn: &'a str, place: &Place) -> Option<&'a str> {
    let here = names::region_of(arn) == Some(place.region.as_str())
        && names::account_of(arn) == names::account_of(&place.cluster_arn);
    namespace_of_name(names::name_of_secret(arn)?, &place.environment).filter(|_| here)
}

/// The Kubernetes namespace that a name of the operator's naming belongs to.
pub(crate) fn namespace_of_name<'a>(secret: &'a str, environment: &str) -> Option<&'a str> {
    let (owner, _) = secret
        .strip_prefix(environment)?
        .strip_prefix('/')?
        .split_once('/')?;
    Some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS makes `.../db-AbCdEf` of the name `.../db`, and chooses the six characters.
    #[test]
    fn a_name_may_be_granted_as_long_as_some_six_characters_would_match() {
        let start = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:";
        for (pattern, name, may, whole) in [
            ("*", "team-a/db", true, true),
            ("team-a/*", "team-a/db", true, true),
            ("team-a/db*", "team-a/db", true, true),
            ("team-a/db-*", "team-a/db", true, true),
            ("team-a/db-Ab*", "team-a/db", true, true),
            ("team-a/db-AbCdEf*", "team-a/db", true, true),
            ("team-a/db-AbCdEf", "team-a/db", true, true),
            ("team-a/db-ZzZzZz", "team-a/db", true, false),
            ("team-a/db-Zz*", "team-a/db", true, false),
            // Neither another secret nor half of one.
            ("team-a/db", "team-a/db", false, false),
            ("team-a/db-AbCdE", "team-a/db", false, false),
            ("team-a/db-AbCdEfG*", "team-a/db", false, false),
            ("team-a/db-Ab/Ef*", "team-a/db", false, false),
            ("team-a/db2*", "team-a/db", false, false),
            ("team-b/*", "team-a/db", false, false),
            // A name that looks like the whole of another secret.
            ("team-a/db-AbCdEf", "team-a/db-AbCdEf", false, false),
        ] {
            let pattern = format!("{start}{pattern}");
            let partial = format!("{start}{name}");
            let arn = format!("{partial}-AbCdEf");
            assert_eq!(may_match(&pattern, &partial), may, "{pattern} {name}");
            assert_eq!(matches(&pattern, &arn), whole, "{pattern} {arn}");
        }
    }
}
