use super::*;
use crate::inventory::record::Why;
use crate::limits::Lane;
use aws_sdk_ecs::types as sdk;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::observed::Scope;
use privateservice_core::owner::{ObjectKey, Owner};

fn scope(cluster: &str, service: &str) -> Scope {
    Scope {
        cluster_arn: cluster.to_owned(),
        service: service.to_owned(),
        namespace_id: "ns-1".to_owned(),
        family: service.to_owned(),
    }
}

fn failed(reason: Option<Reason>) -> Seen<ServiceDeployment> {
    let operation = DESCRIBE_SERVICE_DEPLOYMENTS.name;
    let message = String::new();
    Seen::Failed(match reason {
        Some(Reason::InvalidSpec) => Failure::Refused {
            operation,
            message,
            reason: Reason::InvalidSpec,
        },
        Some(reason) => Failure::Waiting {
            operation,
            message,
            reason,
        },
        None => Failure::Throttled { operation },
    })
}

/// Services "a" and "b" of one cluster and "c" of another, all wanted, after a read of each that failed so. Their batches, in order.
fn batches_after(reason: Option<Reason>) -> Vec<Vec<String>> {
    let (mut state, timing, now) = (State::default(), Timing::default(), Instant::now());
    let priority = Priority {
        lane: Lane::Polling,
        since: Timestamp::UNIX_EPOCH,
    };
    for (cluster, name) in [("one", "a"), ("one", "b"), ("two", "c")] {
        let key = ObjectKey {
            namespace: "team".to_owned(),
            name: name.to_owned(),
        };
        let owner = Owner {
            cluster_id: "kube".to_owned(),
            namespace: "team".to_owned(),
            name: name.to_owned(),
        };
        state.track(&key, scope(cluster, name), owner, now, &timing);
        let primary = sdk::Deployment::builder().id("ecs-svc/1").status("PRIMARY");
        let found = sdk::Service::builder()
            .service_arn(name)
            .status("ACTIVE")
            .deployments(primary.build())
            .current_service_deployment(format!("arn:{name}"));
        let service = convert::observed_service(&found.build()).unwrap();
        let id = (cluster.to_owned(), name.to_owned());
        state.rollouts.service_seen(&id, &service, 0);
        let record = state.services.get_mut(&id).unwrap();
        record.learn(service, Timestamp::UNIX_EPOCH);
        let record = state.rollouts.records.get_mut(&id).unwrap();
        let at = Timestamp::UNIX_EPOCH;
        record.complete(1, failed(reason), at, now, &timing);
        record.want(Why::Poll, priority, now);
        state.rollouts.wanted.insert(id);
    }
    let later = now + timing.retry_cap;
    std::iter::from_fn(|| take_batch(&mut state, later, &timing))
        .map(|batch| batch.members.into_iter().map(|one| one.id.1).collect())
        .collect()
}

#[test]
fn clusters_share_a_call_also_after_a_passing_failure() {
    assert_eq!(batches_after(None), [["a", "b", "c"]]);
}

#[test]
fn a_denial_in_one_cluster_does_not_spread_to_another() {
    let batches = batches_after(Some(Reason::AccessDenied));
    assert_eq!(batches, [vec!["a", "b"], vec!["c"]]);
}

#[test]
fn a_refusal_does_not_spread_at_all() {
    let batches = batches_after(Some(Reason::InvalidSpec));
    assert_eq!(batches, [["a"], ["b"], ["c"]]);
}
