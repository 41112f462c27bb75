//! What the end-to-end tests and the demo stand on: a Kubernetes control plane and an AWS stand-in as child processes, and
//! the few tools around them. Starts processes, writes below a temporary folder, and talks to 127.0.0.1 only.
//!
//! Invariant: whatever is started here ends with the process that started it, however that process ends.

pub mod aws;
pub mod calls;
pub mod certificates;
pub mod charts;
pub mod command;
pub mod control_plane;
pub mod eventually;
pub mod operator;
pub mod planes;
pub mod process;
pub mod proxy;
pub mod rules;
pub mod scratch;
pub mod seed;
pub mod stand_in;
mod witness;
pub mod world;

pub use aws::Aws;
pub use calls::Calls;
pub use control_plane::{ControlPlane, shared};
pub use eventually::eventually;
pub use operator::Operator;
pub use seed::Seeded;
pub use stand_in::MiniStack;
pub use world::{Options, World};
