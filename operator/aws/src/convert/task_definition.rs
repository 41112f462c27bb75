//! A task definition for RegisterTaskDefinition.

use super::{Incomplete, ecs_tags};
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionInputBuilder;
use aws_sdk_ecs::types::{
    ApplicationProtocol, Compatibility, ContainerDefinition, ContainerRestartPolicy,
    CpuArchitecture, EphemeralStorage, HealthCheck, KeyValuePair, LogConfiguration, LogDriver,
    NetworkMode, OsFamily, PortMapping, RepositoryCredentials, RuntimePlatform, TransportProtocol,
};
use privateservice_core::task_definition::{
    self as wanted, AppProtocol, Container, TaskDefinition,
};
use std::collections::BTreeMap;

/// Input of RegisterTaskDefinition.
pub(crate) fn register(
    definition: &TaskDefinition,
    tags: &BTreeMap<String, String>,
) -> Result<RegisterTaskDefinitionInputBuilder, Incomplete> {
    let platform = RuntimePlatform::builder()
        .operating_system_family(OsFamily::Linux)
        .cpu_architecture(match definition.cpu_architecture {
            wanted::CpuArchitecture::X86 => CpuArchitecture::X8664,
            wanted::CpuArchitecture::Arm => CpuArchitecture::Arm64,
        })
        .build();
    let storage = definition
        .ephemeral_storage
        .map(|size| {
            Ok::<_, Incomplete>(EphemeralStorage::builder().size_in_gib(int(size)?).build())
        })
        .transpose()?;
    Ok(RegisterTaskDefinitionInputBuilder::default()
        .family(&definition.family)
        .requires_compatibilities(Compatibility::Fargate)
        .network_mode(NetworkMode::Awsvpc)
        .runtime_platform(platform)
        .cpu(definition.cpu.to_string())
        .memory(definition.memory.to_string())
        .set_ephemeral_storage(storage)
        .execution_role_arn(&definition.execution_role_arn)
        .set_task_role_arn(definition.task_role_arn.clone())
        .container_definitions(container(&definition.container)?)
        .set_tags(Some(ecs_tags(tags))))
}

fn container(container: &Container) -> Result<ContainerDefinition, Incomplete> {
    let environment = container
        .environment
        .iter()
        .map(|(name, value)| KeyValuePair::builder().name(name).value(value).build())
        .collect();
    let ports = container.port_mappings.iter().map(port).collect();
    let restart = container
        .restart
        .then(|| ContainerRestartPolicy::builder().enabled(true).build())
        .transpose()?;
    let credentials = container
        .registry_credentials
        .as_ref()
        .map(|secret| {
            RepositoryCredentials::builder()
                .credentials_parameter(secret)
                .build()
        })
        .transpose()?;
    let log = LogConfiguration::builder()
        .log_driver(LogDriver::Awslogs)
        .set_options(Some(container.log_options.clone().into_iter().collect()))
        .build()?;
    Ok(ContainerDefinition::builder()
        .name(&container.name)
        .image(&container.image)
        .set_repository_credentials(credentials)
        .essential(true)
        .set_command(words(&container.command))
        .set_entry_point(words(&container.entry_point))
        .set_environment(Some(environment))
        .set_port_mappings(Some(ports))
        .set_health_check(
            container
                .health_check
                .as_ref()
                .map(health_check)
                .transpose()?,
        )
        .set_restart_policy(restart)
        .stop_timeout(int(container.stop_timeout)?)
        .log_configuration(log)
        .build())
}

/// Absent, not empty: an empty list would replace the image's own words.
fn words(words: &[String]) -> Option<Vec<String>> {
    (!words.is_empty()).then(|| words.to_vec())
}

fn port(mapping: &wanted::PortMapping) -> PortMapping {
    PortMapping::builder()
        .name(&mapping.name)
        .container_port(i32::from(mapping.container_port))
        .protocol(TransportProtocol::Tcp)
        .set_app_protocol(mapping.app_protocol.map(|protocol| match protocol {
            AppProtocol::Http => ApplicationProtocol::Http,
            AppProtocol::Http2 => ApplicationProtocol::Http2,
            AppProtocol::Grpc => ApplicationProtocol::Grpc,
        }))
        .build()
}

fn health_check(check: &wanted::HealthCheck) -> Result<HealthCheck, Incomplete> {
    Ok(HealthCheck::builder()
        .set_command(Some(check.command.clone()))
        .interval(int(check.interval)?)
        .timeout(int(check.timeout)?)
        .retries(int(check.retries)?)
        .start_period(int(check.start_period)?)
        .build()?)
}

/// The SDK's numbers are signed; ours are all far below the limit.
fn int(number: u32) -> Result<i32, Incomplete> {
    i32::try_from(number).map_err(|_| Incomplete)
}
