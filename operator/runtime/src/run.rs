//! Putting it all together, starting it in order, stopping it in order.
//!
//! Invariants: no pass runs before every cache is complete, so that nothing is thought missing that is merely not read yet. With leader
//! election, caches are filled after the lease was taken, so that they hold all that the previous leader wrote.

use crate::admin::{self, Admin};
use crate::config::Config;
use crate::context::{ClientHandle, Context};
use crate::events::Events;
use crate::guarded::Guarded;
use crate::index::Index;
use crate::lease::{self, Candidate};
use crate::locked::Locked;
use crate::metrics::Metrics;
use crate::privateservice::Waves;
use crate::readiness::Readiness;
use crate::referenced::Referenced;
use crate::status::Statuses;
use crate::version_key::VersionKeySource;
use crate::{client, controller, malformed, watch};
use anyhow::Context as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector;
use privateservice_api::{Environment, PrivateService};
use privateservice_aws::{ConnectError, Connector, ConnectorConfig, Permit};
use privateservice_core::owner::ObjectKey;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long passes that run at shutdown may take to finish: longer than a call to AWS (20 s), shorter than Kubernetes' default grace
/// period (30 s).
const GRACE: Duration = Duration::from_secs(25);
/// How long the last Events may take.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// Runs the operator until `shutdown`, with AWS as the process's environment says.
///
/// # Errors
/// It could not start, or a part of it ended by itself.
pub async fn run(
    config: Config,
    client: Client,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    run_with(config, client, shutdown, Connector::new).await
}

/// The same with a connector of the caller's choice, such as one for an endpoint of a test.
///
/// # Errors
/// Like [`run`].
pub async fn run_with<C>(
    config: Config,
    client: Client,
    shutdown: CancellationToken,
    connect: impl FnOnce(ConnectorConfig, mpsc::UnboundedSender<ObjectKey>) -> C,
) -> anyhow::Result<()>
where
    C: Future<Output = Result<Connector, ConnectError>>,
{
    let admin = Admin::default();
    admin.readiness.waits("operator", "starting");
    let listener = admin::bind(config.admin_address)
        .await
        .with_context(|| format!("cannot listen on {}", config.admin_address))?;
    let stop_server = CancellationToken::new();
    let server = tokio::spawn(admin::serve(listener, admin.clone(), stop_server.clone()));
    let result = operate(config, client, &admin, &shutdown, connect).await;
    admin.readiness.waits("operator", "stopping");
    stop_server.cancel();
    server
        .await
        .context("the admin server failed")?
        .context("the admin server failed")?;
    result
}

async fn operate<C>(
    config: Config,
    client: Client,
    admin: &Admin,
    shutdown: &CancellationToken,
    connect: impl FnOnce(ConnectorConfig, mpsc::UnboundedSender<ObjectKey>) -> C,
) -> anyhow::Result<()>
where
    C: Future<Output = Result<Connector, ConnectError>>,
{
    let readiness = &admin.readiness;
    let Some(cluster_id) = shutdown
        .run_until_cancelled(prepare(&config, &client, readiness))
        .await
    else {
        return Ok(());
    };
    tracing::info!(cluster_id, version = env!("CARGO_PKG_VERSION"), "starts");
    if !config.leader_elect {
        let site = Site {
            config,
            client,
            cluster_id,
            permit: Permit::always(),
        };
        // Boxed, as below: it holds everything there is.
        let ending = Box::pin(work(site, admin, shutdown, connect, std::future::pending())).await;
        return ending.result;
    }
    readiness.waits("lease", "not asked for yet");
    // From here on, nothing but the lease keeps it from working.
    readiness.is_up("operator");
    let candidate = Candidate::new(
        &client,
        config.lease_namespace.as_deref(),
        &config.lease_name,
    );
    let Some(mut leadership) = candidate.lead(readiness, shutdown).await else {
        return Ok(());
    };
    let permit = leadership.permit();
    let limit = config.timing.write_timeout;
    let site = Site {
        config,
        client: lease::permitted(client, permit.clone(), limit),
        cluster_id,
        permit,
    };
    let ending = Box::pin(work(site, admin, shutdown, connect, leadership.lost())).await;
    if ending.idle {
        leadership.release().await;
    }
    ending.result
}

