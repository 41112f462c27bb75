//! The request log. In: each request and how it ended. Out: the list, counts per operation, and one
//! line of JSON per request in a file if asked for. Invariant: a request is in the log before its
//! answer leaves.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Moment;
use crate::route::Call;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It took effect and was answered.
    Ok,
    /// It was refused with this error code.
    Error(String),
    /// It exceeded a published rate.
    Throttled,
    /// It met a fault on purpose; `effect` tells whether it took effect nevertheless.
    Fault {
        /// The kind, in the words of [`crate::FaultKind`].
        kind: String,
        /// Whether the request was carried out.
        effect: bool,
    },
}

/// One request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Number in order of being carried out, from 1.
    pub seq: u64,
    /// Simulated seconds since the Unix epoch.
    pub at: f64,
    /// `ecs`, `servicediscovery`, `sts`, ...
    pub service: String,
    /// Operation, as in the API.
    pub operation: String,
    /// Its JSON, or the fields of its form; of a secret's value only the length.
    pub body: Value,
    /// Access key id it was signed with.
    pub access_key: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Request {
    /// `ecs:CreateService`
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Whether it changed, or tried to change, anything in AWS.
    pub fn is_write(&self) -> bool {
        Call {
            service: self.service.clone(),
            operation: self.operation.clone(),
            protocol: crate::route::Protocol::Other,
            body: Value::Null,
            access_key: None,
            region: None,
            target: String::new(),
        }
        .is_write()
    }
}

#[derive(Debug)]
pub(crate) struct Log {
    requests: Vec<Request>,
    next: u64,
    file: Option<File>,
}

impl Log {
    pub(crate) fn new(record: Option<&Path>) -> std::io::Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        Ok(Self {
            requests: Vec::new(),
            next: 1,
            file: record.map(open).transpose()?,
        })
    }

    pub(crate) fn add(&mut self, call: &Call, at: Moment, outcome: Outcome) {
        let request = Request {
            seq: self.next,
            at: at.seconds(),
            service: call.service.clone(),
            operation: call.operation.clone(),
            body: call.logged_body(),
            access_key: call.access_key.clone(),
            outcome,
        };
        self.next += 1;
        if let Some(file) = &mut self.file {
            let line = serde_json::to_string(&request).unwrap_or_default();
            if let Err(error) = writeln!(file, "{line}") {
                tracing::error!(%error, "cannot append to the record file");
            }
        }
        self.requests.push(request);
    }

    pub(crate) fn since(&self, seq: u64) -> Vec<Request> {
        self.requests
            .iter()
            .filter(|request| request.seq > seq)
            .cloned()
            .collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.requests {
            *counts.entry(request.name()).or_insert(0) += 1;
        }
        counts
    }

    /// Forgets the requests; numbers go on.
    pub(crate) fn reset(&mut self) {
        self.requests.clear();
    }
}
