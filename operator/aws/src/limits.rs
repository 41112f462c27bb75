//! AWS's rate limits, kept before the call leaves: one token bucket per API bucket, with a priority queue in front.
//!
//! The queue is pure over an explicit clock; [`Limits`] is its asynchronous shell. No network.
//!
//! Invariant: in any window of `t` seconds a bucket grants at most `burst + rate * t` calls, reserved ones included.

mod bucket;
mod queue;
mod shell;

pub use bucket::{Bucket, Quota, QuotaTable};
pub use queue::{Lane, Priority};
pub use shell::{Admission, Limits, Pass};
