//! A simulator of Amazon ECS and of its scaling over time, for tests and demonstrations. In: AWS JSON requests as SDKs
//! send them, and a clock that a test moves or that runs by itself. Out: what AWS documents it would
//! answer. ECS, Secrets Manager, Application Auto Scaling and the alarms of CloudWatch are answered here;
//! everything else is forwarded to a stand-in behind. What ECS tells EventBridge is sent to the stand-in's queues. Serves on loopback addresses only. The README's table
//! gives the source of each behaviour.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use aws_sim::{Options, Simulator, serve};
//!
//! let simulator = Simulator::new(Options::default())?;
//! let server = serve(simulator.clone(), ([127, 0, 0, 1], 0).into()).await?;
//! // Point an SDK's endpoint URL at `server.url`, then move time:
//! simulator.advance(std::time::Duration::from_secs(60));
//! # Ok(())
//! # }
//! ```

mod admin;
mod answer;
mod behaviour;
mod cbor;
mod clock;
mod cloud_map;
mod cloud_watch;
pub mod ecs;
mod errors;
mod event_bus;
mod exchange;
mod facts;
mod faults;
mod forward;
mod holds;
mod log;
mod members;
mod neighbours;
mod options;
mod quota;
mod random;
mod route;
mod scaling;
pub mod secrets;
mod server;
mod simulator;
mod stacks;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use behaviour::{Behaviour, Subject};
pub use clock::{ClockKind, Moment};
pub use cloud_watch::Load;
pub use errors::AwsError;
pub use faults::{Fault, FaultKind};
pub use holds::{Hold, HoldState};
pub use log::{Outcome, Request};
pub use neighbours::Trust;
pub use options::{CurrentDeployment, Options, Quotas, ScalingOptions, Timing};
pub use scaling::ScalingActivity;
pub use server::{Server, serve};
pub use simulator::Simulator;
pub use stacks::StackTrouble;

/// Locks even after a panic elsewhere: the data are plain records, and the panic is reported anyway.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
