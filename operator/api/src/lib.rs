//! The Kubernetes API of the operator: `PrivateService` and `Environment`.
//!
//! In: nothing. Out: the Rust types users' objects deserialize into, the two
//! `CustomResourceDefinition`s generated from them, and every name (annotations, finalizer, tags,
//! conditions, reasons) that others rely on. No IO. Invariant: no field below `spec` has a default
//! in the schema, so that what a user applied is what the API server keeps; defaults are resolved
//! elsewhere and only described here.

#![deny(missing_docs)]
// The schema derive repeats every struct inside a function, where `pub` cannot reach anybody.
#![allow(unreachable_pub)]

pub mod conditions;
pub mod crd;
pub mod environment;
pub mod meta;
pub mod privateservice;

pub use environment::{Environment, EnvironmentSpec, EnvironmentStatus};
pub use privateservice::{PrivateService, PrivateServiceSpec, PrivateServiceStatus};
