use super::*;
use crate::limits::Lane;
use k8s_openapi::jiff::Timestamp;
use std::time::Duration;

fn candidate(id: u32, group: char, lane: Lane, at: Instant) -> Candidate<u32, char> {
    Candidate {
        id,
        group,
        priority: Priority {
            lane,
            since: Timestamp::UNIX_EPOCH,
        },
        at,
        joins: at,
    }
}

fn members(candidates: Vec<Candidate<u32, char>>, size: usize, now: Instant) -> Vec<u32> {
    let chosen = choose(candidates, size, now, &Timing::default());
    chosen.map(|(members, _)| members).unwrap_or_default()
}

#[test]
fn the_most_urgent_brings_its_group_as_far_as_there_is_room() {
    let now = Instant::now();
    let all = || {
        vec![
            candidate(1, 'a', Lane::Bulk, now),
            candidate(2, 'b', Lane::Bulk, now),
            candidate(3, 'b', Lane::Edit, now),
            candidate(4, 'b', Lane::Polling, now),
        ]
    };
    assert_eq!(members(all(), 10, now), [3, 4, 2]);
    assert_eq!(members(all(), 2, now), [3, 4]);
    assert_eq!(members(all(), 1, now), [3]);
}

#[test]
fn what_is_not_nearly_ready_is_left_out() {
    let now = Instant::now();
    let window = Timing::default().coalesce_window;
    let all = vec![
        candidate(1, 'a', Lane::Bulk, now),
        candidate(2, 'a', Lane::Bulk, now + window),
        candidate(3, 'a', Lane::Edit, now + window + Duration::from_millis(1)),
    ];
    assert_eq!(members(all, 10, now), [1, 2]);
    assert!(members(Vec::new(), 10, now).is_empty());
}

#[test]
fn what_waits_for_company_joins_a_call_and_makes_none() {
    let now = Instant::now();
    let later = now + Duration::from_secs(3);
    let waits = |id| Candidate {
        joins: now,
        ..candidate(id, 'a', Lane::Edit, later)
    };
    let next = when(&[waits(1)], 10, now, &Timing::default());
    assert!(matches!(next, Next::At(at) if at == later));
    assert!(members(vec![waits(1)], 10, now).is_empty());
    let with = |id| vec![waits(1), candidate(id, 'a', Lane::Bulk, now), waits(3)];
    assert_eq!(members(with(2), 10, now), [2, 1, 3]);
    assert_eq!(members(with(2), 2, now), [2, 1]);
}

#[test]
fn a_full_batch_does_not_wait_and_others_do() {
    let now = Instant::now();
    let timing = Timing::default();
    let at = now + timing.coalesce_window;
    let two = [
        candidate(1, 'a', Lane::Bulk, at),
        candidate(2, 'a', Lane::Bulk, at),
    ];
    assert!(matches!(when(&two, 2, now, &timing), Next::Read(_)));
    assert!(matches!(when(&two, 3, now, &timing), Next::At(when) if when == at));
    let apart = [
        candidate(1, 'a', Lane::Bulk, at),
        candidate(2, 'b', Lane::Bulk, at),
    ];
    assert!(matches!(when(&apart, 2, now, &timing), Next::At(_)));
    assert!(matches!(when(&apart, 2, at, &timing), Next::Read(_)));
}
