//! What the end-to-end tests and the demo stand on: a Kubernetes control plane and an AWS stand-in as child processes, and
//! the few tools around them. Starts processes, writes below a temporary folder, and talks to 127.0.0.1 only.
//!
//! Invariant: whatever is started here ends with the process that started it, however that process ends.

pub mod certificates;
pub mod command;
pub mod control_plane;
pub mod eventually;
pub mod process;
pub mod scratch;
pub mod stand_in;

pub use control_plane::{ControlPlane, shared};
pub use eventually::eventually;
pub use stand_in::MiniStack;
