//! The parts of an Environment.

use crate::backdrop::NAMESPACE;
use crate::world::{World, edit};
use aws_sim::{Fault, FaultKind};
use privateservice_api::conditions::Reason;
use privateservice_core::environment::{ClusterFacts, EnvironmentQuery, NamespaceFacts};
use privateservice_core::failure::Failure;

fn namespace_arn(id: &str) -> String {
    format!("arn:aws:servicediscovery:us-east-1:111122223333:namespace/{id}")
}

#[tokio::test]
async fn what_is_there_is_described() {
    let world = World::new().await;
    let query = EnvironmentQuery {
        role: None,
        cluster_arn: world.cluster.clone(),
        namespace_arn: namespace_arn(NAMESPACE),
    };
    let facts = world.link.account.look_at_environment(&query, edit()).await;
    assert_eq!(facts.account.as_deref(), Ok("111122223333"));
    let cluster = ClusterFacts {
        arn: world.cluster.clone(),
        active: true,
        capacity_providers: vec!["FARGATE".into()],
    };
    assert_eq!(facts.cluster, Ok(Some(cluster)));
    let namespace = NamespaceFacts {
        arn: namespace_arn(NAMESPACE),
        name: "flexstack.internal".into(),
        dns_private: true,
    };
    assert_eq!(facts.namespace, Ok(Some(namespace)));
}

#[tokio::test]
async fn what_is_not_there_is_told_from_what_cannot_be_seen() {
    let world = World::new().await;
    let query = EnvironmentQuery {
        role: None,
        cluster_arn: world.cluster.replace("flexstack", "nowhere"),
        namespace_arn: namespace_arn("ns-2"),
    };
    let facts = world.link.account.look_at_environment(&query, edit()).await;
    assert_eq!((facts.cluster, facts.namespace), (Ok(None), Ok(None)));
    world.sim.fault(Fault::always("*", FaultKind::AccessDenied));
    let facts = world.link.account.look_at_environment(&query, edit()).await;
    for failure in [facts.cluster.unwrap_err(), facts.namespace.unwrap_err()] {
        assert!(
            matches!(
                failure,
                Failure::Waiting {
                    reason: Reason::AccessDenied,
                    ..
                }
            ),
            "{failure:?}"
        );
    }
}
