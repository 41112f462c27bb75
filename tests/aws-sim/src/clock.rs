//! Simulated time. In: real time (at some speed) or moves made by a test. Out: a [`Moment`]. Does
//! no IO. Invariant: time never goes backwards.

use std::ops::Add;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point in simulated time, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// Seconds since the Unix epoch, as the AWS JSON protocols write timestamps.
    pub fn seconds(self) -> f64 {
        // A timestamp in milliseconds is far below 2^53, so the conversion is exact.
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit into 53 bits"
        )]
        let milliseconds = self.0 as f64;
        milliseconds / 1000.0
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, rhs: Duration) -> Moment {
        Moment(
            self.0
                .saturating_add(u64::try_from(rhs.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

/// How simulated time passes. Both kinds start at the wall-clock time of their creation, because
/// clients compare AWS's timestamps with their own clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClockKind {
    /// Time stands still until [`crate::Simulator::advance`] moves it.
    Manual,
    /// Time passes `speed` times as fast as real time; `advance` jumps ahead.
    Real {
        /// Simulated seconds in a real second; above 0.
        speed: f64,
    },
}

/// A running clock.
#[derive(Debug)]
pub(crate) struct Clock {
    kind: ClockKind,
    origin: Moment,
    started: Instant,
    jumped: Mutex<Duration>,
}

impl Clock {
    pub(crate) fn new(kind: ClockKind) -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            kind,
            origin: Moment(0) + wall,
            started: Instant::now(),
            jumped: Mutex::new(Duration::ZERO),
        }
    }

    pub(crate) fn kind(&self) -> ClockKind {
        self.kind
    }

    pub(crate) fn now(&self) -> Moment {
        let jumped = *crate::locked(&self.jumped);
        match self.kind {
            ClockKind::Manual => self.origin + jumped,
            ClockKind::Real { speed } => {
                self.origin + jumped + self.started.elapsed().mul_f64(speed)
            }
        }
    }

    /// The time quotas are counted in: real seconds under a real clock, whatever its speed, since
    /// the clients' own limiters count those; simulated ones under a manual clock.
    pub(crate) fn quota_now(&self) -> Duration {
        match self.kind {
            ClockKind::Manual => *crate::locked(&self.jumped),
            ClockKind::Real { .. } => self.started.elapsed(),
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        *crate::locked(&self.jumped) += by;
    }
}
