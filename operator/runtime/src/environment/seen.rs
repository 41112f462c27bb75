//! What one process remembers of an Environment, and when AWS is to be looked at again. Pure; time is an argument.

use privateservice_core::environment::{EnvironmentFacts, EnvironmentQuery};
use std::time::{Duration, Instant};

/// Memory of one Environment.
#[derive(Debug)]
pub(crate) struct Seen {
    uid: String,
    last: Option<Look>,
    unanswered_since: Option<Instant>,
    written: Option<Instant>,
}

#[derive(Debug)]
struct Look {
    query: EnvironmentQuery,
    asked: Option<String>,
    facts: EnvironmentFacts,
    at: Instant,
}

/// How often to look.
pub(super) struct Pace {
    /// While Ready.
    pub(super) ready: Duration,
    /// While not, and after a look that AWS did not answer.
    pub(super) not_ready: Duration,
    /// After so long without an answer, Ready is Unknown.
    pub(super) unanswered: Duration,
}

impl Seen {
    /// Of an object that was not seen before.
    pub(super) const fn new(uid: String) -> Self {
        Self {
            uid,
            last: None,
            unanswered_since: None,
            written: None,
        }
    }

    /// True if it is the memory of this very object.
    pub(super) fn is_of(&self, uid: &str) -> bool {
        self.uid == uid
    }

    /// True if AWS is to be looked at now: never yet, for something else, asked by the user, or due.
    pub(super) fn is_due(
        &self,
        query: &EnvironmentQuery,
        asked: Option<&str>,
        ready: bool,
        now: Instant,
        pace: &Pace,
    ) -> bool {
        self.last.as_ref().is_none_or(|look| {
            look.query != *query
                || look.asked.as_deref() != asked
                || self.next_look(ready, now, pace).is_zero()
        })
    }

    /// How long until the next look is due.
    pub(super) fn next_look(&self, ready: bool, now: Instant, pace: &Pace) -> Duration {
        let pause = if ready && self.unanswered_since.is_none() {
            pace.ready
        } else {
            pace.not_ready
        };
        self.last.as_ref().map_or(Duration::ZERO, |look| {
            pause.saturating_sub(now.saturating_duration_since(look.at))
        })
    }

    /// Remembers what was found. Until [`Seen::answered`] says otherwise, time without an answer goes on.
    pub(super) fn looked(
        &mut self,
        query: EnvironmentQuery,
        asked: Option<String>,
        facts: EnvironmentFacts,
        now: Instant,
    ) {
        self.unanswered_since = self.unanswered_since.or(Some(now));
        self.last = Some(Look {
            query,
            asked,
            facts,
            at: now,
        });
    }

    /// Whether the last look was answered.
    pub(super) fn answered(&mut self, answered: bool) {
        if answered {
            self.unanswered_since = None;
        }
    }

    /// True if no look was answered for so long.
    pub(super) fn is_unanswered_for(&self, long: Duration, now: Instant) -> bool {
        self.unanswered_since
            .is_some_and(|since| now.saturating_duration_since(since) >= long)
    }

    /// What the last look found.
    pub(super) fn facts(&self) -> Option<&EnvironmentFacts> {
        self.last.as_ref().map(|look| &look.facts)
    }

    /// The status was written.
    pub(super) const fn written(&mut self, now: Instant) {
        self.written = Some(now);
    }

    /// How long a status that brings nothing but another count has to wait.
    pub(super) fn until_next_count(&self, pause: Duration, now: Instant) -> Option<Duration> {
        let left = pause.saturating_sub(now.saturating_duration_since(self.written?));
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        ready: Duration::from_mins(30),
        not_ready: Duration::from_secs(30),
        unanswered: Duration::from_mins(15),
    };

    fn query(cluster: &str) -> EnvironmentQuery {
        EnvironmentQuery {
            cluster_arn: cluster.into(),
            namespace_arn: "namespace".into(),
        }
    }

    fn looked(now: Instant, answered: bool) -> Seen {
        let mut seen = Seen::new("uid".into());
        let facts = EnvironmentFacts {
            account: Ok("111122223333".into()),
            cluster: Ok(None),
            namespace: Ok(None),
        };
        seen.looked(query("one"), None, facts, now);
        seen.answered(answered);
        seen
    }

    #[test]
    fn looks_at_once_when_never_looked_when_asked_and_when_the_query_changed() {
        let now = Instant::now();
        assert!(Seen::new("uid".into()).is_due(&query("one"), None, true, now, &PACE));
        let seen = looked(now, true);
        assert!(!seen.is_due(&query("one"), None, true, now, &PACE));
        assert!(seen.is_due(&query("one"), Some("now"), true, now, &PACE));
        assert!(seen.is_due(&query("two"), None, true, now, &PACE));
    }

    #[test]
    fn looks_seldom_while_ready_and_soon_while_not() {
        let now = Instant::now();
        let seen = looked(now, true);
        let later = now + Duration::from_secs(31);
        assert!(!seen.is_due(&query("one"), None, true, later, &PACE));
        assert!(seen.is_due(&query("one"), None, false, later, &PACE));
        assert!(seen.is_due(&query("one"), None, true, now + PACE.ready, &PACE));
    }

    #[test]
    fn a_look_without_an_answer_is_repeated_soon_and_its_silence_is_timed_from_the_first() {
        let now = Instant::now();
        let mut seen = looked(now, false);
        let later = now + Duration::from_secs(31);
        assert!(seen.is_due(&query("one"), None, true, later, &PACE));
        let Some(Look { query, facts, .. }) = seen.last.take() else {
            panic!("it has looked")
        };
        seen.looked(query, None, facts, later);
        seen.answered(false);
        assert!(seen.is_unanswered_for(PACE.unanswered, now + PACE.unanswered));
        seen.answered(true);
        assert!(!seen.is_unanswered_for(PACE.unanswered, now + PACE.unanswered));
    }

    #[test]
    fn a_mere_count_waits_for_its_turn() {
        let now = Instant::now();
        let mut seen = looked(now, true);
        let pause = Duration::from_secs(2);
        assert_eq!(seen.until_next_count(pause, now), None);
        seen.written(now);
        assert_eq!(seen.until_next_count(pause, now), Some(pause));
        assert_eq!(seen.until_next_count(pause, now + pause), None);
    }
}
