//! The calls that change a Cloud Map DNS service. Before one is deleted or untagged, its tags must name our owner.

use super::{Caller, unsendable};
use crate::connect::Account;
use crate::inventory::{KnownOwner, Need, What};
use crate::operations::{
    CREATE_DNS_SERVICE, DELETE_DNS_SERVICE, LIST_DNS_TAGS, Operation, TAG_DNS_SERVICE,
    UNTAG_DNS_SERVICE,
};
use crate::{clock, convert};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_servicediscovery::operation::create_service::CreateServiceError;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::observed::ObservedDns;
use privateservice_core::owner::Owner;
use privateservice_core::service::DnsService;
use privateservice_core::step::Outcome;
use std::collections::BTreeMap;

/// What the tags of a Cloud Map service say.
enum Verified {
    Ours,
    Gone,
}

impl Account {
    pub(super) async fn create_dns(
        &self,
        caller: Caller<'_>,
        dns: &DnsService,
        tags: &BTreeMap<String, String>,
    ) -> Result<Outcome, Failure> {
        let operation = CREATE_DNS_SERVICE;
        let input = convert::create_dns(dns, caller.owner, tags).map_err(unsendable(operation))?;
        self.admit(caller, operation)?;
        let began = clock::now();
        let call = Box::pin(input.send_with(&self.clients.discovery));
        let made = match self.write(caller, operation, What::Dns, call).await {
            Ok(answer) => answer
                .service()
                .and_then(|service| Some((service.id()?.to_owned(), service.arn()?.to_owned()))),
            Err(error) => match error.error.as_service_error() {
                // The answer to an earlier try was lost: the request id proves that it is this very service.
                Some(CreateServiceError::ServiceAlreadyExists(exists))
                    if exists.creator_request_id() == Some(&dns.creator_request_id) =>
                {
                    exists.service_id().and_then(|id| {
                        let arn = exists.service_arn().map(str::to_owned);
                        let arn = arn.or_else(|| convert::arn_of(id, &caller.scope.cluster_arn))?;
                        Some((id.to_owned(), arn))
                    })
                }
                _ => return Err(error.failure),
            },
        };
        let Some((id, arn)) = made else {
            return Err(Failure::Ambiguous {
                operation: operation.name,
                message: "the answer names no service".to_owned(),
            });
        };
        let made = ObservedDns {
            id: id.clone(),
            arn: arn.clone(),
            owner: Some(caller.owner.clone()),
        };
        self.inventory.dns_created(caller.scope, made, began);
        Ok(Outcome::DnsServiceCreated { id, arn })
    }

    pub(super) async fn delete_dns(
        &self,
        caller: Caller<'_>,
        id: &str,
    ) -> Result<Outcome, Failure> {
        let operation = DELETE_DNS_SERVICE;
        let Some(arn) = convert::arn_of(id, &caller.scope.cluster_arn) else {
            return Err(Failure::Conflict {
                operation: operation.name,
                message: "the cluster's ARN names no account".to_owned(),
            });
        };
        let began = clock::now();
        if let Verified::Ours = self.verify(caller, operation, id, &arn).await? {
            self.admit(caller, operation)?;
            let call = self.clients.discovery.delete_service().id(id).send();
            match self.write(caller, operation, What::Dns, call).await {
                Ok(_) => {}
                Err(error) if error.error.code() == Some("ServiceNotFound") => {}
                Err(error) => return Err(error.failure),
            }
        }
        self.inventory.dns_deleted(caller.scope, began);
        Ok(Outcome::DnsServiceDeleted)
    }

    /// Makes a DNS service ours that nobody owns.
    pub(super) async fn tag_dns(
        &self,
        caller: Caller<'_>,
        arn: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Outcome, Failure> {
        let operation = TAG_DNS_SERVICE;
        let id = names::last_segment(arn);
        match self.owner_by_tags(caller, id, arn).await? {
            Some(KnownOwner(owner)) if owner.as_ref().is_none_or(|one| one == caller.owner) => {}
            Some(KnownOwner(owner)) => return Err(self.not_ours(caller, operation, owner)),
            None => return Err(self.not_ours(caller, operation, None)),
        }
        self.admit(caller, operation)?;
        let call = self
            .clients
            .discovery
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(
                convert::discovery_tags(tags).map_err(unsendable(operation))?,
            ))
            .send();
        self.write(caller, operation, What::Dns, call).await?;
        self.inventory
            .learn_tag_owner(id, Some(caller.owner.clone()));
        self.inventory
            .look_again(caller.scope, &[Need::Dns], caller.priority);
        Ok(Outcome::Tagged)
    }

    pub(super) async fn untag_dns(
        &self,
        caller: Caller<'_>,
        arn: &str,
        keys: &[String],
    ) -> Result<Outcome, Failure> {
        let operation = UNTAG_DNS_SERVICE;
        let id = names::last_segment(arn);
        if let Verified::Ours = self.verify(caller, operation, id, arn).await? {
            self.admit(caller, operation)?;
            let keys = Some(keys.to_vec());
            let call = self
                .clients
                .discovery
                .untag_resource()
                .resource_arn(arn)
                .set_tag_keys(keys)
                .send();
            self.write(caller, operation, What::Dns, call).await?;
            self.inventory.learn_tag_owner(id, None);
            self.inventory
                .look_again(caller.scope, &[Need::Dns], caller.priority);
        }
        Ok(Outcome::Tagged)
    }

    /// Looks at the tags themselves: a description may be older than they are. A look not long ago counts, so that
    /// an object which has to queue for the deletion pays for the look once.
    async fn verify(
        &self,
        caller: Caller<'_>,
        operation: Operation,
        id: &str,
        arn: &str,
    ) -> Result<Verified, Failure> {
        match self.owner_by_tags(caller, id, arn).await? {
            None => Ok(Verified::Gone),
            Some(KnownOwner(Some(owner))) if owner == *caller.owner => Ok(Verified::Ours),
            Some(KnownOwner(owner)) => Err(self.not_ours(caller, operation, owner)),
        }
    }

    /// The owner whom the tags of a Cloud Map service name; `None` if there is no such service.
    async fn owner_by_tags(
        &self,
        caller: Caller<'_>,
        id: &str,
        arn: &str,
    ) -> Result<Option<KnownOwner>, Failure> {
        if let Some(known) = self.inventory.known_tag_owner(id) {
            return Ok(Some(known));
        }
        self.admit(caller, LIST_DNS_TAGS)?;
        match self.inventory.tag_owner(arn).await {
            Ok(owner) => {
                self.inventory.learn_tag_owner(id, owner.clone());
                Ok(Some(KnownOwner(owner)))
            }
            Err(error) if error.error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(error.failure),
        }
    }

    fn not_ours(&self, caller: Caller<'_>, operation: Operation, owner: Option<Owner>) -> Failure {
        // What was believed is wrong: read again, with the tags outranking the description.
        self.inventory.touch(caller.scope, What::Dns);
        self.inventory
            .look_again(caller.scope, &[Need::Dns], caller.priority);
        Failure::Conflict {
            operation: operation.name,
            message: match owner {
                Some(owner) => format!("the Cloud Map service belongs to {}", owner.tag_value()),
                None => "the Cloud Map service carries no ownership tag".to_owned(),
            },
        }
    }
}
