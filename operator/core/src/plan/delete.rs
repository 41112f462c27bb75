//! Deleting, in the right order and from what status remembers: what scales it, the ECS service, then its DNS service once no instance is left.
//! Task definition revisions stay for slow collection; Service Connect's own Cloud Map services go with the ECS service.

use super::{Need, Plan, WaitingOn};
use crate::fact::Fact;
use crate::observed::{Observed, ServiceStatus};
use crate::owner::Owner;
use crate::scaling;
use crate::step::Step;
use privateservice_api::meta;

/// What an object that is being deleted may have in AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// Whose they are.
    pub owner: Owner,
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// True if status names a service.
    pub existed: bool,
    /// True if status names a DNS service.
    pub dns_existed: bool,
    /// What status remembers of its scaling; `None` if nothing was ever made.
    pub scaling: Option<scaling::Memory>,
    /// True if things are to stay in AWS, without their ownership tags.
    pub retain: bool,
}

/// Plans the deletion. Settled means: nothing is left, the finalizer may go.
pub fn plan_deletion(remains: &Remains, observed: &Observed) -> Plan {
    let mut plan = Plan::default();
    scaling::plan_deletion(remains, observed, &mut plan);
    if service_is_gone(remains, observed, &mut plan) {
        plan_dns_deletion(remains, observed, &mut plan);
    }
    plan
}

/// Plans what is left to do about the ECS service; true if there is nothing left of it that is ours.
fn service_is_gone(remains: &Remains, observed: &Observed, plan: &mut Plan) -> bool {
    match &observed.service {
        Fact::Unknown => {
            plan.waiting_on.push(WaitingOn::Read(Need::Service));
            false
        }
        Fact::Absent { .. } if remains.existed && !observed.service.is_absence_confirmed() => {
            plan.waiting_on
                .push(WaitingOn::AbsenceConfirmation(Need::Service));
            false
        }
        Fact::Absent { .. } => true,
        Fact::Present { value: service, .. } => match service.status {
            ServiceStatus::Inactive => true,
            // Somebody else's service of that name is none of our business.
            ServiceStatus::Active | ServiceStatus::Draining
                if service.tags.is_some() && service.owner().as_ref() != Some(&remains.owner) =>
            {
                true
            }
            ServiceStatus::Draining if remains.retain => true,
            ServiceStatus::Draining => {
                plan.waiting_on.push(WaitingOn::Draining);
                false
            }
            ServiceStatus::Active if service.tags.is_none() => {
                plan.waiting_on.push(WaitingOn::Read(Need::Service));
                false
            }
            ServiceStatus::Active if remains.retain => {
                plan.steps.push(Step::UntagService {
                    arn: service.arn.clone(),
                    keys: owner_tag_keys(),
                });
                true
            }
            ServiceStatus::Active => {
                plan.steps.push(Step::DeleteService {
                    cluster_arn: remains.cluster_arn.clone(),
                    arn: service.arn.clone(),
                });
                false
            }
        },
    }
}

fn plan_dns_deletion(remains: &Remains, observed: &Observed, plan: &mut Plan) {
    match &observed.dns {
        Fact::Unknown => plan.waiting_on.push(WaitingOn::Read(Need::Dns)),
        Fact::Absent { .. } if remains.dns_existed && !observed.dns.is_absence_confirmed() => {
            plan.waiting_on
                .push(WaitingOn::AbsenceConfirmation(Need::Dns));
        }
        Fact::Absent { .. } => {}
        Fact::Present { value, .. } if value.owner.as_ref() != Some(&remains.owner) => {}
        Fact::Present { value, .. } if remains.retain => {
            plan.steps.push(Step::UntagDnsService {
                arn: value.arn.clone(),
                keys: owner_tag_keys(),
            });
        }
        Fact::Present { value, .. } => {
            plan.steps.push(Step::DeleteDnsService {
                id: value.id.clone(),
            });
        }
    }
}

/// The tags whose removal gives a thing up.
fn owner_tag_keys() -> Vec<String> {
    Owner::TAG_KEYS
        .into_iter()
        .chain([meta::TAG_FAILED])
        .map(str::to_owned)
        .collect()
}
