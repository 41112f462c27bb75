//! A Kubernetes control plane of its own for a test process: etcd, kube-apiserver and the few controllers a test needs, on free
//! ports of 127.0.0.1, with its data in memory. Starts processes and talks to them.
//!
//! Invariant: nothing of it outlives the test process. There are no nodes: a Pod is stored and never runs.

mod account;
mod components;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, GetParams, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, ResourceExt};
use tokio::sync::OnceCell;

pub use self::account::Audited;
use self::components::Layout;
use crate::command::{self, Output, repository, tool};
use crate::process::Supervised;
use crate::scratch::Scratch;

/// A component is ready after one to four seconds on an idle machine; a busy one gets much more before the wait is called off.
const READY_DEADLINE: Duration = Duration::from_secs(90);

/// How often a start is tried when another process takes one of the ports first.
const PORT_ATTEMPTS: u32 = 3;

/// A running control plane. Dropping it ends it and removes its data.
#[derive(Debug)]
pub struct ControlPlane {
    components: Components,
    layout: Layout,
    // Last, as fields are dropped in order: the folder goes after those who write in it.
    _scratch: Scratch,
}

/// The processes, in the order in which they are ended: the ones that ask before the ones that answer.
#[derive(Debug)]
struct Components {
    controller_manager: Supervised,
    api_server: Supervised,
    etcd: Supervised,
}

