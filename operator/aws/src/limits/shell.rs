//! The asynchronous shell of the buckets: hands out tokens as time passes, wakes objects and tasks. Timers only, no network.

use super::bucket::{Bucket, QuotaTable};
use super::queue::{Penalties, Priority, Queue, Waiter};
use crate::timing::Timing;
use privateservice_core::owner::ObjectKey;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, mpsc, oneshot};

/// Answer to an object that wants to make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may make one call now.
    Granted,
    /// It keeps a place in the queue and is woken when its turn comes.
    Queued {
        /// Calls of this kind ahead of it.
        ahead: usize,
    },
}

/// The rate limits of one account and Region.
#[derive(Debug)]
pub struct Limits {
    inner: Mutex<Inner>,
    changed: Notify,
    wake: mpsc::UnboundedSender<ObjectKey>,
    throttles: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    queues: BTreeMap<Bucket, Queue>,
    tickets: HashMap<u64, oneshot::Sender<()>>,
    next_ticket: u64,
    /// Buckets asked for by the reconcile pass that runs for an object.
    passes: HashMap<ObjectKey, BTreeSet<Bucket>>,
}

impl Limits {
    /// Full buckets. Objects whose turn comes are sent to `wake`. [`Limits::run`] must be polled.
    pub fn new(
        quotas: &QuotaTable,
        timing: &Timing,
        wake: mpsc::UnboundedSender<ObjectKey>,
    ) -> Arc<Self> {
        let now = now();
        let penalties = Penalties {
            first: timing.penalty,
            cap: timing.penalty_cap,
        };
        let queue = |bucket| Queue::new(quotas.get(bucket), timing.reservation, penalties, now);
        Arc::new(Self {
            inner: Mutex::new(Inner {
                queues: Bucket::ALL
                    .into_iter()
                    .map(|bucket| (bucket, queue(bucket)))
                    .collect(),
                tickets: HashMap::new(),
                next_ticket: 0,
                passes: HashMap::new(),
            }),
            changed: Notify::new(),
            wake,
            throttles: AtomicU64::new(0),
        })
    }

