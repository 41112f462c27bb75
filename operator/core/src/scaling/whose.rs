//! Whose a scalable target or an alarm is: what status remembers as ours, else what its tags say. Pure.

use crate::observed::Observed;
use crate::owner::Owner;

/// Whose a thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Ours.
    Ours,
    /// It carries no ownership tag.
    Nobodys,
    /// It carries somebody else's.
    Somebodys(Owner),
    /// Its tags must be read first.
    Unread(String),
}

/// Whose the thing with this ARN is. Where AWS shows no ARN there are no tags either: it belongs to the service it is named after.
pub(super) fn whose(
    arn: Option<&str>,
    remembered: bool,
    observed: &Observed,
    owner: &Owner,
) -> Whose {
    let Some(arn) = arn else {
        return Whose::Ours;
    };
    match observed.owners.get(arn) {
        Some(Some(other)) if other == owner => Whose::Ours,
        Some(Some(other)) => Whose::Somebodys(other.clone()),
        Some(None) => Whose::Nobodys,
        None if remembered => Whose::Ours,
        None => Whose::Unread(arn.to_owned()),
    }
}

/// The tags whose removal gives a thing up.
pub(super) fn owner_tag_keys() -> Vec<String> {
    Owner::TAG_KEYS.map(str::to_owned).to_vec()
}
