//! The operator killed in the middle of every kind of rollout: each ends as if it had lived, and nothing is rolled out twice.

use std::time::Duration;

use aws_sim::{Behaviour, Subject};
use privateservice_api::privateservice::{EndedBy, RolloutPhase};
use privateservice_tests::World;
use serde_json::json;

use super::ending::Ending;
use super::play::{
    MISSING, NEW, OLD, abort, calm, deployments, edit, go_on, over_in_aws, phase, redeploy, rests,
    serve, set, slow, spec,
};

/// A kind of rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    Redeploy,
    Missing,
    Subnet,
    Alarm,
    Deadline,
    Abort,
}

const ALL: [Kind; 7] = [
    Kind::Good,
    Kind::Redeploy,
    Kind::Missing,
    Kind::Subnet,
    Kind::Alarm,
    Kind::Deadline,
    Kind::Abort,
];

/// An image none of whose tasks ever starts.
const STUCK: &str = "app:stuck";
const ALARM: &str = "errors-high";
const BAD_SUBNET: &str = "subnet-0bad0bad0bad0bad0";
/// The Environment whose subnets are changed.
const ELSEWHERE: &str = "elsewhere";

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Redeploy => "redeploy",
            Self::Missing => "missing",
            Self::Subnet => "subnet",
            Self::Alarm => "alarm",
            Self::Deadline => "deadline",
            Self::Abort => "abort",
        }
    }

    /// What the spec holds besides the image.
    const fn more(self) -> &'static str {
        match self {
            Self::Subnet => ", environment: elsewhere",
            Self::Alarm => ", rollout: {alarms: [errors-high]}",
            Self::Deadline => {
                ", rollout: {progressDeadlineSeconds: 8, circuitBreaker: {enabled: false}}"
            }
            Self::Good | Self::Redeploy | Self::Missing | Self::Abort => "",
        }
    }

    async fn serve(self, world: &World) {
        let spec = spec(OLD, self.more());
        world.apply_service(self.name(), &spec).await.unwrap();
    }

    /// Lets the rollout begin.
    async fn begin(self, world: &World) {
        let image = match self {
            Self::Good | Self::Alarm => NEW,
            Self::Missing => MISSING,
            Self::Deadline | Self::Abort => STUCK,
            Self::Redeploy => return redeploy(world, self.name(), "now").await,
            Self::Subnet => {
                let patch = json!({"spec": {"network": {"subnetIds": [BAD_SUBNET]}}});
                return world.patch_environment(ELSEWHERE, &patch).await.unwrap();
            }
        };
        let spec = spec(image, self.more());
        world.apply_service(self.name(), &spec).await.unwrap();
    }

    /// Lets happen what happens in the middle of it.
    async fn go_wrong(self, world: &World) {
        match self {
            Self::Alarm => world.simulator.set_alarm(ALARM, true),
            Self::Abort => abort(world, self.name(), "stop it").await,
            Self::Good | Self::Redeploy | Self::Missing | Self::Subnet | Self::Deadline => {}
        }
    }

    const fn fails(self) -> bool {
        !matches!(self, Self::Good | Self::Redeploy)
    }

    /// True if ECS ends it whether or not there is an operator.
    const fn ends_alone(self) -> bool {
        !matches!(self, Self::Deadline | Self::Abort)
    }

    fn ending(self) -> Ending {
        let failed = |by| Ending::rolled_back(by, OLD);
        match self {
            Self::Good => Ending::complete(NEW),
            Self::Redeploy => Ending::complete(OLD),
            Self::Missing => failed(EndedBy::CircuitBreaker)
                .shows("CannotPullContainerError")
                .says("the image does not exist"),
            Self::Subnet => failed(EndedBy::CircuitBreaker)
                .shows("i/o timeout")
                .says("cannot be reached"),
            Self::Alarm => failed(EndedBy::Alarm).says(ALARM),
            Self::Deadline => failed(EndedBy::Deadline),
            Self::Abort => failed(EndedBy::Abort),
        }
    }
}

/// A world with a service of each kind that serves [`OLD`].
async fn world_of(kinds: &[Kind]) -> World {
    let world = calm().await;
    let seeded = world.seeded.clone();
    let elsewhere = seeded
        .with_namespace(&world.aws, "elsewhere.internal")
        .await;
    let elsewhere = elsewhere.unwrap().environment(ELSEWHERE);
    world.apply(&elsewhere).await.unwrap();
    world.environment_ready(ELSEWHERE).await.unwrap();
    world.simulator.break_network(BAD_SUBNET, true);
    let never = Behaviour {
        start_delay: Duration::from_hours(100),
        ..Behaviour::healthy()
    };
    set(&world, STUCK, never);
    for kind in kinds {
        kind.serve(&world).await;
    }
    for kind in kinds {
        world.ready(kind.name()).await.unwrap();
    }
    world
}