    /// Hands out tokens as time passes. Never returns.
    pub async fn run(self: Arc<Self>) {
        loop {
            let next = {
                let mut inner = self.lock();
                for bucket in Bucket::ALL {
                    self.settle(&mut inner, bucket);
                }
                inner.queues.values().filter_map(Queue::next_event).min()
            };
            match next {
                Some(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = self.changed.notified() => {}
                    }
                }
                None => self.changed.notified().await,
            }
        }
    }

    /// Waits for a call of our own: reads that no single object pays for. Dropping the future gives the place back.
    pub async fn admit(&self, bucket: Bucket, priority: Priority) {
        let (mut ticket, granted) = {
            let mut inner = self.lock();
            inner.next_ticket += 1;
            let id = inner.next_ticket;
            let (sender, granted) = oneshot::channel();
            inner.tickets.insert(id, sender);
            if let Some(queue) = inner.queues.get_mut(&bucket) {
                queue.enqueue(Waiter::Ticket(id), priority);
            }
            self.settle(&mut inner, bucket);
            (
                Ticket {
                    limits: self,
                    bucket,
                    id,
                    used: false,
                },
                granted,
            )
        };
        self.changed.notify_one();
        // The sender is only dropped unused together with the limits themselves.
        ticket.used = granted.await.is_ok();
    }

    /// Asks for a call of an object, without waiting. If it is queued, the object is woken once a call is reserved for it,
    /// and its next request for it is granted at once. Asking again changes the priority and keeps the place.
    pub fn try_admit(&self, bucket: Bucket, key: &ObjectKey, priority: Priority) -> Admission {
        self.ask(bucket, key, priority, Queue::take_reserved)
    }

    /// The same, but a call that is granted stays reserved for the object for a moment: its next request for it is granted at once.
    pub fn reserve(&self, bucket: Bucket, key: &ObjectKey, priority: Priority) -> Admission {
        self.ask(bucket, key, priority, |queue, key| queue.is_reserved(key))
    }

    fn ask(
        &self,
        bucket: Bucket,
        key: &ObjectKey,
        priority: Priority,
        has: impl Fn(&mut Queue, &ObjectKey) -> bool,
    ) -> Admission {
        let mut inner = self.lock();
        if let Some(asked) = inner.passes.get_mut(key) {
            asked.insert(bucket);
        }
        self.settle(&mut inner, bucket);
        let Some(queue) = inner.queues.get_mut(&bucket) else {
            return Admission::Granted;
        };
        if has(queue, key) {
            return Admission::Granted;
        }
        let waiter = Waiter::Object(key.clone());
        queue.enqueue(waiter.clone(), priority);
        let granted = queue.pump(now());
        let admission = if granted.contains(&waiter) && has(queue, key) {
            Admission::Granted
        } else {
            Admission::Queued {
                ahead: queue.ahead(&waiter),
            }
        };
        let others = granted
            .into_iter()
            .filter(|other| *other != waiter)
            .collect();
        self.deliver(&mut inner, bucket, others);
        drop(inner);
        self.changed.notify_one();
        admission
    }

    /// Marks the beginning of a reconcile pass. When the returned guard is dropped, places and reservations that the pass did not ask
    /// for are given back.
    pub fn begin_pass(self: &Arc<Self>, key: &ObjectKey) -> Pass {
        self.lock().passes.insert(key.clone(), BTreeSet::new());
        Pass {
            limits: Arc::clone(self),
            key: key.clone(),
        }
    }

    /// Gives back every place and reservation of an object.
    pub fn withdraw(&self, key: &ObjectKey) {
        self.withdraw_except(key, &BTreeSet::new());
    }

    /// Gives back a call that was admitted and is not needed.
    pub(crate) fn give_back(&self, bucket: Bucket) {
        let mut inner = self.lock();
        if let Some(queue) = inner.queues.get_mut(&bucket) {
            queue.give_back(now());
        }
        self.settle(&mut inner, bucket);
    }

    /// AWS throttled a call of this bucket.
    pub fn penalise(&self, bucket: Bucket) {
        self.throttles.fetch_add(1, Ordering::Relaxed);
        if let Some(queue) = self.lock().queues.get_mut(&bucket) {
            queue.penalise(now());
        }
        self.changed.notify_one();
    }

    /// AWS accepted a call of this bucket.
    pub fn accepted(&self, bucket: Bucket) {
        if let Some(queue) = self.lock().queues.get_mut(&bucket) {
            queue.accepted();
        }
    }

    /// Calls AWS has throttled since the start.
    pub fn throttles(&self) -> u64 {
        self.throttles.load(Ordering::Relaxed)
    }

    /// How many wait in a bucket's queue.
    pub fn waiting(&self, bucket: Bucket) -> usize {
        self.lock().queues.get(&bucket).map_or(0, Queue::len)
    }

    fn withdraw_except(&self, key: &ObjectKey, asked: &BTreeSet<Bucket>) {
        let mut inner = self.lock();
        let waiter = Waiter::Object(key.clone());
        for bucket in Bucket::ALL
            .into_iter()
            .filter(|bucket| !asked.contains(bucket))
        {
            if let Some(queue) = inner.queues.get_mut(&bucket) {
                queue.withdraw(&waiter, now());
            }
            self.settle(&mut inner, bucket);
        }
    }

    /// Hands out what tokens there are in a bucket.
    fn settle(&self, inner: &mut Inner, bucket: Bucket) {
        let granted = inner.queues.get_mut(&bucket).map(|queue| queue.pump(now()));
        self.deliver(inner, bucket, granted.unwrap_or_default());
    }

    fn deliver(&self, inner: &mut Inner, bucket: Bucket, mut granted: Vec<Waiter>) {
        while !granted.is_empty() {
            let mut unclaimed = 0;
            for waiter in granted.drain(..) {
                match waiter {
                    // A closed channel means that the process is stopping.
                    Waiter::Object(key) => drop(self.wake.send(key)),
                    Waiter::Ticket(id) => {
                        let sent = inner
                            .tickets
                            .remove(&id)
                            .is_some_and(|to| to.send(()).is_ok());
                        unclaimed += u32::from(!sent);
                    }
                }
            }
            let Some(queue) = inner.queues.get_mut(&bucket) else {
                return;
            };
            if unclaimed > 0 {
                let now = now();
                (0..unclaimed).for_each(|_| queue.give_back(now));
                granted = queue.pump(now);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is complete before anything in a critical section could panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reconcile pass of one object, see [`Limits::begin_pass`].
#[derive(Debug)]
#[must_use = "the pass ends when this is dropped"]
pub struct Pass {
    limits: Arc<Limits>,
    key: ObjectKey,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let asked = self
            .limits
            .lock()
            .passes
            .remove(&self.key)
            .unwrap_or_default();
        self.limits.withdraw_except(&self.key, &asked);
    }
}

/// Gives a place back when the task that waits for it is cancelled.
struct Ticket<'a> {
    limits: &'a Limits,
    bucket: Bucket,
    id: u64,
    used: bool,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if self.used {
            return;
        }
        let mut inner = self.limits.lock();
        let waited = inner.tickets.remove(&self.id).is_some();
        if let Some(queue) = inner.queues.get_mut(&self.bucket) {
            if waited {
                queue.withdraw(&Waiter::Ticket(self.id), now());
            } else {
                queue.give_back(now());
            }
        }
        self.limits.settle(&mut inner, self.bucket);
    }
}

/// The runtime's clock, which tests can stop and move.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
