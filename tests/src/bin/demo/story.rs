//! The story the demo tells, step by step. Each step checks that what it shows is what it says.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aws_sim::{Behaviour, Load, Subject};
use privateservice_tests::command;
use privateservice_tests::world::ENVIRONMENT;
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

use crate::screen::{kubectl, kubectl_with, refused, say, step};

/// Simulated seconds in a real one: a rollout that takes AWS a minute takes eight seconds, and each of its phases longer than the
/// operator's poll interval.
const SPEED: f64 = 8.0;

const SOON: Duration = Duration::from_mins(1);

/// Tells it all.
///
/// # Errors
/// The first thing that did not come true.
pub(crate) async fn tell() -> Result<()> {
    let mut world = start().await?;
    environment(&mut world).await?;
    samples(&world).await?;
    names(&world).await?;
    update(&world).await?;
    failure(&world).await?;
    secret(&world).await?;
    busy(&world).await?;
    pause(&world).await?;
    refusals(&world).await?;
    deletion(&world).await?;
    price(&world);
    if std::env::var("DEMO").as_deref() == Ok("stay") {
        stay(&world).await?;
    }
    clean_up(&world).await?;
    step("The end: stopping everything and checking every request against AWS's own API models");
    world.finish().await
}

/// Leaves everything running until the person has tried out enough.
async fn stay(world: &World) -> Result<()> {
    step("Yours to try (DEMO=stay): in another terminal");
    let kubectl = command::tool("kubectl")?;
    say(&format!(
        "   export KUBECONFIG={}\n   alias kubectl={}\n   Press Enter here to end it.",
        world.plane()?.kubeconfig().display(),
        kubectl.display()
    ));
    let enter = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    enter.await??;
    Ok(())
}

async fn start() -> Result<World> {
    step("Starting a Kubernetes control plane and a simulated AWS");
    let begin = Instant::now();
    let world = World::bare(Options {
        speed: SPEED,
        network_only: true,
        events: true,
        ..Options::default()
    })
    .await?;
    say(&format!(
        "   etcd, kube-apiserver and kube-controller-manager run at {} ({:.1} s).",
        world.plane()?.server(),
        begin.elapsed().as_secs_f64()
    ));
    let seeded = &world.seeded;
    say(&format!(
        "   AWS is simulated, {SPEED} times as fast as the real one. In account {} there is a network, {} with {}, and nothing else.",
        seeded.account,
        seeded.vpc,
        seeded.subnets.join(" and ")
    ));
    let namespace = format!(
        "config set-context --current --namespace={}",
        world.namespace
    );
    kubectl(&world, &namespace).await?;
    Ok(world)
}

async fn environment(world: &mut World) -> Result<()> {
    step("Starting the operator");
    let begin = Instant::now();
    world.start_operator().await?;
    say("   $ privateservice-operator run --cluster-id=the-cluster ...");
    say(&format!(
        "   It is ready after {:.1} s.",
        begin.elapsed().as_secs_f64()
    ));

    step(
        "The platform team says where services run: an Environment. What it needs is made, in one CloudFormation stack",
    );
    let mut environment = world.seeded.environment(ENVIRONMENT);
    let spec = environment["spec"]
        .as_object_mut()
        .context("an Environment without a spec")?;
    spec.remove("existing");
    spec.insert("deletionPolicy".into(), "Delete".into());
    kubectl_with(world, "apply -f -", &yaml(&environment)?).await?;
    kubectl(
        world,
        "wait --for=condition=Ready --timeout=90s psenv/staging",
    )
    .await?;
    kubectl(world, "get psenv").await?;
    say("   What was made:");
    let made = "{.status.clusterArn}{\"\\n\"}{.status.namespaceArn}{\"\\n\"}{.status.executionRoleArn}{\"\\n\"}\
        {.status.securityGroupIds}{\"\\n\"}{.status.logGroupName}{\"\\n\"}";
    kubectl(world, &format!("get psenv staging -o 'jsonpath={made}'")).await?;
    let status = world.environments().get(ENVIRONMENT).await?.status;
    let status = status.unwrap_or_default();
    world.seeded.cluster = status.cluster_arn.context("no cluster was made")?;
    world.seeded.namespace = status.namespace_arn.context("no namespace was made")?;
    Ok(())
}

