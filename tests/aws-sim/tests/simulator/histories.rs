//! Deployments over random histories: updates, behaviours, capacity, networks, alarms and stops in any
//! order, judged after every simulated second.

mod watch;

use std::time::Duration;

use aws_sdk_ecs::types::{
    AvailabilityZoneRebalancing, DeploymentAlarms, DeploymentCircuitBreaker,
    DeploymentConfiguration,
};
use aws_sim::{Behaviour, Options, Subject};
use proptest::prelude::*;

use crate::harness::{Harness, checked, network, refusal, start};
use watch::{Limits, Watch};

/// Percentages with which every desired count can roll, and others.
const PERCENTS: [(u32, u32); 6] = [
    (100, 200),
    (50, 200),
    (0, 100),
    (50, 100),
    (0, 150),
    (100, 150),
];

/// How long the slowest deployment here may take: back-off is 15 minutes at most.
const PATIENCE: Duration = Duration::from_hours(2);

#[derive(Debug, Clone, Copy)]
struct Settings {
    desired: u32,
    percents: usize,
    breaker_rollback: bool,
    alarms: bool,
    alarms_rollback: bool,
}

#[derive(Debug, Clone)]
enum Event {
    Wait(u64),
    Roll(usize),
    Force,
    Network(bool),
    Percents(usize),
    Behave(usize, Kind),
    Capacity(bool),
    Alarm(bool),
    Stop,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Healthy,
    Slow,
    CannotPull,
    NeverHealthy,
    ExitsAtStart,
    ExitsLate,
}

impl Kind {
    fn behaviour(self) -> Behaviour {
        match self {
            Kind::Healthy => Behaviour::healthy(),
            Kind::Slow => Behaviour {
                start_delay: Duration::from_secs(40),
                ..Behaviour::healthy()
            },
            Kind::CannotPull => Behaviour::cannot_pull(),
            Kind::NeverHealthy => Behaviour::never_healthy(),
            Kind::ExitsAtStart => Behaviour::exits(Duration::from_secs(2), 1),
            Kind::ExitsLate => Behaviour::exits(Duration::from_secs(25), 1),
        }
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (1_u32..5, 0..PERCENTS.len(), flags).prop_map(
        |(desired, percents, (breaker_rollback, alarms, alarms_rollback))| Settings {
            desired,
            percents,
            breaker_rollback,
            alarms,
            alarms_rollback,
        },
    )
}

/// How an image ends up: each of these ends a deployment, one way or the other.
fn last_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Healthy),
        1 => Just(Kind::Slow),
        1 => Just(Kind::CannotPull),
        1 => Just(Kind::NeverHealthy),
        1 => Just(Kind::ExitsAtStart),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![4 => last_kind(), 1 => Just(Kind::ExitsLate)];
    prop_oneof![
        8 => (1_u64..60).prop_map(Event::Wait),
        4 => (0_usize..3).prop_map(Event::Roll),
        1 => Just(Event::Force),
        1 => any::<bool>().prop_map(Event::Network),
        1 => (0..PERCENTS.len()).prop_map(Event::Percents),
        3 => (0_usize..3, kind).prop_map(|(image, kind)| Event::Behave(image, kind)),
        1 => any::<bool>().prop_map(Event::Capacity),
        1 => any::<bool>().prop_map(Event::Alarm),
        1 => Just(Event::Stop),
    ]
}

/// The pair chosen, or one that can roll this many tasks.
fn limits(desired: u32, percents: usize) -> Limits {
    let of = |(minimum, maximum)| Limits {
        desired,
        minimum,
        maximum,
    };
    let chosen = of(PERCENTS[percents]);
    if chosen.lower() < chosen.upper() {
        chosen
    } else {
        of(PERCENTS[0])
    }
}

