//! Metrics in OpenMetrics text. Counted in process; AWS's numbers are read from the connector when scraped.
//!
//! Invariant: labels are from closed sets; the name of an object is never one.

use crate::context::Context;
use privateservice_api::conditions::{ConditionType, Reason};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Upper bounds of the buckets for the duration of a pass, in seconds. A pass without a call takes less than a millisecond; one call to
/// AWS takes up to 20 s.
const SECONDS: [f64; 8] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 30.0];

/// The process's metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    reconciles: Family<ReconcileLabels, Counter>,
    durations: Family<KindLabels, Histogram, fn() -> Histogram>,
    status_writes: Family<KindLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    kind: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("privateservice");
        let reconciles = Family::default();
        let durations: Family<KindLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        let status_writes = Family::default();
        registry.register(
            "reconciles",
            "Passes, by kind and by the reason Ready had after them",
            reconciles.clone(),
        );
        registry.register(
            "reconcile_duration_seconds",
            "Duration of a pass",
            durations.clone(),
        );
        registry.register("status_writes", "Statuses written", status_writes.clone());
        Self {
            registry: Mutex::new(registry),
            reconciles,
            durations,
            status_writes,
        }
    }
}

impl Metrics {
    /// Counts a pass: `reason` is the one Ready has after it, `None` if the pass could not be finished or there is none.
    pub fn reconciled(&self, kind: &'static str, reason: Option<Reason>, took: Duration) {
        let reason = reason.map_or("None", Reason::as_str);
        self.reconciles
            .get_or_create(&ReconcileLabels { kind, reason })
            .inc();
        self.durations
            .get_or_create(&KindLabels { kind })
            .observe(took.as_secs_f64());
    }

    /// Counts a status that was written.
    pub fn status_written(&self, kind: &'static str) {
        self.status_writes.get_or_create(&KindLabels { kind }).inc();
    }

    /// Everything, as text.
    ///
    /// # Errors
    /// None in practice: the text is written into memory.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(
            &mut text,
            &self.registry.lock().unwrap_or_else(PoisonError::into_inner),
        )?;
        Ok(text)
    }

    /// Also shows what the context knows, for as long as it lives.
    pub fn show(context: &Arc<Context>) {
        let view = View(Arc::downgrade(context));
        let registry = &context.metrics.registry;
        registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .register_collector(Box::new(view));
    }
}

/// What is read when scraped.
#[derive(Debug)]
struct View(Weak<Context>);

impl Collector for View {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(context) = self.0.upgrade() else {
            return Ok(());
        };
        aws_calls(&context, &mut encoder)?;
        queues(&context, &mut encoder)?;
        tracked(&context, &mut encoder)?;
        objects(&context, &mut encoder)
    }
}

fn aws_calls(context: &Context, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(
        "aws_calls",
        "Calls to AWS, by assumed role, Region, operation and outcome",
        None,
        MetricType::Counter,
    )?;
    for (key, account) in context.connector.accounts() {
        for call in account.calls() {
            let labels = [
                ("role", key.role.as_ref().map_or("", |role| &role.role_arn)),
                ("region", key.region.as_str()),
                ("operation", call.operation),
                ("outcome", call.outcome),
            ];
            ConstCounter::new(call.count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn queues(context: &Context, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(
        "aws_queue_length",
        "Calls that wait for AWS's rate limits, by account of assumed roles, Region and API bucket",
        None,
        MetricType::Gauge,
    )?;
    let accounts = context.connector.accounts();
    let mut seen = BTreeSet::new();
    for (key, account) in &accounts {
        // Roles of one account share its limits.
        if !seen.insert((key.account_id(), key.region.as_str())) {
            continue;
        }
        for bucket in privateservice_aws::Bucket::ALL {
            let labels = [
                ("account", key.account_id().unwrap_or_default()),
                ("region", key.region.as_str()),
                ("bucket", bucket.as_str()),
            ];
            gauge(account.limits().waiting(bucket)).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn tracked(context: &Context, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(
        "aws_tracked_services",
        "Services the inventory keeps an eye on, by assumed role and Region",
        None,
        MetricType::Gauge,
    )?;
    for (key, account) in context.connector.accounts() {
        let labels = [
            ("role", key.role.as_ref().map_or("", |role| &role.role_arn)),
            ("region", key.region.as_str()),
        ];
        gauge(account.inventory().tracked()).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn objects(context: &Context, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for object in context.services.state() {
        let conditions = object
            .status
            .as_ref()
            .map(|status| status.conditions.as_slice())
            .unwrap_or_default();
        let reason = conditions
            .iter()
            .find(|condition| condition.type_ == ConditionType::Ready.as_str())
            .and_then(|condition| Reason::parse(&condition.reason));
        *counts
            .entry(reason.map_or("Unseen", Reason::as_str))
            .or_default() += 1;
    }
    let mut family = encoder.encode_descriptor(
        "objects",
        "PrivateServices, by the reason of Ready",
        None,
        MetricType::Gauge,
    )?;
    for (reason, count) in counts {
        gauge(count).encode(family.encode_family(&[("reason", reason)])?)?;
    }
    Ok(())
}

fn gauge(value: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_counted_by_kind_and_reason() {
        let metrics = Metrics::default();
        metrics.reconciled(
            "PrivateService",
            Some(Reason::Succeeded),
            Duration::from_millis(2),
        );
        metrics.reconciled("PrivateService", None, Duration::from_millis(2));
        let text = metrics.text().unwrap();
        for line in [
            r#"privateservice_reconciles_total{kind="PrivateService",reason="Succeeded"} 1"#,
            r#"privateservice_reconciles_total{kind="PrivateService",reason="None"} 1"#,
            r#"privateservice_reconcile_duration_seconds_count{kind="PrivateService"} 2"#,
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
