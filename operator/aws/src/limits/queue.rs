//! One token bucket with a priority queue in front and reservations behind. Pure: the clock is an argument.
//!
//! A waiter is either an object (woken when its turn comes, its token is kept for it a while) or a ticket of a waiting task
//! (which takes its token at once). Tokens in hand and reserved ones together never exceed the burst.

use super::bucket::Quota;
use crate::timing::doubling;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::owner::ObjectKey;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// Classes of calls, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What a user just asked for. Among themselves the newest first: a service edited in the middle of a mass
    /// creation gets its calls next.
    Edit,
    /// Following a rollout.
    Polling,
    /// Everything else: creation of many, repair, sweeps. Oldest first, like the lanes below.
    Bulk,
    /// Garbage collection.
    Garbage,
}

/// Place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Priority {
    /// Class.
    pub lane: Lane,
    /// Since when it is wanted.
    pub since: Timestamp,
}

impl Priority {
    /// The order in the queue: smaller goes first.
    pub(crate) fn order(self) -> (Lane, i128) {
        let since = self.since.as_nanosecond();
        match self.lane {
            Lane::Edit => (self.lane, -since),
            Lane::Polling | Lane::Bulk | Lane::Garbage => (self.lane, since),
        }
    }

    /// True if `self` goes before `other`.
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.order() < other.order()
    }
}

/// Who waits for a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Waiter {
    /// An object, to be woken.
    Object(ObjectKey),
    /// A task of ours.
    Ticket(u64),
}

/// Order in the queue; the last part makes it unique.
type Rank = (Lane, i128, u64);

#[derive(Debug)]
struct Reservation {
    rank: Rank,
    until: Instant,
}

/// Pauses after throttling by AWS.
#[derive(Clone, Copy, Debug)]
pub(super) struct Penalties {
    /// The first.
    pub(super) first: Duration,
    /// The longest.
    pub(super) cap: Duration,
}

/// A token bucket with its queue.
#[derive(Debug)]
pub(super) struct Queue {
    quota: Quota,
    keep: Duration,
    penalties: Penalties,
    tokens: f64,
    refilled: Instant,
    paused_until: Option<Instant>,
    throttled_in_row: u32,
    waiting: BTreeMap<Rank, Waiter>,
    ranks: HashMap<Waiter, Rank>,
    reserved: HashMap<ObjectKey, Reservation>,
    sequence: u64,
}

impl Queue {
    /// A full bucket; reservations are kept for `keep`.
    pub(super) fn new(quota: Quota, keep: Duration, penalties: Penalties, now: Instant) -> Self {
        // A bucket that can never hold a whole token would never grant anything.
        let quota = Quota {
            burst: quota.burst.max(1.0),
            rate: quota.rate,
        };
        Self {
            quota,
            keep,
            penalties,
            tokens: quota.burst,
            refilled: now,
            paused_until: None,
            throttled_in_row: 0,
            waiting: BTreeMap::new(),
            ranks: HashMap::new(),
            reserved: HashMap::new(),
            sequence: 0,
        }
    }

    /// Puts a waiter into the queue, or changes its place.
    pub(super) fn enqueue(&mut self, waiter: Waiter, priority: Priority) {
        let sequence = self.remove(&waiter).map_or_else(
            || {
                self.sequence += 1;
                self.sequence
            },
            |rank| rank.2,
        );
        let (lane, order) = priority.order();
        let rank = (lane, order, sequence);
        self.waiting.insert(rank, waiter.clone());
        self.ranks.insert(waiter, rank);
    }

    /// Takes the reservation of an object, if it has one.
    pub(super) fn take_reserved(&mut self, key: &ObjectKey) -> bool {
        self.reserved.remove(key).is_some()
    }

    /// True if an object has a reservation.
    pub(super) fn is_reserved(&self, key: &ObjectKey) -> bool {
        self.reserved.contains_key(key)
    }

    /// Takes a waiter out of the queue, and gives a reservation back.
    pub(super) fn withdraw(&mut self, waiter: &Waiter, now: Instant) {
        self.remove(waiter);
        if let Waiter::Object(key) = waiter
            && self.reserved.remove(key).is_some()
        {
            self.give_back(now);
        }
    }

