//! The pure heart of the operator: no IO, no clock, no SDK, no Kubernetes client. Time, tokens and everything read are arguments.
//!
//! ```text
//! PrivateService + Environment + others ─resolve─> Desired  ┐
//! AWS ──(inventory, crate aws)───────────observe─> Observed ┴─plan─> Plan ─guard─> execute (crate aws) ─> assess ─> report (crate runtime)
//! ```
//!
//! The verbs are the vocabulary of files, spans, metrics and errors.

pub mod assess;
pub mod claim;
pub mod conditions;
pub mod console;
pub mod defaults;
pub mod desired;
pub mod environment;
pub mod evidence;
pub mod fact;
pub mod failure;
#[cfg(test)]
mod fixtures;
pub mod foundation;
pub mod grants;
pub mod guard;
pub mod hash;
pub mod memory;
pub mod names;
pub mod observed;
pub mod owner;
pub mod pin;
pub mod place;
pub mod plan;
pub mod problem;
pub mod repairs;
pub mod report;
pub mod resolve;
pub mod rollout;
pub mod scaling;
pub mod secret_versions;
pub mod service;
pub mod step;
pub mod stored_secret;
pub mod task_definition;
pub mod watched_secret;
pub mod wave;
