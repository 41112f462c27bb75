//! Connections to AWS: one [`Account`] per account, Region and role, with its clients, rate limits and inventory.
//!
//! Reads the standard AWS environment (credentials chain, `AWS_ENDPOINT_URL`, ...) once. Invariant: the SDK retries nothing. A
//! retried RegisterTaskDefinition would register twice, and each call has to pass the limits.

use crate::assumed::Assumed;
use crate::calls::{CallCount, Calls};
use crate::event_queue::{self, EventQueue, Reader};
use crate::inventory::Inventory;
use crate::limits::{Limits, Pass, QuotaTable};
use crate::permit::Permit;
use crate::secret_watch::SecretWatch;
use crate::timing::Timing;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use privateservice_api::environment::AssumeRole;
use privateservice_core::names;
use privateservice_core::owner::ObjectKey;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectorConfig {
    /// The share of each AWS rate that this installation may use, above 0 and at most 1.
    pub quota_share: f64,
    /// AWS's rates.
    pub quotas: QuotaTable,
    /// Durations.
    pub timing: Timing,
    /// Without it nothing is changed.
    pub permit: Permit,
}

impl Default for ConnectorConfig {
    fn default() -> Self {
        Self {
            quota_share: 0.8,
            quotas: QuotaTable::published(),
            timing: Timing::default(),
            permit: Permit::always(),
        }
    }
}

/// Why there is no connector.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// See [`ConnectorConfig::quota_share`].
    #[error("the quota share must be above 0 and at most 1, not {0}")]
    QuotaShare(f64),
    /// The name the SDK is told does not follow its rules.
    #[error("the application's name is not one the SDK accepts")]
    AppName,
}

/// Which account to talk to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// For instance `us-east-1`.
    pub region: String,
    /// The role that is assumed; `None` for the credentials of the process itself.
    pub role: Option<AssumeRole>,
}

/// Whose quotas a call counts against: an account, as far as it is known without asking, in a Region.
type Quotas = (Option<String>, String);

impl AccountKey {
    /// The account of the role, which is part of its ARN; `None` for whatever account our own credentials are of.
    pub fn account_id(&self) -> Option<&str> {
        names::account_of(&self.role.as_ref()?.role_arn)
    }
}

/// Makes and keeps one [`Account`] per key.
#[derive(Debug)]
pub struct Connector {
    config: ConnectorConfig,
    base: SdkConfig,
    wake: mpsc::UnboundedSender<ObjectKey>,
    accounts: Mutex<BTreeMap<AccountKey, Arc<Account>>>,
    /// AWS counts by account and Region, whatever role calls. An account that is used by our own credentials and by a role counts twice.
    limits: Mutex<BTreeMap<Quotas, Arc<Limits>>>,
}

impl Connector {
    /// Reads the AWS environment. Objects with something new to see or to do are sent to `wake`.
    pub async fn new(
        config: ConnectorConfig,
        wake: mpsc::UnboundedSender<ObjectKey>,
    ) -> Result<Self, ConnectError> {
        Self::check(&config)?;
        let base = settings(
            aws_config::defaults(BehaviorVersion::latest()),
            &config.timing,
        )?;
        Ok(Self {
            config,
            base: base.load().await,
            wake,
            accounts: Mutex::default(),
            limits: Mutex::default(),
        })
    }

    /// The same on top of a given SDK configuration (credentials, endpoint) instead of the environment's.
    pub async fn with_sdk_config(
        config: ConnectorConfig,
        sdk: &SdkConfig,
        wake: mpsc::UnboundedSender<ObjectKey>,
    ) -> Result<Self, ConnectError> {
        Self::check(&config)?;
        let mut loader = settings(
            aws_config::defaults(BehaviorVersion::latest()),
            &config.timing,
        )?;
        if let Some(region) = sdk.region() {
            loader = loader.region(region.clone());
        }
        if let Some(credentials) = sdk.credentials_provider() {
            loader = loader.credentials_provider(credentials);
        }
        if let Some(url) = sdk.endpoint_url() {
            loader = loader.endpoint_url(url);
        }
        Ok(Self {
            config,
            base: loader.load().await,
            wake,
            accounts: Mutex::default(),
            limits: Mutex::default(),
        })
    }