/// The services go, and then the place they ran in.
async fn clean_up(world: &World) -> Result<()> {
    step("Everything goes again: the services, then the Environment with its stack");
    kubectl(world, "delete psvc --all --timeout=120s").await?;
    kubectl(world, "delete psenv staging --timeout=120s").await?;
    let stack = [("StackName", "privateservice-staging")];
    let left = world
        .aws
        .form("cloudformation:DescribeStacks", "2010-05-15", &stack)
        .await;
    ensure!(
        left.as_ref()
            .map_or(true, |found| found.contains("DELETE_COMPLETE")),
        "the stack is still there: {left:?}"
    );
    let namespaces = "servicediscovery:ListNamespaces";
    let namespaces = world.aws.call(namespaces, json!({})).await?;
    ensure!(
        namespaces["Namespaces"]
            .as_array()
            .is_some_and(Vec::is_empty),
        "its namespace is still there: {namespaces}"
    );
    say(
        "   AWS holds no service, no stack and no namespace any more; the log group stays, with what it holds.",
    );
    Ok(())
}

async fn samples(world: &World) -> Result<()> {
    step("A team applies its services");
    kubectl(world, "apply -f config/samples/").await?;
    kubectl(world, "get psvc").await?;
    say("   ECS starts the tasks and checks their health ...");
    kubectl(world, "wait --for=condition=Ready --timeout=90s psvc --all").await?;
    kubectl(world, "get psvc -o wide").await?;
    Ok(())
}

async fn names(world: &World) -> Result<()> {
    step("Services find each other by name");
    let addresses = world.resolve("cache").await?;
    say(&format!(
        "   cache.flexstack.internal resolves to {} (Cloud Map)",
        addresses.join(", ")
    ));
    ensure!(addresses.len() == 1, "one task, but {addresses:?}");
    kubectl(world, "get psvc shop -o 'jsonpath={range .status.endpoints[*]}{.name}  {.host}:{.port}{\"\\n\"}{end}'")
        .await?;
    Ok(())
}

async fn update(world: &World) -> Result<()> {
    step("A new version rolls out while the old one serves");
    kubectl(
        world,
        &format!(
            "patch psvc hello --type=merge -p '{}'",
            image("hello-app:2.0")
        ),
    )
    .await?;
    follow(world, "hello", "Complete").await?;
    kubectl(world, "wait --for=condition=Ready --timeout=60s psvc/hello").await?;
    kubectl(world, "get psvc hello -o wide").await?;
    let deployed = world
        .service("hello")
        .await?
        .status
        .unwrap_or_default()
        .deployed;
    let definition = deployed
        .unwrap_or_default()
        .task_definition
        .unwrap_or_default();
    ensure!(definition == "staging_hello:2", "{definition} serves");
    Ok(())
}

async fn failure(world: &World) -> Result<()> {
    step("A version that cannot start rolls back by itself; the old one serves all the time");
    let broken = Behaviour {
        cannot_pull: true,
        ..Behaviour::default()
    };
    world
        .simulator
        .behave(Subject::Image(full_name("hello-app:typo")), broken);
    kubectl(
        world,
        &format!(
            "patch psvc hello --type=merge -p '{}'",
            image("hello-app:typo")
        ),
    )
    .await?;
    follow(world, "hello", "RolledBack").await?;
    kubectl(
        world,
        "wait --for=condition=Stalled --timeout=60s psvc/hello",
    )
    .await?;
    kubectl(world, "get psvc hello -o wide").await?;
    let message = "{.status.conditions[?(@.type==\"Ready\")].message}{\"\\n\"}";
    kubectl(world, &format!("get psvc hello -o 'jsonpath={message}'")).await?;
    let addresses = world.resolve("hello").await?;
    ensure!(addresses.len() == 1, "hello resolves to {addresses:?}");
    say(&format!(
        "   hello.flexstack.internal still resolves to {}.",
        addresses.join(", ")
    ));
    say("   Its owner corrects the image:");
    kubectl(
        world,
        &format!(
            "patch psvc hello --type=merge -p '{}'",
            image("hello-app:2.0")
        ),
    )
    .await?;
    kubectl(world, "wait --for=condition=Ready --timeout=60s psvc/hello").await?;
    kubectl(
        world,
        "get events --field-selector=involvedObject.name=hello -o \
        custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message",
    )
    .await?;
    Ok(())
}

