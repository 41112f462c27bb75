//! What is read without being asked for: moving services every few seconds, everything once in a while, and what AWS tells of.

use super::record::Why;
use super::state::{ServiceId, State};
use super::{Inventory, now};
use crate::clock;
use crate::limits::{Lane, Priority};
use k8s_openapi::jiff::Timestamp;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};
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
            self.deployment_reads.notify_one();
        }
    }

    /// Sweeps everything tracked, in portions, so that choosing a batch never looks through everything. Never returns.
    pub(super) async fn sweep(self: Arc<Self>) {
        let mut round: u32 = 0;
        loop {
            sleep(jittered(self.timing.sweep_interval)).await;
            round = round.wrapping_add(1);
            let scaling = round.is_multiple_of(SCALING_ROUND);
            let ids = {
                let mut state = self.lock();
                state.want_all_dns(now(), clock::now());
                state.services.keys().cloned().collect::<Vec<_>>()
            };
            self.dns_reads.notify_one();
            for portion in ids.chunks(PORTION) {
                self.lock()
                    .want_swept(portion, scaling, now(), clock::now());
                self.service_reads.notify_one();
                if scaling {
                    self.scaling_reads.notify_one();
                }
                self.let_the_readers_catch_up().await;
            }
        }
    }

    /// AWS says that something happened to a service, and maybe to a service deployment of it: they are read again soon, if the service is
    /// followed.
    pub(crate) fn happened(&self, cluster: &str, service: &str, deployment: bool) {
        let id = (cluster.to_owned(), service.to_owned());
        // Not before sweeps and new services: a cluster in trouble tells of much.
        let priority = Priority {
            lane: Lane::Bulk,
            since: clock::now(),
        };
        if self
            .lock()
            .want_service(id, Why::Event, deployment, priority, now())
        {
            self.service_reads.notify_one();
            self.deployment_reads.notify_one();
        }
    }

    /// Waits until less than a portion is wanted; not for ever, because failing reads pause.
    async fn let_the_readers_catch_up(&self) {
        let until = now() + LONGEST_WAIT;
        while self.lock().wanted_services.len() >= PORTION && now() < until {
            sleep(self.timing.coalesce_window).await;
        }
    }
}

impl State {
    /// Wants these services to be read again, as far as they are still tracked.
    fn want_swept(&mut self, ids: &[ServiceId], scaling: bool, now: Instant, at: Timestamp) {
        let priority = Priority {
            lane: Lane::Bulk,
            since: at,
        };
        for id in ids {
            if let Some(record) = self.services.get_mut(id) {
                record.want(Why::Sweep, priority, now);
                self.wanted_services.insert(id.clone());
            }
            if scaling && let Some(record) = self.scaling.get_mut(id) {
                record.want(Why::Sweep, priority, now);
                self.wanted_scaling.insert(id.clone());
            }
        }
    }

    /// Wants all namespaces to be listed again.
    fn want_all_dns(&mut self, now: Instant, at: Timestamp) {
        let priority = Priority {
            lane: Lane::Bulk,
            since: at,
        };
        for (id, record) in &mut self.dns {
            record.want(Why::Sweep, priority, now);
            self.wanted_dns.insert(id.clone());
        }
    }

    /// Wants every moving service to be read again, and its service deployment.
    fn want_moving(&mut self, now: Instant, at: Timestamp) {
        let priority = Priority {
            lane: Lane::Polling,
            since: at,
        };
        let moving: Vec<ServiceId> = self
            .services
            .iter()
            .filter(|(_, record)| !record.moving.is_empty())
            .map(|(id, _)| id.clone())
            .collect();
        for id in moving {
            self.want_service(id, Why::Poll, true, priority, now);
        }
    }

    /// Wants a service to be read again, and its service deployment if it is asked for too; false if nobody follows the service.
    pub(super) fn want_service(
        &mut self,
        id: ServiceId,
        why: Why,
        deployment: bool,
        priority: Priority,
        now: Instant,
    ) -> bool {
        let Some(record) = self.services.get_mut(&id) else {
            return false;
        };
        record.want(why, priority, now);
        self.wanted_services.insert(id.clone());
        if deployment && let Some(deployment) = self.rollouts.records.get_mut(&id) {
            deployment.want(why, priority, now);
            self.rollouts.wanted.insert(id);
        }
        true
    }
}

/// What scales services is read in every such sweep: nothing of it moves by itself, and it takes several calls.
const SCALING_ROUND: u32 = 12;

/// Services that are swept at once: ten full batches.
const PORTION: usize = 100;

/// With 5,000 services, as many as a cluster holds, a sweep in which everything fails still ends within two minutes.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Up to a tenth longer, so that several installations in one account do not sweep in step.
pub(crate) fn jittered(interval: Duration) -> Duration {
    // A fresh hasher's keys are random; nothing here needs better.
    let random = RandomState::new().build_hasher().finish() % 1000;
    interval + interval.mul_f64(f64::from(u32::try_from(random).unwrap_or_default()) / 10_000.0)
}
