use super::*;

const PAUSES: Pauses = Pauses {
    sweep: Duration::from_mins(5),
    missing: Duration::from_secs(30),
    failed: (Duration::from_secs(1), Duration::from_mins(1)),
};

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        namespace: "team-a".into(),
        name: name.into(),
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn version(version: &str) -> Seen {
    Seen::Current {
        arn: "arn:db".into(),
        version: version.into(),
    }
}

fn failed() -> Seen {
    Seen::Failed(Failure::Throttled {
        operation: "secretsmanager:DescribeSecret",
    })
}

/// A table on a clock that the test moves.
struct Story {
    table: Table,
    start: Instant,
    now: i64,
}

impl Story {
    fn new() -> Self {
        Self {
            table: Table::default(),
            start: Instant::now(),
            now: 0,
        }
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_secs(self.now.unsigned_abs())
    }

    fn look(&mut self, name: &str, id: &str) -> AwsSecret {
        self.table.look(&key(name), id, self.instant())
    }

    fn read_since(&mut self, id: &str, since: i64) -> bool {
        self.table.read_since(id, second(since), self.instant())
    }

    fn begin(&mut self) -> Option<String> {
        self.table.take(self.instant(), second(self.now))
    }

    /// A read that is due begins, and ends like this. Names of those who are woken.
    fn read(&mut self, seen: Seen) -> Vec<String> {
        let began = self.now;
        let id = self.begin().expect("a read is due");
        self.end(&id, began, seen)
    }

    fn end(&mut self, id: &str, began: i64, seen: Seen) -> Vec<String> {
        let to_wake = self
            .table
            .complete(id, second(began), seen, self.instant(), PAUSES);
        to_wake.into_iter().map(|key| key.name).collect()
    }
}

#[test]
fn one_read_serves_all_who_name_a_secret_and_comes_again_with_the_next_sweep() {
    let mut story = Story::new();
    for name in ["one", "two"] {
        assert!(matches!(story.look(name, "db"), AwsSecret::Unread { .. }));
    }
    assert_eq!(story.read(version("v1")), ["one", "two"]);
    assert!(matches!(
        story.look("three", "db"),
        AwsSecret::Current { .. }
    ));
    story.now = 299;
    assert_eq!(story.begin(), None);
    story.now = 300;
    assert_eq!(story.read(version("v1")), Vec::<String>::new(), "no news");
    story.now = 600;
    assert_eq!(story.read(version("v2")), ["one", "three", "two"]);
}

#[test]
fn a_secret_is_not_read_twice_at_once() {
    let mut story = Story::new();
    story.look("one", "db");
    assert_eq!(story.begin().as_deref(), Some("db"));
    story.look("two", "db");
    assert_eq!(story.begin(), None);
    assert_eq!(story.end("db", 0, version("v1")), ["one", "two"]);
}

#[test]
fn who_waits_for_a_newer_picture_is_woken_by_a_read_that_began_after_that() {
    let mut story = Story::new();
    story.look("one", "db");
    story.read(version("v1"));
    story.now = 10;
    assert!(story.read_since("db", 0), "it was read since then already");
    assert!(!story.read_since("db", 5));
    assert_eq!(
        story.read(version("v1")),
        ["one"],
        "although nothing is new"
    );
    // One that is under way began too early.
    story.now = 400;
    assert_eq!(story.begin().as_deref(), Some("db"));
    story.now = 401;
    assert!(!story.read_since("db", 401));
    assert_eq!(story.end("db", 400, version("v1")), Vec::<String>::new());
    assert!(!story.table.was_read_since(&key("one"), second(401)));
    assert_eq!(story.read(version("v1")), ["one"]);
    assert!(story.table.was_read_since(&key("one"), second(401)));
}

#[test]
fn what_services_cannot_go_on_with_is_looked_at_again_soon() {
    for (id, seen, again) in [
        ("db", Seen::Missing(Absence::NoSuchSecret), 30),
        ("arn:db", Seen::Missing(Absence::ScheduledForDeletion), 30),
        ("db", Seen::Unreadable("denied".into()), 30),
        ("arn:db", Seen::Unreadable("denied".into()), 300),
    ] {
        let mut story = Story::new();
        story.look("one", id);
        story.read(seen);
        story.now = again - 1;
        assert_eq!(story.begin(), None, "{id}");
        story.now = again;
        assert_eq!(story.read(version("v1")), ["one"], "{id}");
    }
}

#[test]
fn a_read_that_fails_pauses_and_changes_nothing_that_is_known() {
    let mut story = Story::new();
    story.look("one", "db");
    assert_eq!(story.read(failed()), ["one"], "it is told why it waits");
    assert!(matches!(
        story.look("one", "db"),
        AwsSecret::Unread {
            failure: Some(_),
            ..
        }
    ));
    assert_eq!(story.begin(), None, "paused");
    story.now = 1;
    story.read(version("v1"));
    story.now = 301;
    assert_eq!(story.read(failed()), Vec::<String>::new());
    let AwsSecret::Current { failure, .. } = story.look("one", "db") else {
        panic!()
    };
    assert!(failure.is_some());
    assert!(
        story.table.was_read_since(&key("one"), second(301)),
        "it was tried"
    );
}

#[test]
fn what_nobody_names_any_more_is_not_read() {
    let mut story = Story::new();
    for (name, id) in [("one", "db"), ("one", "token"), ("two", "token")] {
        story.look(name, id);
    }
    story
        .table
        .keep(&key("one"), &BTreeSet::from(["token".to_owned()]));
    assert_eq!(story.begin().as_deref(), Some("token"));
    assert_eq!(story.begin(), None);
    story.table.keep(&key("one"), &BTreeSet::new());
    assert_eq!(story.end("token", 0, version("v1")), ["two"]);
    story.table.keep(&key("two"), &BTreeSet::new());
    assert_eq!(story.table.next(story.instant()), None);
    // The end of a read that nobody waits for any more is nobody's.
    story.look("three", "token");
    assert_eq!(story.end("token", 5, version("v0")), Vec::<String>::new());
}

#[test]
fn what_somebody_waits_for_goes_first() {
    let mut story = Story::new();
    story.look("one", "a");
    story.read(version("v1"));
    story.now = 300;
    story.look("one", "b");
    assert_eq!(story.begin().as_deref(), Some("b"));
    assert_eq!(story.begin().as_deref(), Some("a"));
}
