//! One request from arrival to answer. In: a parsed HTTP request. Out: an answer, or none when it is
//! to be lost. Does IO when it forwards. Invariant: once started, a call's effect completes even if the
//! client goes away, and it is in the log before its answer leaves.

use std::fmt;

use hyper::{HeaderMap, Method};
use serde_json::Value;

use crate::answer::Answer;
use crate::cloud_map::{self, Mended};
use crate::cloud_watch;
use crate::errors::AwsError;
use crate::facts;
use crate::faults::FaultKind;
use crate::holds::Hold;
use crate::locked;
use crate::log::Outcome;
use crate::route::{self, Call, Protocol};
use crate::simulator::Simulator;

/// A request as it came in.
#[derive(Clone)]
pub(crate) struct Incoming {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    /// It may hold the value of a secret.
    pub(crate) body: Vec<u8>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Incoming")
            .field("method", &self.method)
            .field("path_and_query", &self.path_and_query)
            .finish_non_exhaustive()
    }
}

/// Answers a request; `None` closes the connection without an answer.
pub(crate) async fn exchange(simulator: &Simulator, incoming: Incoming) -> Option<Answer> {
    let simulator = simulator.clone();
    // On a task of its own, so that a client that goes away does not undo half of an effect.
    let effect = tokio::spawn(async move { carry_out(&simulator, incoming).await });
    let (answer, hold) = effect.await.unwrap_or_else(|error| {
        tracing::error!(%error, "the simulator failed");
        let error = AwsError::server("the simulator failed");
        (Some(Answer::refusal(&error, Protocol::Json)), None)
    });
    if let Some(hold) = hold {
        hold.released().await;
    }
    answer
}

async fn carry_out(simulator: &Simulator, incoming: Incoming) -> (Option<Answer>, Option<Hold>) {
    let path = incoming
        .path_and_query
        .split('?')
        .next()
        .unwrap_or("/")
        .to_owned();
    let call = route::parse(&incoming.headers, &path, &incoming.body);
    // Roles are those of the one that is served.
    let neighbour = match call.name().as_str() {
        "sts:AssumeRole" => None,
        _ => locked(&simulator.inner.neighbours).of(&call),
    };
    let simulator = neighbour.as_ref().unwrap_or(simulator);
    let inner = &simulator.inner;
    let log = |outcome: Outcome| {
        locked(&inner.log).add(&call, inner.clock.now(), outcome);
    };
    let at = inner.clock.quota_now();
    if !locked(&inner.limiter).admits(&call.service, &call.operation, at) {
        log(Outcome::Throttled);
        return (
            Some(Answer::refusal(&throttled(&call), call.protocol)),
            None,
        );
    }
    let fault = locked(&inner.faults).hit(&call);
    let kind = fault.as_ref().map(kind_name).unwrap_or_default();
    if let Some(delay) = fault.as_ref().and_then(FaultKind::delay) {
        tokio::time::sleep(delay).await;
    }
    if let Some(error) = fault.as_ref().and_then(|kind| refusal(kind, &call)) {
        log(Outcome::Fault {
            kind,
            effect: false,
        });
        return (Some(Answer::refusal(&error, call.protocol)), None);
    }
    let answer = perform(simulator, &call, incoming).await;
    let answer = answer.unwrap_or_else(|error| Answer::refusal(&error, call.protocol));
    let outcome = match (&fault, answer.error_code()) {
        (Some(FaultKind::LostAnswer | FaultKind::EmptyPage), _) => {
            Outcome::Fault { kind, effect: true }
        }
        (_, Some(code)) => Outcome::Error(code),
        (_, None) => Outcome::Ok,
    };
    log(outcome);
    let hold = locked(&inner.holds).meet(&call);
    let answer = match fault {
        Some(FaultKind::LostAnswer) => None,
        Some(FaultKind::EmptyPage) => Some(answer.emptied()),
        _ => Some(answer),
    };
    (answer, hold)
}

fn kind_name(kind: &FaultKind) -> String {
    match kind {
        FaultKind::Throttle => "throttle",
        FaultKind::ServerError => "server_error",
        FaultKind::AccessDenied => "access_denied",
        FaultKind::DelayMs(_) => "delay_ms",
        FaultKind::LostAnswer => "lost_answer",
        FaultKind::EmptyPage => "empty_page",
        FaultKind::Error { .. } => "error",
    }
    .to_owned()
}

/// CloudWatch has its codes from the query protocol.
fn throttled(call: &Call) -> AwsError {
    let code = match call.service.as_str() {
        "monitoring" => "Throttling",
        _ => "ThrottlingException",
    };
    AwsError::new(code, "Rate exceeded")
}

