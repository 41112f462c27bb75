//! 300 services in one Environment with AWS's published rates enforced: how near the end comes to what the scarcest rate allows,
//! and whether somebody who edits one service in the middle notices the crowd.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aws_sim::{Quotas, Request};
use futures::{StreamExt, TryStreamExt};
use privateservice_tests::world::service;
use privateservice_tests::{Options, World};

use crate::many::{ready_count, until_ready};
use crate::report::say;

const REGISTER: &str = "ecs:RegisterTaskDefinition";

/// RegisterTaskDefinition: 20 at once, then one a second (ECS developer guide, Request throttling).
const BURST: f64 = 20.0;
const RATE: f64 = 1.0;

/// The measurement.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) services: usize,
    pub(crate) share: f64,
    pub(crate) bound_seconds: f64,
    pub(crate) last_registration_seconds: f64,
    pub(crate) seconds: f64,
    pub(crate) calls: usize,
    pub(crate) throttled: usize,
    pub(crate) registered_after_seconds: f64,
    pub(crate) updated_after_seconds: f64,
    pub(crate) peak_memory_mib: u64,
    pub(crate) cpu_seconds: f64,
}

/// Measures it.
///
/// # Errors
/// When something does not come about at all.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) async fn measure(services: usize) -> Result<Edit> {
    say(&format!(
        "\n{services} services in one Environment, AWS's rates enforced, one edited in the middle"
    ));
    let options = Options {
        quotas: Some(Quotas::default()),
        ..Options::default()
    };
    let share = options.quota_share;
    let world = World::start(options).await?;
    world.quiet().await?;
    // One registration more than services: the edit's.
    let bound_seconds = ((services + 1) as f64 - BURST * share) / (RATE * share);
    say(&format!(
        "  the scarcest rate bounds it at {bound_seconds:.0} s"
    ));

    let begin = Instant::now();
    let mark = world.mark();
    let manifests = (0..services).map(|number| {
        service(
            &format!("web-{number}"),
            "{source: {image: {name: 'nginx:1'}}}",
        )
    });
    futures::stream::iter(manifests)
        .map(|manifest| async { world.apply(&manifest?).await })
        .buffer_unordered(8)
        .try_collect::<Vec<()>>()
        .await?;
    while ready_count(&world).await? < services / 2 {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let (registered_after_seconds, updated_after_seconds) = edit_one(&world).await?;
    say(&format!(
        "  the edit was sent to AWS after {updated_after_seconds:.2} s"
    ));
    let last = last_registration(&world, services + 1, begin).await?;
    until_ready(&world, services, begin).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let calls = world.calls_since(mark);
    let usage = world.operator()?.usage()?;
    world.finish().await?;
    Ok(Edit {
        services,
        share,
        bound_seconds,
        last_registration_seconds: last,
        seconds,
        calls: calls.total(),
        throttled: calls.throttled(),
        registered_after_seconds,
        updated_after_seconds,
        peak_memory_mib: usage.peak_memory_mib,
        cpu_seconds: usage.cpu_seconds,
    })
}

/// Edits a service that is Ready; seconds until its registration and until its update.
async fn edit_one(world: &World) -> Result<(f64, f64)> {
    let services = world
        .services()
        .list(&kube::api::ListParams::default())
        .await?;
    let ready = services.items.into_iter().find(|service| {
        let rollout = service
            .status
            .as_ref()
            .and_then(|status| status.rollout.as_ref());
        rollout
            .and_then(|rollout| rollout.phase)
            .is_some_and(|phase| phase.as_str() == "Complete")
    });
    let name = ready
        .and_then(|service| service.metadata.name)
        .context("none is Ready")?;
    let mark = world.mark();
    world
        .apply_service(&name, "{source: {image: {name: 'nginx:2'}}}")
        .await?;
    let begin = Instant::now();
    let family = format!("staging_{name}");
    let registered = sent(world, mark, begin, |request| {
        request.name() == REGISTER && request.body["family"] == family.as_str()
    })
    .await?;
    let updated = sent(world, mark, begin, |request| {
        let service = request.body["service"].as_str().unwrap_or_default();
        request.operation == "UpdateService" && service.rsplit('/').next() == Some(name.as_str())
    })
    .await?;
    Ok((registered, updated))
}

async fn sent(
    world: &World,
    mark: u64,
    begin: Instant,
    matches: impl Fn(&Request) -> bool,
) -> Result<f64> {
    loop {
        if world.calls_since(mark).0.iter().any(&matches) {
            return Ok(begin.elapsed().as_secs_f64());
        }
        ensure!(
            begin.elapsed() < Duration::from_mins(10),
            "it was never sent"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits for so many registrations; seconds from the beginning to the last.
async fn last_registration(world: &World, registrations: usize, begin: Instant) -> Result<f64> {
    let mut told = 0;
    loop {
        let done = world.calls().effects(REGISTER);
        if done >= registrations {
            return Ok(begin.elapsed().as_secs_f64());
        }
        if done >= told + 50 {
            told = done;
            say(&format!(
                "  {done} registered after {:.0} s",
                begin.elapsed().as_secs_f64()
            ));
        }
        ensure!(
            begin.elapsed() < Duration::from_hours(1),
            "{done} registrations"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
