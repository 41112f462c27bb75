//! What is remembered of one thing in AWS, and how a read of it counts. Pure over an explicit clock.
//!
//! Reads and writes are ordered by one sequence: a write moves `touched` forward when it begins and when it ends, and the result of a
//! read that began at or before `touched` is discarded.

use crate::limits::Priority;
use crate::timing::Timing;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::fact::Fact;
use privateservice_core::failure::Failure;
use privateservice_core::owner::ObjectKey;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A read that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) priority: Priority,
    since: Instant,
    /// Somebody waits for it and is woken when it ends, whatever it finds.
    demanded: bool,
    /// How long it may wait.
    patience: Patience,
    /// It is part of a sweep.
    sweep: bool,
    /// Something has happened: a read that began before tells nothing about it.
    newer: bool,
}

/// How long a read may wait: how old a known fact has to be before it is read again, or for company. Of two wishes the less patient counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Patience {
    /// Of any age.
    None,
    /// [`Timing::event_spacing`].
    Spaced,
    /// [`Timing::reread_after`].
    Aged,
    /// Of any age, but not before it had [`Timing::verify_window`] to find others to be read with.
    Company,
}

/// Why a read is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// A reconcile needs it.
    Demand,
    /// A user asked for a fresh look.
    FreshLook,
    /// It is changing.
    Poll,
    /// Everything is read again.
    Sweep,
    /// AWS says that something happened to it.
    Event,
    /// What a write of ours made is looked at some time.
    Verify,
}

/// How a read ended.
#[derive(Clone, Debug)]
pub(super) enum Seen<T> {
    Present(T),
    Absent,
    Failed(Failure),
}

/// What is remembered of one thing.
#[derive(Debug)]
pub(super) struct Record<T> {
    pub(super) fact: Fact<T>,
    last_known: Option<Box<T>>,
    /// Objects that follow it: one, except where two claim the same name.
    pub(super) watchers: Vec<ObjectKey>,
    touched: u64,
    wanted: Option<Wanted>,
    flight: Option<(u64, Option<Wanted>)>,
    pub(super) failure: Option<Failure>,
    failed_in_row: u32,
    not_before: Option<Instant>,
    read_at: Option<Instant>,
    pub(super) missed: u32,
    pub(super) moving: BTreeSet<ObjectKey>,
}

impl<T: Clone + PartialEq> Record<T> {
    /// Nothing known. Reads that began up to `sequence` are not believed: a write of somebody who is forgotten already may have
    /// come after them.
    pub(super) fn new(sequence: u64) -> Self {
        Self {
            fact: Fact::Unknown,
            last_known: None,
            watchers: Vec::with_capacity(1),
            touched: sequence,
            wanted: None,
            flight: None,
            failure: None,
            failed_in_row: 0,
            not_before: None,
            read_at: None,
            missed: 0,
            moving: BTreeSet::new(),
        }
    }

    /// The value as last seen, even if a write has made it uncertain.
    pub(super) fn last_known(&self) -> Option<&T> {
        self.fact.present().or(self.last_known.as_deref())
    }

    /// Adds an object that follows it.
    pub(super) fn follow(&mut self, key: &ObjectKey) {
        if !self.watchers.contains(key) {
            self.watchers.push(key.clone());
        }
    }

    /// Asks for a read. One under way that no write has overtaken is shared, except by what may have happened after it began.
    pub(super) fn want(&mut self, why: Why, priority: Priority, now: Instant) {
        let new = Wanted {
            priority,
            since: now,
            demanded: matches!(why, Why::Demand | Why::FreshLook),
            patience: match why {
                Why::Demand => Patience::Aged,
                Why::Event => Patience::Spaced,
                Why::Verify => Patience::Company,
                Why::FreshLook | Why::Poll | Why::Sweep => Patience::None,
            },
            sweep: why == Why::Sweep,
            newer: why == Why::Event,
        };
        match &mut self.flight {
            Some((start, shared)) if *start > self.touched && !new.newer => merge(shared, new),
            _ => merge(&mut self.wanted, new),
        }
    }

    /// The read that is wanted, if it is not under way.
    pub(super) const fn wanted(&self) -> Option<&Wanted> {
        if self.flight.is_some() {
            None
        } else {
            self.wanted.as_ref()
        }
    }

    /// When the wanted read may begin.
    pub(super) fn ready_at(&self, timing: &Timing) -> Option<Instant> {
        let window = match self.wanted()?.patience {
            Patience::Company => timing.verify_window,
            Patience::None | Patience::Spaced | Patience::Aged => timing.coalesce_window,
        };
        self.after(window, timing)
    }

    /// When it may join a call that others make necessary: what waits for company finds it then.
    pub(super) fn joins_at(&self, timing: &Timing) -> Option<Instant> {
        self.after(timing.coalesce_window, timing)
    }

    /// The end of that window, of the pause after a failure, and of the time for which the known fact is fresh enough.
    fn after(&self, window: Duration, timing: &Timing) -> Option<Instant> {
        let wanted = self.wanted()?;
        let known = self.read_at.filter(|_| !self.fact.is_unknown());
        let aged = match wanted.patience {
            Patience::None | Patience::Company => None,
            Patience::Spaced => known.map(|read| read + timing.event_spacing),
            Patience::Aged => known.map(|read| read + timing.reread_after),
        };
        [Some(wanted.since + window), self.not_before, aged]
            .into_iter()
            .flatten()
            .max()
    }