fn refusal(kind: &FaultKind, call: &Call) -> Option<AwsError> {
    match kind {
        FaultKind::Throttle => Some(throttled(call)),
        FaultKind::ServerError => Some(AwsError::server("The request failed; try again.")),
        FaultKind::AccessDenied => {
            let text = "User is not authorized to perform this action.";
            Some(AwsError::new("AccessDeniedException", text))
        }
        FaultKind::Error {
            status,
            code,
            message,
        } => Some(AwsError {
            status: *status,
            ..AwsError::new(code, message.clone())
        }),
        FaultKind::DelayMs(_) | FaultKind::LostAnswer | FaultKind::EmptyPage => None,
    }
}

async fn perform(
    simulator: &Simulator,
    call: &Call,
    incoming: Incoming,
) -> Result<Answer, AwsError> {
    let inner = &simulator.inner;
    if call.service == "ecs" && call.protocol == Protocol::Json {
        facts::adopt_clusters(simulator, call).await;
        let facts = facts::gather(simulator, call).await?;
        let access_key = call.access_key.as_deref().unwrap_or_default();
        let mut world = locked(&inner.world);
        let now = inner.clock.now();
        let answer = world.answer(&call.operation, &call.body, now, access_key, &facts);
        return answer.map(|answer| Answer::json(&answer));
    }
    if let Some(answer) = scale(simulator, call) {
        return answer.map(|answer| Answer::to(call, &answer));
    }
    if call.service == "secretsmanager" && call.protocol == Protocol::Json {
        let mut world = locked(&inner.world);
        let now = inner.clock.now();
        // Tasks that started before now read the secrets as they were.
        world.tick(now);
        let answer = world.secrets.answer(&call.operation, &call.body, now);
        return answer.map(|answer| Answer::json(&answer));
    }
    if call.name() == "sts:AssumeRole" {
        return locked(&inner.neighbours).assume_role(call);
    }
    let Some(upstream) = &inner.upstream else {
        return without_upstream(simulator, call);
    };
    if call.service == "servicediscovery" {
        simulator.settle().await;
        if cloud_map::is_mended(&call.operation) {
            let mut memory = inner.cloud_map.lock().await;
            let access_key = call.access_key.as_deref();
            let mut mended = Mended {
                upstream,
                access_key,
                memory: &mut memory,
            };
            let answer = mended.answer(&call.operation, &call.body).await?;
            return Ok(Answer::json(&answer));
        }
    }
    let instead = locked(&inner.stacks).instead(call);
    if let Some(answer) = instead {
        return Ok(answer);
    }
    let Incoming {
        method,
        path_and_query,
        headers,
        body,
    } = incoming;
    let answer = upstream
        .forward(&method, &path_and_query, &headers, body)
        .await?;
    Ok(locked(&inner.stacks).mend(call, answer))
}

/// The answer of Application Auto Scaling or CloudWatch, if the simulator has one.
fn scale(simulator: &Simulator, call: &Call) -> Option<Result<Value, AwsError>> {
    let mut world = locked(&simulator.inner.world);
    world.options.scaling?;
    let now = simulator.inner.clock.now();
    let (operation, body) = (&call.operation, &call.body);
    match (call.service.as_str(), call.protocol) {
        ("application-autoscaling", Protocol::Json) => {
            let quota_now = simulator.inner.clock.quota_now();
            let admitted =
                locked(&simulator.inner.limiter).admits_behind(operation, body, quota_now);
            if !admitted {
                return Some(Err(AwsError::new(
                    "FailedResourceAccessException",
                    "Unable to access alarms for the scaling policy due to reason: Rate exceeded (Service: \
                     AmazonCloudWatch; Status Code: 400; Error Code: Throttling)",
                )));
            }
            Some(world.answer_scaling(operation, body, now))
        }
        ("monitoring", Protocol::Json | Protocol::Cbor)
            if cloud_watch::is_ours(operation, body) =>
        {
            Some(world.answer_cloud_watch(operation, body, now))
        }
        _ => None,
    }
}

/// Without a stand-in behind, only the question who one is has an answer.
fn without_upstream(simulator: &Simulator, call: &Call) -> Result<Answer, AwsError> {
    if call.operation == "GetCallerIdentity" && call.protocol == Protocol::Query {
        let account = locked(&simulator.inner.world).options.account.clone();
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}\
             </UserId><Account>{account}</Account></GetCallerIdentityResult><ResponseMetadata>\
             <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        );
        return Ok(Answer::new(200, "text/xml", body.into_bytes()));
    }
    let target = if call.target.is_empty() {
        call.name()
    } else {
        call.target.clone()
    };
    Err(AwsError::not_implemented(format!(
        "{target}: no stand-in is configured behind"
    )))
}
