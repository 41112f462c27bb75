//! The event queue of an Environment, read while the Environment offers one to services. Starts and stops the reader, which calls AWS.

use crate::context::Context;
use kube::ResourceExt;
use privateservice_api::environment::AssumeRole;
use privateservice_api::{Environment, EnvironmentStatus};
use privateservice_aws::EventQueue;
use privateservice_core::failure::Failure;

/// The queue that is being read, if there is one.
#[derive(Debug, Default)]
pub(super) struct Listening(Option<Open>);

#[derive(Debug)]
struct Open {
    place: Place,
    queue: EventQueue,
}

/// Where a queue is, and who may read it.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    region: String,
    role: Option<AssumeRole>,
    url: String,
}

impl Listening {
    /// Reads the queue that the status names from now on, and no other. An Environment that is being deleted and that nobody uses needs none:
    /// its stack takes the queue along.
    pub(super) fn follow(
        &mut self,
        object: &Environment,
        context: &Context,
        status: &EnvironmentStatus,
    ) {
        if object.spec.region.is_empty() {
            // It cannot be read any more; until it is gone, what is read is as before.
            return;
        }
        let unused =
            object.metadata.deletion_timestamp.is_some() && status.services.unwrap_or(0) == 0;
        let url = status.event_queue_url.clone().filter(|_| !unused);
        let place = url.map(|url| Place {
            region: object.spec.region.clone(),
            role: object.spec.assume_role.clone(),
            url,
        });
        if self.0.as_ref().map(|open| &open.place) == place.as_ref() {
            return;
        }
        self.0 = place.map(|place| {
            let account = context.account(&place.region, place.role.as_ref());
            let (wake, name) = (context.wake_environment.clone(), object.name_any());
            // A closed channel means that the process is stopping.
            let queue = account.read_events(&place.url, move || drop(wake.send(name.clone())));
            Open { place, queue }
        });
    }

    /// Reads nothing any more.
    pub(super) fn stop(&mut self) {
        self.0 = None;
    }

    /// Why the queue cannot be read, if it cannot.
    pub(super) fn trouble(&self) -> Option<Failure> {
        self.0.as_ref()?.queue.trouble()
    }
}