    /// When the last read that succeeded ended.
    pub(super) const fn read_at(&self) -> Option<Instant> {
        self.read_at
    }

    /// True while reads pause after a failed one.
    pub(super) fn is_pausing(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|until| now < until)
    }

    /// A read begins.
    pub(super) fn begin(&mut self, sequence: u64) {
        self.flight = Some((sequence, self.wanted.take()));
    }

    /// A write begins or ends: what is known becomes uncertain.
    pub(super) fn touch(&mut self, sequence: u64) -> Fact<T> {
        self.touched = sequence;
        let before = std::mem::take(&mut self.fact);
        if let Fact::Present { value, .. } = &before {
            self.last_known = Some(Box::new(value.clone()));
        }
        before
    }

    /// A write turned out to have changed nothing: what was known before is known again, unless something newer is.
    pub(super) fn restore(&mut self, before: Fact<T>) {
        if self.fact.is_unknown() {
            self.fact = before;
        }
    }

    /// What AWS described in the answer to a write of ours that ended just now.
    pub(super) fn learn(&mut self, value: T, at: Timestamp) {
        self.fact = Fact::seen(value, at);
        self.last_known = None;
    }

    /// A write of ours removed it, as its answer says.
    pub(super) fn learn_absent(&mut self, at: Timestamp) {
        self.fact = Fact::Unknown.absent_again(at);
        self.last_known = None;
    }

    /// The read that began with `start`, at `began`, ended. True if the watchers have something to look at.
    pub(super) fn complete(
        &mut self,
        start: u64,
        seen: Seen<T>,
        began: Timestamp,
        now: Instant,
        timing: &Timing,
    ) -> bool {
        let mine = self
            .flight
            .as_ref()
            .is_some_and(|(flight, _)| *flight == start);
        let shared = if mine {
            self.flight.take().and_then(|(_, wanted)| wanted)
        } else {
            None
        };
        if start <= self.touched {
            if let Some(wanted) = shared {
                merge(
                    &mut self.wanted,
                    Wanted {
                        patience: Patience::None,
                        ..wanted
                    },
                );
            }
            return false;
        }
        let demanded = shared.is_some_and(|wanted| wanted.demanded);
        let swept = shared.is_some_and(|wanted| wanted.sweep);
        match seen {
            Seen::Failed(failure) => {
                let may_pass = failure.may_pass() || matches!(failure, Failure::NotYet { .. });
                self.failure = Some(failure);
                self.not_before = Some(now + timing.retry_pause(self.failed_in_row));
                self.failed_in_row = self.failed_in_row.saturating_add(1);
                self.missed = self.missed.saturating_add(u32::from(swept));
                let again = shared.filter(|wanted| {
                    // Nobody else asks for these again. What is refused for good is left to the sweep.
                    let alone = wanted.newer || wanted.patience == Patience::Company;
                    alone && may_pass && self.failed_in_row <= TRIES_WITHOUT_DEMAND
                });
                if let Some(wanted) = again {
                    merge(
                        &mut self.wanted,
                        Wanted {
                            demanded: false,
                            sweep: false,
                            ..wanted
                        },
                    );
                }
                demanded || swept
            }
            Seen::Present(value) => {
                let changed = self.fact.present() != Some(&value);
                self.fact = Fact::seen(value, began);
                self.succeeded(now) || changed || demanded
            }
            Seen::Absent => {
                let after = self.fact.absent_again(began);
                let changed = !matches!(self.fact, Fact::Absent { .. })
                    || after.is_absence_confirmed() != self.fact.is_absence_confirmed();
                self.fact = after;
                self.succeeded(now) || changed || demanded
            }
        }
    }

    /// True if somebody waited for a second read that this one makes needless, or if it ends a failure. What has happened since it began
    /// still makes a second one needed.
    fn succeeded(&mut self, now: Instant) -> bool {
        let recovered = self.failure.take().is_some();
        self.last_known = None;
        self.failed_in_row = 0;
        self.not_before = None;
        self.missed = 0;
        self.read_at = Some(now);
        let needless = self.wanted.take_if(|wanted| !wanted.newer);
        let waited = needless.is_some_and(|wanted| wanted.demanded);
        recovered || waited
    }

    /// Starts with a fact that a read before it was tracked has shown.
    pub(super) fn inherit(&mut self, fact: Fact<T>, read_at: Instant) {
        self.fact = fact;
        self.read_at = Some(read_at);
    }
}

/// Two wishes for one read: the more urgent place, the older age, everybody's reasons.
fn merge(slot: &mut Option<Wanted>, new: Wanted) {
    *slot = Some(match *slot {
        None => new,
        Some(old) => Wanted {
            priority: if new.priority.is_before(old.priority) {
                new.priority
            } else {
                old.priority
            },
            since: old.since.min(new.since),
            demanded: old.demanded || new.demanded,
            patience: old.patience.min(new.patience),
            sweep: old.sweep || new.sweep,
            newer: old.newer || new.newer,
        },
    });
}

/// So often a read that nobody waits for is tried again in a row.
const TRIES_WITHOUT_DEMAND: u32 = 6;

/// A little more than nothing: loops that find nothing to do and know no time to look again wait this long.
pub(super) const IDLE: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests;
