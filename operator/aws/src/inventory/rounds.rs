//! What is read without being asked for: moving services every few seconds, everything once in a while.

use super::{Inventory, now};
use crate::clock;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

impl Inventory {
    /// Polls moving services, all in the same moment so that they share batches. Never returns.
    pub(super) async fn poll(self: Arc<Self>) {
        let mut ticks = interval(self.timing.poll_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.lock().want_moving(now(), clock::now());
            self.service_reads.notify_one();
        }
    }

    /// Sweeps everything tracked. Never returns.
    pub(super) async fn sweep(self: Arc<Self>) {
        loop {
            sleep(jittered(self.timing.sweep_interval)).await;
            self.lock().want_all(now(), clock::now());
            self.service_reads.notify_one();
            self.dns_reads.notify_one();
        }
    }
}

/// Up to a tenth longer, so that several installations in one account do not sweep in step.
fn jittered(interval: Duration) -> Duration {
    // A fresh hasher's keys are random; nothing here needs better.
    let random = RandomState::new().build_hasher().finish() % 1000;
    interval + interval.mul_f64(f64::from(u32::try_from(random).unwrap_or_default()) / 10_000.0)
}
