//! What one process remembers of an object between passes. None of it is needed for correctness: after a restart it is built anew.

use super::request;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::conditions::Reason;
use privateservice_api::{PrivateService, PrivateServiceStatus};
use privateservice_aws::{Lane, Priority};
use privateservice_core::assess::Shortage;
use privateservice_core::conditions;
use privateservice_core::evidence::Symptoms;
use privateservice_core::failure::Failure;
use privateservice_core::hash::Hash;
use privateservice_core::plan::Plan;
use privateservice_core::repairs::Repairs;
use privateservice_core::scaling::Repeats;
use privateservice_core::step::{Outcome, Step};
use privateservice_core::wave::Asked;
use std::time::Duration;

/// Memory of one object.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    /// uid: another object of the same name starts anew.
    uid: String,
    /// Newest generation seen, and since when.
    generation: Option<i64>,
    since: Timestamp,
    /// True from the moment a change of the spec is seen until it has been carried out.
    edited: bool,
    /// For how long fewer tasks have been running than should.
    pub(super) shortage: Option<Shortage>,
    /// What the service showed of failed tasks when ECS was last asked about them.
    pub(super) symptoms: Symptoms,
    /// Since when ECS is being asked about failed tasks because the symptoms got worse.
    pub(super) evidence_asked: Option<Timestamp>,
    /// The service deployment that AWS would not stop.
    pub(super) refused_stop: Option<String>,
    /// Differences that were mended.
    pub(super) repairs: Repairs,
    /// Calls about scaling that were made.
    pub(super) repeats: Repeats,
    /// The request for a fresh look that is being answered, and since when.
    pub(super) looking: Option<(String, Timestamp)>,
    /// Whether the pass under way asked for a turn in a wave of its Environment.
    pub(super) asked: Asked,
    /// The last call about tags: its content, when it was made, and how often in a row.
    tagged: Option<(Hash, Timestamp, u32)>,
    /// Since when AWS says that there is no such cluster.
    cluster_gone: Option<Timestamp>,
    /// When its secret was last looked at, and which request for a fresh look was answered by that.
    secret_looked: (Timestamp, Option<String>),
    /// What is wanted apart from versions of secrets, and since when.
    wanted: Option<(Hash, Timestamp)>,
    /// Failures in a row.
    failures: u32,
    /// True once it was seen how the service stands.
    looked: bool,
}

/// A call about tags is not repeated sooner; each further time it is twice as long.
const TAG_PAUSE: SignedDuration = SignedDuration::from_secs(20);
/// How often it is looked at whether a secret is still what it was made to be: one call per service with a secret and hour.
const SECRET_LOOK: SignedDuration = SignedDuration::from_hours(1);
/// How often while tasks fail for want of a secret.
const SECRET_LOOK_AFTER_FAILURE: SignedDuration = SignedDuration::from_mins(1);
/// The first and the longest pause after a failure.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

impl Remembered {
    /// Memory of an object seen for the first time.
    pub(super) fn new(uid: String, now: Timestamp) -> Self {
        Self {
            uid,
            generation: None,
            since: now,
            edited: false,
            shortage: None,
            symptoms: Symptoms::default(),
            evidence_asked: None,
            refused_stop: None,
            looked: false,
            repairs: Repairs::default(),
            repeats: Repeats::default(),
            looking: None,
            asked: Asked::Nothing,
            tagged: None,
            cluster_gone: None,
            secret_looked: (now, None),
            wanted: None,
            failures: 0,
        }
    }

    /// True if this is the memory of the object with that uid.
    pub(super) fn is_of(&self, uid: &str) -> bool {
        self.uid == uid
    }

    /// Takes note of the generation; a new one is an edit if status has not dealt with it.
    pub(super) fn see(&mut self, generation: Option<i64>, handled: Option<i64>, now: Timestamp) {
        if self.generation == generation {
            return;
        }
        self.generation = generation;
        self.since = now;
        self.edited = generation != handled;
        self.failures = 0;
    }

    /// True once: when this process sees for the first time how the service stands.
    pub(super) const fn is_first_look(&mut self) -> bool {
        let first = !self.looked;
        self.looked = true;
        first
    }

    /// The edit has been carried out.
    pub(super) const fn settled(&mut self) {
        self.edited = false;
        self.failures = 0;
    }

    /// A call changed AWS: what is in the way of the next one is something else, and pauses begin anew.
    pub(super) const fn progressed(&mut self) {
        self.failures = 0;
    }

    /// Since when reads fail because AWS says that there is no such cluster, if they do.
    pub(super) fn cluster_gone(
        &mut self,
        failure: Option<&Failure>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let gone = matches!(
            failure,
            Some(Failure::Waiting { reason: Reason::EnvironmentNotReady, operation, .. })
                if *operation == "ecs:DescribeServices"
        );
        self.cluster_gone = gone.then(|| self.cluster_gone.unwrap_or(now));
        self.cluster_gone
    }

