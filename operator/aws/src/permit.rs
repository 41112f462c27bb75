//! Whether this process may change anything now: a leader's lease as the AWS side sees it. No IO.
//!
//! Invariant: a permit that once said until when it lasts never lasts longer than that without being renewed.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The right to change something, for as long as it lasts.
#[derive(Clone, Debug, Default)]
pub struct Permit {
    until: Option<watch::Receiver<Option<Instant>>>,
}

impl Permit {
    /// A permit that never ends: there is one process, or nothing is at stake.
    pub const fn always() -> Self {
        Self { until: None }
    }

    /// A permit that lasts until the instant last sent, and not at all before the first one or after a `None`.
    pub const fn until(until: watch::Receiver<Option<Instant>>) -> Self {
        Self { until: Some(until) }
    }

    /// True if it lasts for `span` from now on.
    pub fn lasts_for(&self, span: Duration) -> bool {
        match &self.until {
            None => true,
            Some(until) => until
                .borrow()
                .is_some_and(|until| Instant::now() + span <= until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_permit_lasts_as_long_as_it_says_and_ends_when_it_is_taken_back() {
        let (sender, receiver) = watch::channel(None);
        let permit = Permit::until(receiver);
        assert!(!permit.lasts_for(Duration::ZERO), "nothing was sent yet");
        sender.send_replace(Some(Instant::now() + 10 * SECOND));
        assert!(permit.lasts_for(10 * SECOND));
        assert!(!permit.lasts_for(11 * SECOND));
        tokio::time::advance(3 * SECOND).await;
        assert!(permit.lasts_for(7 * SECOND));
        assert!(!permit.lasts_for(8 * SECOND));
        sender.send_replace(None);
        assert!(!permit.lasts_for(Duration::ZERO));
        assert!(Permit::always().lasts_for(3600 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_outlives_its_sender_by_no_more_than_was_said() {
        let (sender, receiver) = watch::channel(Some(Instant::now() + 2 * SECOND));
        drop(sender);
        let permit = Permit::until(receiver);
        assert!(permit.lasts_for(SECOND));
        tokio::time::advance(3 * SECOND).await;
        assert!(!permit.lasts_for(Duration::ZERO));
    }
}
