//! Many services over four Environments - a Cloud Map namespace holds 300 - and what they cost until they run, at rest, after a
//! restart, and in one sweep.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aws_sim::Quotas;
use futures::{StreamExt, TryStreamExt};
use kube::api::ListParams;
use privateservice_tests::world::{DEADLINE, service};
use privateservice_tests::{Calls, Options, World, eventually};
use serde_json::json;

use crate::report::{listed, say};

const ENVIRONMENTS: [&str; 4] = ["staging", "blue", "green", "red"];

/// How often the apply-to-first-call latency is measured; the middle one counts.
const LATENCIES: usize = 9;

/// Longer than a sweep over all of them, and than what it takes to come to rest.
const SWEEP_SECONDS: u32 = 45;

/// How many manifests are applied at once.
const AT_ONCE: usize = 8;

/// Calls about Environments rather than services.
const LOOKS_AT_ENVIRONMENTS: [&str; 3] = [
    "sts:GetCallerIdentity",
    "ecs:DescribeClusters",
    "servicediscovery:GetNamespace",
];

/// One measurement.
#[derive(Debug)]
pub(crate) struct Row {
    /// How many services.
    pub(crate) services: usize,
    /// Whether AWS's rates were enforced, and kept by the operator.
    pub(crate) enforced: bool,
    /// From the first apply until all were Ready.
    pub(crate) seconds: f64,
    /// AWS calls until then.
    pub(crate) calls: usize,
    /// The same by operation.
    pub(crate) operations: BTreeMap<String, usize>,
    /// Of these, throttled by AWS.
    pub(crate) throttled_percent: f64,
    /// Calls of one pass over each service that changes nothing.
    pub(crate) noop_calls: usize,
    /// Calls about services after a restart, until it is at rest.
    pub(crate) restart_calls: usize,
    /// Calls of one sweep.
    pub(crate) sweep_calls: usize,
    /// From the answer to an apply until the first AWS call for it.
    pub(crate) latency_ms: f64,
    /// Most memory the operator had.
    pub(crate) peak_memory_mib: u64,
    /// Processor time the operator took.
    pub(crate) cpu_seconds: f64,
}

/// Measures one size.
///
/// # Errors
/// When something does not come about at all.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) async fn measure(services: usize, enforced: bool) -> Result<Row> {
    let rates = if enforced { "enforced" } else { "lifted" };
    say(&format!(
        "\n{services} services over four Environments, AWS's rates {rates}"
    ));
    let mut world = start(enforced).await?;
    world.quiet().await?;

    let begin = Instant::now();
    let mark = world.mark();
    apply_all(&world, services).await?;
    say(&format!(
        "  applied after {:.0} s",
        begin.elapsed().as_secs_f64()
    ));
    until_ready(&world, services, begin).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let converged = world.calls_since(mark);
    let usage = world.operator()?.usage()?;
    say(&format!(
        "  all Ready after {seconds:.0} s with {} calls",
        converged.total()
    ));

    world.quiet().await?;
    let mark = world.mark();
    pass_over_all(&world, services).await?;
    world.quiet().await?;
    let noop_calls = about_services(world.calls_since(mark)).total();
    say(&format!(
        "  {noop_calls} calls in a pass over each that changes nothing"
    ));

    let latency_ms = latency(&world).await?;
    say(&format!(
        "  {latency_ms:.0} ms from an apply to its first call"
    ));

    world.kill_operator();
    world.settings().sweep_seconds = SWEEP_SECONDS;
    let mark = world.mark();
    world.start_operator().await?;
    world.quiet().await?;
    let restart = about_services(world.calls_since(mark));
    let restart_calls = restart.total();
    say(&format!(
        "  {restart_calls} calls after a restart ({}); waiting for a sweep",
        listed(&restart.counts())
    ));

    let mark = world.mark();
    eventually(DEADLINE, "a sweep", async || {
        let calls = about_services(world.calls_since(mark));
        ensure!(calls.count("ecs:DescribeServices") > 0, "no sweep yet");
        Ok(())
    })
    .await?;
    world.quiet().await?;
    let sweep_calls = about_services(world.calls_since(mark)).total();
    say(&format!("  {sweep_calls} calls in a sweep"));
    world.finish().await?;
    Ok(Row {
        services,
        enforced,
        seconds,
        calls: converged.total(),
        throttled_percent: 100.0 * converged.throttled() as f64 / converged.total() as f64,
        operations: converged.counts(),
        noop_calls,
        restart_calls,
        sweep_calls,
        latency_ms,
        peak_memory_mib: usage.peak_memory_mib,
        cpu_seconds: usage.cpu_seconds,
    })
}

