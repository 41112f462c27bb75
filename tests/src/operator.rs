//! The operator as a process of its own: the binary that users run, with its flags. Starts and kills it, and reads from /proc
//! what it used.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::aws::REGION;
use crate::process::{Program, Supervised, free_port};

/// Ready in half a second on an idle machine; a busy one gets much more before the wait is called off.
const READY_DEADLINE: Duration = Duration::from_mins(1);

/// Passes may take 25 s to end, and Events and the lease a few more.
const STOP_DEADLINE: Duration = Duration::from_secs(40);

/// How often a start is tried when another process takes the port first.
const PORT_ATTEMPTS: u32 = 3;

/// What to start it with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Kubeconfig of the API server.
    pub kubeconfig: PathBuf,
    /// Endpoint of AWS.
    pub aws: String,
    /// Account of the credentials, 12 digits.
    pub account: String,
    /// `--cluster-id`
    pub cluster_id: String,
    /// `--sweep-interval-seconds`
    pub sweep_seconds: u32,
    /// `--quota-share`
    pub quota_share: f64,
    /// Further flags.
    pub flags: Vec<String>,
    /// A program that takes the same flags, instead of the operator that is built beside this one.
    pub binary: Option<PathBuf>,
}

/// A running operator. Dropping it kills it.
#[derive(Debug)]
pub struct Operator {
    process: Supervised,
    admin: String,
    binary: PathBuf,
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Most memory it ever had, in MiB.
    pub peak_memory_mib: u64,
    /// Processor time, in seconds.
    pub cpu_seconds: f64,
}

impl Operator {
    /// Starts it with its log in `<folder>/operator.log` and waits until it is ready.
    ///
    /// # Errors
    /// When the binary is not built or does not become ready; the message quotes its log.
    pub async fn start(settings: &Settings, folder: &Path) -> Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::start_once(settings, folder).await {
                Err(error)
                    if attempt < PORT_ATTEMPTS
                        && format!("{error:#}")
                            .to_lowercase()
                            .contains("address already in use") =>
                {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn start_once(settings: &Settings, folder: &Path) -> Result<Self> {
        let binary = match &settings.binary {
            Some(binary) => binary.clone(),
            None => binary("privateservice-operator")?,
        };
        let admin = format!("127.0.0.1:{}", free_port()?);
        let program = Program::new("operator", &binary)
            .arg("run")
            .arg(format!("--admin-address={admin}"))
            .arg(format!("--cluster-id={}", settings.cluster_id))
            .arg(format!(
                "--sweep-interval-seconds={}",
                settings.sweep_seconds
            ))
            .arg(format!("--quota-share={}", settings.quota_share))
            .arg("--log-format=text")
            .args(&settings.flags)
            // For a look into a test that fails.
            .args(
                std::env::var("PRIVATESERVICE_TESTS_LOG")
                    .map(|filter| format!("--log-filter={filter}")),
            )
            .env("KUBECONFIG", &settings.kubeconfig)
            .env("AWS_ENDPOINT_URL", &settings.aws)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", &settings.account)
            .env("AWS_SECRET_ACCESS_KEY", "simulated")
            // Neither a profile nor an instance role of whoever runs the tests is asked for anything.
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_COLOR", "1");
        let mut process = Supervised::start(program, folder)?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()?;
        let readyz = format!("http://{admin}/readyz");
        process
            .ready(READY_DEADLINE, async || {
                let answer = http.get(&readyz).send().await.context("no answer yet")?;
                if !answer.status().is_success() {
                    bail!("/readyz says {}", answer.text().await.unwrap_or_default());
                }
                Ok(())
            })
            .await?;
        Ok(Self {
            process,
            admin,
            binary,
        })
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to stop, as Kubernetes does, and returns its exit code.
    ///
    /// # Errors
    /// When it does not end in time; the message quotes its log.
    pub async fn stop(&mut self) -> Result<i32> {
        self.process.signal("TERM")?;
        self.process.ended(STOP_DEADLINE).await
    }

    /// Waits for it to end by itself and returns its exit code.
    ///
    /// # Errors
    /// When it still runs at the deadline; the message quotes its log.
    pub async fn ended(&mut self, deadline: Duration) -> Result<i32> {
        self.process.ended(deadline).await
    }

    /// What /readyz says, if it says that it is ready.
    ///
    /// # Errors
    /// When it is not, or does not answer.
    pub async fn readyz(&self) -> Result<String> {
        let answer = reqwest::get(format!("http://{}/readyz", self.admin)).await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// What /metrics says.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metrics(&self) -> Result<String> {
        let answer = reqwest::get(format!("http://{}/metrics", self.admin)).await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        self.process.log_tail()
    }

    /// All it logged.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.process.log())?)
    }

    /// Whether it has ended although nobody killed it.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn exit_code(&mut self) -> Result<Option<i32>> {
        self.process.exit_code()
    }

    /// What it has used since it was started.
    ///
    /// # Errors
    /// When it is gone.
    pub fn usage(&self) -> Result<Usage> {
        let pid = self.process.child_pid(&self.binary)?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
        let after = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = after
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        // Linux shows processor time in hundredths of a second whatever its own tick is (proc(5), USER_HZ).
        let cpu_seconds = Duration::from_millis(ticks * 10).as_secs_f64();
        Ok(Usage {
            peak_memory_mib: peak.context("no VmHWM")? / 1024,
            cpu_seconds,
        })
    }
}

/// A program of this workspace, built in the same profile as the program that asks.
///
/// # Errors
/// When it is not built; the message says how to build it.
pub fn binary(name: &str) -> Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(name);
    if !path.is_file() {
        bail!(
            "{} is not built; run `cargo build -p {name}`",
            path.display()
        );
    }
    Ok(path)
}
