//! The simulator against the rules that AWS documents, driven by the real SDK clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cloud_map;
mod deployments;
mod faults;
mod harness;
mod request_shapes;
mod service_connect;
mod services;
mod task_definitions;
mod tasks;
