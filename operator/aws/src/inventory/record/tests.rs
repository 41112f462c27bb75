use super::*;
use crate::limits::Lane;

fn timing() -> Timing {
    Timing::default()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000 + second).unwrap()
}

fn bulk() -> Priority {
    Priority {
        lane: Lane::Bulk,
        since: Timestamp::UNIX_EPOCH,
    }
}

fn failed() -> Seen<u32> {
    Seen::Failed(Failure::Throttled { operation: "test" })
}

#[test]
fn a_read_that_a_write_overtook_is_discarded_and_wanted_again() {
    let now = Instant::now();
    let mut record = Record::new(0);
    record.want(Why::Demand, bulk(), now);
    record.begin(1);
    record.touch(2);
    assert!(!record.complete(1, Seen::Present(7), at(0), now, &timing()));
    assert!(record.fact.is_unknown());
    assert!(
        record.wanted().is_some(),
        "whoever waited for it still does"
    );
    record.begin(3);
    assert!(record.complete(3, Seen::Present(8), at(1), now, &timing()));
    assert_eq!(record.fact, Fact::seen(8, at(1)));
}

#[test]
fn a_demand_shares_the_read_under_way_but_not_one_from_before_a_write() {
    let now = Instant::now();
    let mut record = Record::new(0);
    record.want(Why::Sweep, bulk(), now);
    record.begin(1);
    record.want(Why::Demand, bulk(), now);
    assert!(record.complete(1, Seen::Present(7), at(0), now, &timing()));
    assert!(record.wanted().is_none());
    record.want(Why::Sweep, bulk(), now);
    record.begin(2);
    record.touch(3);
    record.want(Why::Demand, bulk(), now);
    record.complete(2, Seen::Present(7), at(0), now, &timing());
    assert!(record.wanted().is_some());
}

#[test]
fn a_failed_read_changes_no_fact_tells_the_demander_and_pauses() {
    let now = Instant::now();
    let mut record = Record::new(0);
    record.begin(1);
    record.complete(1, Seen::Present(7), at(0), now, &timing());
    for (start, pause) in [(2, 1), (3, 2), (4, 4)] {
        record.want(Why::Demand, bulk(), now);
        record.begin(start);
        assert!(record.complete(start, failed(), at(1), now, &timing()));
        assert_eq!(record.fact, Fact::seen(7, at(0)));
        record.want(Why::FreshLook, bulk(), now);
        assert_eq!(
            record.ready_at(&timing()),
            Some(now + Duration::from_secs(pause))
        );
    }
}

#[test]
fn only_changes_and_waited_for_reads_wake() {
    let now = Instant::now();
    let mut record = Record::new(0);
    let sweep = |record: &mut Record<u32>, start, seen| {
        record.want(Why::Sweep, bulk(), now);
        record.begin(start);
        record.complete(
            start,
            seen,
            at(i64::try_from(start).unwrap()),
            now,
            &timing(),
        )
    };
    assert!(sweep(&mut record, 1, Seen::Present(7)));
    assert!(!sweep(&mut record, 2, Seen::Present(7)));
    assert!(sweep(&mut record, 3, Seen::Present(8)));
    assert!(sweep(&mut record, 4, Seen::Absent));
    assert!(!sweep(&mut record, 5, Seen::Absent));
    assert!(
        sweep(&mut record, 34, Seen::Absent),
        "the absence is confirmed now"
    );
}

#[test]
fn a_known_fact_is_not_read_again_on_demand_before_it_has_aged() {
    let now = Instant::now();
    let mut record = Record::new(0);
    record.begin(1);
    record.complete(1, Seen::Present(7), at(0), now, &timing());
    record.want(Why::Demand, bulk(), now);
    assert_eq!(
        record.ready_at(&timing()),
        Some(now + timing().reread_after)
    );
    record.want(Why::FreshLook, bulk(), now);
    assert_eq!(
        record.ready_at(&timing()),
        Some(now + timing().coalesce_window)
    );
}

