//! Everything that talks to AWS: the only code that names an SDK.
//!
//! In: steps of a plan ([`execute`]) and demands for facts ([`inventory`]). Out: outcomes, [`Failure`]s by one table ([`classify`]), and
//! snapshots that were read in shared batches. Every call passes a token bucket ([`limits`]) first and is counted ([`calls`]).
//!
//! Invariants: the SDK never retries by itself; a reconcile never waits for a rate limit or for a read; nothing that was read before one of
//! our own writes ended is believed after it.
//!
//! [`Failure`]: privateservice_core::failure::Failure

pub mod assumed;
mod calls;
pub mod classify;
mod clock;
pub mod connect;
mod convert;
pub mod environment;
pub mod event_queue;
pub mod execute;
mod foundation;
pub mod inventory;
pub mod limits;
mod operations;
mod orphans;
pub mod permissions;
mod permit;
pub mod secret_watch;
pub mod timing;

pub use calls::CallCount;
pub use connect::{Account, AccountKey, ConnectError, Connector, ConnectorConfig};
pub use event_queue::EventQueue;
pub use execute::Outputs;
pub use execute::secrets::{For, SecretOutcome};
pub use inventory::{Inventory, Need};
pub use limits::{Admission, Bucket, Lane, Limits, Pass, Priority, QuotaTable};
pub use permit::Permit;
pub use secret_watch::SecretWatch;
pub use timing::Timing;
