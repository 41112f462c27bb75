//! End-to-end tests: a real API server, the operator, and a simulated AWS. One binary, so that they share control planes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accounts;
mod admit;
mod adopt;
mod apply_samples;
mod aws_secrets;
mod config_maps;
mod control_plane;
mod count_calls;
mod distrust_pages;
mod event_queue;
mod foundation;
mod helm;
mod keep_services;
mod leader;
mod logging;
mod meet_another_simulation;
mod orphans;
mod rbac;
mod rebuild_cluster;
mod refuse_services;
mod repair_drift;
mod rollouts;
mod scaling;
mod secrets;
mod survive_crashes;
mod survive_faults;
mod tenancy;
mod tolerate_malformed;
mod variables;
mod wait_for_environments;
mod waves;
