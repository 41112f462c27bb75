use super::*;
use crate::limits::Lane;
use k8s_openapi::jiff::Timestamp;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

const BUCKET: Bucket = Bucket::TaskDefinitionModify;

fn limits() -> (Arc<Limits>, UnboundedReceiver<ObjectKey>) {
    let (wake, woken) = mpsc::unbounded_channel();
    let limits = Limits::new(&QuotaTable::published(), &Timing::default(), wake);
    tokio::spawn(Arc::clone(&limits).run());
    (limits, woken)
}

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        namespace: "team".into(),
        name: name.into(),
    }
}

fn bulk() -> Priority {
    Priority {
        lane: Lane::Bulk,
        since: Timestamp::UNIX_EPOCH,
    }
}

fn drain(limits: &Limits) {
    let mut number = 0;
    while limits.try_admit(BUCKET, &key(&format!("drain-{number}")), bulk()) == Admission::Granted {
        number += 1;
    }
    limits.withdraw(&key(&format!("drain-{number}")));
    assert_eq!(number, 20, "the published burst");
}

#[tokio::test(start_paused = true)]
async fn a_queued_object_is_woken_and_then_granted() {
    let (limits, mut woken) = limits();
    drain(&limits);
    let api = key("api");
    assert_eq!(
        limits.try_admit(BUCKET, &api, bulk()),
        Admission::Queued { ahead: 0 }
    );
    assert_eq!(
        limits.try_admit(BUCKET, &key("web"), bulk()),
        Admission::Queued { ahead: 1 }
    );
    assert_eq!(woken.recv().await, Some(api.clone()));
    assert_eq!(limits.try_admit(BUCKET, &api, bulk()), Admission::Granted);
    assert_eq!(woken.recv().await, Some(key("web")));
}

#[tokio::test(start_paused = true)]
async fn a_reserved_call_is_paid_for_once() {
    let (limits, _woken) = limits();
    let api = key("api");
    for _ in 0..3 {
        assert_eq!(limits.reserve(BUCKET, &api, bulk()), Admission::Granted);
    }
    assert_eq!(limits.try_admit(BUCKET, &api, bulk()), Admission::Granted);
    let mut left = 0;
    while limits.try_admit(BUCKET, &key("web"), bulk()) == Admission::Granted {
        left += 1;
    }
    assert_eq!(left, 19);
    assert_eq!(
        limits.reserve(BUCKET, &key("late"), bulk()),
        Admission::Queued { ahead: 1 }
    );
}

#[tokio::test(start_paused = true)]
async fn a_pass_keeps_the_places_it_asked_for_and_gives_back_the_others() {
    let (limits, mut woken) = limits();
    drain(&limits);
    let api = key("api");
    let other = Bucket::ServiceModify;
    {
        let _pass = limits.begin_pass(&api);
        assert_eq!(
            limits.try_admit(BUCKET, &api, bulk()),
            Admission::Queued { ahead: 0 }
        );
    }
    assert_eq!(
        limits.waiting(BUCKET),
        1,
        "the place just asked for survives its pass"
    );
    {
        let _pass = limits.begin_pass(&api);
        assert_eq!(limits.try_admit(other, &api, bulk()), Admission::Granted);
    }
    assert_eq!(
        limits.waiting(BUCKET),
        0,
        "the next pass did not ask for it again"
    );
    assert_eq!(
        limits.try_admit(BUCKET, &key("web"), bulk()),
        Admission::Queued { ahead: 0 }
    );
    assert_eq!(woken.recv().await, Some(key("web")));
}

#[tokio::test(start_paused = true)]
async fn a_reservation_nobody_uses_goes_to_a_waiting_task() {
    let (limits, mut woken) = limits();
    drain(&limits);
    assert_eq!(
        limits.try_admit(BUCKET, &key("api"), bulk()),
        Admission::Queued { ahead: 0 }
    );
    assert_eq!(woken.recv().await, Some(key("api")));
    limits.withdraw(&key("api"));
    let admitted = tokio::time::timeout(Duration::from_millis(1), limits.admit(BUCKET, bulk()));
    assert!(admitted.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_task_gives_its_place_back() {
    let (limits, _woken) = limits();
    drain(&limits);
    let waiting = tokio::time::timeout(Duration::from_millis(10), limits.admit(BUCKET, bulk()));
    assert!(waiting.await.is_err());
    assert_eq!(limits.waiting(BUCKET), 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_tasks_are_served_by_urgency() {
    let (limits, _woken) = limits();
    drain(&limits);
    let order = Arc::new(Mutex::new(Vec::new()));
    let tasks = [Lane::Garbage, Lane::Bulk, Lane::Edit, Lane::Polling].map(|lane| {
        let (limits, order) = (Arc::clone(&limits), Arc::clone(&order));
        tokio::spawn(async move {
            limits
                .admit(
                    BUCKET,
                    Priority {
                        lane,
                        since: Timestamp::UNIX_EPOCH,
                    },
                )
                .await;
            order.lock().unwrap().push(lane);
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    let order = order.lock().unwrap().clone();
    assert_eq!(
        order,
        [Lane::Edit, Lane::Polling, Lane::Bulk, Lane::Garbage]
    );
}

#[tokio::test(start_paused = true)]
async fn throttles_are_counted_and_pause_the_bucket() {
    let (limits, mut woken) = limits();
    limits.penalise(BUCKET);
    assert_eq!(limits.throttles(), 1);
    assert_eq!(
        limits.try_admit(BUCKET, &key("api"), bulk()),
        Admission::Queued { ahead: 0 }
    );
    assert_eq!(woken.recv().await, Some(key("api")));
}
