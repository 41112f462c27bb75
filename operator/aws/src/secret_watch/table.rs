//! What is known of each watched secret, who names it, and when it is read next. Pure over an explicit clock.

use crate::limits::{Lane, Priority};
use crate::timing::doubling;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::owner::ObjectKey;
use privateservice_core::watched_secret::{Absence, AwsSecret};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// How a read ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Current { arn: String, version: String },
    Missing(Absence),
    Unreadable(String),
    Failed(Failure),
}

/// What the reader does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask for a call of this priority.
    Read(Priority),
    /// Nothing before then.
    At(Instant),
}

/// How long until a secret is read again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    /// In general.
    pub(super) sweep: Duration,
    /// Where services cannot go on with what was seen.
    pub(super) missing: Duration,
    /// After a read that failed: the first one, and the longest.
    pub(super) failed: (Duration, Duration),
}

#[derive(Debug)]
struct Record {
    users: BTreeSet<ObjectKey>,
    /// What the last read that did not fail showed, and when it began.
    seen: Option<(Seen, Timestamp)>,
    /// Why the last read failed, if it did.
    failure: Option<Failure>,
    failed_in_row: u32,
    due: Instant,
    /// No read before then.
    not_before: Instant,
    /// When the read began that is under way.
    under_way: Option<Timestamp>,
    /// Somebody waits for a read that begins then or later.
    wanted: Option<Timestamp>,
}

/// All watched secrets, by name or ARN as specs have it.
#[derive(Debug, Default)]
pub(super) struct Table {
    secrets: BTreeMap<String, Record>,
    named: HashMap<ObjectKey, BTreeSet<String>>,
}

impl Record {
    fn new(now: Instant) -> Self {
        Self {
            users: BTreeSet::new(),
            seen: None,
            failure: None,
            failed_in_row: 0,
            due: now,
            not_before: now,
            under_way: None,
            wanted: None,
        }
    }

    fn known(&self) -> AwsSecret {
        let failure = self.failure.clone();
        match &self.seen {
            Some((Seen::Current { arn, version }, read_at)) => AwsSecret::Current {
                arn: arn.clone(),
                version: version.clone(),
                read_at: *read_at,
                failure,
            },
            Some((Seen::Missing(absence), _)) => AwsSecret::Missing(*absence),
            Some((Seen::Unreadable(why), _)) => AwsSecret::Unreadable { why: why.clone() },
            Some((Seen::Failed(_), _)) | None => AwsSecret::Unread { arn: None, failure },
        }
    }

    fn was_read_since(&self, since: Timestamp) -> bool {
        self.seen
            .as_ref()
            .is_some_and(|(_, read_at)| *read_at >= since)
    }

    /// The read that began then ended. True if those who name the secret have something to look at.
    fn complete(
        &mut self,
        began: Timestamp,
        seen: Seen,
        held: bool,
        now: Instant,
        pauses: Pauses,
    ) -> bool {
        self.under_way = None;
        let satisfied = self.wanted.is_some_and(|since| began >= since);
        let changed = if let Seen::Failed(failure) = seen {
            let (first, longest) = pauses.failed;
            self.not_before = now + doubling(first, longest, self.failed_in_row);
            self.failed_in_row = self.failed_in_row.saturating_add(1);
            self.due = self.not_before;
            // While a secret is known, a read that fails is nobody's trouble.
            self.failure.replace(failure.clone()).as_ref() != Some(&failure) && self.seen.is_none()
        } else {
            self.failure = None;
            self.failed_in_row = 0;
            self.not_before = now;
            self.due = now + if held { pauses.missing } else { pauses.sweep };
            let before = self.seen.replace((seen.clone(), began));
            before.is_none_or(|(before, _)| before != seen)
        };
        if satisfied {
            self.wanted = None;
        } else if self.wanted.is_some() {
            self.due = self.not_before;
        }
        satisfied || changed
    }
}

