//! Everything around one test, the demo or the bench: a control plane, a simulated AWS account with its foundation, an
//! Environment, and the operator as a process. Starts processes and talks to them.
//!
//! Invariant: nothing of one world is seen by another - each has its own control plane, simulator and account - and
//! [`World::finish`] holds every world against the rules that always apply.

mod aws_side;
mod finish;
mod kubernetes;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use aws_sim::{ClockKind, Quotas, Server, Simulator, serve};
use kube::Client;
use serde_json::Value;
use tokio::sync::OnceCell;

pub use self::aws_side::Kept;
pub use self::kubernetes::service;

use crate::aws::Aws;
use crate::control_plane::{Audited, ControlPlane};
use crate::operator::{Operator, Settings};
use crate::planes;
use crate::scratch::Scratch;
use crate::seed::{NAMESPACE, Seeded, network, seed};
use crate::stand_in::MiniStack;
use crate::witness::Witness;

/// The Environment that samples and tests name.
pub const ENVIRONMENT: &str = "staging";

/// How long anything may take that takes a few seconds on an idle machine.
pub const DEADLINE: Duration = Duration::from_mins(2);

/// What a world is like.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Options {
    /// Simulated seconds in a real one.
    pub speed: f64,
    /// The operator's `--sweep-interval-seconds`. Long, so that no sweep mixes with what is counted.
    pub sweep_seconds: u32,
    /// The operator's `--quota-share`.
    pub quota_share: f64,
    /// AWS's published request rates, if they are to be enforced.
    pub quotas: Option<Quotas>,
    /// For how long of simulated time a new service is MISSING to readers.
    pub describe_lag: Duration,
    /// For how long of simulated time an update does not show to readers.
    pub update_lag: Duration,
    /// An ECS that neither shows nor knows service deployments.
    pub hide_service_deployments: bool,
    /// Tasks whose secrets cannot be read do not start.
    pub check_secrets: bool,
    /// AWS holds a network and nothing else: no cluster, namespace, group, role or log group.
    pub network_only: bool,
    /// ECS tells EventBridge what happens.
    pub events: bool,
    /// Seed of the simulator's dice.
    pub seed: u64,
    /// Further flags of the operator.
    pub flags: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            speed: 40.0,
            sweep_seconds: 3600,
            quota_share: 0.8,
            quotas: None,
            describe_lag: Duration::ZERO,
            update_lag: Duration::ZERO,
            hide_service_deployments: false,
            check_secrets: false,
            network_only: false,
            events: false,
            seed: 1,
            flags: Vec::new(),
        }
    }
}

/// See the top of this file.
pub struct World {
    /// The simulated AWS: time, faults, holds, behaviours.
    pub simulator: Simulator,
    /// AWS as somebody beside the operator uses it.
    pub aws: Aws,
    /// What the platform team made there.
    pub seeded: Seeded,
    /// The Kubernetes namespace of the test.
    pub namespace: String,
    /// Kubernetes, as its administrator.
    pub client: Client,
    settings: Settings,
    operator: Option<Operator>,
    witness: Witness,
    audited_from: u64,
    speed: f64,
    // Dropped after those who talk to them.
    _server: Server,
    plane: Option<ControlPlane>,
    scratch: Scratch,
}

/// Another account or Region; see [`World::neighbour`].
pub struct Neighbour {
    /// The simulated AWS there.
    pub simulator: Simulator,
    /// That AWS as somebody beside the operator uses it.
    pub aws: Aws,
    /// What the platform team made there.
    pub seeded: Seeded,
}

/// Accounts given out so far; each world has its own in the one stand-in.
static ACCOUNTS: AtomicU64 = AtomicU64::new(111_122_223_333);

