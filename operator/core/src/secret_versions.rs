//! Which versions of secrets tasks are to have: one rule for the secret that the operator stores and for those that it only watches. Pure.
//!
//! Invariants: a changed value alone causes a rollout only with `secretRollout: Automatic`; whatever else causes one takes the newest of all
//! versions along; what is rolled out goes on being what is wanted while nothing else changes, also while AWS is not read yet.

use crate::desired::Desired;
use crate::hash::Hash;
use crate::resolve::Resolved;
use crate::stored_secret::{Kept, Stored};
use crate::watched_secret::AwsSecret;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::meta;
use privateservice_api::privateservice::{PrivateServiceStatus, WatchedSecret};
use std::collections::BTreeMap;
use std::fmt;

/// The secret that holds what comes from Kubernetes Secrets, once AWS has it.
#[derive(Clone, Copy, Debug)]
pub struct StoredAt<'a> {
    /// What is stored.
    pub stored: &'a Stored,
    /// Whole ARN.
    pub arn: &'a str,
    /// Id of the version that holds it.
    pub newest: &'a str,
}

/// What was chosen.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is wanted, complete with versions.
    pub desired: Desired,
    /// The versions.
    pub in_force: InForce,
    /// True if a secret has to be read before anything can be done: more than what is rolled out is asked for.
    pub unread: bool,
}

/// The versions that tasks are to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// Of the secret that the operator stores.
    pub stored: Option<StoredInForce>,
    /// Of those that it watches, by id.
    pub watched: BTreeMap<String, WatchedInForce>,
    /// ARNs of secrets that are looked up by their names, and whose version the spec names.
    pub looked_up: BTreeMap<String, String>,
    /// True if nothing but another version causes the rollout, so that it is the service's own.
    pub rolls: bool,
}

/// The version of the stored secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInForce {
    /// Its id.
    pub version: String,
    /// True if a newer one waits for the next rollout.
    pub pending: bool,
}

/// The version of a watched secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedInForce {
    /// ARN, if it is known.
    pub arn: Option<String>,
    /// The version that is current, as far as that is known.
    pub newest: Option<String>,
    /// The version that the task definition names; without one each task takes whatever is current when it starts.
    pub named: Option<String>,
    /// The version that tasks count as having.
    pub counts_as: Option<String>,
    /// True if a newer one waits for the next rollout.
    pub pending: bool,
}

impl InForce {
    /// True if no value comes from a secret whose version is followed.
    pub fn is_empty(&self) -> bool {
        self.stored.is_none() && self.watched.is_empty()
    }

    /// Takes note of what is current in status, before a rollout is sent that may name it: after a crash right after that call, status tells what
    /// it named.
    pub fn note(&self, status: &mut PrivateServiceStatus) {
        for (id, one) in &self.watched {
            update(&mut status.aws_secrets, id, |entry| {
                entry.arn.clone_from(&one.arn);
                entry.version_id.clone_from(&one.newest);
            });
        }
    }

    /// Brings what status says of watched secrets up to date; `rolled` says that what is wanted has been sent, or is in force.
    pub fn show(&self, status: &mut Vec<WatchedSecret>, rolled: bool) {
        for (id, one) in &self.watched {
            update(status, id, |entry| {
                entry.arn.clone_from(&one.arn);
                entry.version_id.clone_from(&one.newest);
                entry.pending = one.pending;
                if rolled {
                    entry.rolled_out_version_id.clone_from(&one.counts_as);
                    entry.unnamed = one.named.is_none();
                }
            });
        }
        for (id, arn) in &self.looked_up {
            update(status, id, |entry| entry.arn = Some(arn.clone()));
        }
        if rolled {
            // What others were rolled out with has to be known until something else is.
            status.retain(|entry| {
                self.watched.contains_key(&entry.id) || self.looked_up.contains_key(&entry.id)
            });
        }
        status.sort_by(|a, b| a.id.cmp(&b.id));
    }
}

/// Changes the entry of a secret, or adds it.
fn update(entries: &mut Vec<WatchedSecret>, id: &str, change: impl FnOnce(&mut WatchedSecret)) {
    if let Some(entry) = entries.iter_mut().find(|entry| entry.id == id) {
        change(entry);
        return;
    }
    let mut entry = WatchedSecret {
        id: id.to_owned(),
        ..WatchedSecret::default()
    };
    change(&mut entry);
    entries.push(entry);
}

/// Secrets that a message names.
const NAMED: usize = 5;

impl fmt::Display for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = format!(
            "reaches the tasks with the next rollout: set the annotation {} for one now",
            meta::REDEPLOY_AT
        );
        let stored = self.stored.as_ref().is_some_and(|stored| stored.pending);
        let watched = self.watched.iter().filter(|(_, one)| one.pending);
        let watched: Vec<&str> = watched.map(|(id, _)| id.as_str()).collect();
        if watched.is_empty() {
            return if stored {
                write!(f, "a changed value of a Secret is stored and {waits}")
            } else {
                f.write_str("what comes from Secrets is where ECS reads it")
            };
        }
        let also = if stored {
            " (and a changed value of a Secret)"
        } else {
            ""
        };
        let more = match watched.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let watched: Vec<&str> = watched.into_iter().take(NAMED).collect();
        write!(
            f,
            "a newer version of {}{more}{also} {waits}",
            watched.join(", ")
        )
    }
}

