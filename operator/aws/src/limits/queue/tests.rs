use super::*;
use crate::limits::{Bucket, QuotaTable};
use proptest::prelude::*;

const PENALTIES: Penalties = Penalties {
    first: Duration::from_secs(1),
    cap: Duration::from_secs(8),
};

fn key(number: usize) -> ObjectKey {
    ObjectKey {
        namespace: "team".into(),
        name: format!("s{number:04}"),
    }
}

fn object(number: usize) -> Waiter {
    Waiter::Object(key(number))
}

fn priority(lane: Lane, second: i64) -> Priority {
    Priority {
        lane,
        since: Timestamp::from_second(second).unwrap(),
    }
}

fn queue(burst: f64, rate: f64, now: Instant) -> Queue {
    Queue::new(
        Quota { burst, rate },
        Duration::from_secs(5),
        PENALTIES,
        now,
    )
}

/// Asks like a reconcile does: takes a reservation or queues, and takes what is granted at once.
fn ask(queue: &mut Queue, number: usize, priority: Priority, now: Instant) -> bool {
    queue.pump(now);
    if queue.take_reserved(&key(number)) {
        return true;
    }
    queue.enqueue(object(number), priority);
    queue.pump(now).contains(&object(number)) && queue.take_reserved(&key(number))
}

#[test]
fn three_hundred_creations_take_no_longer_than_the_quota_allows() {
    let start = Instant::now();
    let quotas = QuotaTable::published().share(0.8);
    let register = quotas.get(Bucket::TaskDefinitionModify);
    let mut registering = queue(register.burst, register.rate, start);
    let create = quotas.get(Bucket::ServiceModify);
    let mut creating = queue(create.burst, create.rate, start);
    let mut now = start;
    let mut registered = vec![false; 300];
    let mut created = vec![false; 300];
    let mut awake: Vec<usize> = (0..300).collect();
    while created.iter().any(|done| !done) {
        for number in std::mem::take(&mut awake) {
            let bulk = priority(Lane::Bulk, i64::try_from(number).unwrap());
            if !registered[number] {
                registered[number] = ask(&mut registering, number, bulk, now);
            }
            if registered[number] && !created[number] {
                created[number] = ask(&mut creating, number, bulk, now);
            }
        }
        let events = [registering.next_event(), creating.next_event()];
        if let Some(next) = events.into_iter().flatten().min() {
            now = now.max(next);
        }
        for granted in registering.pump(now).into_iter().chain(creating.pump(now)) {
            if let Waiter::Object(key) = granted {
                awake.push(key.name[1..].parse().unwrap());
            }
        }
    }
    let bound = (300.0 - 16.0) / 0.8;
    let took = (now - start).as_secs_f64();
    assert!(took <= bound * 1.03, "{took} s, at most {bound} s");
    assert!(took >= bound - 0.01, "{took} s is faster than the quota");
}

#[test]
fn an_edit_in_the_middle_of_many_creations_gets_the_next_token() {
    let start = Instant::now();
    let mut queue = queue(1.0, 1.0, start);
    for number in 0..300 {
        ask(&mut queue, number, priority(Lane::Bulk, 0), start);
    }
    assert!(!ask(&mut queue, 7, priority(Lane::Edit, 100), start));
    assert!(!ask(&mut queue, 8, priority(Lane::Edit, 200), start));
    let second = Duration::from_secs(1);
    assert_eq!(
        queue.pump(start + second),
        [object(8)],
        "the newest edit goes first"
    );
    assert!(queue.take_reserved(&key(8)));
    assert_eq!(queue.pump(start + second * 2), [object(7)]);
    assert!(queue.take_reserved(&key(7)));
    assert_eq!(
        queue.pump(start + second * 3),
        [object(1)],
        "then the oldest of the others"
    );
}

