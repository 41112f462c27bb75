//! What one process remembers of an Environment, and when AWS is to be looked at again. Pure; time is an argument.

use super::founding::Founding;
use super::listening::Listening;
use super::orphans::Strangers;
use privateservice_core::environment::{EnvironmentFacts, EnvironmentQuery};
use std::time::{Duration, Instant};

/// Memory of one Environment.
#[derive(Debug)]
pub(crate) struct Seen {
    uid: String,
    last: Option<Look>,
    unanswered_since: Option<Instant>,
    written: Option<Instant>,
    founded: Option<Founded>,
    stack_absent_since: Option<Instant>,
    strangers: Strangers,
    polls: u32,
    /// The event queue.
    pub(super) listening: Listening,
}

/// The last look at the stack.
#[derive(Debug)]
struct Founded {
    cause: Cause,
    founding: Founding,
    at: Instant,
    pause: Duration,
}

/// What makes another look at the stack due at once: another generation, or somebody's wish.
pub(super) type Cause = (Option<i64>, Option<String>);

/// Longest pause between two looks at what AWS is working on. Stacks take minutes, and a look costs a call or two.
const POLL_LIMIT: Duration = Duration::from_secs(5);
/// First such pause; each is twice as long as the one before.
const FIRST_POLL: Duration = Duration::from_secs(1);
/// A stack that was there is taken for gone if it is not found twice, this far apart.
const ABSENT_FOR: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Look {
    query: EnvironmentQuery,
    asked: Option<String>,
    facts: EnvironmentFacts,
    at: Instant,
}

/// How often to look.
pub(super) struct Pace {
    /// Between two looks at a stack that is as it should be.
    pub(super) sweep: Duration,
    /// While Ready.
    pub(super) ready: Duration,
    /// While not, and after a look that AWS did not answer.
    pub(super) not_ready: Duration,
    /// After so long without an answer, Ready is Unknown.
    pub(super) unanswered: Duration,
}

impl Seen {
    /// Of an object that was not seen before.
    pub(super) fn new(uid: String) -> Self {
        Self {
            uid,
            last: None,
            unanswered_since: None,
            written: None,
            founded: None,
            stack_absent_since: None,
            strangers: Strangers::default(),
            polls: 0,
            listening: Listening::default(),
        }
    }

    /// What the last look at the stack came to, unless another one is due.
    pub(super) fn founding(&self, cause: &Cause, now: Instant) -> Option<&Founding> {
        let founded = self.founded.as_ref()?;
        let over = now.saturating_duration_since(founded.at) >= founded.pause;
        (founded.cause == *cause && !over).then_some(&founded.founding)
    }

    /// Remembers what a look at the stack came to, and when the next one is due.
    pub(super) fn founded(&mut self, cause: Cause, founding: Founding, now: Instant, pace: &Pace) {
        let pause = if founding.is_moving() {
            let doubled = FIRST_POLL.saturating_mul(1 << self.polls.min(8));
            self.polls += 1;
            doubled.min(POLL_LIMIT)
        } else {
            self.polls = 0;
            if founding.is_settled() {
                pace.sweep
            } else {
                pace.not_ready
            }
        };
        self.founded = Some(Founded {
            cause,
            founding,
            at: now,
            pause,
        });
    }

    /// The stack could not be looked at: the next try is due after the pause of what is not Ready.
    pub(super) fn not_founded(&mut self, now: Instant, pace: &Pace) {
        self.silent(now);
        if let Some(founded) = &mut self.founded {
            (founded.at, founded.pause) = (now, pace.not_ready);
        }
    }

    /// How long until the next look at the stack is due, if there is one to look at.
    pub(super) fn next_founding(&self, now: Instant) -> Option<Duration> {
        let founded = self.founded.as_ref()?;
        Some(
            founded
                .pause
                .saturating_sub(now.saturating_duration_since(founded.at)),
        )
    }

    /// Whether the stack was found. True if it was not, for long enough.
    pub(super) fn stack_is_gone(&mut self, found: bool, now: Instant) -> bool {
        if found {
            self.stack_absent_since = None;
            return false;
        }
        let since = *self.stack_absent_since.get_or_insert(now);
        now.saturating_duration_since(since) >= ABSENT_FOR
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
                || self
                    .next_look(ready, now, pace)
                    .is_none_or(|left| left.is_zero())
        })
    }

    /// How long until the next look is due; `None` if there was none.
    pub(super) fn next_look(&self, ready: bool, now: Instant, pace: &Pace) -> Option<Duration> {
        let pause = if ready && self.unanswered_since.is_none() {
            pace.ready
        } else {
            pace.not_ready
        };
        let look = self.last.as_ref()?;
        Some(pause.saturating_sub(now.saturating_duration_since(look.at)))
    }

    /// AWS did not answer before there was anything to look at. Until [`Seen::answered`] says otherwise, time without an answer goes on.
    pub(super) fn silent(&mut self, now: Instant) {
        self.unanswered_since = self.unanswered_since.or(Some(now));
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

    /// Services of the cluster that belong to somebody else.
    pub(super) const fn strangers(&mut self) -> &mut Strangers {
        &mut self.strangers
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
    use privateservice_core::foundation::Outputs;

    const PACE: Pace = Pace {
        sweep: Duration::from_mins(5),
        ready: Duration::from_mins(30),
        not_ready: Duration::from_secs(30),
        unanswered: Duration::from_mins(15),
    };

    fn query(cluster: &str) -> EnvironmentQuery {
        EnvironmentQuery {
            role: None,
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
    fn a_stack_that_moves_is_looked_at_ever_more_seldom_and_one_at_rest_once_a_sweep() {
        let now = Instant::now();
        let cause: Cause = (Some(1), None);
        let mut seen = Seen::new("uid".into());
        assert!(seen.founding(&cause, now).is_none());
        let mut pauses = vec![];
        for _ in 0..5 {
            seen.founded(cause.clone(), Founding::moving("it"), now, &PACE);
            pauses.push(seen.next_founding(now).unwrap().as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        let ready = Founding::made(Outputs::default());
        seen.founded(cause.clone(), ready, now, &PACE);
        assert_eq!(seen.next_founding(now), Some(PACE.sweep));
        assert!(seen.founding(&cause, now).is_some());
        assert!(seen.founding(&(Some(2), None), now).is_none());
        assert!(seen.founding(&(Some(1), Some("now".into())), now).is_none());
        assert!(seen.founding(&cause, now + PACE.sweep).is_none());
    }

    #[test]
    fn a_stack_is_gone_when_it_is_not_found_for_thirty_seconds() {
        let now = Instant::now();
        let mut seen = Seen::new("uid".into());
        assert!(!seen.stack_is_gone(false, now));
        assert!(!seen.stack_is_gone(false, now + Duration::from_secs(29)));
        assert!(seen.stack_is_gone(false, now + ABSENT_FOR));
        assert!(!seen.stack_is_gone(true, now + ABSENT_FOR));
        assert!(!seen.stack_is_gone(false, now + ABSENT_FOR));
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
