//! Reads of Cloud Map services: one listing of a namespace for everybody in it.
//!
//! Absent needs all pages. Owners come from descriptions where those name a tracked owner, else from tags, asked for once.

use super::record::{IDLE, Seen};
use super::state::{DnsId, KnownOwner, Listing, State, Summary, TAGS_KEPT};
use super::{Inventory, now};
use crate::calls::CallError;
use crate::limits::{Bucket, Priority};
use crate::operations::{LIST_DNS_SERVICES, LIST_DNS_TAGS};
use crate::timing::Timing;
use crate::{clock, convert};
use aws_sdk_servicediscovery::operation::list_tags_for_resource::ListTagsForResourceError;
use aws_sdk_servicediscovery::types::{
    FilterCondition, ServiceFilter, ServiceFilterName, ServiceSummary,
};
use privateservice_core::failure::Failure;
use privateservice_core::observed::ObservedDns;
use privateservice_core::owner::Owner;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Services on one page (AWS: Cloud Map API reference, ListServices).
const PAGE: i32 = 100;

/// A namespace holds at most 300 of our services and as many of Service Connect's; far more pages than that are an endless loop.
const MOST_PAGES: usize = 200;

/// What to do next.
enum Next {
    List {
        namespace: String,
        priority: Priority,
    },
    At(Instant),
}

impl Inventory {
    /// Lists the namespaces that are wanted. Never returns.
    pub(super) async fn read_dns(self: Arc<Self>) {
        loop {
            let next = next(&mut self.lock(), now(), &self.timing);
            match next {
                Next::At(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = self.dns_reads.notified() => {}
                    }
                }
                Next::List {
                    namespace,
                    priority,
                } => {
                    tokio::spawn(Arc::clone(&self).list_namespace(namespace, priority));
                }
            }
        }
    }

    async fn list_namespace(self: Arc<Self>, namespace: String, priority: Priority) {
        self.limits.admit(Bucket::CloudMapRead, priority).await;
        let began = clock::now();
        let start = begin(&mut self.lock(), &namespace);
        let entries = self.all_pages(&namespace, priority).await;
        let (lookups, entries) = match entries {
            Ok(entries) => (
                lookups(&self.lock(), &namespace, &entries, now()),
                Ok(entries),
            ),
            Err(failure) => (Vec::new(), Err(failure)),
        };
        let mut unknown_owners = HashMap::new();
        for summary in lookups {
            self.limits.admit(Bucket::CloudMapRead, priority).await;
            match self.tag_owner(&summary.arn).await {
                Ok(owner) => self.learn_tag_owner(&summary.id, owner),
                Err(error) => drop(unknown_owners.insert(summary.id, error.failure)),
            }
        }
        self.apply(&namespace, start, began, entries, &unknown_owners);
        self.dns_reads.notify_one();
    }

    /// Every service of a namespace, or the failure of one page.
    async fn all_pages(
        &self,
        namespace: &str,
        priority: Priority,
    ) -> Result<HashMap<String, Summary>, Failure> {
        let filter = ServiceFilter::builder()
            .name(ServiceFilterName::NamespaceId)
            .condition(FilterCondition::Eq)
            .values(namespace)
            .build()
            .map_err(|_| incomplete("the filter could not be built"))?;
        let mut entries = HashMap::new();
        let mut token: Option<String> = None;
        for page in 0..MOST_PAGES {
            let request = self
                .clients
                .discovery
                .list_services()
                .filters(filter.clone())
                .max_results(PAGE)
                .set_next_token(token.take());
            let call = || request.clone().send();
            let answer = self.page(page, LIST_DNS_SERVICES, priority, call).await?;
            entries.extend(answer.services().iter().filter_map(summary));
            token = answer.next_token;
            if token.is_none() {
                return Ok(entries);
            }
        }
        Err(incomplete("the listing does not end"))
    }

    /// The owner in the tags of a Cloud Map service. Must have been admitted.
    pub(crate) async fn tag_owner(
        &self,
        arn: &str,
    ) -> Result<Option<Owner>, CallError<ListTagsForResourceError>> {
        let call = self
            .clients
            .discovery
            .list_tags_for_resource()
            .resource_arn(arn)
            .send();
        let answer = self.calls.send(LIST_DNS_TAGS, call).await?;
        Ok(Owner::from_tags(&convert::from_discovery(answer.tags())))
    }

    /// Remembers the owner in the tags of a Cloud Map service; it outranks the description.
    pub(crate) fn learn_tag_owner(&self, id: &str, owner: Option<Owner>) {
        self.lock().tag_owners.insert(id.to_owned(), (owner, now()));
    }

    fn apply(
        &self,
        namespace: &str,
        start: u64,
        began: k8s_openapi::jiff::Timestamp,
        entries: Result<HashMap<String, Summary>, Failure>,
        unknown_owners: &HashMap<String, Failure>,
    ) {
        let now = now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut outcomes: Vec<(DnsId, Seen<ObservedDns>)> = Vec::new();
        for id in ids(state, namespace) {
            let outcome = match &entries {
                Err(failure) => Seen::Failed(failure.clone()),
                Ok(entries) => match entries.get(&id.1) {
                    None => Seen::Absent,
                    Some(summary) => present(state, &id, summary, unknown_owners, now),
                },
            };
            outcomes.push((id, outcome));
        }
        let known = state.namespaces.entry(namespace.to_owned()).or_default();
        known.listing_runs = false;
        for (id, outcome) in outcomes {
            let Some(record) = state.dns.get_mut(&id) else {
                continue;
            };
            if record.complete(start, outcome, began, now, &self.timing) {
                self.wake(&record.watchers);
            }
            if record.wanted().is_some() {
                state.wanted_dns.insert(id);
            }
        }
        state
            .tag_owners
            .retain(|_, (_, read)| now.saturating_duration_since(*read) < TAGS_KEPT);
        if let Ok(entries) = entries {
            known.touched.retain(|_, touched| *touched >= start);
            known.listing = Some(Listing {
                start,
                began,
                at: now,
                entries,
            });
        }
    }
}

