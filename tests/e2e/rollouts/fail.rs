//! Rollouts whose tasks do not start, do not stay, or are not healthy: each with its cause in words, held for good.

use std::time::Duration;

use aws_sim::Behaviour;
use privateservice_api::meta::TAG_FAILED;
use privateservice_api::privateservice::{EndedBy, RolloutPhase};
use privateservice_tests::{Options, World};

use super::ending::{Ending, condition};
use super::play::Operator;
use super::play::{
    MISSING, OLD, calm, deployments, edit, go_on, phase, rests, serve, set, slow, spec, status,
    unhurried,
};

/// A way to fail.
struct Case {
    name: &'static str,
    behaviour: Behaviour,
    /// What the spec needs besides the image.
    more: &'static str,
    /// Words of ECS in `status.failures`.
    failure: &'static str,
    /// The Event that names the cause.
    event: &'static str,
    /// Words in the message of Ready.
    says: &'static str,
}

fn cases() -> Vec<Case> {
    let soon = Duration::from_secs(3);
    let case = |name, behaviour, failure, event, says| Case {
        name,
        behaviour,
        more: "",
        failure,
        event,
        says,
    };
    vec![
        case(
            "missing",
            Behaviour::cannot_pull(),
            "CannotPullContainerError",
            "ImageNotFound",
            "the image does not exist",
        ),
        case(
            "exits",
            Behaviour::exits(soon, 3),
            "Essential container in task exited",
            "ContainerExited",
            "exited with code 3",
        ),
        Case {
            more: ", healthCheck: {command: 'true', intervalSeconds: 5, retries: 1}",
            ..case(
                "sick",
                Behaviour::never_healthy(),
                "Task failed container health checks",
                "HealthCheckFailed",
                "the health check failed",
            )
        },
        case(
            "hungry",
            Behaviour::out_of_memory(soon),
            "OutOfMemoryError",
            "OutOfMemory",
            "more memory than resources.memory",
        ),
        case(
            "secretless",
            Behaviour::secret_missing(),
            "ResourceInitializationError",
            "SecretNotFound",
            "a secret or parameter does not exist",
        ),
        case(
            "foreign",
            Behaviour::wrong_architecture(),
            "descriptor matching platform",
            "WrongArchitecture",
            "does not run on the CPU architecture",
        ),
    ]
}

/// ECS takes a quarter of a minute to give up.
fn visible() -> Options {
    Options {
        speed: 12.0,
        ..Options::default()
    }
}

impl Case {
    /// With the cause in every place that shows it.
    fn explained(&self, ending: Ending) -> Ending {
        let ending = ending.says(self.says).shows(self.failure).tells(self.event);
        if self.name == "foreign" {
            ending.because("ArchitectureMismatch")
        } else {
            ending
        }
    }

    async fn roll_out(&self, world: &World) {
        let image = format!("app:{}", self.name);
        let behaviour = Behaviour {
            start_delay: Duration::from_mins(1),
            ..self.behaviour.clone()
        };
        set(world, &image, behaviour);
        let spec = spec(&image, self.more);
        world.apply_service(self.name, &spec).await.unwrap();
    }
}

#[tokio::test]
async fn an_update_that_fails_is_rolled_back_explained_and_never_tried_again() {
    updates_that_fail(Operator::Lives).await;
}

#[tokio::test]
async fn an_update_that_fails_is_explained_also_by_another_operator() {
    updates_that_fail(Operator::IsKilled).await;
}

async fn updates_that_fail(operator: Operator) {
    let mut world = World::start(visible()).await.unwrap();
    let cases = cases();
    let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    serve(&world, &names).await;
    for case in &cases {
        case.roll_out(&world).await;
    }
    for case in &cases {
        phase(&world, case.name, RolloutPhase::Progressing).await;
    }
    operator.in_the_middle(&mut world).await;
    let ending = |case: &Case| {
        let ending = Ending::rolled_back(EndedBy::CircuitBreaker, OLD);
        case.explained(ending.says("kept failing"))
    };
    for case in &cases {
        ending(case).reached(&world, case.name).await;
    }
    rests(&mut world, &names).await;
    for case in &cases {
        ending(case).reached(&world, case.name).await;
        assert_eq!(deployments(&world, case.name).len(), 2, "{}", case.name);
        let service = world.ecs_service(case.name).unwrap();
        let failed = status(&world, case.name).await.rollout.unwrap().failed_hash;
        assert_eq!(World::tag(&service, TAG_FAILED), failed, "{}", case.name);
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_first_deployment_that_fails_says_that_nothing_serves() {
    first_deployments_that_fail(Operator::Lives).await;
}

#[tokio::test]
async fn a_first_deployment_that_fails_is_told_also_by_another_operator() {
    first_deployments_that_fail(Operator::IsKilled).await;
}

async fn first_deployments_that_fail(operator: Operator) {
    let mut world = World::start(visible()).await.unwrap();
    let cases = cases();
    let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    for case in &cases {
        case.roll_out(&world).await;
    }
    for case in &cases {
        phase(&world, case.name, RolloutPhase::Progressing).await;
    }
    operator.in_the_middle(&mut world).await;
    for case in &cases {
        case.explained(Ending::failed())
            .reached(&world, case.name)
            .await;
    }
    rests(&mut world, &names).await;
    for case in &cases {
        case.explained(Ending::failed())
            .reached(&world, case.name)
            .await;
        assert_eq!(deployments(&world, case.name).len(), 1, "{}", case.name);
    }
    // What works is rolled out as if nothing had been.
    edit(&world, "missing", OLD).await;
    Ending::complete(OLD).reached(&world, "missing").await;
    let service = world.ecs_service("missing").unwrap();
    assert_eq!(World::tag(&service, TAG_FAILED), None, "{service}");
    world.finish().await.unwrap();
}

/// Seen from the first failed task on, with time to look at every step.
#[tokio::test]
async fn a_missing_image_is_told_while_ecs_tries_and_while_it_goes_back() {
    let world = calm().await;
    serve(&world, &["web"]).await;
    slow(&world, OLD);
    unhurried(&world, MISSING, Behaviour::cannot_pull());
    edit(&world, "web", MISSING).await;
    let trying = world.refused("web", "ImageNotFound").await.unwrap();
    assert!(trying.contains("the image does not exist"), "{trying}");
    let object = world.service("web").await.unwrap();
    assert!(condition(&object, "Reconciling").is_some(), "ECS goes on");
    let wait = [
        "wait",
        "psvc/web",
        "--for=condition=Stalled",
        "--timeout=0s",
    ];
    assert!(!world.kubectl(&wait, "").await.unwrap().success());

    phase(&world, "web", RolloutPhase::RollingBack).await;
    let back = world.refused("web", "RollingBack").await.unwrap();
    assert!(back.contains("the image does not exist"), "{back}");
    let deployed = status(&world, "web").await.deployed.unwrap();
    assert_eq!(deployed.image.as_deref(), Some(OLD));

    go_on(&world, OLD);
    let ending = Ending::rolled_back(EndedBy::CircuitBreaker, OLD).tells("RollingBack");
    ending.reached(&world, "web").await;
    world.finish().await.unwrap();
}
