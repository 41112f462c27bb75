//! Which of the reads that are wanted go into the next call. Pure over an explicit clock.
//!
//! In: the reads that are wanted, each with the group it can share a call with. Out: when to ask for a call and for how urgent a one, and who
//! takes part once it is admitted. The most urgent read is always in the next call.

use super::reader::Next;
use super::record::{IDLE, Record};
use crate::limits::Priority;
use crate::timing::Timing;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// A read that may begin at `at`, in one call with others of its group.
pub(super) struct Candidate<K, G> {
    id: K,
    group: G,
    priority: Priority,
    at: Instant,
    /// From then on it may join a call that others make necessary.
    joins: Instant,
}

/// The reads that are wanted and not under way. `place` gives each its group and moves its time; `None` leaves it out for now.
pub(super) fn candidates<'a, K: Ord, T: Clone + PartialEq, G>(
    wanted: &'a BTreeSet<K>,
    records: &'a BTreeMap<K, Box<Record<T>>>,
    timing: &Timing,
    place: impl Fn(&'a K, &'a Record<T>, Instant) -> Option<(G, Instant)>,
) -> Vec<Candidate<&'a K, G>> {
    wanted
        .iter()
        .filter_map(|id| {
            let record = records.get(id)?;
            let priority = record.wanted()?.priority;
            let (ready, joins) = (record.ready_at(timing)?, record.joins_at(timing)?);
            let (group, at) = place(id, record, ready)?;
            Some(Candidate {
                id,
                group,
                priority,
                at,
                joins: if joins < ready { joins } else { at },
            })
        })
        .collect()
}

/// Takes out of `wanted` what is wanted no more.
pub(super) fn forget_unwanted<K: Ord, T: Clone + PartialEq>(
    wanted: &mut BTreeSet<K>,
    records: &BTreeMap<K, Box<Record<T>>>,
) {
    wanted.retain(|id| records.get(id).is_some_and(|one| one.wanted().is_some()));
}

/// What to do next, if a call reads `size` members of one group.
pub(super) fn when<K, G: Ord>(
    candidates: &[Candidate<K, G>],
    size: usize,
    now: Instant,
    timing: &Timing,
) -> Next {
    let most_urgent = |by: Instant| {
        candidates
            .iter()
            .filter(|one| one.at <= by)
            .map(|one| one.priority)
            .min_by_key(|priority| priority.order())
    };
    if let Some(priority) = most_urgent(now) {
        return Next::Read(priority);
    }
    // A full batch has nothing to wait for.
    let soon = now + timing.coalesce_window;
    let mut members: BTreeMap<&G, usize> = BTreeMap::new();
    for one in candidates.iter().filter(|one| one.at <= soon) {
        *members.entry(&one.group).or_default() += 1;
    }
    if members.values().any(|&count| count >= size)
        && let Some(priority) = most_urgent(soon)
    {
        return Next::Read(priority);
    }
    let soonest = candidates.iter().map(|one| one.at).min();
    Next::At(soonest.unwrap_or(now + IDLE))
}

/// The members of the next call and the priority of the first: the most urgent read that is ready (or nearly), and what else of its group is.
pub(super) fn choose<K: Ord, G: PartialEq>(
    candidates: Vec<Candidate<K, G>>,
    size: usize,
    now: Instant,
    timing: &Timing,
) -> Option<(Vec<K>, Priority)> {
    let soon = now + timing.coalesce_window;
    let mut ready: Vec<Candidate<K, G>> = candidates;
    ready.retain(|one| one.joins <= soon);
    // Whoever makes the call necessary goes before who joins it.
    ready.sort_by(|a, b| {
        let order = (a.at > soon).cmp(&(b.at > soon));
        let order = order.then_with(|| a.priority.order().cmp(&b.priority.order()));
        order.then_with(|| a.id.cmp(&b.id))
    });
    let mut ready = ready.into_iter();
    let first = ready.next().filter(|first| first.at <= soon)?;
    let others = ready.filter(|one| one.group == first.group);
    let mut members = Vec::with_capacity(size);
    members.extend(others.take(size - 1).map(|one| one.id));
    members.insert(0, first.id);
    Some((members, first.priority))
}

#[cfg(test)]
mod tests;