#[test]
fn missed_sweeps_are_counted_until_a_read_succeeds() {
    let now = Instant::now();
    let mut record = Record::new(0);
    for start in 1..=3 {
        record.want(Why::Sweep, bulk(), now);
        record.begin(start);
        record.complete(start, failed(), at(0), now, &timing());
    }
    assert_eq!(record.missed, 3);
    record.begin(4);
    record.complete(4, Seen::Present(7), at(1), now, &timing());
    assert_eq!(record.missed, 0);
}

#[test]
fn the_last_value_stays_visible_while_a_write_makes_it_uncertain() {
    let now = Instant::now();
    let mut record = Record::new(0);
    record.begin(1);
    record.complete(1, Seen::Present(7), at(0), now, &timing());
    let before = record.touch(2);
    assert!(record.fact.is_unknown());
    assert_eq!(record.last_known(), Some(&7));
    record.restore(before);
    assert_eq!(record.fact, Fact::seen(7, at(0)));
}

#[test]
fn an_event_is_followed_by_a_read_that_began_after_it() {
    let now = Instant::now();
    let mut record = Record::new(0);
    record.want(Why::Demand, bulk(), now);
    record.begin(1);
    record.want(Why::Event, bulk(), now);
    record.complete(1, Seen::Present(7), at(0), now, &timing());
    assert!(record.wanted().is_some(), "it may have begun before");
    assert_eq!(
        record.ready_at(&timing()),
        Some(now + timing().event_spacing),
        "many events are one read"
    );
    record.begin(2);
    record.want(Why::Sweep, bulk(), now);
    record.complete(2, Seen::Present(7), at(1), now, &timing());
    assert!(record.wanted().is_none());
}

#[test]
fn an_event_whose_read_fails_is_not_forgotten() {
    let now = Instant::now();
    let mut record = Record::new(0);
    record.want(Why::Event, bulk(), now);
    record.begin(1);
    assert!(
        !record.complete(1, failed(), at(0), now, &timing()),
        "nobody waits for it"
    );
    assert_eq!(record.ready_at(&timing()), Some(now + timing().retry_after));
}

#[test]
fn what_is_refused_or_fails_for_long_is_left_to_the_sweep() {
    let mut now = Instant::now();
    let mut record = Record::new(0);
    let denied = || {
        Seen::<u32>::Failed(Failure::Waiting {
            operation: "test",
            message: "no".into(),
            reason: privateservice_api::conditions::Reason::AccessDenied,
        })
    };
    record.want(Why::Event, bulk(), now);
    record.begin(1);
    record.complete(1, denied(), at(0), now, &timing());
    assert!(record.wanted().is_none());
    record.want(Why::Verify, bulk(), now);
    let mut tries = 0;
    while record.wanted().is_some() {
        tries += 1;
        now = record.ready_at(&timing()).unwrap();
        record.begin(1 + tries);
        record.complete(1 + tries, failed(), at(1), now, &timing());
        assert!(tries < 20);
    }
    assert!((3..=6).contains(&tries), "{tries}");
}

#[test]
fn a_look_at_what_was_written_waits_for_others_unless_somebody_needs_it() {
    let now = Instant::now();
    let mut record = Record::<u32>::new(0);
    record.want(Why::Verify, bulk(), now);
    let later = now + Duration::from_secs(2);
    record.want(Why::Verify, bulk(), later);
    assert_eq!(
        record.ready_at(&timing()),
        Some(now + timing().verify_window),
        "the first of them counts"
    );
    record.want(Why::Demand, bulk(), later);
    assert_eq!(
        record.ready_at(&timing()),
        Some(now + timing().coalesce_window)
    );
}

#[test]
fn whoever_wants_it_now_does_not_wait_with_an_event() {
    let now = Instant::now();
    let mut record = Record::new(0);
    record.begin(1);
    record.complete(1, Seen::Present(7), at(0), now, &timing());
    record.want(Why::Event, bulk(), now);
    record.want(Why::FreshLook, bulk(), now);
    assert_eq!(
        record.ready_at(&timing()),
        Some(now + timing().coalesce_window)
    );
}
