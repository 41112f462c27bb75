//! An ECS service as DescribeServices shows it, cut down and normalised. Of its events only the newest trouble is kept.

use super::trouble::trouble;
use super::{from_ecs, timestamp};
use aws_sdk_ecs::types as sdk;
use privateservice_core::observed::{EcsDeployment, RolloutState, Service, ServiceStatus};
use privateservice_core::service::{
    CapacityProvider, Connect, ConnectService, Deployment, Network,
};

/// The service, unless the answer lacks what identifies one.
pub(crate) fn service(found: &sdk::Service) -> Option<Service> {
    let status = match found.status()? {
        "ACTIVE" => ServiceStatus::Active,
        "DRAINING" => ServiceStatus::Draining,
        "INACTIVE" => ServiceStatus::Inactive,
        _ => return None,
    };
    let mut deployments: Vec<EcsDeployment> =
        found.deployments().iter().filter_map(deployment).collect();
    deployments.sort_by(|a, b| {
        b.primary
            .cmp(&a.primary)
            .then(b.created_at.cmp(&a.created_at))
            .then(a.id.cmp(&b.id))
    });
    let primary = found
        .deployments()
        .iter()
        .find(|one| one.status() == Some("PRIMARY"));
    let since = primary.and_then(sdk::Deployment::created_at);
    Some(Service {
        arn: found.service_arn()?.to_owned(),
        status,
        task_definition: found.task_definition().unwrap_or_default().to_owned(),
        network: found
            .network_configuration()
            .and_then(sdk::NetworkConfiguration::awsvpc_configuration)
            .map(network),
        capacity: capacity(found),
        connect: primary
            .and_then(sdk::Deployment::service_connect_configuration)
            .map(connect),
        registries: found.service_registries.as_deref().map(registries),
        deployment: deployment_configuration(found),
        exec: Some(found.enable_execute_command()),
        unlike_ours: unlike_ours(found),
        tags: found.tags.as_deref().map(from_ecs),
        desired_count: found.desired_count(),
        running_count: found.running_count(),
        pending_count: found.pending_count(),
        deployments,
        service_deployment: found.current_service_deployment().map(str::to_owned),
        trouble: trouble(found.events(), since),
    })
}

/// What UpdateService cannot, or must not, change into a service of ours (ECS API reference, UpdateService).
fn unlike_ours(found: &sdk::Service) -> Option<&'static str> {
    if !found.load_balancers().is_empty() {
        return Some("has a load balancer");
    }
    let controller = found
        .deployment_controller()
        .map(sdk::DeploymentController::r#type);
    if controller.is_some_and(|kind| *kind != sdk::DeploymentControllerType::Ecs) {
        return Some("is not deployed by ECS itself (its deployment controller is another one)");
    }
    let strategy = found
        .deployment_configuration()
        .and_then(sdk::DeploymentConfiguration::strategy);
    if strategy.is_some_and(|strategy| *strategy != sdk::DeploymentStrategy::Rolling) {
        return Some("has another deployment strategy than ROLLING");
    }
    if found.scheduling_strategy() == Some(&sdk::SchedulingStrategy::Daemon) {
        return Some("has the scheduling strategy DAEMON");
    }
    let launch = found.launch_type();
    let fargate = launch.is_none_or(|kind| *kind == sdk::LaunchType::Fargate)
        && found.capacity_provider_strategy().iter().all(|item| {
            let provider = item.capacity_provider();
            provider == "FARGATE" || provider == "FARGATE_SPOT"
        });
    (!fargate).then_some("does not run on Fargate")
}

fn deployment(found: &sdk::Deployment) -> Option<EcsDeployment> {
    Some(EcsDeployment {
        id: found.id()?.to_owned(),
        primary: found.status() == Some("PRIMARY"),
        task_definition: found.task_definition().unwrap_or_default().to_owned(),
        rollout_state: match found.rollout_state() {
            Some(sdk::DeploymentRolloutState::InProgress) => Some(RolloutState::InProgress),
            Some(sdk::DeploymentRolloutState::Completed) => Some(RolloutState::Completed),
            Some(sdk::DeploymentRolloutState::Failed) => Some(RolloutState::Failed),
            _ => None,
        },
        rollout_reason: found.rollout_state_reason().map(str::to_owned),
        desired_count: found.desired_count(),
        running_count: found.running_count(),
        pending_count: found.pending_count(),
        failed_tasks: found.failed_tasks(),
        created_at: found.created_at().and_then(timestamp),
        updated_at: found.updated_at().and_then(timestamp),
    })
}

fn network(found: &sdk::AwsVpcConfiguration) -> Network {
    Network {
        subnets: found.subnets().iter().cloned().collect(),
        security_groups: found.security_groups().iter().cloned().collect(),
        assign_public_ip: found.assign_public_ip() == Some(&sdk::AssignPublicIp::Enabled),
    }
}