#[test]
fn a_granted_call_that_is_not_used_goes_to_the_next() {
    let start = Instant::now();
    let mut queue = queue(1.0, 0.01, start);
    assert!(ask(&mut queue, 0, priority(Lane::Bulk, 0), start));
    assert!(!ask(&mut queue, 1, priority(Lane::Bulk, 1), start));
    assert!(!ask(&mut queue, 2, priority(Lane::Bulk, 2), start));
    let granted = start + Duration::from_secs(100);
    assert_eq!(queue.pump(granted), [object(1)]);
    let expired = granted + Duration::from_secs(5);
    assert_eq!(queue.next_event(), Some(expired));
    assert_eq!(queue.pump(expired), [object(2)]);
    assert!(!queue.take_reserved(&key(1)));
}

#[test]
fn a_withdrawn_reservation_serves_the_next_at_once() {
    let start = Instant::now();
    let mut queue = queue(1.0, 0.01, start);
    assert!(ask(&mut queue, 0, priority(Lane::Bulk, 0), start));
    assert!(!ask(&mut queue, 1, priority(Lane::Bulk, 1), start));
    assert!(!ask(&mut queue, 2, priority(Lane::Bulk, 2), start));
    let now = start + Duration::from_secs(100);
    assert_eq!(queue.pump(now), [object(1)]);
    queue.withdraw(&object(1), now);
    assert_eq!(queue.pump(now), [object(2)]);
}

#[test]
fn asking_again_changes_the_priority_and_keeps_one_place() {
    let start = Instant::now();
    let mut queue = queue(1.0, 1.0, start);
    assert!(ask(&mut queue, 9, priority(Lane::Bulk, 0), start));
    ask(&mut queue, 0, priority(Lane::Bulk, 0), start);
    ask(&mut queue, 1, priority(Lane::Bulk, 1), start);
    ask(&mut queue, 1, priority(Lane::Edit, 1), start);
    assert_eq!(
        (
            queue.len(),
            queue.ahead(&object(1)),
            queue.ahead(&object(0))
        ),
        (2, 0, 1)
    );
}

#[test]
fn throttling_pauses_longer_each_time_until_a_call_is_accepted() {
    let start = Instant::now();
    let mut queue = queue(10.0, 10.0, start);
    let second = Duration::from_secs(1);
    queue.penalise(start);
    assert!(!ask(&mut queue, 0, priority(Lane::Bulk, 0), start + second));
    assert_eq!(queue.pump(start + second + second / 10), [object(0)]);
    let again = start + second * 2;
    queue.penalise(again);
    assert_eq!(queue.len(), 1, "a reservation goes back to the queue");
    assert!(queue.pump(again + second * 2).is_empty());
    assert_eq!(queue.pump(again + second * 2 + second / 10), [object(0)]);
    queue.accepted();
    let after = again + second * 10;
    queue.penalise(after);
    assert_eq!(
        queue.next_event(),
        None,
        "nobody waits: the reservation expired"
    );
    assert!(!ask(&mut queue, 1, priority(Lane::Bulk, 0), after));
    assert_eq!(queue.pump(after + second + second / 10), [object(1)]);
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_calls_than_burst_and_rate_allow(
        burst in 1_u32..20,
        rate in 1_u32..20,
        asks in prop::collection::vec((0_usize..30, 0_u64..700, any::<bool>()), 1..300),
    ) {
        let start = Instant::now();
        let mut now = start;
        let mut queue = queue(f64::from(burst), f64::from(rate), start);
        let mut used: Vec<Instant> = Vec::new();
        for (number, wait, give_up) in asks {
            now += Duration::from_millis(wait);
            if give_up {
                queue.withdraw(&object(number), now);
            } else if ask(&mut queue, number, priority(Lane::Bulk, 0), now) {
                used.push(now);
            }
        }
        for (first, from) in used.iter().enumerate() {
            for (last, to) in used.iter().enumerate().skip(first) {
                let calls = f64::from(u32::try_from(last - first + 1).unwrap());
                let allowed = f64::from(burst) + f64::from(rate) * (*to - *from).as_secs_f64();
                prop_assert!(calls <= allowed + 1e-3, "{calls} calls, {allowed} allowed");
            }
        }
    }
}
