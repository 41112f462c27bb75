//! What is rendered, and the laws of planning, on a pure Application Auto Scaling.

mod deleting;
mod laws;
mod planning;
mod rendering;
mod stand;
mod world;
