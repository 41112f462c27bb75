//! End-to-end tests: a real API server, the operator, and a simulated AWS. One binary, so that they share one control plane.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod admit;
mod control_plane;
