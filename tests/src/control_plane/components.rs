//! The command lines of etcd, kube-apiserver and kube-controller-manager, and the kubeconfig of their administrator. Reads and
//! starts nothing; only writes the kubeconfig and the audit policy.
//!
//! Invariant: all of them listen on 127.0.0.1 only, and only the API server needs a certificate to be asked.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::certificates::Certificates;
use crate::charts::NAMESPACE;
use crate::command::tool;
use crate::process::{Program, free_port};

/// What the controllers are for: namespaces that really go, owners that take their dependents along, the `default`
/// ServiceAccount and its CA, and aggregated ClusterRoles. There are no nodes, so nothing here may wait for a Pod.
const CONTROLLERS: &str = "namespace-controller,garbage-collector-controller,serviceaccount-controller,\
    root-ca-certificate-publisher-controller,clusterrole-aggregation-controller";

/// Where everything of one control plane is.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) folder: PathBuf,
    pub(super) certificates: Certificates,
    pub(super) api_port: u16,
    pub(super) etcd_port: u16,
    etcd_peer_port: u16,
}

impl Layout {
    /// Takes ports and makes keys, certificates and the kubeconfig in `folder`.
    pub(super) fn prepare(folder: &Path) -> Result<Self> {
        let layout = Self {
            folder: folder.to_path_buf(),
            certificates: Certificates::make(folder)?,
            api_port: free_port()?,
            etcd_port: free_port()?,
            etcd_peer_port: free_port()?,
        };
        layout.write_kubeconfig()?;
        layout.write_audit_policy()?;
        Ok(layout)
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// What the API server notes of the operator's requests, one JSON object a line.
    pub(super) fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.jsonl")
    }

    fn audit_policy(&self) -> PathBuf {
        self.folder.join("audit-policy.json")
    }

    pub(super) fn etcd_data(&self) -> PathBuf {
        self.folder.join("etcd")
    }

    pub(super) fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.api_port)
    }

    pub(super) fn etcd(&self) -> Result<Program> {
        let clients = format!("http://127.0.0.1:{}", self.etcd_port);
        let peers = format!("http://127.0.0.1:{}", self.etcd_peer_port);
        Ok(Program::new("etcd", tool("etcd")?)
            .arg(flag("--data-dir", self.etcd_data()))
            .arg(format!("--listen-client-urls={clients}"))
            .arg(format!("--advertise-client-urls={clients}"))
            .arg(format!("--listen-peer-urls={peers}"))
            .arg(format!("--initial-advertise-peer-urls={peers}"))
            .arg(format!("--initial-cluster=default={peers}"))
            .arg("--log-level=warn")
            // Nobody needs this data after a power cut, and a disk's fsync is most of the time of a write.
            .arg("--unsafe-no-fsync"))
    }

    pub(super) fn api_server(&self) -> Result<Program> {
        let certificates = &self.certificates;
        Ok(Program::new("kube-apiserver", tool("kube-apiserver")?)
            .arg(format!(
                "--etcd-servers=http://127.0.0.1:{}",
                self.etcd_port
            ))
            .arg("--bind-address=127.0.0.1")
            .arg("--advertise-address=127.0.0.1")
            .arg(format!("--secure-port={}", self.api_port))
            // Keeps it from publishing its loopback address as the endpoint of the Service `kubernetes`, which it refuses to do.
            .arg("--endpoint-reconciler-type=none")
            .arg(flag("--tls-cert-file", &certificates.server))
            .arg(flag("--tls-private-key-file", &certificates.server_key))
            .arg(flag("--client-ca-file", &certificates.authority))
            .arg(flag(
                "--service-account-key-file",
                &certificates.tokens_public,
            ))
            .arg(flag(
                "--service-account-signing-key-file",
                &certificates.tokens_key,
            ))
            .arg("--service-account-issuer=https://kubernetes.default.svc.cluster.local")
            .arg("--service-cluster-ip-range=10.0.0.0/24")
            .arg("--authorization-mode=RBAC")
            .arg(flag("--audit-policy-file", self.audit_policy()))
            .arg(flag("--audit-log-path", self.audit_log()))
            // One file, in MiB: a long run notes a few hundred bytes a request.
            .arg("--audit-log-maxsize=4096")
            .arg("--profiling=false"))
    }

    pub(super) fn controller_manager(&self) -> Result<Program> {
        Ok(
            Program::new("kube-controller-manager", tool("kube-controller-manager")?)
                .arg(flag("--kubeconfig", self.kubeconfig()))
                .arg(format!("--controllers={CONTROLLERS}"))
                .arg(flag("--root-ca-file", &self.certificates.authority))
                .arg("--leader-elect=false")
                .arg("--bind-address=127.0.0.1")
                .arg("--secure-port=0")
                // Its default of 20 requests a second makes the deletion of many namespaces wait for it.
                .args(["--kube-api-qps=300", "--kube-api-burst=400"]),
        )
    }

    /// Who asked for what and with which answer, of the operator only: its service account, and whoever comes without a valid token.
    fn write_audit_policy(&self) -> Result<()> {
        let accounts = format!("system:serviceaccounts:{NAMESPACE}");
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived", "ResponseStarted"],
            "rules": [
                {"level": "Metadata", "userGroups": [accounts, "system:unauthenticated"]},
                {"level": "None"},
            ],
        });
        let path = self.audit_policy();
        fs::write(&path, serde_json::to_vec_pretty(&policy)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn write_kubeconfig(&self) -> Result<()> {
        // JSON is YAML, so a kubeconfig may be JSON.
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "clusters": [{
                "name": "test",
                "cluster": {"server": self.server(), "certificate-authority": self.certificates.authority},
            }],
            "users": [{
                "name": "admin",
                "user": {
                    "client-certificate": self.certificates.admin,
                    "client-key": self.certificates.admin_key,
                },
            }],
        });
        let path = self.kubeconfig();
        fs::write(&path, serde_json::to_vec_pretty(&config)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

fn flag(name: &str, path: impl AsRef<Path>) -> OsString {
    let mut flag = OsString::from(name);
    flag.push("=");
    flag.push(path.as_ref());
    flag
}
