//! Control planes for tests that need one to themselves, with the operator's chart in them, kept for the next test once they are clean again. Starts processes.
//!
//! Environments belong to a whole cluster and every operator works on all of them, so two operators with two AWS accounts
//! cannot share one. A test that fails takes its control plane with it.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::command::repository;
use crate::control_plane::ControlPlane;

static IDLE: Mutex<Vec<ControlPlane>> = Mutex::new(Vec::new());

/// A clean control plane with the CRDs and the operator's chart of this repository, from those left by earlier tests or a new one.
///
/// # Errors
/// As [`ControlPlane::start`], [`ControlPlane::install_crds`] and [`ControlPlane::install_operator`].
pub async fn take() -> Result<ControlPlane> {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    if let Some(plane) = idle {
        return Ok(plane);
    }
    let plane = ControlPlane::start().await?;
    plane.install_crds(&repository().join("crds")).await?;
    plane.install_operator().await?;
    Ok(plane)
}

/// Gives one back, with no object of ours left in it.
pub fn give_back(plane: ControlPlane) {
    IDLE.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(plane);
}
