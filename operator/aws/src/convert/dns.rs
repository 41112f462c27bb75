//! Cloud Map services.

use super::{Incomplete, discovery_tags};
use aws_sdk_servicediscovery::operation::create_service::builders::CreateServiceInputBuilder;
use aws_sdk_servicediscovery::types::{
    DnsConfig, DnsRecord, HealthCheckCustomConfig, RecordType, RoutingPolicy,
};
use privateservice_api::meta;
use privateservice_core::names;
use privateservice_core::owner::Owner;
use privateservice_core::service::DnsService;
use std::collections::BTreeMap;

/// Begins the description of every Cloud Map service we make; the owner follows. Listings show descriptions but no tags.
const DESCRIPTION: &str = "PrivateService ";

/// The description that names an owner.
pub(crate) fn described(owner: &Owner) -> String {
    format!("{DESCRIPTION}{}", owner.tag_value())
}

/// The owner whom a description names.
pub(crate) fn description_owner(description: &str) -> Option<Owner> {
    let value = description.strip_prefix(DESCRIPTION)?;
    Owner::from_tags(&BTreeMap::from([(
        meta::TAG_OWNER.to_owned(),
        value.to_owned(),
    )]))
}

/// The ARN of a Cloud Map service, from any ARN of the same account and Region.
pub(crate) fn arn_of(id: &str, neighbour: &str) -> Option<String> {
    let partition = neighbour.split(':').nth(1)?;
    let region = names::region_of(neighbour)?;
    let account = names::account_of(neighbour)?;
    Some(format!(
        "arn:{partition}:servicediscovery:{region}:{account}:service/{id}"
    ))
}

/// Input of CreateService.
pub(crate) fn create_dns(
    dns: &DnsService,
    owner: &Owner,
    tags: &BTreeMap<String, String>,
) -> Result<CreateServiceInputBuilder, Incomplete> {
    let record = DnsRecord::builder()
        .r#type(RecordType::A)
        .ttl(i64::from(dns.ttl))
        .build()?;
    let config = DnsConfig::builder()
        // Up to eight healthy addresses per answer (Cloud Map: API reference, DnsConfig).
        .routing_policy(RoutingPolicy::Multivalue)
        .dns_records(record)
        .build()?;
    Ok(CreateServiceInputBuilder::default()
        .name(&dns.name)
        .namespace_id(&dns.namespace_id)
        .creator_request_id(&dns.creator_request_id)
        .description(described(owner))
        .dns_config(config)
        // ECS reports the health of tasks itself; the threshold is deprecated and always 1 (Cloud Map: API reference).
        .health_check_custom_config(HealthCheckCustomConfig::builder().build())
        .set_tags(Some(discovery_tags(tags)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_names_the_owner_it_was_made_from() {
        let owner = Owner {
            cluster_id: "c/1".into(),
            namespace: "team".into(),
            name: "api".into(),
        };
        assert_eq!(description_owner(&described(&owner)), Some(owner));
        assert_eq!(description_owner("made by hand"), None);
    }

    #[test]
    fn an_arn_is_built_in_the_partition_of_its_neighbour() {
        assert_eq!(
            arn_of("srv-1", "arn:aws-cn:ecs:cn-north-1:111122223333:cluster/c").as_deref(),
            Some("arn:aws-cn:servicediscovery:cn-north-1:111122223333:service/srv-1")
        );
    }
}