    /// Since when this is wanted, as far as this process knows.
    pub(super) fn wanted_since(&mut self, intent: &Hash, now: Timestamp) -> Timestamp {
        match &self.wanted {
            Some((wanted, since)) if wanted == intent => *since,
            Some(_) | None => {
                self.wanted = Some((intent.clone(), now));
                now
            }
        }
    }

    /// True if it is time to look whether the secret is still what it was made to be: after a while, when a user asks for a fresh look, or
    /// when tasks fail for want of it.
    pub(super) fn secret_look_due(
        &self,
        object: &PrivateService,
        status: &PrivateServiceStatus,
        now: Timestamp,
    ) -> bool {
        let (looked, answered) = &self.secret_looked;
        let age = now.duration_since(*looked);
        let asked = request::requested(object);
        let wanted = asked.is_some()
            && asked != *answered
            && asked.as_deref() != status.last_handled_reconcile_at.as_deref();
        let failed = conditions::ready_reason(&status.conditions) == Some(Reason::SecretNotFound);
        age >= SECRET_LOOK || wanted || (failed && age >= SECRET_LOOK_AFTER_FAILURE)
    }

    /// Its secret was looked at.
    pub(super) fn secret_looked(&mut self, object: &PrivateService, now: Timestamp) {
        self.secret_looked = (now, request::requested(object));
    }

    /// How long until its secret is looked at again.
    pub(super) fn until_secret_look(&self, now: Timestamp) -> SignedDuration {
        SECRET_LOOK.saturating_sub(now.duration_since(self.secret_looked.0))
    }

    /// True if this very call about tags was made a short while ago: the picture that asks for it again is old, or AWS keeps another
    /// value than it was sent. Each further time the while is longer.
    pub(super) fn was_tagged(&self, call: &Hash, now: Timestamp) -> bool {
        self.tagged.as_ref().is_some_and(|(before, at, times)| {
            let pause = TAG_PAUSE.saturating_mul(1 << times.min(&6));
            before == call && now.duration_since(*at) < pause
        })
    }

    /// Takes note of a service deployment that AWS would not stop.
    pub(super) fn stop_refused(&mut self, plan: &Plan, outcomes: &[Outcome]) {
        for (step, outcome) in plan.steps.iter().zip(outcomes) {
            if let (Step::StopServiceDeployment { arn, .. }, Outcome::NothingToStop { .. }) =
                (step, outcome)
            {
                self.refused_stop = Some(arn.clone());
            }
        }
    }

    /// Takes note of a call about tags.
    pub(super) fn tagged(&mut self, call: Hash, now: Timestamp) {
        let times = match &self.tagged {
            Some((before, _, times)) if *before == call => times.saturating_add(1),
            Some(_) | None => 0,
        };
        self.tagged = Some((call, now, times));
    }

    /// What this object's calls may go ahead of.
    pub(super) const fn priority(&self) -> Priority {
        let lane = if self.edited { Lane::Edit } else { Lane::Bulk };
        Priority {
            lane,
            since: self.since,
        }
    }

    /// The pause after one more failure: doubling, with jitter by the object's own uid so that objects do not come back together.
    pub(super) fn back_off(&mut self) -> Duration {
        let (first, cap) = BACKOFF;
        let pause = first.saturating_mul(1 << self.failures.min(6)).min(cap);
        self.failures = self.failures.saturating_add(1);
        let jitter = self
            .uid
            .bytes()
            .fold(0_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
        pause + pause.mul_f64(f64::from(jitter % 256) / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Remembered {
        Remembered::new("uid".into(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn pauses_grow_up_to_about_a_minute_and_start_over_once_settled_or_with_progress() {
        let mut remembered = fresh();
        let pauses: Vec<Duration> = (0..9).map(|_| remembered.back_off()).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(pauses[8] <= Duration::from_secs(75));
        remembered.settled();
        assert_eq!(remembered.back_off(), pauses[0]);
        remembered.back_off();
        remembered.progressed();
        assert_eq!(remembered.back_off(), pauses[0]);
    }

    #[test]
    fn an_edit_goes_ahead_of_bulk_until_it_is_carried_out() {
        let mut remembered = fresh();
        remembered.see(Some(3), Some(3), Timestamp::UNIX_EPOCH);
        assert_eq!(remembered.priority().lane, Lane::Bulk);
        remembered.see(Some(4), Some(3), Timestamp::UNIX_EPOCH);
        assert_eq!(remembered.priority().lane, Lane::Edit);
        remembered.settled();
        assert_eq!(remembered.priority().lane, Lane::Bulk);
    }
}
