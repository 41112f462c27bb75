//! The charts of this repository, through the pinned Helm. Starts processes; reads `charts/`.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::command::{Output, repository, run, tool};
use crate::scratch::Scratch;

/// Kubernetes namespace that tests install the operator's chart in.
pub const NAMESPACE: &str = "privateservice-system";

/// Name of the release, of the service account and of the Lease.
pub const RELEASE: &str = "privateservice-operator";

/// The folder of a chart.
pub fn chart(name: &str) -> PathBuf {
    repository().join("charts").join(name)
}

/// Runs Helm with its caches and settings below `home`; `kubeconfig` for what talks to a cluster.
///
/// # Errors
/// When it cannot be started. What it answers, also a refusal, is in the [`Output`].
pub async fn helm(args: &[&str], home: &Path, kubeconfig: Option<&Path>) -> Result<Output> {
    let mut helm = Command::new(tool("helm")?);
    helm.args(args).current_dir(repository());
    for (name, folder) in [
        ("HELM_CACHE_HOME", "helm-cache"),
        ("HELM_CONFIG_HOME", "helm-config"),
        ("HELM_DATA_HOME", "helm-data"),
    ] {
        helm.env(name, home.join(folder));
    }
    // Nothing of whoever runs the tests, and no cluster by accident.
    helm.env("HOME", home)
        .env("KUBECONFIG", kubeconfig.unwrap_or(Path::new("/dev/null")));
    run(helm, "").await
}

/// What the operator's chart makes of some `--set` values.
///
/// # Errors
/// When Helm refuses them; the message is Helm's.
pub async fn render(values: &[&str]) -> Result<String> {
    let home = Scratch::new("psvc-helm")?;
    let chart = chart(RELEASE).display().to_string();
    let mut args = vec!["template", RELEASE, &chart, "--namespace", NAMESPACE];
    for value in values {
        args.extend(["--set", value]);
    }
    helm(&args, home.path(), None).await?.ok()
}

static INSTALLED: OnceCell<Result<String, String>> = OnceCell::const_new();

/// What the operator of every test is installed by: the chart with a cluster id, as its README says. Rendered once per process.
///
/// # Errors
/// As [`render`].
pub async fn installed() -> Result<&'static str> {
    let render = || async {
        render(&["clusterId=the-cluster"])
            .await
            .map_err(|error| format!("{error:#}"))
    };
    let rendered = INSTALLED.get_or_init(render).await;
    rendered
        .as_deref()
        .map_err(|error| anyhow!("the chart cannot be rendered: {error}"))
}

#[cfg(test)]
mod tests;
