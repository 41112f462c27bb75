//! What tests set and look at of metrics, alarms and scaling. In: loads, samples, names. Out: states and activities.

use super::load::Load;
use super::queries::MetricKey;
use crate::clock::Moment;
use crate::locked;
use crate::scaling::ScalingActivity;
use crate::simulator::Simulator;

impl Simulator {
    /// Puts a standing load on a service, in one cluster or in any, or takes it away. From then on each minute that ends has
    /// samples of its running tasks. CloudWatch knows nothing of a service without a load.
    pub fn set_load(&self, cluster: Option<&str>, service: &str, load: Option<Load>) {
        let now = self.inner.clock.now();
        let mut world = locked(&self.inner.world);
        world.tick(now);
        let place = (cluster.map(str::to_owned), service.to_owned());
        let loads = &mut world.cloud_watch.loads;
        match load {
            Some(load) => loads.insert(place, load),
            None => loads.remove(&place),
        };
    }

    /// Adds samples of a metric to the minute of a moment, which may lie in the past or the future.
    pub fn put_metric(
        &self,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
        at: Moment,
        values: &[f64],
    ) {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let key = MetricKey {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.iter().map(own).collect(),
        };
        let mut world = locked(&self.inner.world);
        let minute = at.0 / super::MINUTE;
        world.cloud_watch.metrics.add(key, minute, values);
    }

    /// The state of an alarm of CloudWatch: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub fn alarm_state(&self, name: &str) -> Option<&'static str> {
        self.tick();
        let world = locked(&self.inner.world);
        let alarm = world.cloud_watch.alarms.get(name);
        alarm.map(|alarm| alarm.state.as_str())
    }

    /// What Application Auto Scaling did to the services of a name, the oldest first.
    pub fn scaling_activities(&self, service: &str) -> Vec<ScalingActivity> {
        self.tick();
        locked(&self.inner.world).scaling_activities(service)
    }
}
