//! The loop by which reads of one bucket are made: the most urgent first, chosen when a call is admitted; and the further calls of a read
//! that takes several. Waits for time, limits and wishes.

use super::state::State;
use super::{Inventory, now};
use crate::calls::CallError;
use crate::limits::{Bucket, Priority};
use crate::operations::Operation;
use crate::timing::Timing;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::time::Instant;
use tokio::sync::Notify;

/// How often a further call of a read is made before the read is given up, and with it the calls before.
const TRIES: usize = 3;

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

    /// Makes the call for a page, counted from 0. The first was admitted with the read.
    pub(super) async fn page<T, E, F>(
        &self,
        page: usize,
        operation: Operation,
        priority: Priority,
        call: impl Fn() -> F,
    ) -> Result<T, CallError<E>>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        match page {
            0 => self.calls.send(operation, call()).await,
            _ => self.further(operation, priority, call).await,
        }
    }

    /// Makes a call that others of the same read came before. Where AWS throttled it or gave no clear answer it is made again, so that those
    /// were not in vain: a read that takes several calls and begins anew for each that fails ends only rarely while AWS is in trouble.
    pub(super) async fn further<T, E, F>(
        &self,
        operation: Operation,
        priority: Priority,
        call: impl Fn() -> F,
    ) -> Result<T, CallError<E>>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let mut tries = 1;
        loop {
            self.limits.admit(operation.bucket, priority).await;
            match self.calls.send(operation, call()).await {
                Err(error) if tries < TRIES && error.failure.may_pass() => {
                    tries += 1;
                    tokio::time::sleep(self.timing.retry_after).await;
                }
                result => return result,
            }
        }
    }
}