async fn secret(world: &World) -> Result<()> {
    step(
        "A password comes from a Secret; a new one is stored at once and reaches the tasks with the next rollout",
    );
    kubectl(world, "apply -f config/samples/variables/secret.yaml").await?;
    let ready = "wait --for=condition=Ready --timeout=60s psvc/invoices";
    kubectl(world, ready).await?;
    let shown = "{range .status.secrets[*]}{.name}  {.arn}  {.versionId}{\"\\n\"}{end}";
    kubectl(world, &format!("get psvc invoices -o 'jsonpath={shown}'")).await?;
    let change = "patch secret invoices --type=merge -p \
        '{\"stringData\": {\"url\": \"postgres://invoices:changed@db.example.com/invoices\"}}'";
    kubectl(world, change).await?;
    kubectl(
        world,
        "wait '--for=jsonpath={.status.storedSecret.pending}=true' --timeout=60s psvc/invoices",
    )
    .await?;
    let synced = "{.status.conditions[?(@.type==\"SecretsSynced\")].message}{\"\\n\"}";
    kubectl(world, &format!("get psvc invoices -o 'jsonpath={synced}'")).await?;
    kubectl(
        world,
        "annotate psvc invoices flexstack.dev/redeploy-at=now",
    )
    .await?;
    let taken = || {
        let state = world.simulator.state();
        let tasks = state["tasks"].as_array().cloned().unwrap_or_default();
        tasks
            .iter()
            .filter(|task| task["group"] == "service:invoices" && task["lastStatus"] == "RUNNING")
            .filter_map(|task| {
                let given = world.simulator.task_environment(task["taskArn"].as_str()?);
                given.get("DATABASE_URL").cloned()
            })
            .collect::<Vec<_>>()
    };
    eventually(SOON, "the tasks to have the new password", async || {
        let taken = taken();
        ensure!(taken.len() == 1 && taken.iter().all(|url| url.contains(":changed@")));
        Ok(())
    })
    .await?;
    kubectl(world, ready).await?;
    say("   The task that runs now was started with the new password.");
    Ok(())
}

async fn busy(world: &World) -> Result<()> {
    step("A service that is busy for three minutes gets another task, from AWS itself");
    kubectl(
        world,
        "get psvc hello -o 'jsonpath={.status.effective.scaling}{\"\\n\"}'",
    )
    .await?;
    let load = Load {
        cpu_percent: Some(150.0),
        is_total: true,
        ..Load::default()
    };
    world.simulator.set_load(None, "hello", Some(load));
    say("   Its one task is at 100 % CPU from now on ...");
    let busy = |service: &Value| service["desiredCount"] == 2 && service["runningCount"] == 2;
    world
        .ecs_service_until("hello", "a second task", busy)
        .await?;
    say(
        "   Application Auto Scaling has set the count to 2. ECS tells so through the Environment's event queue, and the operator looks:",
    );
    kubectl(
        world,
        "wait '--for=jsonpath={.status.tasks.running}=2' --timeout=60s psvc/hello",
    )
    .await?;
    kubectl(world, "get psvc hello").await?;
    world.simulator.set_load(None, "hello", None);
    Ok(())
}

