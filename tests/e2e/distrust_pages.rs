//! What a sweep must not believe: a page that fails, a page that is empty, a permission that is gone.

use std::time::Duration;

use aws_sim::{Fault, FaultKind, Outcome};
use privateservice_tests::{Options, World, eventually};
use serde_json::json;

const NAMES: [&str; 3] = ["api", "web", "worker"];
const READS: [&str; 2] = ["ecs:DescribeServices", "servicediscovery:ListServices"];

async fn converged(options: Options) -> World {
    let world = World::start(options).await.unwrap();
    for name in NAMES {
        world
            .apply_service(name, "{source: {image: {name: 'nginx:1'}}}")
            .await
            .unwrap();
    }
    for name in NAMES {
        world.ready(name).await.unwrap();
    }
    world
}

/// Waits until the operator has met the fault so often after the mark.
async fn met(world: &World, mark: u64, read: &str, times: usize) {
    eventually(Duration::from_secs(90), "the fault to be met", async || {
        let calls = world.calls_since(mark).0;
        let hits = calls.iter().filter(|request| {
            request.name() == read && matches!(request.outcome, Outcome::Fault { .. })
        });
        let hits = hits.count();
        anyhow::ensure!(hits >= times, "met {hits} times");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_sweep_that_meets_bad_pages_creates_and_deletes_nothing() {
    let world = converged(Options {
        sweep_seconds: 2,
        ..Options::default()
    })
    .await;
    for read in READS {
        for kind in [
            FaultKind::ServerError,
            FaultKind::EmptyPage,
            FaultKind::AccessDenied,
        ] {
            let mark = world.mark();
            world.simulator.fault(Fault::always(read, kind.clone()));
            met(&world, mark, read, 3).await;
            world.simulator.clear_faults();
            for name in NAMES {
                world.ready(name).await.unwrap();
            }
            let writes = world.calls_since(mark).writes().counts();
            assert_eq!(writes, [].into(), "{read} {kind:?}");
        }
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_operator_that_starts_among_bad_pages_creates_and_deletes_nothing() {
    let mut world = converged(Options {
        sweep_seconds: 2,
        ..Options::default()
    })
    .await;
    for kind in [FaultKind::EmptyPage, FaultKind::AccessDenied] {
        world.kill_operator();
        let mark = world.mark();
        for read in READS {
            world.simulator.fault(Fault::always(read, kind.clone()));
        }
        world.start_operator().await.unwrap();
        for read in READS {
            met(&world, mark, read, 2).await;
        }
        world.simulator.clear_faults();
        for (turn, name) in NAMES.into_iter().enumerate() {
            world
                .reconcile(name, &format!("{kind:?} {turn}"))
                .await
                .unwrap();
            world.ready(name).await.unwrap();
        }
        assert_eq!(
            world.calls_since(mark).writes().counts(),
            [].into(),
            "{kind:?}"
        );
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn one_bad_page_among_good_ones_creates_and_deletes_nothing() {
    const FOREIGN: usize = 150;
    let options = Options {
        sweep_seconds: 2,
        ..Options::default()
    };
    let world = converged(options).await;
    // Names of others, so that the listing has two pages of a hundred at most.
    for number in 0..FOREIGN {
        let dns = json!({
            "NamespaceId": world.seeded.namespace_id(),
            "DnsRecords": [{"Type": "A", "TTL": 10}],
        });
        let body = json!({
            "Name": format!("foreign-{number}"), "NamespaceId": world.seeded.namespace_id(),
            "DnsConfig": dns,
        });
        let operation = "servicediscovery:CreateService";
        world.aws.call(operation, body).await.unwrap();
    }
    let list = "servicediscovery:ListServices";
    for kind in [FaultKind::ServerError, FaultKind::EmptyPage] {
        for page in 0..2 {
            let mark = world.mark();
            let fault = Fault::next(list, kind.clone(), 1).after(page);
            world.simulator.fault(fault);
            met(&world, mark, list, 1).await;
            let after = world.mark();
            eventually(Duration::from_mins(1), "a whole sweep", async || {
                let pages = world.calls_since(after).count(list);
                anyhow::ensure!(pages >= 4, "{pages} pages");
                Ok(())
            })
            .await
            .unwrap();
            for name in NAMES {
                world.ready(name).await.unwrap();
            }
            let writes = world.calls_since(mark).writes().counts();
            assert_eq!(writes, [].into(), "page {page} {kind:?}");
        }
    }
    world.finish().await.unwrap();
}
