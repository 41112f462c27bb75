//! What becomes of a service's rollouts, as its object tells it and as AWS has it.

mod asked;
mod crash_later;
mod ending;
mod fail;
mod forget;
mod keep_revisions;
mod meanwhile;
mod play;
mod restart;
mod succeed;
mod surroundings;
mod without_service_deployments;

pub(crate) use play::redeploy;
