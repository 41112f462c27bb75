//! Other accounts and Regions behind the same endpoint. In: a call's credential scope. Out: the simulator of that account in that Region, and
//! temporary credentials for roles. Invariant: whoever has a key of an account reaches that account and no other.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::answer::Answer;
use crate::errors::AwsError;
use crate::route::Call;
use crate::simulator::Simulator;

/// A role that may be assumed from here.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The external id that its trust policy asks for, if it asks for one.
    pub external_id: Option<String>,
}

/// What is reached through one endpoint besides the simulator that is served.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// By account and Region.
    pub(crate) simulators: BTreeMap<(String, String), Simulator>,
    /// By ARN.
    pub(crate) roles: BTreeMap<String, Trust>,
}

impl Neighbours {
    /// The simulator that a call is for; `None` is the one that is served.
    pub(crate) fn of(&self, call: &Call) -> Option<Simulator> {
        let place = (call.access_key.clone()?, call.region.clone()?);
        self.simulators.get(&place).cloned()
    }

    /// The answer to AssumeRole: the account of the role is its key, as everywhere here.
    pub(crate) fn assume_role(&self, call: &Call) -> Result<Answer, AwsError> {
        let text = |name: &str| call.body[name].as_str().unwrap_or_default();
        let arn = text("RoleArn");
        let caller = call.access_key.as_deref().unwrap_or_default();
        let trusted = self.roles.get(arn).is_some_and(|trust| {
            trust
                .external_id
                .as_deref()
                .is_none_or(|wanted| wanted == text("ExternalId"))
        });
        if !trusted {
            return Err(AwsError {
                status: 403,
                ..AwsError::new(
                    "AccessDenied",
                    format!(
                        "User: arn:aws:iam::{caller}:root is not authorized to perform: sts:AssumeRole on resource: {arn}"
                    ),
                )
            });
        }
        let account = arn.split(':').nth(4).unwrap_or_default();
        let name = arn.rsplit('/').next().unwrap_or_default();
        let session = text("RoleSessionName");
        // By the clock of the caller's SDK: real time.
        let length = SignedDuration::from_secs(text("DurationSeconds").parse().unwrap_or(3600));
        let expiration = Timestamp::now()
            .saturating_add(length)
            .unwrap_or(Timestamp::MAX);
        let body = format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
             <AssumedRoleUser><Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn>\
             <AssumedRoleId>AROA:{session}</AssumedRoleId></AssumedRoleUser><Credentials>\
             <AccessKeyId>{account}</AccessKeyId><SecretAccessKey>simulated</SecretAccessKey>\
             <SessionToken>simulated</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
             </AssumeRoleResult><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
             </ResponseMetadata></AssumeRoleResponse>"
        );
        Ok(Answer::new(200, "text/xml", body.into_bytes()))
    }
}
