//! Reads: in bulk, tolerant of what is not there, and honest about an AWS without Application Auto Scaling.

use super::{Scaled, desired};
use crate::world::{World, plenty, quick};
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use aws_sim::{Fault, FaultKind, Options, ScalingOptions};
use k8s_openapi::jiff::Timestamp;
use privateservice_api::conditions::Reason;
use privateservice_aws::{Account, Need, Outputs, Timing};
use privateservice_core::failure::Failure;
use privateservice_core::memory::Memory;
use privateservice_core::scaling;
use serde_json::json;
use std::time::Duration;

fn reads(world: &World) -> usize {
    world
        .sim
        .counts()
        .iter()
        .filter(|(name, _)| {
            name.starts_with("application-autoscaling:Describe")
                || name.starts_with("monitoring:Describe")
        })
        .map(|(_, count)| count)
        .sum()
}

/// So many services, each with what scales it.
async fn fleet(world: &mut World, count: usize) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|number| format!("api-{number}")).collect();
    for name in &names {
        world.create(name).await;
    }
    world.sim.advance(Duration::from_mins(2));
    for name in &names {
        let scope = world.scope(name);
        world.link.demand(&scope, &[Need::Service, Need::Scaling]);
        let is_read = |account: &Account| {
            let observed = account.inventory().observed(&scope);
            observed.service.present().is_some() && observed.scaling.present().is_some()
        };
        world.link.until("both are read", is_read).await;
        let plan = scaling::plan(
            &desired(world, name, &json!({})),
            &world.link.observed(&scope),
            &Memory::default(),
            Timestamp::UNIX_EPOCH,
        );
        let mut outputs = Outputs::default();
        for step in &plan.steps {
            world.link.execute(name, step, &mut outputs).await.unwrap();
        }
        assert_eq!(outputs.policies.len(), 2);
    }
    names
}

#[tokio::test]
async fn sixty_services_are_read_with_a_few_calls() {
    const SERVICES: usize = 60;
    let mut world = World::with(quick(), plenty()).await;
    let names = fleet(&mut world, SERVICES).await;
    let before = reads(&world);
    for name in &names {
        let scope = world.scope(name);
        let inventory = world.link.account.inventory();
        // What the writes said is known already.
        let known = inventory.observed(&scope).scaling;
        assert_eq!(known.present().map(|seen| seen.alarms.len()), Some(2));
        inventory.touch(&scope, privateservice_aws::inventory::What::Scaling);
        world.link.demand(&scope, &[Need::Scaling]);
    }
    let scopes: Vec<_> = names.iter().map(|name| world.scope(name)).collect();
    let all = |account: &Account| {
        scopes.iter().all(|scope| {
            let observed = account.inventory().observed(scope);
            observed
                .scaling
                .present()
                .is_some_and(|seen| seen.alarms.len() == 2 && seen.policies.len() == 2)
        })
    };
    world.link.until("all are read", all).await;
    let spent = reads(&world) - before;
    assert!(
        spent <= SERVICES / 2,
        "{spent} calls for {SERVICES} services"
    );
}

#[tokio::test]
async fn one_that_is_not_there_is_read_with_two_calls() {
    let mut scaled = Scaled::new(Options::default(), &json!({})).await;
    let before = reads(&scaled.world);
    scaled.feed().await;
    assert_eq!(reads(&scaled.world) - before, 2);
    let observed = scaled.world.link.observed(&scaled.scope);
    assert_eq!(observed.scaling.present().unwrap().target, None);
}

#[tokio::test]
async fn an_aws_without_it_is_a_finding_and_no_failure_of_the_service() {
    let options = Options {
        scaling: None,
        ..Options::default()
    };
    let mut scaled = Scaled::new(options, &json!({})).await;
    scaled.feed().await;
    let observed = scaled.world.link.observed(&scaled.scope);
    assert!(observed.scaling_unsupported);
    assert!(scaled.plan().is_settled());
    let inventory = scaled.world.link.account.inventory();
    assert_eq!(inventory.last_failure(&scaled.scope), None);
}