impl World {
    /// A world with an Environment that is Ready and the operator running.
    ///
    /// # Errors
    /// When a part of it does not start; the message quotes its log.
    pub async fn start(options: Options) -> Result<Self> {
        let mut world = Self::bare(options).await?;
        world.apply(&world.seeded.environment(ENVIRONMENT)).await?;
        world.start_operator().await?;
        world.environment_ready(ENVIRONMENT).await?;
        Ok(world)
    }

    /// A world with a seeded AWS account, but neither an Environment nor the operator.
    ///
    /// # Errors
    /// When a part of it does not start; the message quotes its log.
    pub async fn bare(options: Options) -> Result<Self> {
        let scratch = Scratch::new("psvc-world")?;
        let account = Self::another_account();
        let (plane, stand_in) = tokio::try_join!(planes::take(), stand_in())?;
        let simulator = Simulator::new(aws_sim::Options {
            clock: ClockKind::Real {
                speed: options.speed,
            },
            quotas: options.quotas,
            upstream: Some(stand_in.url()),
            account: account.clone(),
            describe_lag: options.describe_lag,
            update_lag: options.update_lag,
            hide_service_deployments: options.hide_service_deployments,
            check_secrets: options.check_secrets,
            events: options.events,
            seed: options.seed,
            ..aws_sim::Options::default()
        })?;
        let server = serve(simulator.clone(), ([127, 0, 0, 1], 0).into()).await?;
        let aws = Aws::new(&server.url, &account);
        let seeded = if options.network_only {
            network(&aws, NAMESPACE).await
        } else {
            seed(&aws, "flexstack", NAMESPACE).await
        };
        let seeded = seeded.context("cannot seed AWS")?;
        let client = plane.client().await?;
        let namespace = plane.namespace("team").await?;
        let witness = Witness::start(&client);
        let audited_from = plane.audit_position()?;
        let settings = Settings {
            kubeconfig: plane.operator_kubeconfig(),
            aws: server.url.clone(),
            account,
            cluster_id: "the-cluster".to_owned(),
            sweep_seconds: options.sweep_seconds,
            quota_share: options.quota_share,
            flags: options.flags,
            binary: None,
        };
        Ok(Self {
            simulator,
            aws,
            seeded,
            namespace,
            client,
            settings,
            operator: None,
            witness,
            audited_from,
            speed: options.speed,
            _server: server,
            plane: Some(plane),
            scratch,
        })
    }

    /// Another account, or another Region of the world's own, behind the same endpoint, seeded: what it is like is as for the world.
    ///
    /// # Errors
    /// When it cannot be seeded.
    pub async fn neighbour(&self, account: &str, region: &str) -> Result<Neighbour> {
        let simulator = Simulator::new(aws_sim::Options {
            clock: ClockKind::Real { speed: self.speed },
            upstream: Some(stand_in().await?.url()),
            account: account.to_owned(),
            region: region.to_owned(),
            ..aws_sim::Options::default()
        })?;
        self.simulator.add_neighbour(simulator.clone());
        let aws = Aws::new(&self.settings.aws, account).in_region(region);
        // Roles are those of the whole account.
        let name = format!("flexstack-{region}");
        let seeded = seed(&aws, &name, NAMESPACE)
            .await
            .context("cannot seed the neighbour")?;
        Ok(Neighbour {
            simulator,
            aws,
            seeded,
        })
    }

    /// An account that no other world uses.
    pub fn another_account() -> String {
        format!("{:012}", ACCOUNTS.fetch_add(1, Ordering::Relaxed))
    }

    /// Starts the operator; after a kill, again with the same settings.
    ///
    /// # Errors
    /// As [`Operator::start`].
    pub async fn start_operator(&mut self) -> Result<()> {
        self.operator = Some(Operator::start(&self.settings, self.scratch.path()).await?);
        Ok(())
    }

    /// Kills the operator, as `kill -9` does.
    pub fn kill_operator(&mut self) {
        if let Some(mut operator) = self.operator.take() {
            operator.kill();
        }
    }