/// Chooses the versions: the newest, unless a change waits for the next rollout and there is none. Any other change of what is wanted, and a
/// redeploy, is a rollout, and takes the newest along. `asked` adds what annotations ask for, as it was added to what was applied.
///
/// Where tasks were started without a version because the operator could not see it, or was one that did not name versions, the one that is
/// first seen counts as theirs: to name it now would replace tasks for nothing.
pub fn choose(
    resolved: &Resolved,
    stored: Option<StoredAt<'_>>,
    status: &PrivateServiceStatus,
    applied: Option<&Hash>,
    asked: impl Fn(Desired) -> Desired,
) -> Choice {
    let candidates: BTreeMap<&str, Candidate> = resolved
        .watched
        .followed()
        .map(|(id, secret)| (id, Candidate::of(id, secret, &status.aws_secrets)))
        .collect();
    let pinned = status
        .stored_secret
        .as_ref()
        .and_then(|secret| Kept::of(secret).pinned);
    let render = |version: Option<&str>, watched: &dyn Fn(&Candidate) -> Option<String>| {
        let mut desired = resolved.desired.clone();
        if let (Some(at), Some(version)) = (stored, version) {
            desired = desired.with_secret(at.stored, at.arn, version);
        }
        let versions = candidates
            .iter()
            .filter_map(|(id, one)| Some(((*id).to_owned(), watched(one)?)))
            .collect();
        asked(desired.with_watched(&resolved.watched, &versions))
    };
    let newest = stored.map(|at| at.newest);
    let rolled_out = stored.map(|at| pinned.as_deref().unwrap_or(at.newest));
    let kept = render(rolled_out, &|one| one.rolled_out.clone());
    let changed = rolled_out != newest || candidates.values().any(Candidate::is_changed);
    let serves = applied == Some(&kept.intent);
    let keep = serves && !(changed && resolved.automatic);
    let same = rolled_out == newest && candidates.values().all(|one| one.rolled_out == one.newest);
    let desired = if keep || same {
        kept
    } else {
        render(newest, &|one| one.newest.clone())
    };
    let version = if keep { rolled_out } else { newest };
    let in_force = InForce {
        stored: version.map(|version| StoredInForce {
            version: version.to_owned(),
            pending: Some(version) != newest,
        }),
        watched: candidates
            .into_iter()
            .map(|(id, one)| (id.to_owned(), one.in_force(keep)))
            .collect(),
        looked_up: resolved.watched.arns_by_name(),
        rolls: serves && !keep,
    };
    let unread = applied != Some(&desired.intent)
        && resolved
            .watched
            .secrets
            .values()
            .any(|secret| matches!(secret, AwsSecret::Unread { .. }));
    Choice {
        desired,
        in_force,
        unread,
    }
}

impl Choice {
    /// The secrets to be read again first: what is to be rolled out was first asked for at `since`, and takes along what is current then.
    pub fn stale<'a>(&self, resolved: &'a Resolved, since: Timestamp) -> Vec<&'a str> {
        let old = |secret: &AwsSecret| secret.is_older_than(since);
        let followed = resolved.watched.followed();
        followed
            .filter(|(_, secret)| old(secret))
            .map(|(id, _)| id)
            .collect()
    }
}

/// The versions of one watched secret that could be named.
#[derive(Clone, Debug)]
struct Candidate {
    arn: Option<String>,
    newest: Option<String>,
    /// What the tasks name.
    rolled_out: Option<String>,
    /// What they count as having.
    counts_as: Option<String>,
}

impl Candidate {
    fn of(id: &str, secret: &AwsSecret, entries: &[WatchedSecret]) -> Self {
        let entry = entries.iter().find(|entry| entry.id == id);
        let newest = match secret {
            AwsSecret::Current { version, .. } => Some(version.clone()),
            // What was current when it was last read.
            AwsSecret::Unread { .. } => entry.and_then(|entry| entry.version_id.clone()),
            AwsSecret::Missing(_) | AwsSecret::Unreadable { .. } => None,
        };
        let counted = entry.and_then(|entry| entry.rolled_out_version_id.clone());
        let arn = secret.arn().map(str::to_owned);
        Self {
            arn: arn.or_else(|| crate::names::is_arn(id).then(|| id.to_owned())),
            rolled_out: counted
                .clone()
                .filter(|_| entry.is_some_and(|entry| !entry.unnamed)),
            counts_as: counted.or_else(|| newest.clone()),
            newest,
        }
    }

    fn is_changed(&self) -> bool {
        self.newest.is_some() && self.newest != self.counts_as
    }

    fn in_force(self, keep: bool) -> WatchedInForce {
        let pending = keep && self.is_changed();
        let (named, counts_as) = if keep {
            (self.rolled_out, self.counts_as)
        } else {
            (self.newest.clone(), self.newest.clone())
        };
        WatchedInForce {
            arn: self.arn,
            newest: self.newest,
            named,
            counts_as,
            pending,
        }
    }
}

#[cfg(test)]
mod tests;