#[tokio::test]
async fn a_service_that_application_auto_scaling_does_not_see_yet_is_tried_again() {
    let mut scaled = Scaled::new(Options::default(), &json!({})).await;
    let plan = scaled.feed().await;
    let unseen = FaultKind::Error {
        status: 400,
        code: "ValidationException".into(),
        message: "ECS service doesn't exist: service/flexstack/api".into(),
    };
    let register = "application-autoscaling:RegisterScalableTarget";
    scaled.world.sim.fault(Fault::always(register, unseen));
    let step = plan.steps.first().unwrap();
    let failure = scaled.world.execute("api", step).await.unwrap_err();
    assert!(
        matches!(
            failure,
            Failure::NotYet {
                reason: Reason::AutoscalingPending,
                ..
            }
        ),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_failed_page_is_unknown_and_not_absent() {
    let mut scaled = Scaled::new(Options::default(), &json!({})).await;
    scaled.converge().await;
    let inventory = scaled.world.link.account.inventory();
    inventory.touch(&scaled.scope, privateservice_aws::inventory::What::Scaling);
    let fail = |times| Fault::next("monitoring:DescribeAlarms", FaultKind::Throttle, times);
    scaled.world.sim.fault(fail(1));
    let before = reads(&scaled.world);
    scaled.look().await;
    assert!(scaled.plan().is_settled());
    let spent = reads(&scaled.world) - before;
    assert_eq!(spent, 4, "targets, policies and twice the alarms");

    let inventory = scaled.world.link.account.inventory();
    inventory.touch(&scaled.scope, privateservice_aws::inventory::What::Scaling);
    scaled.world.sim.fault(fail(3));
    scaled
        .world
        .link
        .read(&scaled.scope, &[Need::Scaling])
        .await;
    let observed = scaled.world.link.observed(&scaled.scope);
    assert!(observed.scaling.is_unknown());
    let inventory = scaled.world.link.account.inventory();
    let failure = inventory.scaling_failure(&scaled.scope).unwrap();
    assert_eq!(failure.reason(), Reason::Throttled);
    scaled.look().await;
    assert!(scaled.plan().is_settled());
}

/// Targets and alarms of others: so many that no listing of them would go unnoticed.
async fn crowd(world: &World, count: usize) {
    let ecs = world.ecs();
    let scaling = aws_sdk_applicationautoscaling::Client::new(&world.sdk());
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&world.sdk());
    let cluster = ecs.create_cluster().cluster_name("others");
    cluster.send().await.unwrap();
    let containers = aws_sdk_ecs::types::ContainerDefinition::builder();
    let definition = ecs
        .register_task_definition()
        .family("theirs")
        .network_mode(aws_sdk_ecs::types::NetworkMode::Awsvpc)
        .requires_compatibilities(aws_sdk_ecs::types::Compatibility::Fargate)
        .cpu("256")
        .memory("512")
        .container_definitions(containers.name("app").image("app").essential(true).build());
    definition.send().await.unwrap();
    let network = aws_sdk_ecs::types::AwsVpcConfiguration::builder().subnets("subnet-1");
    let network = aws_sdk_ecs::types::NetworkConfiguration::builder()
        .awsvpc_configuration(network.build().unwrap())
        .build();
    for number in 0..count {
        let service = ecs
            .create_service()
            .cluster("others")
            .service_name(format!("theirs-{number}"))
            .task_definition("theirs")
            .launch_type(aws_sdk_ecs::types::LaunchType::Fargate)
            .network_configuration(network.clone())
            .desired_count(0);
        service.send().await.unwrap();
        let target = scaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(format!("service/others/theirs-{number}"))
            .min_capacity(0)
            .max_capacity(1);
        target.send().await.unwrap();
        let alarm = cloudwatch
            .put_metric_alarm()
            .alarm_name(format!("theirs-{number}"))
            .namespace("AWS/ECS")
            .metric_name("CPUUtilization")
            .statistic(aws_sdk_cloudwatch::types::Statistic::Average)
            .period(60)
            .evaluation_periods(1)
            .threshold(1.0)
            .comparison_operator(
                aws_sdk_cloudwatch::types::ComparisonOperator::GreaterThanThreshold,
            );
        alarm.send().await.unwrap();
    }
}

#[tokio::test]
async fn a_sweep_costs_a_quarter_of_a_call_for_each_service_beside_thousands_of_others() {
    const SERVICES: usize = 60;
    /// What scales services is read in every twelfth.
    const SWEEPS: usize = 24;
    let options = Options {
        scaling: Some(ScalingOptions {
            targets: 10_000,
            ..ScalingOptions::default()
        }),
        ..Options::default()
    };
    let timing = Timing {
        sweep_interval: Duration::from_millis(300),
        ..quick()
    };
    let mut world = World::of(options, timing, plenty()).await;
    fleet(&mut world, SERVICES).await;
    crowd(&world, 5000).await;
    let sweeps = |world: &World| world.calls("servicediscovery:ListServices");
    let all = |world: &World| world.sim.counts().values().sum::<usize>();
    let begun = sweeps(&world);
    let swept = async |count| {
        let holds = |_: &Account| sweeps(&world) >= begun + count;
        world.link.eventually("a sweep", holds).await;
    };
    swept(1).await;
    let (before, scaling) = (all(&world), reads(&world));
    for sweep in 1..=SWEEPS {
        swept(1 + sweep).await;
    }
    let spent = all(&world) - before;
    let most = SERVICES * SWEEPS / 4;
    assert!(spent <= most, "{spent} calls, {most} at most");
    assert!(reads(&world) >= scaling + 6, "it was read twice");
}
