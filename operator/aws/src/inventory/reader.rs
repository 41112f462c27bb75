//! The loop by which reads of one bucket are made: the most urgent first, chosen when a call is admitted. Waits for time, limits and wishes.

use super::state::State;
use super::{Inventory, now};
use crate::limits::{Bucket, Priority};
use crate::timing::Timing;
use std::time::Instant;
use tokio::sync::Notify;

/// What a reader does next.
pub(super) enum Next {
    /// Ask for a call of this priority.
    Read(Priority),
    /// Nothing before then, unless something is wanted.
    At(Instant),
}

impl Inventory {
    /// Makes reads as they are admitted: `next` says whether one is wanted, `take` chooses what it reads, `read` begins it. Never returns.
    pub(super) async fn read_as_admitted<T>(
        &self,
        bucket: Bucket,
        wanted: &Notify,
        next: impl Fn(&mut State, Instant, &Timing) -> Next,
        take: impl Fn(&mut State, Instant, &Timing) -> Option<T>,
        read: impl Fn(T),
    ) {
        loop {
            let next = next(&mut self.lock(), now(), &self.timing);
            match next {
                Next::At(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = wanted.notified() => {}
                    }
                }
                Next::Read(priority) => {
                    tokio::select! {
                        biased;
                        () = self.limits.admit(bucket, priority) => {
                            let taken = take(&mut self.lock(), now(), &self.timing);
                            match taken {
                                Some(taken) => read(taken),
                                None => self.limits.give_back(bucket),
                            }
                        }
                        // Something more urgent may be wanted now: ask again with its priority.
                        () = wanted.notified() => {}
                    }
                }
            }
        }
    }
}
