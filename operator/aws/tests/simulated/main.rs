//! Real SDK clients against the simulator of ECS, with a small Cloud Map and STS behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accounts;
mod backdrop;
mod dns;
mod environment;
mod failures;
mod foundation;
mod limits;
mod permit;
mod reads;
mod rollouts;
mod scaling;
mod secret_watch;
mod steps;
mod stopped;
mod world;
mod writes;
