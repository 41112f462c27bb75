//! Candidates against an API server in memory that keeps one Lease, on a clock that stands still until everybody waits.

use super::*;
use axum::http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const SECOND: Duration = Duration::from_secs(1);

/// One Lease, with a version that grows.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<(Option<Value>, u64)>>);

/// A way to the server that can be cut: then requests get no answer.
#[derive(Clone)]
struct Line {
    server: Server,
    cut: Arc<AtomicBool>,
    /// The next change has its effect, but nobody hears of it.
    deaf: Arc<AtomicBool>,
}

impl Server {
    fn line(&self) -> Line {
        Line {
            server: self.clone(),
            cut: Arc::default(),
            deaf: Arc::default(),
        }
    }

    fn holder(&self) -> String {
        let state = self.0.lock().unwrap();
        let holder = state
            .0
            .as_ref()
            .and_then(|lease| lease["spec"]["holderIdentity"].as_str());
        holder.unwrap_or_default().to_owned()
    }

    fn delete(&self) {
        self.0.lock().unwrap().0 = None;
    }

    fn answer(&self, method: &Method, body: Option<Value>) -> (u16, Value) {
        let mut state = self.0.lock().unwrap();
        let refusal = |code: u16| {
            let reason = if code == 404 { "NotFound" } else { "Conflict" };
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                "code": code, "message": "", "reason": reason, "metadata": {}});
            (code, status)
        };
        let (stored, version) = &mut *state;
        match (method, body) {
            (&Method::GET, _) => stored
                .clone()
                .map_or_else(|| refusal(404), |lease| (200, lease)),
            (_, Some(mut lease)) => {
                let seen = &lease["metadata"]["resourceVersion"];
                match stored {
                    None if *method == Method::PUT => return refusal(404),
                    Some(_) if *method == Method::POST => return refusal(409),
                    Some(kept) if kept["metadata"]["resourceVersion"] != *seen => {
                        return refusal(409);
                    }
                    _ => {}
                }
                *version += 1;
                lease["metadata"]["resourceVersion"] = version.to_string().into();
                *stored = Some(lease.clone());
                (200, lease)
            }
            _ => refusal(400),
        }
    }
}

impl Line {
    fn client(&self) -> Client {
        let line = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let line = line.clone();
            async move {
                let (parts, body) = request.into_parts();
                if line.cut.load(Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
                let body = body.collect_bytes().await?;
                let body = serde_json::from_slice(&body).ok();
                let (code, answer) = line.server.answer(&parts.method, body);
                let changed = parts.method != Method::GET;
                if changed && line.deaf.swap(false, Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
                let response = Response::builder()
                    .status(code)
                    .body(Body::from(answer.to_string().into_bytes()))
                    .unwrap();
                Ok::<_, kube::Error>(response)
            }
        });
        Client::new(service, "operators")
    }

    fn candidate(&self) -> Candidate {
        Candidate::new(&self.client(), None, "operator")
    }

    async fn lead(&self) -> Leadership {
        let never = CancellationToken::new();
        self.candidate()
            .lead(&Readiness::default(), &never)
            .await
            .unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_and_the_second_stands_by_ready() {
    let server = Server::default();
    let leader = server.line().lead().await;
    assert!(leader.permit().lasts_for(13 * SECOND));
    let holder = server.holder();

    let readiness = Readiness::default();
    readiness.waits("lease", "not asked for yet");
    let stop = CancellationToken::new();
    let second = server.line().candidate();
    let standing = second.lead(&readiness, &stop);
    let watching = async {
        tokio::time::sleep(120 * SECOND).await;
        assert!(readiness.missing().is_empty(), "to stand by is to be ready");
        assert_eq!(server.holder(), holder);
        assert!(leader.permit().lasts_for(11 * SECOND));
        stop.cancel();
    };
    let (led, ()) = tokio::join!(standing, watching);
    assert!(led.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_taken_within_a_look() {
    let server = Server::default();
    let leader = server.line().lead().await;
    let permit = leader.permit();
    let second = tokio::spawn({
        let line = server.line();
        async move { line.lead().await }
    });
    tokio::time::sleep(30 * SECOND).await;
    leader.release().await;
    assert!(!permit.lasts_for(Duration::ZERO));
    let released = Instant::now();
    let second = second.await.unwrap();
    assert!(released.elapsed() <= LOOK + Duration::from_millis(10));
    assert!(second.permit().lasts_for(8 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_followed_within_twenty_seconds() {
    let server = Server::default();
    let leader = server.line().lead().await;
    let second = tokio::spawn({
        let line = server.line();
        async move { line.lead().await }
    });
    tokio::time::sleep(31 * SECOND).await;
    // As kill -9: it stops renewing and releases nothing.
    drop(leader);
    let killed = Instant::now();
    second.await.unwrap();
    assert!(killed.elapsed() < 20 * SECOND, "{:?}", killed.elapsed());
    assert!(killed.elapsed() > 10 * SECOND, "{:?}", killed.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_stops_before_another_can_start() {
    // Cut at every moment of a renewal's round.
    for offset in 0..25 {
        let server = Server::default();
        let line = server.line();
        let mut leader = line.lead().await;
        let permit = leader.permit();
        let second = tokio::spawn({
            let line = server.line();
            async move { line.lead().await }
        });
        tokio::time::sleep(30 * SECOND + Duration::from_millis(100 * offset)).await;
        line.cut.store(true, Ordering::SeqCst);
        let mut last_permitted = Instant::now();
        while !second.is_finished() {
            if permit.lasts_for(Duration::ZERO) {
                last_permitted = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let took_over = Instant::now();
        assert!(
            took_over - last_permitted + Duration::from_millis(150) >= MARGIN,
            "{offset}: {:?}",
            took_over - last_permitted
        );
        let why = leader.lost().await.to_string();
        assert!(why.contains("could not be renewed for 15 s"), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_is_lost_is_made_again() {
    let server = Server::default();
    let line = server.line();
    let leader = line.lead().await;
    for _ in 0..5 {
        line.deaf.store(true, Ordering::SeqCst);
        tokio::time::sleep(10 * SECOND).await;
        assert!(leader.permit().lasts_for(8 * SECOND), "writes go on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_deleted_is_lost_at_once() {
    let server = Server::default();
    let mut leader = server.line().lead().await;
    server.delete();
    let began = Instant::now();
    leader.lost().await;
    assert!(began.elapsed() <= RENEW + Duration::from_millis(10));
    assert!(!leader.permit().lasts_for(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn of_many_who_claim_at_once_one_leads() {
    let server = Server::default();
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let line = server.line();
        claims.spawn(async move { line.lead().await });
    }
    let leader = claims.join_next().await.unwrap().unwrap();
    let next = tokio::time::timeout(300 * SECOND, claims.join_next()).await;
    assert!(next.is_err(), "a second one leads beside the first");
    assert!(leader.permit().lasts_for(8 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_does_not_answer_is_told_by_readiness() {
    let line = Server::default().line();
    line.cut.store(true, Ordering::SeqCst);
    let readiness = Readiness::default();
    let stop = CancellationToken::new();
    let candidate = line.candidate();
    let waiting = candidate.lead(&readiness, &stop);
    let watching = async {
        tokio::time::sleep(10 * SECOND).await;
        let missing = readiness.missing();
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert!(missing[0].contains("did not answer"), "{missing:?}");
        line.cut.store(false, Ordering::SeqCst);
    };
    let (led, ()) = tokio::join!(waiting, watching);
    assert!(led.is_some());
    assert!(readiness.missing().is_empty());
}
