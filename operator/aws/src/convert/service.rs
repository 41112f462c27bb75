//! An ECS service for CreateService and UpdateService. References are resolved before.

use super::{Incomplete, ecs_tags};
use aws_sdk_ecs::operation::create_service::builders::CreateServiceInputBuilder;
use aws_sdk_ecs::operation::update_service::builders::UpdateServiceInputBuilder;
use aws_sdk_ecs::types::{
    AssignPublicIp, AvailabilityZoneRebalancing, AwsVpcConfiguration, CapacityProviderStrategyItem,
    DeploymentAlarms, DeploymentCircuitBreaker, DeploymentConfiguration, NetworkConfiguration,
    PropagateTags, ServiceConnectClientAlias, ServiceConnectConfiguration, ServiceConnectService,
    ServiceRegistry, TimeoutConfiguration,
};
use privateservice_core::service::{
    CapacityProvider, Connect, ConnectService, Deployment, Network,
};
use privateservice_core::step::{CreateService, UpdateService};

/// Input of CreateService. Scheduling strategy and deployment controller stay at AWS's defaults: REPLICA and ECS.
pub(crate) fn create_service(
    step: &CreateService,
    task_definition: &str,
    registry: Option<&str>,
) -> Result<CreateServiceInputBuilder, Incomplete> {
    Ok(CreateServiceInputBuilder::default()
        .cluster(&step.cluster_arn)
        .service_name(&step.name)
        .client_token(&step.client_token)
        .task_definition(task_definition)
        .desired_count(step.desired_count)
        .network_configuration(network(&step.network)?)
        .service_connect_configuration(connect(&step.connect)?)
        .set_capacity_provider_strategy(Some(capacity(&step.capacity)?))
        .set_service_registries(registry.map(|arn| registries(&[arn])))
        .deployment_configuration(deployment(&step.deployment)?)
        .availability_zone_rebalancing(rebalancing(&step.deployment))
        .enable_execute_command(step.exec)
        // Tasks and their network interfaces carry the service's tags too.
        .propagate_tags(PropagateTags::Service)
        .enable_ecs_managed_tags(true)
        .set_tags(Some(ecs_tags(&step.tags))))
}

/// Input of UpdateService: what the step leaves out keeps its value, an empty list removes.
pub(crate) fn update_service(
    step: &UpdateService,
    task_definition: Option<&str>,
    new_registries: Option<&[&str]>,
) -> Result<UpdateServiceInputBuilder, Incomplete> {
    let input = UpdateServiceInputBuilder::default()
        .cluster(&step.cluster_arn)
        .service(&step.arn)
        .set_task_definition(task_definition.map(str::to_owned))
        .set_network_configuration(step.network.as_ref().map(network).transpose()?)
        .set_service_connect_configuration(step.connect.as_ref().map(connect).transpose()?)
        .set_capacity_provider_strategy(step.capacity.as_deref().map(capacity).transpose()?)
        .set_service_registries(new_registries.map(registries))
        .set_deployment_configuration(step.deployment.as_ref().map(deployment).transpose()?)
        .set_availability_zone_rebalancing(step.deployment.as_ref().map(rebalancing))
        .set_enable_execute_command(step.exec);
    Ok(if step.force_new_deployment {
        input.force_new_deployment(true)
    } else {
        input
    })
}

fn network(network: &Network) -> Result<NetworkConfiguration, Incomplete> {
    let public = if network.assign_public_ip {
        AssignPublicIp::Enabled
    } else {
        AssignPublicIp::Disabled
    };
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(network.subnets.iter().cloned().collect()))
        .set_security_groups(Some(network.security_groups.iter().cloned().collect()))
        .assign_public_ip(public)
        .build()?;
    Ok(NetworkConfiguration::builder()
        .awsvpc_configuration(vpc)
        .build())
}

fn connect(connect: &Connect) -> Result<ServiceConnectConfiguration, Incomplete> {
    let services = connect
        .services
        .iter()
        .map(connect_service)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(ServiceConnectConfiguration::builder()
        .enabled(true)
        .namespace(&connect.namespace_arn)
        .set_services(Some(services))
        .build())
}

fn connect_service(service: &ConnectService) -> Result<ServiceConnectService, Incomplete> {
    let alias = ServiceConnectClientAlias::builder()
        .port(i32::from(service.port))
        .dns_name(&service.dns_name)
        .build()?;
    let seconds = |value: Option<u32>| value.map(i32::try_from).transpose().map_err(|_| Incomplete);
    let (idle, request) = (
        seconds(service.idle_timeout)?,
        seconds(service.request_timeout)?,
    );
    let timeout = (idle.is_some() || request.is_some()).then(|| {
        TimeoutConfiguration::builder()
            .set_idle_timeout_seconds(idle)
            .set_per_request_timeout_seconds(request)
            .build()
    });
    Ok(ServiceConnectService::builder()
        .port_name(&service.discovery_name)
        .discovery_name(&service.discovery_name)
        .client_aliases(alias)
        .set_timeout(timeout)
        .build()?)
}

fn capacity(
    providers: &[CapacityProvider],
) -> Result<Vec<CapacityProviderStrategyItem>, Incomplete> {
    providers
        .iter()
        .map(|provider| {
            Ok(CapacityProviderStrategyItem::builder()
                .capacity_provider(&provider.name)
                .weight(provider.weight)
                .base(provider.base)
                .build()?)
        })
        .collect()
}

fn registries(arns: &[&str]) -> Vec<ServiceRegistry> {
    arns.iter()
        .map(|arn| ServiceRegistry::builder().registry_arn(*arn).build())
        .collect()
}

fn deployment(deployment: &Deployment) -> Result<DeploymentConfiguration, Incomplete> {
    let breaker = DeploymentCircuitBreaker::builder()
        .enable(deployment.circuit_breaker)
        .rollback(deployment.rollback)
        .build();
    // ECS merges this structure member by member: alarms that are not sent stay. So they are always sent, switched off if there are none.
    let alarms = DeploymentAlarms::builder()
        .set_alarm_names(Some(deployment.alarms.iter().cloned().collect()))
        .enable(!deployment.alarms.is_empty())
        .rollback(!deployment.alarms.is_empty())
        .build()?;
    Ok(DeploymentConfiguration::builder()
        .minimum_healthy_percent(deployment.minimum_healthy_percent)
        .maximum_percent(deployment.maximum_percent)
        .deployment_circuit_breaker(breaker)
        .alarms(alarms)
        .build())
}

const fn rebalancing(deployment: &Deployment) -> AvailabilityZoneRebalancing {
    if deployment.rebalancing {
        AvailabilityZoneRebalancing::Enabled
    } else {
        AvailabilityZoneRebalancing::Disabled
    }
}