/// Holds that every kind ended as it should, that it rests, and that each was rolled out once.
async fn all_end(mut world: World, kinds: &[Kind]) {
    for kind in kinds {
        kind.ending().reached(&world, kind.name()).await;
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    rests(&mut world, &names).await;
    for kind in kinds {
        kind.ending().reached(&world, kind.name()).await;
        let all = deployments(&world, kind.name());
        assert_eq!(all.len(), 2, "{kind:?}: {all:?}");
    }
    let stopped = kinds.iter().filter(|kind| !kind.ends_alone()).count();
    let stops = world.calls().effects("ecs:StopServiceDeployment");
    assert_eq!(stops, stopped, "each is stopped once");
    world.finish().await.unwrap();
}

/// The update took effect and its answer never arrived.
#[tokio::test]
async fn killed_before_the_answer_to_the_update() {
    let mut world = world_of(&ALL).await;
    for kind in ALL {
        let hold = world.simulator.hold_after("ecs:UpdateService", 1);
        kind.begin(&world).await;
        hold.held().await;
        kind.go_wrong(&world).await;
        world.kill_operator();
        hold.release();
        world.start_operator().await.unwrap();
        if kind.fails() && kind.ends_alone() {
            // An Event follows the status: the kill that is for the next kind must not come between the two.
            kind.ending().reached(&world, kind.name()).await;
        }
    }
    all_end(world, &ALL).await;
}

#[tokio::test]
async fn killed_during_the_rollout() {
    let mut world = world_of(&ALL).await;
    middle(&world).await;
    world.kill_operator();
    world.start_operator().await.unwrap();
    for kind in ALL {
        kind.go_wrong(&world).await;
    }
    release(&world);
    all_end(world, &ALL).await;
}

#[tokio::test]
async fn killed_during_the_rollback() {
    let failing: Vec<Kind> = ALL.into_iter().filter(|kind| kind.fails()).collect();
    let mut world = world_of(&failing).await;
    slow(&world, OLD);
    slow(&world, NEW);
    // Its tasks run the same image on the way there and back: each takes ten seconds.
    let subnet = Subject::Service("subnet".to_owned());
    let unhurried = Behaviour {
        start_delay: Duration::from_secs(200),
        ..Behaviour::healthy()
    };
    world.simulator.behave(subnet, unhurried);
    for kind in &failing {
        kind.begin(&world).await;
    }
    phase(&world, "alarm", RolloutPhase::Progressing).await;
    phase(&world, "abort", RolloutPhase::Progressing).await;
    for kind in &failing {
        kind.go_wrong(&world).await;
    }
    let (subnet, others): (Vec<Kind>, Vec<Kind>) =
        failing.iter().partition(|kind| **kind == Kind::Subnet);
    for kind in others.iter().chain(&subnet) {
        phase(&world, kind.name(), RolloutPhase::RollingBack).await;
    }
    world.kill_operator();
    world.start_operator().await.unwrap();
    for kind in &others {
        world.refused(kind.name(), "RollingBack").await.unwrap();
    }
    go_on(&world, OLD);
    all_end(world, &failing).await;
}

/// All of it happens while no operator runs.
#[tokio::test]
async fn down_while_it_happens() {
    let mut world = world_of(&ALL).await;
    middle(&world).await;
    world.kill_operator();
    for kind in ALL {
        kind.go_wrong(&world).await;
    }
    release(&world);
    for kind in ALL.into_iter().filter(|kind| kind.ends_alone()) {
        over_in_aws(&world, kind.name()).await;
    }
    world.start_operator().await.unwrap();
    all_end(world, &ALL).await;
}

/// Every kind in the middle of its rollout, for as long as wanted: images that work start slowly, those that fail too.
async fn middle(world: &World) {
    for image in [OLD, NEW] {
        slow(world, image);
    }
    let late = |behaviour| Behaviour {
        start_delay: Duration::from_mins(20),
        ..behaviour
    };
    set(world, MISSING, late(Behaviour::cannot_pull()));
    world.simulator.behave(
        Subject::Service("subnet".to_owned()),
        late(Behaviour::healthy()),
    );
    for kind in ALL {
        kind.begin(world).await;
    }
    for kind in ALL {
        if kind != Kind::Deadline {
            phase(world, kind.name(), RolloutPhase::Progressing).await;
        }
    }
}

/// Lets go on what [`middle`] holds.
fn release(world: &World) {
    set(world, MISSING, Behaviour::cannot_pull());
    let subnet = Subject::Service("subnet".to_owned());
    world.simulator.behave(subnet, Behaviour::healthy());
    set(world, NEW, Behaviour::healthy());
    go_on(world, OLD);
}

/// The same by the simplest spec, under an operator that is killed again and again.
#[tokio::test]
async fn killed_again_and_again_while_a_rollout_fails() {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    slow(&world, OLD);
    edit(&world, "web", MISSING).await;
    for wanted in [RolloutPhase::RollingBack, RolloutPhase::RollingBack] {
        world.kill_operator();
        world.start_operator().await.unwrap();
        phase(&world, "web", wanted).await;
    }
    world.kill_operator();
    go_on(&world, OLD);
    world.start_operator().await.unwrap();
    let ending = Ending::rolled_back(EndedBy::CircuitBreaker, OLD);
    ending.reached(&world, "web").await;
    rests(&mut world, &["web"]).await;
    assert_eq!(deployments(&world, "web").len(), 2);
    world.finish().await.unwrap();
}