/// An empty strategy is evidence only beside a launch type: then somebody switched the service over.
fn capacity(found: &sdk::Service) -> Option<Vec<CapacityProvider>> {
    let mut providers: Vec<CapacityProvider> = found
        .capacity_provider_strategy()
        .iter()
        .map(|item| CapacityProvider {
            name: item.capacity_provider().to_owned(),
            weight: item.weight(),
            base: item.base(),
        })
        .collect();
    providers.sort();
    (!providers.is_empty() || found.launch_type().is_some()).then_some(providers)
}

fn connect(found: &sdk::ServiceConnectConfiguration) -> Connect {
    if !found.enabled() {
        // Switched off: different from every configuration we send.
        return Connect {
            namespace_arn: String::new(),
            services: Vec::new(),
        };
    }
    let mut services: Vec<ConnectService> = found.services().iter().map(connect_service).collect();
    services.sort();
    Connect {
        namespace_arn: found.namespace().unwrap_or_default().to_owned(),
        services,
    }
}

fn connect_service(found: &sdk::ServiceConnectService) -> ConnectService {
    let alias = found.client_aliases().first();
    let seconds = |value: Option<i32>| value.and_then(|seconds| u32::try_from(seconds).ok());
    ConnectService {
        // AWS: the discovery name is the port's name unless another is given.
        discovery_name: found
            .discovery_name()
            .unwrap_or(found.port_name())
            .to_owned(),
        dns_name: alias
            .and_then(|alias| alias.dns_name())
            .unwrap_or_default()
            .to_owned(),
        port: alias
            .and_then(|alias| u16::try_from(alias.port()).ok())
            .unwrap_or_default(),
        idle_timeout: seconds(
            found
                .timeout()
                .and_then(sdk::TimeoutConfiguration::idle_timeout_seconds),
        ),
        request_timeout: seconds(
            found
                .timeout()
                .and_then(sdk::TimeoutConfiguration::per_request_timeout_seconds),
        ),
    }
}

fn registries(found: &[sdk::ServiceRegistry]) -> Vec<String> {
    let mut arns: Vec<String> = found
        .iter()
        .filter_map(|registry| registry.registry_arn().map(str::to_owned))
        .collect();
    arns.sort();
    arns
}

fn deployment_configuration(found: &sdk::Service) -> Option<Deployment> {
    let configuration = found.deployment_configuration()?;
    let breaker = configuration.deployment_circuit_breaker();
    Some(Deployment {
        minimum_healthy_percent: configuration.minimum_healthy_percent()?,
        maximum_percent: configuration.maximum_percent()?,
        circuit_breaker: breaker.is_some_and(sdk::DeploymentCircuitBreaker::enable),
        rollback: breaker.is_some_and(sdk::DeploymentCircuitBreaker::rollback),
        rebalancing: found.availability_zone_rebalancing()
            == Some(&sdk::AvailabilityZoneRebalancing::Enabled),
        alarms: configuration
            .alarms()
            .filter(|alarms| alarms.enable())
            .map(|alarms| alarms.alarm_names().iter().cloned().collect())
            .unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> sdk::builders::ServiceBuilder {
        sdk::Service::builder()
            .service_arn("arn:service")
            .status("ACTIVE")
    }

    fn deployment(id: &str, status: &str) -> sdk::Deployment {
        sdk::Deployment::builder().id(id).status(status).build()
    }

    #[test]
    fn the_primary_deployment_comes_first() {
        let found = found()
            .deployments(deployment("old", "ACTIVE"))
            .deployments(deployment("new", "PRIMARY"))
            .build();
        let service = service(&found).unwrap();
        let ids: Vec<&str> = service
            .deployments
            .iter()
            .map(|one| one.id.as_str())
            .collect();
        assert_eq!(ids, ["new", "old"]);
    }

    #[test]
    fn what_aws_did_not_say_is_no_evidence() {
        let service = service(&found().build()).unwrap();
        assert_eq!(
            (service.network, service.capacity, service.connect),
            (None, None, None)
        );
        assert_eq!(
            (service.registries, service.deployment, service.tags),
            (None, None, None)
        );
    }

    #[test]
    fn a_launch_type_in_place_of_a_strategy_is_evidence() {
        let found = found().launch_type(sdk::LaunchType::Fargate).build();
        assert_eq!(service(&found).unwrap().capacity, Some(Vec::new()));
    }

    #[test]
    fn service_connect_that_is_off_equals_nothing_we_send() {
        let off = sdk::ServiceConnectConfiguration::builder()
            .enabled(false)
            .build();
        let primary = sdk::Deployment::builder().id("new").status("PRIMARY");
        let found = found()
            .deployments(primary.service_connect_configuration(off).build())
            .build();
        assert_eq!(service(&found).unwrap().connect.unwrap().namespace_arn, "");
    }

    #[test]
    fn a_service_in_a_state_nobody_knows_is_not_read() {
        assert!(service(&found().status("HIBERNATING").build()).is_none());
    }
}