impl ControlPlane {
    /// Starts an empty control plane and waits until it serves and its controllers work.
    ///
    /// # Errors
    /// When a tool is missing or a component does not become ready; the message quotes its log.
    pub async fn start() -> Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::start_once().await {
                Err(error)
                    if attempt < PORT_ATTEMPTS
                        && format!("{error:#}").contains("address already in use") =>
                {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn start_once() -> Result<Self> {
        let scratch = Scratch::new("psvc-control-plane")?;
        let layout = Layout::prepare(scratch.path())?;
        let components = Components::start(&layout).await?;
        Ok(Self {
            components,
            layout,
            _scratch: scratch,
        })
    }

    /// Starts again with an empty etcd, at the same address and with the same credentials: what a rebuilt cluster looks like
    /// to somebody whose kubeconfig still works. CRDs are gone too.
    ///
    /// # Errors
    /// As [`ControlPlane::start`].
    pub async fn restart_empty(&mut self) -> Result<()> {
        self.components.kill();
        std::fs::remove_dir_all(self.layout.etcd_data())
            .context("cannot remove the data of etcd")?;
        self.components = Components::start(&self.layout).await?;
        Ok(())
    }

    /// The kubeconfig of an administrator, with absolute paths in it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig()
    }

    /// The address of the API server.
    pub fn server(&self) -> String {
        self.layout.server()
    }

    /// The folder of kubeconfig and logs, for files of the same lifetime.
    pub fn folder(&self) -> &Path {
        &self.layout.folder
    }

    /// A client of the administrator. It belongs to the runtime it is made in: make one per test.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read.
    pub async fn client(&self) -> Result<Client> {
        client(&self.layout.kubeconfig()).await
    }

    /// The last lines of every component's log.
    pub fn log_tails(&self) -> String {
        self.components.log_tails()
    }

    /// Runs the pinned kubectl as the administrator, with `stdin` as its input (for `-f -`).
    ///
    /// # Errors
    /// When it cannot be started. What it answers, also a refusal, is in the [`Output`].
    pub async fn kubectl(&self, args: &[&str], stdin: &str) -> Result<Output> {
        let mut kubectl = tokio::process::Command::new(tool("kubectl")?);
        kubectl
            .args(args)
            .env("KUBECONFIG", self.kubeconfig())
            // Its caches and preferences go here and not into the home folder of whoever runs the tests.
            .env("HOME", self.folder())
            .current_dir(repository());
        command::run(kubectl, stdin).await
    }

    /// Applies every YAML file of `folder`, which holds CRDs, and waits until they are served.
    ///
    /// # Errors
    /// When the API server refuses one; the message is kubectl's.
    pub async fn install_crds(&self, folder: &Path) -> Result<()> {
        let folder = folder.to_str().context("a path that is not UTF-8")?;
        let apply = ["apply", "--server-side", "--force-conflicts", "-f", folder];
        self.kubectl(&apply, "").await?.ok()?;
        let wait = [
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "-f",
            folder,
        ];
        self.kubectl(&wait, "").await?.ok()?;
        Ok(())
    }

    /// Makes a namespace named `prefix-` and a random ending, and returns its name.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let namespaces: Api<Namespace> = Api::all(self.client().await?);
        let wanted = Namespace {
            metadata: ObjectMeta {
                generate_name: Some(format!("{prefix}-")),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let made = namespaces.create(&PostParams::default(), &wanted).await;
        Ok(made
            .with_context(|| format!("cannot make a namespace {prefix}-..."))?
            .name_any())
    }
}

impl Components {
    async fn start(layout: &Layout) -> Result<Self> {
        let mut etcd = Supervised::start(layout.etcd()?, &layout.folder)?;
        // Started at once, since it tries again until etcd answers: that saves the time etcd takes.
        let mut api_server = Supervised::start(layout.api_server()?, &layout.folder)?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()?;
        let health = format!("http://127.0.0.1:{}/readyz", layout.etcd_port);
        etcd.ready(READY_DEADLINE, async || {
            http.get(&health).send().await?.error_for_status()?;
            Ok(())
        })
        .await?;

        let client = client(&layout.kubeconfig()).await?;
        let readyz = kube::core::Request::new("").get("readyz", &GetParams::default())?;
        api_server
            .ready(READY_DEADLINE, async || {
                match client.request_text(readyz.clone()).await?.as_str() {
                    "ok" => Ok(()),
                    other => bail!("/readyz says {other}"),
                }
            })
            .await?;

        // It gives up when there is no API server for ten seconds, so it comes last.
        let mut controller_manager =
            Supervised::start(layout.controller_manager()?, &layout.folder)?;
        // The first thing that only the controllers do.
        let accounts: Api<ServiceAccount> = Api::default_namespaced(client);
        controller_manager
            .ready(READY_DEADLINE, async || {
                accounts
                    .get("default")
                    .await
                    .context("no default ServiceAccount yet")
            })
            .await?;
        Ok(Self {
            controller_manager,
            api_server,
            etcd,
        })
    }

    fn kill(&mut self) {
        self.controller_manager.kill();
        self.api_server.kill();
        self.etcd.kill();
    }

    fn log_tails(&self) -> String {
        [&self.etcd, &self.api_server, &self.controller_manager]
            .map(Supervised::log_tail)
            .join("\n")
    }
}

async fn client(kubeconfig: &Path) -> Result<Client> {
    let read = Kubeconfig::read_from(kubeconfig).context("cannot read the kubeconfig")?;
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    Client::try_from(config).context("cannot make a client")
}

static SHARED: OnceCell<Result<ControlPlane, String>> = OnceCell::const_new();

/// The one control plane of this test process, started by whoever asks first, with the CRDs of this repository installed. It
/// ends with the process. Tests keep apart by namespaces of their own ([`ControlPlane::namespace`]).
///
/// # Errors
/// As [`ControlPlane::start`] and [`ControlPlane::install_crds`]. A failed start is not tried again: the others get the same error.
pub async fn shared() -> Result<&'static ControlPlane> {
    let started = SHARED.get_or_init(|| async {
        let start = async {
            let plane = ControlPlane::start().await?;
            plane.install_crds(&repository().join("crds")).await?;
            Ok::<_, anyhow::Error>(plane)
        };
        start.await.map_err(|error| format!("{error:#}"))
    });
    started
        .await
        .as_ref()
        .map_err(|error| anyhow!("no control plane: {error}"))
}
