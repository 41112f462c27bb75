//! The simulator against the rules that AWS documents, driven by the real SDK clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod alarms;
mod capacity;
mod cloud_map;
mod cloud_watch;
mod deployments;
mod failing_tasks;
mod faults;
mod harness;
mod histories;
mod lag;
mod networks;
mod request_shapes;
mod rollbacks;
mod scaling;
mod secret_deletion;
mod secret_listing;
mod secret_requests;
mod secret_stages;
mod secrets;
mod service_connect;
mod services;
mod task_definitions;
mod task_secrets;
mod tasks;
