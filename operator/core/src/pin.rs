//! An earlier revision that somebody asks to serve, with the annotation `flexstack.dev/rollback-to`. Pure.

use crate::desired::Pinned;
use crate::names;
use crate::observed::{Observed, Scope};
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::meta;

/// What the annotation comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Pin {
    /// There is none.
    None,
    /// This revision is to serve.
    To(Pinned),
    /// What this revision holds must be read first.
    Unread(String),
    /// It names nothing that can serve.
    Refused(Problem),
}

/// What the annotation's words, `12`, `family:12` or an ARN, come to.
pub fn pin(words: Option<&str>, scope: &Scope, observed: &Observed) -> Pin {
    let Some(words) = words.map(str::trim).filter(|words| !words.is_empty()) else {
        return Pin::None;
    };
    let Some(arn) = arn(words, scope) else {
        return refused(
            scope,
            observed,
            &format!("\"{words}\" is no revision of {}", scope.family),
        );
    };
    match observed.revisions.get(&arn) {
        None => Pin::Unread(arn),
        Some(revision) => match &revision.hash {
            Some(hash) if revision.active => Pin::To(Pinned {
                arn,
                hash: hash.clone(),
            }),
            Some(_) | None => refused(
                scope,
                observed,
                &format!(
                    "revision {} does not exist any more, or is not this service's",
                    names::last_segment(&arn)
                ),
            ),
        },
    }
}

fn refused(scope: &Scope, observed: &Observed, why: &str) -> Pin {
    let mut known: Vec<u64> = observed
        .revisions
        .values()
        .filter(|revision| revision.active && revision.hash.is_some())
        .map(|revision| names::revision_number(&revision.arn))
        .collect();
    known.sort_unstable_by(|a, b| b.cmp(a));
    let known: Vec<String> = known.iter().take(12).map(u64::to_string).collect();
    let known = if known.is_empty() {
        format!("write the number of a revision of {}", scope.family)
    } else {
        format!(
            "write one of {}, or remove the annotation",
            known.join(", ")
        )
    };
    Pin::Refused(Problem::new(
        Reason::InvalidSpec,
        format!("{}: {why}: {known}", meta::ROLLBACK_TO),
    ))
}

/// The ARN of a revision of the scope's family.
fn arn(words: &str, scope: &Scope) -> Option<String> {
    let short = names::last_segment(words);
    let (family, number) = short.split_once(':').unwrap_or((&scope.family, short));
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    if family != scope.family {
        return None;
    }
    let (place, _) = scope.cluster_arn.split_once(":cluster/")?;
    let arn = format!("{place}:task-definition/{family}:{number}");
    (!words.contains('/') || words == arn).then_some(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{empty, resolved};
    use crate::hash::Hash;
    use crate::observed::Revision;

    fn scope() -> Scope {
        resolved("{source: {image: {name: 'redis:7'}}}")
            .desired
            .scope
    }

    fn with(number: u64, hash: Option<&str>, active: bool) -> Observed {
        let arn = format!(
            "arn:aws:ecs:eu-west-3:111122223333:task-definition/{}:{number}",
            scope().family
        );
        let mut observed = empty();
        let revision = Revision {
            arn: arn.clone(),
            hash: hash.map(Hash::from),
            intent: None,
            active,
        };
        observed.revisions.insert(arn, revision);
        observed
    }

    #[test]
    fn a_number_a_short_name_and_an_arn_name_the_same_revision() {
        let observed = with(12, Some("hash"), true);
        let arn = observed.revisions.keys().next().unwrap().clone();
        let short = format!("{}:12", scope().family);
        for words in ["12", " 12 ", short.as_str(), arn.as_str()] {
            let expected = Pinned {
                arn: arn.clone(),
                hash: Hash::from("hash"),
            };
            assert_eq!(pin(Some(words), &scope(), &observed), Pin::To(expected));
        }
    }

    #[test]
    fn nothing_asks_for_nothing_and_the_unknown_is_read_first() {
        assert_eq!(pin(None, &scope(), &empty()), Pin::None);
        assert_eq!(pin(Some(""), &scope(), &empty()), Pin::None);
        assert!(
            matches!(pin(Some("3"), &scope(), &empty()), Pin::Unread(arn) if arn.ends_with(":3"))
        );
    }

    #[test]
    fn what_cannot_serve_is_refused_with_what_to_write() {
        for (words, observed) in [
            ("latest", with(12, Some("hash"), true)),
            ("0", with(12, Some("hash"), true)),
            ("other:12", with(12, Some("hash"), true)),
            ("12", with(12, Some("hash"), false)),
            ("12", with(12, None, true)),
        ] {
            let Pin::Refused(problem) = pin(Some(words), &scope(), &observed) else {
                panic!("{words}")
            };
            assert_eq!(problem.reason, Reason::InvalidSpec);
            assert!(problem.message.contains("write "), "{}", problem.message);
        }
    }
}
