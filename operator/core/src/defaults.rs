//! Every default of the spec, in one place. The CRD has none of its own, so that applying and reading back gives no difference.

/// CPU of a task, in CPU units (1024 = one vCPU): a quarter.
pub const CPU_UNITS: u32 = 256;
/// Memory of a task, in MiB.
pub const MEMORY_MIB: u32 = 512;
/// Ephemeral storage of a task, in GiB; Fargate's own default, which the API does not accept as a number.
pub const EPHEMERAL_STORAGE_GIB: u32 = 20;
/// Name of the port that exists when `ports` is absent.
pub const PORT_NAME: &str = "default";
/// Number of that port.
pub const PORT: u16 = 8080;
/// Seconds between health checks (ECS: 5 to 300, default 30).
pub const HEALTH_INTERVAL: u32 = 30;
/// Seconds a health check may take (ECS default 5).
pub const HEALTH_TIMEOUT: u32 = 5;
/// The longest health-check timeout ECS takes; the spec allows 120, and 61 to 120 run as 60 (ECS API reference, HealthCheck).
pub const HEALTH_TIMEOUT_MAX: u32 = 60;
/// Failures in a row that make a task unhealthy (ECS default 3).
pub const HEALTH_RETRIES: u32 = 3;
/// Seconds before failures count.
pub const HEALTH_START_PERIOD: u32 = 0;
/// Seconds between SIGTERM and SIGKILL.
pub const STOP_TIMEOUT: u32 = 30;
/// Percent of tasks that stay while deploying.
pub const MIN_HEALTHY_PERCENT: i32 = 100;
/// Percent of tasks that may run while deploying.
pub const MAX_PERCENT: i32 = 200;
/// Seconds after which a rollout that is not complete is stopped.
pub const PROGRESS_DEADLINE: u32 = 1800;
/// Services of an Environment that an edit of it may roll at once.
pub const WAVE_SERVICES: usize = 10;
/// Failed rollouts after which an edit of an Environment goes no further.
pub const WAVE_FAILURES: usize = 1;
/// The fewest tasks of a service, and those of a new one.
pub const MIN_TASKS: i32 = 1;
/// The most tasks of a service.
pub const MAX_TASKS: i32 = 10;
/// Percent of CPU above which there are to be more tasks.
pub const CPU_THRESHOLD: i32 = 80;
/// Seconds in which everything is low before there are fewer tasks; also Application Auto Scaling's own default for ECS.
pub const COOLDOWN: i32 = 300;
/// Seconds a client may cache the A records.
pub const DNS_TTL: u32 = 15;
/// What the log driver may hold back before it drops lines; AWS's own default, set so that it does not change under us.
pub const LOG_BUFFER: &str = "10m";
/// The log router: AWS's own build of Fluent Bit, by the tag that AWS moves once a version has proven itself (AWS for Fluent Bit, README).
pub const LOG_ROUTER_IMAGE: &str = "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable";
/// MiB kept for the log router (ECS developer guide, Example task definition: Route logs to FireLens).
pub const LOG_ROUTER_MEMORY_MIB: u32 = 50;
/// Datadog's site.
pub const DATADOG_SITE: &str = "datadoghq.com";
/// Axiom's domain: its edge deployment US East 1 (Axiom's documentation, Edge deployments).
pub const AXIOM_DOMAIN: &str = "us-east-1.aws.edge.axiom.co";
/// Days for which the log group that the operator makes keeps its lines.
pub const LOG_RETENTION_DAYS: i32 = 30;