    /// Puts back a token that was granted and not used.
    pub(super) fn give_back(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = (self.tokens + 1.0).min(self.ceiling());
    }

    /// Waiters in the queue before this one.
    pub(super) fn ahead(&self, waiter: &Waiter) -> usize {
        self.ranks
            .get(waiter)
            .map_or(0, |rank| self.waiting.range(..rank).count())
    }

    /// Waiters in the queue.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Moves time forward and hands out what tokens there are. Returned objects hold a reservation, returned tickets their token.
    pub(super) fn pump(&mut self, now: Instant) -> Vec<Waiter> {
        self.expire(now);
        self.refill(now);
        let mut granted = Vec::new();
        if self.paused_until.is_some_and(|until| now < until) {
            return granted;
        }
        while self.tokens >= 1.0 - EPSILON {
            let Some((rank, waiter)) = self.waiting.pop_first() else {
                break;
            };
            self.ranks.remove(&waiter);
            self.tokens = (self.tokens - 1.0).max(0.0);
            if let Waiter::Object(key) = &waiter {
                self.reserved.insert(
                    key.clone(),
                    Reservation {
                        rank,
                        until: now + self.keep,
                    },
                );
            }
            granted.push(waiter);
        }
        granted
    }

    /// When `pump` has something to do again, if ever.
    pub(super) fn next_event(&self) -> Option<Instant> {
        let expiry = self
            .reserved
            .values()
            .map(|reservation| reservation.until)
            .min();
        let refill = (!self.waiting.is_empty()).then(|| {
            let missing = (1.0 - self.tokens).max(0.0) / self.quota.rate;
            let from = self
                .paused_until
                .map_or(self.refilled, |until| self.refilled.max(until));
            from + Duration::from_secs_f64(missing.min(MAX_WAIT_SECONDS))
        });
        [expiry, refill].into_iter().flatten().min()
    }

    /// AWS throttled a call: somebody else uses the account too. Empties and pauses the bucket, longer each time in a row.
    /// Reservations go back to the queue with their rank.
    pub(super) fn penalise(&mut self, now: Instant) {
        self.expire(now);
        let Penalties { first, cap } = self.penalties;
        let pause = doubling(first, cap, self.throttled_in_row);
        self.throttled_in_row += 1;
        self.tokens = 0.0;
        self.refilled = now;
        self.paused_until = Some(
            self.paused_until
                .map_or(now, |until| until.max(now))
                .max(now + pause),
        );
        for (key, reservation) in self.reserved.drain() {
            let waiter = Waiter::Object(key);
            self.ranks.insert(waiter.clone(), reservation.rank);
            self.waiting.insert(reservation.rank, waiter);
        }
    }

    /// AWS accepted a call: the next penalty is short again.
    pub(super) fn accepted(&mut self) {
        self.throttled_in_row = 0;
    }

    fn remove(&mut self, waiter: &Waiter) -> Option<Rank> {
        let rank = self.ranks.remove(waiter)?;
        self.waiting.remove(&rank);
        Some(rank)
    }

    /// Reserved tokens count against the burst, or a late use of them could exceed it.
    fn ceiling(&self) -> f64 {
        let reserved = u32::try_from(self.reserved.len()).map_or(f64::MAX, f64::from);
        (self.quota.burst - reserved).max(0.0)
    }

    fn refill(&mut self, now: Instant) {
        let from = self
            .paused_until
            .map_or(self.refilled, |until| self.refilled.max(until));
        if now > from {
            let earned = (now - from).as_secs_f64() * self.quota.rate;
            self.tokens = (self.tokens + earned).min(self.ceiling().max(self.tokens));
            self.paused_until = None;
        }
        self.refilled = self.refilled.max(now);
    }

    fn expire(&mut self, now: Instant) {
        let before = self.reserved.len();
        self.reserved
            .retain(|_, reservation| reservation.until > now);
        for _ in self.reserved.len()..before {
            self.give_back(now);
        }
    }
}

/// A token that lacks only the rounding error of its refill is whole.
const EPSILON: f64 = 1e-6;

/// Longest wait that is computed for one token, so that a rate of nearly nothing does not overflow a duration.
const MAX_WAIT_SECONDS: f64 = 86_400.0;

#[cfg(test)]
mod tests;
