//! Every duration this crate waits for, in one place, so that tests can shorten them. No IO.

use std::time::Duration;

/// How long things take and how often they happen.
#[derive(Clone, Debug)]
pub struct Timing {
    /// How often services that are changing are read again.
    pub poll_interval: Duration,
    /// How often everything tracked is read again (`--sweep-interval-seconds`). Each round is up to a tenth longer, at random.
    pub sweep_interval: Duration,
    /// How long a demand waits for others to share its batch with.
    pub coalesce_window: Duration,
    /// How long the look at what a write of ours made waits for others: of a fleet's alarms each is written by itself, as the rate allows.
    pub verify_window: Duration,
    /// A fact that is known is not read again on demand before it is this old; a demand for it waits. Keeps a reconcile that
    /// demands on every pass from reading in a loop.
    pub reread_after: Duration,
    /// What events say has changed is read again at most this often: a rollout of many tasks is one of many events.
    pub event_spacing: Duration,
    /// How long AWS holds a request for events open while there are none, in whole seconds up to 20 (SQS API reference, ReceiveMessage).
    pub event_wait: Duration,
    /// A listing of a namespace at most this old also answers for services that are tracked after it.
    pub listing_reuse: Duration,
    /// Pause of a thing's reads after a failed one; doubles with each further failure.
    pub retry_after: Duration,
    /// Upper bound of that pause.
    pub retry_cap: Duration,
    /// How often a secret that services cannot go on without is looked for.
    pub missing_secret_retry: Duration,
    /// How long a granted call is kept for an object that was woken for it.
    pub reservation: Duration,
    /// First pause of a bucket after AWS throttled a call in it; doubles with each further one in a row.
    pub penalty: Duration,
    /// Upper bound of that pause.
    pub penalty_cap: Duration,
    /// Time limit of one call that reads.
    pub call_timeout: Duration,
    /// Time limit of one call that changes something. It is not sent unless the leader's lease lasts longer than this; the duration of
    /// the lease is chosen with it (decision record 4).
    pub write_timeout: Duration,
    /// Time limit of connecting.
    pub connect_timeout: Duration,
}

impl Timing {
    /// The pause after a failed read that so many others in a row came before.
    pub(crate) fn retry_pause(&self, failed_before: u32) -> Duration {
        doubling(self.retry_after, self.retry_cap, failed_before)
    }
}

/// `first`, doubled so many times, and at most `longest`.
pub(crate) fn doubling(first: Duration, longest: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(longest)
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(5),
            sweep_interval: Duration::from_mins(5),
            coalesce_window: Duration::from_millis(50),
            verify_window: Duration::from_secs(5),
            reread_after: Duration::from_secs(5),
            event_spacing: Duration::from_secs(1),
            event_wait: Duration::from_secs(20),
            listing_reuse: Duration::from_secs(30),
            retry_after: Duration::from_secs(1),
            retry_cap: Duration::from_mins(1),
            missing_secret_retry: Duration::from_secs(30),
            reservation: Duration::from_secs(5),
            penalty: Duration::from_millis(500),
            penalty_cap: Duration::from_secs(20),
            call_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(8),
            connect_timeout: Duration::from_secs(3),
        }
    }
}
