//! The simulator's own API over HTTP, below `/_sim/`. In: small JSON bodies. Out: JSON. Everything it
//! does, [`Simulator`] does in process.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::behaviour::{Behaviour, Subject};
use crate::clock::Moment;
use crate::cloud_watch::Load;
use crate::exchange::Incoming;
use crate::faults::Fault;
use crate::locked;
use crate::simulator::Simulator;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    operation: String,
    #[serde(default = "first")]
    n: u32,
}

fn first() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseBody {
    /// Absent: all.
    id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceBody {
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BehaviourBody {
    subject: Subject,
    behaviour: Behaviour,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapacityBody {
    provider: String,
    available: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkBody {
    /// A subnet or a security group.
    id: String,
    broken: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlarmBody {
    name: String,
    in_alarm: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadBody {
    /// Absent: in any cluster.
    cluster: Option<String>,
    service: String,
    /// Absent: none.
    load: Option<Load>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricBody {
    namespace: String,
    name: String,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    /// Seconds since the Unix epoch; absent: now.
    at: Option<f64>,
    values: Vec<f64>,
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

pub(crate) async fn answer(simulator: &Simulator, incoming: &Incoming) -> Answer {
    let (status, value) = match act(simulator, incoming).await {
        Ok(Some(value)) => (200, value),
        Ok(None) => (
            404,
            json!({"error": "no such path; see the simulator's README"}),
        ),
        Err(error) => (400, json!({"error": error})),
    };
    Answer::new(status, "application/json", value.to_string().into_bytes())
}

async fn act(simulator: &Simulator, incoming: &Incoming) -> Result<Option<Value>, String> {
    let (path, query) = incoming
        .path_and_query
        .split_once('?')
        .unwrap_or((incoming.path_and_query.as_str(), ""));
    let body = &incoming.body;
    let inner = &simulator.inner;
    let action = path.trim_start_matches("/_sim/");
    if incoming.method == Method::GET {
        return Ok(match action {
            "requests" => Some(requests(simulator, query)),
            "counts" => Some(json!(simulator.counts())),
            "state" => Some(simulator.state()),
            "clock" => Some(json!({"now": simulator.now().seconds()})),
            "held" => {
                let holds = locked(&inner.holds);
                let shown = holds.all().map(|(filter, hold)| {
                    json!({"id": hold.id(), "operation": filter, "state": hold.state()})
                });
                Some(json!({"holds": shown.collect::<Vec<_>>()}))
            }
            _ => None,
        });
    }
    Ok(match action {
        "reset-log" => {
            simulator.reset_log();
            Some(json!({}))
        }
        "fault" => {
            simulator.fault(parse::<Fault>(body)?);
            Some(json!({}))
        }
        "clear-faults" => {
            simulator.clear_faults();
            Some(json!({}))
        }
        "hold" => {
            let asked: HoldBody = parse(body)?;
            Some(json!({"id": simulator.hold_after(&asked.operation, asked.n).id()}))
        }
        "release" => {
            let asked: ReleaseBody = parse(body)?;
            for (_, hold) in locked(&inner.holds).all() {
                if asked.id.is_none_or(|id| id == hold.id()) {
                    hold.release();
                }
            }
            Some(json!({}))
        }
        "clock/advance" => {
            let asked: AdvanceBody = parse(body)?;
            let by = Duration::try_from_secs_f64(asked.seconds).map_err(|e| e.to_string())?;
            simulator.advance(by);
            simulator.settle().await;
            Some(json!({"now": simulator.now().seconds()}))
        }
        "behaviour" => {
            let asked: BehaviourBody = parse(body)?;
            simulator.behave(asked.subject, asked.behaviour);
            Some(json!({}))
        }
        "capacity" => {
            let asked: CapacityBody = parse(body)?;
            simulator.set_capacity(&asked.provider, asked.available);
            Some(json!({}))
        }
        "network" => {
            let asked: NetworkBody = parse(body)?;
            simulator.break_network(&asked.id, asked.broken);
            Some(json!({}))
        }
        "alarm" => {
            let asked: AlarmBody = parse(body)?;
            simulator.set_alarm(&asked.name, asked.in_alarm);
            Some(json!({}))
        }
        "load" => {
            let asked: LoadBody = parse(body)?;
            simulator.set_load(asked.cluster.as_deref(), &asked.service, asked.load);
            Some(json!({}))
        }
        "metric" => {
            let asked: MetricBody = parse(body)?;
            put_metric(simulator, &asked)?;
            Some(json!({}))
        }
        _ => None,
    })
}

fn put_metric(simulator: &Simulator, asked: &MetricBody) -> Result<(), String> {
    let at = match asked.at {
        None => simulator.now(),
        Some(seconds) => {
            let since_epoch = Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())?;
            Moment(0) + since_epoch
        }
    };
    let dimensions = asked.dimensions.iter();
    let dimensions: Vec<(&str, &str)> = dimensions
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    simulator.put_metric(
        &asked.namespace,
        &asked.name,
        &dimensions,
        at,
        &asked.values,
    );
    Ok(())
}

/// `?since=<seq>&operation=<ecs:CreateService>`
fn requests(simulator: &Simulator, query: &str) -> Value {
    let parameter = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
    };
    let since = parameter("since")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut requests = locked(&simulator.inner.log).since(since);
    if let Some((_, operation)) = parameter("operation") {
        requests.retain(|request| request.name() == operation);
    }
    json!({"requests": requests})
}