/// Where and with what right to work.
struct Site {
    config: Config,
    client: Client,
    cluster_id: String,
    permit: Permit,
}

/// How the work ended.
struct Ending {
    result: anyhow::Result<()>,
    /// No pass is left that could still change something.
    idle: bool,
}

impl Ending {
    fn idle(result: anyhow::Result<()>) -> Self {
        Self { result, idle: true }
    }
}

/// Works until `shutdown`, or until the right to is `lost`.
async fn work<C>(
    site: Site,
    admin: &Admin,
    shutdown: &CancellationToken,
    connect: impl FnOnce(ConnectorConfig, mpsc::UnboundedSender<ObjectKey>) -> C,
    lost: impl Future<Output = anyhow::Error>,
) -> Ending
where
    C: Future<Output = Result<Connector, ConnectError>>,
{
    let Site {
        config,
        client,
        cluster_id,
        permit,
    } = site;
    let readiness = &admin.readiness;
    let (wake, woken) = mpsc::unbounded_channel();
    let (wake_environment, woken_environments) = mpsc::unbounded_channel();
    let connected = connect(config.connector(permit), wake.clone()).await;
    let connector = match connected.context("cannot set up AWS") {
        Ok(connector) => connector,
        Err(error) => return Ending::idle(Err(error)),
    };
    let (services, service_writer) = reflector::store();
    let (environments, environment_writer) = reflector::store();
    let (namespaces, namespace_writer) = reflector::store();
    let (config_maps, config_map_writer) = reflector::store();
    let (secrets, secret_writer) = config.kubernetes_secrets.then(reflector::store).unzip();
    let (events, publishing) = Events::new(client.clone());
    let context = Arc::new(Context {
        client: ClientHandle(client.clone()),
        cluster_id,
        connector,
        services,
        environments,
        namespaces,
        config_maps: Referenced::new(client.clone(), config_maps),
        secrets: secrets.map(|secrets| Referenced::new(client.clone(), secrets)),
        version_key: VersionKeySource::new(&client, config.lease_namespace.as_deref()),
        index: Index::default(),
        service_statuses: Statuses::new(client.clone()),
        environment_statuses: Statuses::new(client),
        events,
        remembered: Locked::default(),
        waves: Waves::default(),
        environments_seen: Locked::default(),
        metrics: Metrics::default(),
        wake,
        wake_environment,
        config,
    });
    Metrics::show(&context);
    // A second context in one server is impossible: there is one `operate` in a server's life.
    let _ = admin.context.set(Arc::clone(&context));

    let mut watches = JoinSet::new();
    watch_all(
        &mut watches,
        &context,
        readiness,
        Writers {
            services: service_writer,
            environments: environment_writer,
            namespaces: namespace_writer,
            config_maps: config_map_writer,
            secrets: secret_writer,
        },
    );
    let mut publisher = tokio::spawn(publishing);
    let mut lost = std::pin::pin!(lost);
    let synced = async {
        // An error means that a watch ended; what ended is noticed below.
        let _ = context.namespaces.wait_until_ready().await;
        let _ = context.environments.wait_until_ready().await;
        let _ = context.services.wait_until_ready().await;
        context.config_maps.wait_until_ready().await;
        if let Some(secrets) = &context.secrets {
            secrets.wait_until_ready().await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => return Ending::idle(Ok(())),
        error = &mut lost => return Ending::idle(Err(error)),
        () = synced => {}
    }
    let stop = shutdown.child_token();
    let mut controllers = JoinSet::new();
    controllers.spawn(controller::environments(
        Arc::clone(&context),
        woken_environments,
        stop.clone(),
    ));
    controllers.spawn(controller::services(
        Arc::clone(&context),
        woken,
        stop.clone(),
    ));
    readiness.is_up("operator");
    tracing::info!(
        services = context.services.len(),
        environments = context.environments.len(),
        "ready"
    );

    let mut grace = GRACE;
    let result = tokio::select! {
        // First, because `shutdown` ends the controllers too.
        biased;
        () = shutdown.cancelled() => Ok(()),
        error = &mut lost => {
            // Another process works now; nothing that runs here can change anything any more.
            grace = Duration::ZERO;
            Err(error)
        }
        Some(ended) = watches.join_next() => Err(ended_early("a watch", ended)),
        Some(ended) = controllers.join_next() => Err(ended_early("a controller", ended)),
    };
    tracing::info!("stops");
    readiness.waits("operator", "stopping");
    stop.cancel();
    let finish = async { while controllers.join_next().await.is_some() {} };
    let idle = tokio::time::timeout(grace, finish).await.is_ok();
    if !idle {
        tracing::warn!("a pass did not finish in time");
    }
    watches.shutdown().await;
    controllers.shutdown().await;
    // Only the admin server still holds the context, so the queue of Events does not close by itself.
    context.events.close();
    let _ = tokio::time::timeout(LAST_EVENTS, &mut publisher).await;
    publisher.abort();
    Ending { result, idle }
}

/// What must be known and there before anything starts. Waits for it, for as long as it takes.
async fn prepare(config: &Config, client: &Client, readiness: &Readiness) -> String {
    let cluster_id = match &config.cluster_id {
        Some(id) => id.clone(),
        None => client::cluster_uid(client, readiness).await,
    };
    let namespace = config.watch_namespaces.first().map(String::as_str);
    client::served::<PrivateService>(client, namespace, readiness).await;
    client::served::<Environment>(client, None, readiness).await;
    cluster_id
}

struct Writers {
    services: reflector::store::Writer<PrivateService>,
    environments: reflector::store::Writer<Environment>,
    namespaces: reflector::store::Writer<PartialObjectMeta<Namespace>>,
    config_maps: reflector::store::Writer<PartialObjectMeta<ConfigMap>>,
    secrets: Option<reflector::store::Writer<PartialObjectMeta<Secret>>>,
}

fn watch_all(
    tasks: &mut JoinSet<()>,
    context: &Arc<Context>,
    readiness: &Readiness,
    writers: Writers,
) {
    let client = &context.client.0;
    let config = &context.config;
    let (bad_services, found) = mpsc::unbounded_channel();
    tasks.spawn(malformed::report(found, Arc::clone(context), |context| {
        &context.service_statuses
    }));
    let (bad_environments, found) = mpsc::unbounded_channel();
    tasks.spawn(malformed::report(found, Arc::clone(context), |context| {
        &context.environment_statuses
    }));
    tasks.spawn(watch::follow::<Guarded<PrivateService>>(
        "cache of PrivateServices",
        watch::objects(
            client,
            &config.watch_namespaces,
            config.watch_selector.as_deref(),
        ),
        writers.services,
        watch::ServiceListener::new(Arc::clone(context)),
        bad_services,
        readiness.clone(),
    ));
    tasks.spawn(watch::follow(
        "cache of Environments",
        watch::cluster_objects(client),
        writers.environments,
        watch::EnvironmentListener::new(Arc::clone(context)),
        bad_environments,
        readiness.clone(),
    ));
    let (nothing_refused, _) = mpsc::unbounded_channel();
    tasks.spawn(watch::follow::<PartialObjectMeta<ConfigMap>>(
        "cache of ConfigMaps",
        watch::objects(client, &config.watch_namespaces, None),
        writers.config_maps,
        watch::ReferencedListener::new(Arc::clone(context)),
        nothing_refused.clone(),
        readiness.clone(),
    ));
    if let Some(writer) = writers.secrets {
        tasks.spawn(watch::follow::<PartialObjectMeta<Secret>>(
            "cache of Secrets",
            watch::objects(
                client,
                &config.watch_namespaces,
                config.secret_selector.as_deref(),
            ),
            writer,
            watch::ReferencedListener::new(Arc::clone(context)),
            nothing_refused.clone(),
            readiness.clone(),
        ));
    }
    tasks.spawn(watch::follow(
        "cache of namespaces",
        watch::kubernetes_namespaces(client),
        writers.namespaces,
        watch::NamespaceListener::new(Arc::clone(context)),
        nothing_refused,
        readiness.clone(),
    ));
}

fn ended_early(part: &str, ended: Result<(), tokio::task::JoinError>) -> anyhow::Error {
    match ended {
        Ok(()) => anyhow::anyhow!("{part} ended by itself"),
        Err(error) => anyhow::Error::from(error).context(format!("{part} failed")),
    }
}