fn configuration(settings: Settings) -> DeploymentConfiguration {
    let limits = limits(settings.desired, settings.percents);
    let breaker = DeploymentCircuitBreaker::builder()
        .enable(true)
        .rollback(settings.breaker_rollback)
        .build();
    let alarms = DeploymentAlarms::builder()
        .alarm_names("errors")
        .enable(settings.alarms)
        .rollback(settings.alarms_rollback);
    DeploymentConfiguration::builder()
        .minimum_healthy_percent(limits.minimum.try_into().unwrap())
        .maximum_percent(limits.maximum.try_into().unwrap())
        .deployment_circuit_breaker(breaker)
        .alarms(alarms.build().unwrap())
        .build()
}

struct Play {
    harness: Harness,
    definitions: Vec<String>,
    settings: Settings,
    watch: Watch,
}

impl Play {
    async fn begin(settings: Settings) -> Self {
        let harness = start(Options::default()).await;
        harness.simulator.break_network("sg-bad", true);
        let mut definitions = Vec::new();
        for image in 0..3 {
            let container = checked(&image.to_string());
            definitions.push(harness.register("api", container).await);
        }
        let count = settings.desired.try_into().unwrap();
        let create = harness.service("api", &definitions[0]).desired_count(count);
        let create = create.availability_zone_rebalancing(AvailabilityZoneRebalancing::Disabled);
        let create = create.deployment_configuration(configuration(settings));
        create.send().await.unwrap();
        Self {
            harness,
            definitions,
            settings,
            watch: Watch::default(),
        }
    }

    fn look(&mut self) {
        let limits = limits(self.settings.desired, self.settings.percents);
        self.watch.judge(&self.harness.simulator.state(), limits);
    }

    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.harness.advance(1);
            self.look();
        }
    }

    async fn happen(&mut self, event: Event) {
        let simulator = &self.harness.simulator;
        let update = self.harness.update("api");
        match event {
            Event::Wait(seconds) => self.wait(seconds),
            Event::Roll(to) => {
                let update = update.task_definition(&self.definitions[to]);
                update.send().await.unwrap();
            }
            Event::Force => {
                update.force_new_deployment(true).send().await.unwrap();
            }
            Event::Network(broken) => {
                let group = if broken { "sg-bad" } else { "sg-1" };
                let update = update.network_configuration(network(&[group]));
                update.send().await.unwrap();
            }
            Event::Percents(percents) => {
                self.settings.percents = percents;
                let update = update.deployment_configuration(configuration(self.settings));
                update.send().await.unwrap();
            }
            Event::Behave(image, kind) => {
                simulator.behave(Subject::Image(image.to_string()), kind.behaviour());
            }
            Event::Capacity(available) => simulator.set_capacity("FARGATE", available),
            Event::Alarm(in_alarm) => simulator.set_alarm("errors", in_alarm),
            Event::Stop => self.stop().await,
        }
        self.look();
    }

    async fn stop(&mut self) {
        let newest = self.harness.newest_deployment("api").await;
        let stop = self.harness.ecs.stop_service_deployment();
        let stop = stop.service_deployment_arn(newest.service_deployment_arn().unwrap());
        let answer = stop.send().await;
        if answer.is_err() {
            let refused = refusal(answer);
            let known = ["ConflictException", "InvalidParameterException"];
            assert!(
                known.iter().any(|code| refused.starts_with(code)),
                "{refused}"
            );
        }
    }

    /// Nothing changes any more and there is capacity: whatever is open must end.
    fn end(&mut self, kinds: [Kind; 3]) {
        self.harness.simulator.set_capacity("FARGATE", true);
        for (image, kind) in kinds.into_iter().enumerate() {
            let subject = Subject::Image(image.to_string());
            self.harness.simulator.behave(subject, kind.behaviour());
        }
        self.look();
        let mut waited = Duration::ZERO;
        while !self.watch.is_settled() {
            assert!(waited < PATIENCE, "still open: {:?}", self.watch);
            waited += Duration::from_secs(5);
            self.harness.advance(5);
            self.look();
        }
    }
}

fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn deployments_keep_their_limits_and_end(
        settings in settings(),
        events in prop::collection::vec(event(), 1..24),
        last in [last_kind(), last_kind(), last_kind()],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut play = Play::begin(settings).await;
            play.look();
            for event in events {
                play.happen(event).await;
            }
            play.end(last);
        });
    }
}
