//! The desired count as Application Auto Scaling sets it. In: a service and a count. Out: the service at that
//! count, its readers as late as after an update. No IO.

use super::service::{Rollout, Service, Status};
use super::task::Task;
use super::world::{ServiceKey, World};
use crate::clock::Moment;

impl Service {
    pub(crate) fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    /// Whether a deployment of it is under way.
    pub(crate) fn is_deploying(&self) -> bool {
        self.primary()
            .is_some_and(|primary| primary.rollout == Rollout::InProgress)
    }

    pub(crate) fn running(&self, now: Moment) -> usize {
        self.count(|task| task.is_running(now))
    }

    /// Whether as many tasks run as are desired, and no other one is on its way in or out. During a deployment, in which more
    /// may run, it is enough that they do.
    pub(crate) fn has_reached(&self, now: Moment) -> bool {
        let desired = self.desired as usize;
        let gone = |task: &Task| task.last_status(now) == "STOPPED";
        let all = self.count(|task| !gone(task));
        self.running(now) >= desired && (all == desired || self.is_deploying())
    }
}

impl World {
    /// Sets the desired count of an active service.
    pub(crate) fn set_desired(&mut self, key: &ServiceKey, desired: u32, now: Moment) {
        let Some(service) = self.services.get(key).filter(|one| one.is_active()) else {
            return;
        };
        let lag = self.options.update_lag;
        let before = (!lag.is_zero()).then(|| (now + lag, self.service_json(service, now, true)));
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        service.shown_before.retain(|(until, _)| *until > now);
        service.shown_before.extend(before);
        service.desired = desired;
        self.touch(key, now);
    }
}
