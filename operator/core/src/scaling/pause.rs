//! Entering and leaving a pause: the only times at which a service that is there is sent a count. Pure.
//!
//! A pause suspends scaling and allows a count of 0 first, then sets it; the way back sets the count first, then restores bounds and
//! scaling. So there is no moment in which scaling works against it, and a crash between two calls is taken up where it was left: status
//! says since before the first call that a pause began, and what it began with.

use super::parts::Suspended;
use super::{Memory, Observed, Scaling};
use crate::observed::Service;
use privateservice_api::privateservice::PausedTasks;

/// The count to send now, if the service is entering or leaving a pause. `seen` is `None` where there is no Application Auto Scaling.
pub(super) fn count_to_set(
    scaling: &Scaling,
    service: &Service,
    seen: Option<&Observed>,
    memory: &Memory,
) -> Option<i32> {
    if scaling.paused {
        let in_force = memory.paused.is_some_and(|paused| paused.in_force);
        return (!in_force && service.desired_count != 0).then_some(0);
    }
    let paused = memory.paused?;
    let still_paused = match seen.and_then(|seen| seen.target.as_ref()) {
        // Once scaling goes on, the count is scaling's.
        Some(seen) => seen.target.suspended == Suspended::ALL && seen.target.bounds.min == 0,
        None => service.desired_count == 0,
    };
    let count = scaling.bounds.nearest(paused.tasks_before);
    (still_paused && service.desired_count != count).then_some(count)
}

/// What status must say of a pause before `count` is sent.
pub(super) fn announced(
    scaling: &Scaling,
    service: &Service,
    memory: &Memory,
) -> Option<PausedTasks> {
    match memory.paused {
        // Whoever pauses again before the count was seen pauses anew.
        Some(paused) => Some(PausedTasks {
            in_force: paused.in_force && scaling.paused,
            ..paused
        }),
        None => scaling.paused.then(|| PausedTasks {
            tasks_before: if service.desired_count > 0 {
                service.desired_count
            } else {
                memory.tasks.unwrap_or(0)
            },
            in_force: false,
        }),
    }
}
