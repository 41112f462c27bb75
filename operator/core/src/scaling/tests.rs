//! What is rendered, and the laws of planning, on a pure Application Auto Scaling.

mod rendering;
