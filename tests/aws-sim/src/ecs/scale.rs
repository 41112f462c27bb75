//! The desired count as Application Auto Scaling sets it. In: a service and a count. Out: the service at that
//! count, its readers as late as after an update. No IO.

use super::service::{Service, Status};
use super::world::{ServiceKey, World};
use crate::clock::Moment;

impl Service {
    pub(crate) fn is_active(&self) -> bool {
        self.status == Status::Active
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