async fn pause(world: &World) -> Result<()> {
    step("A service that is paused runs no task, and comes back with as many as it had");
    kubectl(
        world,
        "patch psvc hello --type=merge -p '{\"spec\": {\"paused\": true}}'",
    )
    .await?;
    kubectl(
        world,
        "wait '--for=jsonpath={.status.tasks.running}=0' --timeout=60s psvc/hello",
    )
    .await?;
    kubectl(world, "wait --for=condition=Ready --timeout=60s psvc/hello").await?;
    kubectl(world, "get psvc hello -o wide").await?;
    kubectl(
        world,
        "patch psvc hello --type=merge -p '{\"spec\": {\"paused\": false}}'",
    )
    .await?;
    kubectl(
        world,
        "wait '--for=jsonpath={.status.tasks.running}=2' --timeout=60s psvc/hello",
    )
    .await?;
    kubectl(world, "get psvc hello").await?;
    Ok(())
}

async fn refusals(world: &World) -> Result<()> {
    step("What cannot work is refused when it is applied, with the words to write instead");
    let manifest = "apiVersion: flexstack.dev/v1alpha1\nkind: PrivateService\nmetadata: {name: odd}\n\
        spec:\n  environment: staging\n  source: {image: {name: redis}}\n  resources: {cpu: 300m}\n";
    let said = refused(world, "apply -f -", manifest).await?;
    ensure!(
        said.contains("250m"),
        "it does not say what to write: {said}"
    );
    Ok(())
}

async fn deletion(world: &World) -> Result<()> {
    step("A service that is deleted is gone from AWS when kubectl returns");
    kubectl(world, "delete psvc rabbitmq --timeout=90s").await?;
    world.holds_nothing_of("rabbitmq").await?;
    say("   AWS holds no ECS service above INACTIVE and no DNS name of it.");
    kubectl(world, "get psvc").await?;
    Ok(())
}

fn price(world: &World) {
    step("What all of this cost in AWS calls");
    let calls = world.calls();
    for (operation, count) in calls.counts() {
        say(&format!("   {count:5}  {operation}"));
    }
    say(&format!(
        "   {:5}  in total, {} of them throttled",
        calls.total(),
        calls.throttled()
    ));
}

/// Prints the rollout of a service each time something about it changes, until it is in `phase`.
async fn follow(world: &World, name: &str, phase: &str) -> Result<()> {
    let generation = world.service(name).await?.metadata.generation;
    let mut last = String::new();
    eventually(SOON, &format!("{name} to be {phase}"), async || {
        let service = world.service(name).await?;
        let status = service.status.unwrap_or_default();
        let rollout = status.rollout.unwrap_or_default();
        let tasks = status.tasks.unwrap_or_default();
        let now = rollout.phase.map_or("", |phase| phase.as_str()).to_owned();
        let line = format!(
            "{now}: {} running, {} starting, {} wanted",
            tasks.running, tasks.pending, tasks.desired
        );
        let observed = status.observed_generation == generation;
        if observed && line != last {
            say(&format!("     {line}"));
            last = line;
        }
        ensure!(observed && now == phase, "the rollout is {now}");
        Ok(())
    })
    .await
}

fn full_name(image: &str) -> String {
    format!("gcr.io/google-samples/{image}")
}

fn image(image: &str) -> String {
    format!(
        "{{\"spec\": {{\"source\": {{\"image\": {{\"name\": \"{}\"}}}}}}}}",
        full_name(image)
    )
}

/// YAML of a manifest, in the order a person writes it.
fn yaml(manifest: &serde_json::Value) -> Result<String> {
    let spec = &manifest["spec"];
    let body = serde_saphyr::to_string(spec)?;
    let indented: Vec<String> = body.lines().map(|line| format!("  {line}")).collect();
    let indented = indented.join("\n");
    Ok(format!(
        "apiVersion: flexstack.dev/v1alpha1\nkind: Environment\nmetadata: {{name: {ENVIRONMENT}}}\nspec:\n{indented}\n"
    ))
}