    /// Stops the operator, as Kubernetes does.
    ///
    /// # Errors
    /// When it does not run, does not end in time or ends with an error.
    pub async fn stop_operator(&mut self) -> Result<()> {
        let mut operator = self.operator.take().context("the operator does not run")?;
        let code = operator.stop().await?;
        anyhow::ensure!(code == 0, "it ended with {code}:\n{}", operator.log_tail());
        Ok(())
    }

    /// Changes what the operator is started with next.
    pub fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The running operator.
    ///
    /// # Errors
    /// When it does not run.
    pub fn operator(&self) -> Result<&Operator> {
        self.operator.as_ref().context("the operator does not run")
    }

    /// The control plane.
    ///
    /// # Errors
    /// Never before [`World::finish`].
    pub fn plane(&self) -> Result<&ControlPlane> {
        self.plane.as_ref().context("the world is finished")
    }

    /// All requests of the operator to the API server so far.
    ///
    /// # Errors
    /// When the audit log cannot be read.
    pub fn audited(&self) -> Result<Vec<Audited>> {
        self.plane()?.audited(self.audited_from)
    }

    /// Empties etcd and brings the API server back with the CRDs, the operator's chart and the namespace of the test: a rebuilt cluster. The operator
    /// must not run.
    ///
    /// # Errors
    /// When the API server does not come back.
    pub async fn rebuild_cluster(&mut self) -> Result<()> {
        self.witness.stop();
        let plane = self.plane.as_mut().context("the world is finished")?;
        plane.restart_empty().await?;
        plane
            .install_crds(&crate::command::repository().join("crds"))
            .await?;
        plane.install_operator().await?;
        self.client = plane.client().await?;
        self.witness.start_again(&self.client);
        let namespace: Value = serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace},
        });
        self.apply(&namespace).await
    }
}

/// Tells what happened when a test gives up halfway.
impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Some(operator) = &self.operator {
            eprintln!("{}", operator.log_tail());
        }
        let calls = self.calls();
        eprintln!("AWS calls of the operator: {:?}", calls.counts());
        for request in calls.writes().0.iter().rev().take(12).rev() {
            eprintln!("  {} {} {:?}", request.seq, request.name(), request.outcome);
        }
        for violation in self.witness.violations() {
            eprintln!("rule broken: {violation}");
        }
        for service in self.ecs_services() {
            eprintln!("ECS service: {service}");
        }
        eprintln!(
            "ECS service deployments: {}",
            self.simulator.state()["serviceDeployments"]
        );
        eprintln!("last seen objects:\n{}", self.witness.last_seen());
    }
}

static STAND_IN: OnceCell<Result<MiniStack, String>> = OnceCell::const_new();

/// The one MiniStack of this process; accounts keep worlds apart in it.
async fn stand_in() -> Result<&'static MiniStack> {
    let start = || async {
        MiniStack::start()
            .await
            .map_err(|error| format!("{error:#}"))
    };
    let started = STAND_IN.get_or_init(start).await;
    started
        .as_ref()
        .map_err(|error| anyhow::anyhow!("no MiniStack: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn worlds_do_not_see_each_other() {
        let (one, other) = tokio::join!(
            World::bare(Options::default()),
            World::bare(Options::default())
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one.seeded.account, other.seeded.account);
        assert!(
            one.seeded.cluster.contains(&one.seeded.account),
            "{:?}",
            one.seeded
        );
        assert!(
            one.seeded.namespace.contains(&one.seeded.account),
            "{:?}",
            one.seeded
        );
        for world in [one, other] {
            let account = world.seeded.account.clone();
            world
                .apply(&world.seeded.environment(ENVIRONMENT))
                .await
                .unwrap();
            assert_eq!(world.dns_services().await.unwrap().len(), 0);
            assert_eq!(
                world.calls().total(),
                0,
                "what the test asks is not counted"
            );
            assert!(world.simulator.requests().len() > 5, "{account} was seeded");
        }
    }
}
