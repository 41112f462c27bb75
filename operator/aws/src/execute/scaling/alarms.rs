//! The calls that change alarms.

use super::{Caller, unless_gone};
use crate::connect::Account;
use crate::convert;
use crate::operations::{DELETE_ALARMS, PUT_METRIC_ALARM, TAG_ALARM, UNTAG_ALARM};
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::scaling::{Alarm, ObservedAlarm, Outcome, Thing};
use std::collections::BTreeMap;

impl Account {
    pub(super) async fn put_alarm(
        &self,
        caller: Caller<'_>,
        name: &str,
        alarm: &Alarm,
        policy_arn: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Outcome, Failure> {
        let operation = PUT_METRIC_ALARM;
        let input = convert::put_alarm(name, alarm, policy_arn, tags);
        self.admit(caller, operation)?;
        let call = input.send_with(&self.clients.cloudwatch);
        self.write_scaling(caller, operation, call, |_, seen| {
            let known = seen.alarms.remove(name).map(|known| known.arn);
            let made = ObservedAlarm {
                arn: known.unwrap_or_else(|| names::alarm_arn(&caller.scope.cluster_arn, name)),
                alarm: alarm.clone(),
                calls: vec![policy_arn.to_owned()],
            };
            seen.missing.remove(&Thing::Alarm(name.to_owned()));
            seen.alarms.insert(name.to_owned(), made);
        })
        .await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn tag_alarm(
        &self,
        caller: Caller<'_>,
        arn: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Outcome, Failure> {
        let operation = TAG_ALARM;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .cloudwatch
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(convert::alarm_tags(tags)))
            .send();
        self.make_ours(caller, operation, arn, call).await
    }

    pub(super) async fn untag_alarm(
        &self,
        caller: Caller<'_>,
        arn: &str,
        keys: &[String],
    ) -> Result<Outcome, Failure> {
        let operation = UNTAG_ALARM;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .cloudwatch
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(keys.to_vec()))
            .send();
        self.untag(caller, operation, arn, keys, call).await
    }

    pub(super) async fn delete_alarms(
        &self,
        caller: Caller<'_>,
        names: &[String],
    ) -> Result<Outcome, Failure> {
        let operation = DELETE_ALARMS;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .cloudwatch
            .delete_alarms()
            .set_alarm_names(Some(names.to_vec()))
            .send();
        let result = self
            .write_scaling(caller, operation, call, |_, seen| {
                seen.alarms.retain(|name, _| !names.contains(name));
            })
            .await;
        // Those that are there are deleted all the same (AWS: DeleteAlarms).
        unless_gone(result.map(drop))
    }
}
