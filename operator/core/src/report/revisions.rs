//! Which revisions status remembers, so that a return to an earlier spec needs no registration.

use super::Report;
use crate::names;
use crate::step::Outcome;
use privateservice_api::privateservice::{PrivateServiceStatus, Revision};

/// Revisions that status remembers: those kept for reuse, and some that have not been deregistered yet.
const REVISIONS: usize = 32;

/// Revisions worth remembering: newest first, the serving one always among them, none that is known to be gone.
pub(super) fn revisions(previous: &PrivateServiceStatus, report: &Report<'_>) -> Vec<Revision> {
    let registered = report.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::TaskDefinitionRegistered { arn, hash } => Some((arn.clone(), hash.0.clone())),
        _ => None,
    });
    let known = report
        .observed
        .revisions
        .values()
        .filter(|revision| revision.active)
        .filter_map(|revision| Some((revision.arn.clone(), revision.hash.clone()?.0)));
    let gone = |arn: &str| {
        report
            .observed
            .revisions
            .get(arn)
            .is_some_and(|known| !known.active)
    };
    let before = previous
        .revisions
        .iter()
        .map(|revision| (revision.task_definition.clone(), revision.hash.clone()))
        .filter(|(arn, _)| !gone(arn));
    let mut all: Vec<(String, String)> = before.chain(known).chain(registered).collect();
    all.sort_by_key(|(arn, _)| std::cmp::Reverse(names::revision_number(arn)));
    all.dedup_by(|a, b| a.0 == b.0);
    let serving = report
        .service
        .map(|service| service.task_definition.clone());
    let mut kept: Vec<(String, String)> = all.iter().take(REVISIONS).cloned().collect();
    if let Some(serving) = serving
        && !kept.iter().any(|(arn, _)| *arn == serving)
        && let Some(found) = all.iter().find(|(arn, _)| *arn == serving)
    {
        kept.truncate(REVISIONS - 1);
        kept.push(found.clone());
    }
    kept.into_iter()
        .map(|(task_definition, hash)| Revision {
            image: image(previous, report, &task_definition, &hash),
            task_definition,
            hash,
        })
        .collect()
}

/// The image a revision runs, if we know: it was registered, or chosen, for the present spec, or status knows it.
fn image(
    previous: &PrivateServiceStatus,
    report: &Report<'_>,
    arn: &str,
    hash: &str,
) -> Option<String> {
    let wanted = &report.resolved.desired.task_definition;
    if wanted.hash().as_str() == hash {
        return Some(wanted.container.image.clone());
    }
    let known = previous
        .revisions
        .iter()
        .find(|revision| revision.task_definition == arn)?;
    known.image.clone()
}
