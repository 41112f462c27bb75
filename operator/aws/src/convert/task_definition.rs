//! A task definition for RegisterTaskDefinition.

use super::{Incomplete, ecs_tags};
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionInputBuilder;
use aws_sdk_ecs::types::{
    ApplicationProtocol, Compatibility, ContainerCondition, ContainerDefinition,
    ContainerDependency, ContainerRestartPolicy, CpuArchitecture, EphemeralStorage,
    FirelensConfiguration, FirelensConfigurationType, HealthCheck, KeyValuePair, LinuxParameters,
    LogConfiguration, LogDriver, NetworkMode, OsFamily, PortMapping, RepositoryCredentials,
    RuntimePlatform, Secret, TransportProtocol,
};
use privateservice_core::task_definition::{
    self as wanted, AppProtocol, Container, LogRouter, TaskDefinition,
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
        .set_container_definitions(Some(containers(definition)?))
        .set_tags(Some(ecs_tags(tags))))
}

/// The user's container first: it is what people see first.
fn containers(definition: &TaskDefinition) -> Result<Vec<ContainerDefinition>, Incomplete> {
    let router = definition.log_router.as_ref().map(log_router).transpose()?;
    let app = container(&definition.container, definition.log_router.as_ref())?;
    Ok(std::iter::once(app).chain(router).collect())
}

fn log_router(router: &LogRouter) -> Result<ContainerDefinition, Incomplete> {
    let log = LogConfiguration::builder()
        .log_driver(LogDriver::Awslogs)
        .set_options(Some(router.log_options.clone().into_iter().collect()))
        .build()?;
    Ok(ContainerDefinition::builder()
        .name(&router.name)
        .image(&router.image)
        // Without it, output would be lost unseen.
        .essential(true)
        .memory_reservation(int(router.memory_reservation)?)
        .set_secrets(secrets(&router.secrets)?)
        .restart_policy(ContainerRestartPolicy::builder().enabled(true).build()?)
        .firelens_configuration(
            FirelensConfiguration::builder()
                .r#type(FirelensConfigurationType::Fluentbit)
                .build()?,
        )
        .log_configuration(log)
        .build())
}

/// Absent, if there are none.
fn secrets(secrets: &BTreeMap<String, String>) -> Result<Option<Vec<Secret>>, Incomplete> {
    let all = secrets
        .iter()
        .map(|(name, value)| Ok(Secret::builder().name(name).value_from(value).build()?))
        .collect::<Result<Vec<_>, Incomplete>>()?;
    Ok((!all.is_empty()).then_some(all))
}

fn container(
    container: &Container,
    router: Option<&LogRouter>,
) -> Result<ContainerDefinition, Incomplete> {
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
        .log_driver(match container.log_driver {
            wanted::LogDriver::Awslogs => LogDriver::Awslogs,
            wanted::LogDriver::Awsfirelens => LogDriver::Awsfirelens,
        })
        .set_options(Some(container.log_options.clone().into_iter().collect()))
        .set_secret_options(secrets(&container.log_secret_options)?)
        .build()?;
    let after = router
        .map(|router| {
            ContainerDependency::builder()
                .container_name(&router.name)
                .condition(ContainerCondition::Start)
                .build()
        })
        .transpose()?;
    let linux = container.init_process.then(|| {
        LinuxParameters::builder()
            .init_process_enabled(true)
            .build()
    });
    Ok(ContainerDefinition::builder()
        .name(&container.name)
        .image(&container.image)
        .set_repository_credentials(credentials)
        .essential(true)
        .set_command(words(&container.command))
        .set_entry_point(words(&container.entry_point))
        .set_environment(Some(environment))
        .set_secrets(secrets(&container.secrets)?)
        .set_port_mappings(Some(ports))
        .set_health_check(
            container
                .health_check
                .as_ref()
                .map(health_check)
                .transpose()?,
        )
        .set_restart_policy(restart)
        .set_linux_parameters(linux)
        .set_depends_on(after.map(|after| vec![after]))
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
