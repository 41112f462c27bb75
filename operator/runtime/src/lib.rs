//! Kubernetes IO and the process: watches and caches, controllers, status, Events, admin server, telemetry.
//!
//! In: flags, a Kubernetes client, AWS through crate `aws`. Out: a running operator, until told to stop. The thinking is in crate `core`.
//!
//! ```text
//! lease ─permits what changes something─> controllers, AWS
//! watch ─> cache + index ─wakes─> controller ─> pass (privateservice, environment) ─> status, Events
//!                                    ^ AWS inventory and limits wake it too
//! ```

mod admin;
mod client;
pub mod config;
pub mod context;
mod controller;
mod environment;
pub mod events;
pub mod finalizer;
pub mod guarded;
pub mod index;
pub mod kind;
mod lease;
mod locked;
mod malformed;
pub mod metrics;
mod privateservice;
mod readiness;
mod referenced;
mod run;
pub mod status;
pub mod telemetry;
mod version_key;
mod watch;

pub use client::connect;
pub use config::Config;
pub use run::{run, run_with};