async fn start(enforced: bool) -> Result<World> {
    let options = Options {
        quotas: enforced.then(Quotas::default),
        ..Options::default()
    };
    let mut world = World::bare(options).await?;
    if !enforced {
        world.settings().binary = Some(std::env::current_exe()?);
    }
    world.start_operator().await?;
    for name in ENVIRONMENTS {
        let seeded = if name == "staging" {
            world.seeded.clone()
        } else {
            world
                .seeded
                .with_namespace(&world.aws, &format!("{name}.internal"))
                .await?
        };
        world.apply(&seeded.environment(name)).await?;
        world.environment_ready(name).await?;
    }
    Ok(world)
}

async fn apply_all(world: &World, services: usize) -> Result<()> {
    let manifests = (0..services)
        .zip(ENVIRONMENTS.into_iter().cycle())
        .map(|(number, place)| {
            let spec = format!("{{environment: {place}, source: {{image: {{name: 'nginx:1'}}}}}}");
            service(&format!("web-{number}"), &spec)
        });
    futures::stream::iter(manifests)
        .map(|manifest| async { world.apply(&manifest?).await })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

/// Waits until all are Ready, telling how many are.
pub(crate) async fn until_ready(world: &World, services: usize, begin: Instant) -> Result<()> {
    let mut told = 0;
    loop {
        let ready = ready_count(world).await?;
        if ready == services {
            return Ok(());
        }
        if ready >= told + services / 5 {
            told = ready;
            say(&format!(
                "  {ready} Ready after {:.0} s",
                begin.elapsed().as_secs_f64()
            ));
        }
        ensure!(
            begin.elapsed() < Duration::from_hours(1),
            "{ready} of {services} are Ready"
        );
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// How many services are Ready.
pub(crate) async fn ready_count(world: &World) -> Result<usize> {
    let all = world.services().list(&ListParams::default()).await?;
    let ready = all.items.iter().filter(|service| {
        let conditions = service
            .status
            .as_ref()
            .map(|status| status.conditions.as_slice());
        let mut conditions = conditions.unwrap_or_default().iter();
        conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
    });
    Ok(ready.count())
}

/// Edits every Environment so that its services are looked at, and nothing is to be done for any.
async fn pass_over_all(world: &World, services: usize) -> Result<()> {
    let before = world.reconciles().await?;
    let selector = json!({"matchExpressions": [{"key": "never", "operator": "DoesNotExist"}]});
    for name in ENVIRONMENTS {
        let patch = json!({"spec": {"allowedNamespaces": selector}});
        world.patch_environment(name, &patch).await?;
    }
    eventually(DEADLINE, "a pass over each", async || {
        let passes = world.reconciles().await? - before;
        ensure!(passes >= services as u64, "{passes} passes");
        Ok(())
    })
    .await
}

async fn latency(world: &World) -> Result<f64> {
    let mut all = Vec::new();
    for number in 0..LATENCIES {
        let name = format!("late-{number}");
        let mark = world.mark();
        world
            .apply_service(&name, "{source: {image: {name: 'nginx:1'}}}")
            .await?;
        let begin = Instant::now();
        while world
            .simulator
            .requests()
            .last()
            .is_none_or(|request| request.seq <= mark)
        {
            ensure!(begin.elapsed() < DEADLINE, "no call for {name}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        all.push(begin.elapsed().as_secs_f64() * 1000.0);
        world.ready(&name).await?;
        world.quiet().await?;
    }
    all.sort_by(f64::total_cmp);
    all.get(LATENCIES / 2)
        .copied()
        .context("nothing was measured")
}

fn about_services(mut calls: Calls) -> Calls {
    calls
        .0
        .retain(|call| !LOOKS_AT_ENVIRONMENTS.contains(&call.name().as_str()));
    calls
}
