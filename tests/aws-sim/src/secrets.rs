//! The simulated AWS Secrets Manager. In: an operation, its JSON and the moment. Out: the answer or the error. No IO.
//! Invariant: a value leaves only in the answers of GetSecretValue and BatchGetSecretValue, to tasks that name it, and to
//! tests that ask for it; never in a log, the state, an error or a `Debug`.

mod address;
mod delete;
mod list;
mod read;
mod refusals;
mod secret;
mod shapes;
mod stages;
mod tags;
mod value;
mod write;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::clock::Moment;
use crate::errors::AwsError;
use crate::options::Options;
use crate::random::Random;
use secret::Secret;

pub(crate) use value::{SecretValue, hidden};

/// The secrets of one account in one Region.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// `arn:aws:secretsmanager:<region>:<account>:secret:`
    prefix: String,
    dice: Random,
    /// By name.
    all: BTreeMap<String, Secret>,
    /// How many were ever made: they are listed in this order.
    made: u64,
    /// From a deletion without recovery until the secret is gone.
    forced_deletion: Duration,
    /// No secret goes before.
    first_goes: Option<Moment>,
}

impl Secrets {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            prefix: format!(
                "arn:aws:secretsmanager:{}:{}:secret:",
                options.region, options.account
            ),
            dice: Random::new(options.seed ^ 0x5EC7),
            all: BTreeMap::new(),
            made: 0,
            forced_deletion: options.timing.forced_secret_deletion,
            first_goes: None,
        }
    }

    /// Lets go of the secrets whose time is over.
    pub(crate) fn tick(&mut self, now: Moment) {
        if self.first_goes.is_some_and(|at| at <= now) {
            self.all.retain(|_, secret| !secret.is_gone(now));
            let due = self.all.values().filter_map(|secret| secret.deletion);
            self.first_goes = due.map(|deletion| deletion.due).min();
        }
    }

    /// Answers one operation at `now`.
    pub(crate) fn answer(
        &mut self,
        operation: &str,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        if !KNOWN_OPERATIONS.contains(&operation) {
            return Err(refusals::not_simulated(operation));
        }
        let body = &shapes::check(operation, body)?;
        match operation {
            "CreateSecret" => self.create(body, now),
            "PutSecretValue" => self.put(body, now),
            "UpdateSecret" => self.update(body, now),
            "UpdateSecretVersionStage" => self.update_stage(body, now),
            "DescribeSecret" => self.describe(body, now),
            "GetSecretValue" => self.get_value(body, now),
            "BatchGetSecretValue" => self.batch_get(body, now),
            "ListSecrets" => self.list(body, now),
            "ListSecretVersionIds" => self.list_versions(body, now),
            "TagResource" => self.tag(body, now),
            "UntagResource" => self.untag(body, now),
            "DeleteSecret" => self.delete(body, now),
            "RestoreSecret" => self.restore(body, now),
            _ => Err(refusals::not_simulated(operation)),
        }
    }

    /// Every secret without its values, for tests and people to look at.
    pub(crate) fn state(&self) -> Value {
        self.all.values().map(Secret::described).collect()
    }
}

/// Operations the simulator answers; any other of the service is a loud 501.
pub const KNOWN_OPERATIONS: [&str; 13] = [
    "CreateSecret",
    "PutSecretValue",
    "UpdateSecret",
    "UpdateSecretVersionStage",
    "DescribeSecret",
    "GetSecretValue",
    "BatchGetSecretValue",
    "ListSecrets",
    "ListSecretVersionIds",
    "TagResource",
    "UntagResource",
    "DeleteSecret",
    "RestoreSecret",
];