    /// The account of that key; must be called on a tokio runtime, where its readers run.
    pub fn account(&self, key: &AccountKey) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts
            .entry(key.clone())
            .or_insert_with(|| Arc::new(self.open(key)));
        Arc::clone(account)
    }

    /// All accounts opened so far, for metrics.
    pub fn accounts(&self) -> Vec<(AccountKey, Arc<Account>)> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts
            .iter()
            .map(|(key, account)| (key.clone(), Arc::clone(account)))
            .collect()
    }

    /// The rate limits of an account in a Region, which all roles in it share.
    fn limits(&self, key: &AccountKey, tasks: &mut Vec<AbortHandle>) -> Arc<Limits> {
        let mut all = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (key.account_id().map(str::to_owned), key.region.clone());
        let limits = all.entry(place).or_insert_with(|| {
            let quotas = self.config.quotas.share(self.config.quota_share);
            let limits = Limits::new(&quotas, &self.config.timing, self.wake.clone());
            // Accounts live as long as the connector, and so does this.
            tasks.push(tokio::spawn(Arc::clone(&limits).run()).abort_handle());
            limits
        });
        Arc::clone(limits)
    }

    fn check(config: &ConnectorConfig) -> Result<(), ConnectError> {
        if config.quota_share > 0.0 && config.quota_share <= 1.0 {
            Ok(())
        } else {
            Err(ConnectError::QuotaShare(config.quota_share))
        }
    }

    fn open(&self, key: &AccountKey) -> Account {
        let region = Region::new(key.region.clone());
        let mut sdk = self.base.to_builder().region(region);
        if let Some(role) = &key.role {
            sdk = sdk
                .credentials_provider(Assumed::credentials(&self.base, &key.region, role))
                // Of its own: one cache for all would throw out the sessions of one account for those of others.
                .identity_cache(IdentityCache::lazy().build());
        }
        let sdk = sdk.build();
        let timing = &self.config.timing;
        let clients = Clients {
            ecs: aws_sdk_ecs::Client::new(&sdk),
            discovery: aws_sdk_servicediscovery::Client::new(&sdk),
            secrets: aws_sdk_secretsmanager::Client::new(&sdk),
            sts: aws_sdk_sts::Client::new(&sdk),
            cloudformation: aws_sdk_cloudformation::Client::new(&sdk),
            scaling: aws_sdk_applicationautoscaling::Client::new(&sdk),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&sdk),
            queues: queues(&sdk, timing),
        };
        let mut tasks = Vec::new();
        let limits = self.limits(key, &mut tasks);
        let calls = Arc::new(Calls::new(
            Arc::clone(&limits),
            self.config.permit.clone(),
            timing.write_timeout,
        ));
        let inventory = Inventory::new(
            clients.clone(),
            Arc::clone(&limits),
            Arc::clone(&calls),
            timing.clone(),
            self.wake.clone(),
        );
        tasks.extend(inventory.start());
        let secrets = SecretWatch::new(
            clients.clone(),
            Arc::clone(&limits),
            Arc::clone(&calls),
            timing.clone(),
            self.wake.clone(),
        );
        tasks.push(tokio::spawn(Arc::clone(&secrets).run()).abort_handle());
        Account {
            key: key.clone(),
            clients,
            limits,
            calls,
            inventory,
            secrets,
            timing: timing.clone(),
            tasks,
        }
    }
}

/// The SDK settings all clients share.
fn settings(
    loader: aws_config::ConfigLoader,
    timing: &Timing,
) -> Result<aws_config::ConfigLoader, ConnectError> {
    let timeouts = timeouts(timing, timing.call_timeout);
    let name = AppName::new("privateservice-operator").map_err(|_| ConnectError::AppName)?;
    Ok(loader
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .app_name(name))
}

fn timeouts(timing: &Timing, of_a_call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(timing.connect_timeout)
        .operation_attempt_timeout(of_a_call)
        .build()
}

/// The client of SQS, which holds a request open until there is something to say.
fn queues(sdk: &SdkConfig, timing: &Timing) -> aws_sdk_sqs::Client {
    let timeouts = timeouts(timing, event_queue::patience(timing));
    let config = aws_sdk_sqs::config::Builder::from(sdk).timeout_config(timeouts);
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// The SDK clients of one account.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) ecs: aws_sdk_ecs::Client,
    pub(crate) discovery: aws_sdk_servicediscovery::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
    pub(crate) scaling: aws_sdk_applicationautoscaling::Client,
    pub(crate) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(crate) queues: aws_sdk_sqs::Client,
}

/// One account in one Region.
#[derive(Debug)]
pub struct Account {
    pub(crate) key: AccountKey,
    pub(crate) clients: Clients,
    pub(crate) limits: Arc<Limits>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) inventory: Arc<Inventory>,
    secrets: Arc<SecretWatch>,
    timing: Timing,
    tasks: Vec<AbortHandle>,
}

impl Account {
    /// Which account this is.
    pub const fn key(&self) -> &AccountKey {
        &self.key
    }

    /// What is known of AWS.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The secrets of others that services name.
    pub fn secrets(&self) -> &SecretWatch {
        &self.secrets
    }

    /// The rate limits.
    pub fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// Reads a queue of ECS events, by its URL, until what this returns is dropped; what happened to a service that the inventory follows has
    /// it read again. `on_change` is called when trouble with the queue begins or ends. Must be called on a tokio runtime.
    pub fn read_events(
        &self,
        url: &str,
        on_change: impl Fn() + Send + Sync + 'static,
    ) -> EventQueue {
        let reader = Reader {
            url: url.to_owned(),
            client: self.clients.queues.clone(),
            limits: Arc::clone(&self.limits),
            calls: Arc::clone(&self.calls),
            inventory: Arc::clone(&self.inventory),
            timing: self.timing.clone(),
            on_change: Box::new(on_change),
        };
        reader.start()
    }

    /// Begins a reconcile pass of an object; see [`Limits::begin_pass`].
    pub fn begin_pass(&self, key: &ObjectKey) -> Pass {
        self.limits.begin_pass(key)
    }

    /// Forgets an object: its facts, its places in queues, its reservations.
    pub fn forget(&self, key: &ObjectKey) {
        self.inventory.untrack(key);
        self.secrets.forget(key);
        self.limits.withdraw(key);
    }

    /// How often each operation ended how.
    pub fn calls(&self) -> Vec<CallCount> {
        self.calls.counts()
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}