fn present(
    state: &State,
    id: &DnsId,
    summary: &Summary,
    unknown_owners: &HashMap<String, Failure>,
    now: Instant,
) -> Seen<ObservedDns> {
    match state.dns_owner(summary, &owners(state, id), now) {
        Some(KnownOwner(owner)) => Seen::Present(ObservedDns {
            id: summary.id.clone(),
            arn: summary.arn.clone(),
            owner,
        }),
        None => Seen::Failed(
            unknown_owners
                .get(&summary.id)
                .cloned()
                .unwrap_or_else(|| incomplete("it is not known yet whose it is")),
        ),
    }
}

fn summary(found: &ServiceSummary) -> Option<(String, Summary)> {
    let summary = Summary {
        id: found.id()?.to_owned(),
        arn: found.arn()?.to_owned(),
        described: found.description().and_then(convert::description_owner),
    };
    Some((found.name()?.to_owned(), summary))
}

fn incomplete(message: &str) -> Failure {
    Failure::Ambiguous {
        operation: LIST_DNS_SERVICES.name,
        message: message.to_owned(),
    }
}

fn ids(state: &State, namespace: &str) -> Vec<DnsId> {
    state
        .dns
        .keys()
        .filter(|(other, _)| other == namespace)
        .cloned()
        .collect()
}

/// The tracked owners who claim a name.
fn owners<'a>(state: &'a State, id: &DnsId) -> Vec<&'a Owner> {
    let watchers = state.dns.get(id).map(|record| &record.watchers);
    watchers
        .into_iter()
        .flatten()
        .filter_map(|key| state.objects.get(key).map(|tracked| &tracked.owner))
        .collect()
}

/// Tracked names whose owner the listing does not tell.
fn lookups(
    state: &State,
    namespace: &str,
    entries: &HashMap<String, Summary>,
    now: Instant,
) -> Vec<Summary> {
    ids(state, namespace)
        .iter()
        .filter_map(|id| {
            let summary = entries.get(&id.1)?;
            state
                .dns_owner(summary, &owners(state, id), now)
                .is_none()
                .then(|| summary.clone())
        })
        .collect()
}

/// Everything tracked in the namespace takes part in the listing.
fn begin(state: &mut State, namespace: &str) -> u64 {
    let start = state.next();
    for id in ids(state, namespace) {
        state.wanted_dns.remove(&id);
        if let Some(record) = state.dns.get_mut(&id) {
            record.begin(start);
        }
    }
    start
}

/// The most urgent namespace that is ready; its listing is marked as running.
fn next(state: &mut State, now: Instant, timing: &Timing) -> Next {
    let dns = &state.dns;
    state
        .wanted_dns
        .retain(|id| dns.get(id).is_some_and(|one| one.wanted().is_some()));
    let mut best: Option<(&str, Priority)> = None;
    let mut soonest: Option<Instant> = None;
    for id in &state.wanted_dns {
        let Some((wanted, at)) = dns
            .get(id)
            .and_then(|record| Some((record.wanted()?, record.ready_at(timing)?)))
        else {
            continue;
        };
        if state
            .namespaces
            .get(&id.0)
            .is_some_and(|known| known.listing_runs)
        {
            continue;
        }
        if at > now {
            soonest = Some(soonest.map_or(at, |other| other.min(at)));
        } else if best.is_none_or(|(_, other)| wanted.priority.is_before(other)) {
            best = Some((&id.0, wanted.priority));
        }
    }
    let Some((namespace, priority)) = best else {
        return Next::At(soonest.unwrap_or(now + IDLE));
    };
    let namespace = namespace.to_owned();
    state
        .namespaces
        .entry(namespace.clone())
        .or_default()
        .listing_runs = true;
    Next::List {
        namespace,
        priority,
    }
}