impl Table {
    /// What is known of a secret, which from now on is watched for this object.
    pub(super) fn look(&mut self, key: &ObjectKey, id: &str, now: Instant) -> AwsSecret {
        let record = self
            .secrets
            .entry(id.to_owned())
            .or_insert_with(|| Record::new(now));
        if record.users.insert(key.clone()) {
            let named = self.named.entry(key.clone()).or_default();
            named.insert(id.to_owned());
        }
        if record.seen.is_none() {
            record.wanted.get_or_insert(Timestamp::MIN);
        }
        record.known()
    }

    /// Forgets what this object does not name any more.
    pub(super) fn keep(&mut self, key: &ObjectKey, ids: &BTreeSet<String>) {
        let Some(named) = self.named.get_mut(key) else {
            return;
        };
        let dropped: Vec<String> = named.difference(ids).cloned().collect();
        named.retain(|id| ids.contains(id));
        if named.is_empty() {
            self.named.remove(key);
        }
        for id in dropped {
            if let Some(record) = self.secrets.get_mut(&id) {
                record.users.remove(key);
                if record.users.is_empty() {
                    self.secrets.remove(&id);
                }
            }
        }
    }

    /// The secrets that an object names.
    pub(super) fn named_by(&self, key: &ObjectKey) -> BTreeSet<String> {
        self.named.get(key).cloned().unwrap_or_default()
    }

    /// Wants a read that begins at `since` or later. True if there was one already.
    pub(super) fn read_since(&mut self, id: &str, since: Timestamp, now: Instant) -> bool {
        let Some(record) = self.secrets.get_mut(id) else {
            return false;
        };
        if record.was_read_since(since) {
            return true;
        }
        record.wanted = record.wanted.max(Some(since));
        record.due = record.due.min(now.max(record.not_before));
        false
    }

    /// True if every secret that the object names was read since then, or the last try to read it failed.
    pub(super) fn was_read_since(&self, key: &ObjectKey, since: Timestamp) -> bool {
        let mut named = self.named.get(key).into_iter().flatten();
        named.all(|id| {
            self.secrets
                .get(id)
                .is_none_or(|record| record.was_read_since(since) || record.failure.is_some())
        })
    }

    /// What to do next; `None` if nothing is watched.
    pub(super) fn next(&self, now: Instant) -> Option<Next> {
        let (_, first) = self.first(now)?;
        if first.due > now {
            return Some(Next::At(first.due));
        }
        let lane = match first.wanted {
            Some(_) => Lane::Edit,
            None => Lane::Bulk,
        };
        let since = crate::clock::now();
        Some(Next::Read(Priority { lane, since }))
    }

    /// Begins a read that is due.
    pub(super) fn take(&mut self, now: Instant, began: Timestamp) -> Option<String> {
        let id = self
            .first(now)
            .filter(|(_, record)| record.due <= now)?
            .0
            .clone();
        self.secrets.get_mut(&id)?.under_way = Some(began);
        Some(id)
    }

    /// The read of a secret ended. Those who are to look at it.
    pub(super) fn complete(
        &mut self,
        id: &str,
        began: Timestamp,
        seen: Seen,
        now: Instant,
        pauses: Pauses,
    ) -> Vec<ObjectKey> {
        let mine = |record: &&mut Record| record.under_way == Some(began);
        let Some(record) = self.secrets.get_mut(id).filter(mine) else {
            // Nobody named it any more, for a while at least.
            return Vec::new();
        };
        let held = match &seen {
            Seen::Missing(_) => true,
            Seen::Unreadable(_) => !names::is_arn(id),
            Seen::Current { .. } | Seen::Failed(_) => false,
        };
        if record.complete(began, seen, held, now, pauses) {
            return record.users.iter().cloned().collect();
        }
        Vec::new()
    }

    /// The secret that is read next: what somebody waits for goes first, if it is due.
    fn first(&self, now: Instant) -> Option<(&String, &Record)> {
        self.secrets
            .iter()
            .filter(|(_, record)| record.under_way.is_none())
            .min_by_key(|(_, record)| {
                let waited_for = record.due <= now && record.wanted.is_some();
                (!waited_for, record.due)
            })
    }
}

#[cfg(test)]
mod tests;
