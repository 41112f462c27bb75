//! Holds: a call's effect takes place, its answer waits. In: a filter and which matching call. Out:
//! whether it is held, and its release. A test kills the client exactly in between.

use tokio::sync::watch;

use crate::route::{self, Call};

/// How far a hold has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// The call has not come yet.
    Waiting,
    /// The call took effect and its answer is held.
    Held,
    /// The answer may go.
    Released,
}

/// A hold on one future call.
#[derive(Debug, Clone)]
pub struct Hold {
    id: u64,
    state: watch::Sender<HoldState>,
}

impl Hold {
    /// Names it over HTTP.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How far it has come.
    pub fn state(&self) -> HoldState {
        *self.state.borrow()
    }

    /// Returns once the call has taken effect and its answer is held (or was already released).
    pub async fn held(&self) {
        let mut state = self.state.subscribe();
        // The sender lives in `self`, so waiting cannot end early.
        let _ = state.wait_for(|state| *state != HoldState::Waiting).await;
    }

    /// Lets the answer go; a call that comes later is not held either.
    pub fn release(&self) {
        self.state.send_replace(HoldState::Released);
    }

    pub(crate) async fn released(&self) {
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|state| *state == HoldState::Released).await;
    }
}

#[derive(Debug, Default)]
pub(crate) struct Holds {
    all: Vec<(String, u32, Hold)>,
}

impl Holds {
    /// Holds the answer of the `nth` call (from 1) that matches from now on.
    pub(crate) fn add(&mut self, filter: &str, nth: u32) -> Hold {
        let id = self.all.len() as u64 + 1;
        let hold = Hold {
            id,
            state: watch::Sender::new(HoldState::Waiting),
        };
        self.all.push((filter.to_owned(), nth.max(1), hold.clone()));
        hold
    }

    /// Counts a call that took effect; returns the hold it is the one for.
    pub(crate) fn meet(&mut self, call: &Call) -> Option<Hold> {
        let mut met = None;
        for (filter, left, hold) in &mut self.all {
            if *left == 0 || !route::matches(filter, call) {
                continue;
            }
            *left -= 1;
            if *left == 0 && hold.state() == HoldState::Waiting {
                hold.state.send_replace(HoldState::Held);
                met = Some(hold.clone());
            }
        }
        met
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Hold)> {
        self.all
            .iter()
            .map(|(filter, _, hold)| (filter.as_str(), hold))
    }
}
