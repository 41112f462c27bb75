//! The charts through real Helm and a real API server: install, run with what the Deployment says, upgrade, uninstall.

use anyhow::{Context, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use privateservice_tests::charts::{NAMESPACE, RELEASE, chart, helm};
use privateservice_tests::operator::Settings;
use privateservice_tests::scratch::Scratch;
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{ControlPlane, Operator, eventually};

const CRDS: &str = "privateservice-operator-crds";

struct Cluster {
    plane: ControlPlane,
    home: Scratch,
}

impl Cluster {
    async fn helm(&self, args: &[&str]) -> String {
        let kubeconfig = self.plane.kubeconfig();
        let output = helm(args, self.home.path(), Some(&kubeconfig)).await;
        output.unwrap().ok().unwrap()
    }

    async fn kubectl(&self, args: &[&str], stdin: &str) -> String {
        self.plane.kubectl(args, stdin).await.unwrap().ok().unwrap()
    }

    /// The operator's chart with some `--set` values.
    async fn upgrade(&self, values: &[&str]) {
        let chart = chart(RELEASE).display().to_string();
        let mut args = vec!["upgrade", "--install", RELEASE, &chart];
        args.extend(["--namespace", NAMESPACE, "--create-namespace"]);
        for value in values {
            args.extend(["--set", value]);
        }
        self.helm(&args).await;
    }

    async fn deployment(&self) -> Deployment {
        let client = self.plane.client().await.unwrap();
        let deployments: Api<Deployment> = Api::namespaced(client, NAMESPACE);
        deployments.get(RELEASE).await.unwrap()
    }

    /// Starts the operator with the arguments of the Deployment and a token of its service account, as a kubelet would. There is no
    /// AWS, which only passes need.
    async fn run(&self, folder: &Scratch) -> Operator {
        let deployment = serde_json::to_value(self.deployment().await).unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        let account = pod["serviceAccountName"].as_str().unwrap();
        let token = self.plane.token(NAMESPACE, account).await.unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        self.plane
            .write_token_kubeconfig(&kubeconfig, &self.plane.server(), &token)
            .unwrap();
        let args: Vec<String> =
            serde_json::from_value(pod["containers"][0]["args"].clone()).unwrap();
        assert_eq!(args[0], "run");
        // The harness chooses these itself.
        let chosen = [
            "--admin-address=",
            "--cluster-id=",
            "--sweep-interval-seconds=",
            "--quota-share=",
            "--log-format=",
        ];
        let flags = args[1..]
            .iter()
            .filter(|arg| !chosen.iter().any(|flag| arg.starts_with(flag)))
            .cloned()
            .collect();
        let settings = Settings {
            kubeconfig,
            aws: "http://127.0.0.1:9".to_owned(),
            account: "111122223333".to_owned(),
            cluster_id: "the-cluster".to_owned(),
            sweep_seconds: 300,
            quota_share: 0.8,
            flags,
            binary: None,
        };
        Operator::start(&settings, folder.path()).await.unwrap()
    }
}

#[tokio::test]
async fn the_charts_are_installed_upgraded_and_uninstalled_and_the_definitions_stay() {
    let cluster = Cluster {
        plane: ControlPlane::start().await.unwrap(),
        home: Scratch::new("psvc-helm").unwrap(),
    };
    let crds = chart(CRDS).display().to_string();
    cluster.helm(&["install", CRDS, &crds]).await;
    // What the notes ask for, and a namespace that takes nothing less than restricted Pods.
    let namespace = format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}, labels: \
         {{pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: restricted}}}}}}"
    );
    cluster.kubectl(&["apply", "-f", "-"], &namespace).await;
    cluster
        .upgrade(&["clusterId=the-cluster", "aws.region=us-east-1"])
        .await;
    let deployment = cluster.deployment().await;
    assert_eq!(deployment.spec.replicas, Some(1));

    // A Pod of that template is let in.
    let mut pod = serde_json::to_value(&deployment).unwrap()["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = "trial".into();
    let trial = [
        "create",
        "--dry-run=server",
        "-n",
        NAMESPACE,
        "-o",
        "name",
        "-f",
        "-",
    ];
    cluster.kubectl(&trial, &pod.to_string()).await;

    let folder = Scratch::new("psvc-operator").unwrap();
    let mut operator = cluster.run(&folder).await;
    eventually(DEADLINE, "the operator to lead", async || {
        let log = operator.log()?;
        ensure!(log.contains("leads") && log.contains("ready"), "{log}");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(operator.stop().await.unwrap(), 0);

    let values = ["clusterId=the-cluster", "replicas=2", "log.format=text"];
    cluster.upgrade(&values).await;
    let deployment = cluster.deployment().await;
    assert_eq!(deployment.spec.replicas, Some(2));
    assert!(
        serde_json::to_string(&deployment)
            .unwrap()
            .contains("--log-format=text")
    );
    let client = cluster.plane.client().await.unwrap();
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client, NAMESPACE);
    budgets
        .get(RELEASE)
        .await
        .context("two replicas have a budget")
        .unwrap();
    let folder = Scratch::new("psvc-operator").unwrap();
    let mut operator = cluster.run(&folder).await;
    assert_eq!(operator.stop().await.unwrap(), 0);

    let environment = include_str!("../../config/environment-example.yaml");
    cluster.kubectl(&["apply", "-f", "-"], environment).await;
    cluster
        .helm(&["uninstall", RELEASE, "--namespace", NAMESPACE])
        .await;
    cluster.helm(&["uninstall", CRDS]).await;
    let left = cluster
        .kubectl(&["get", "environments", "-o", "name"], "")
        .await;
    assert_eq!(left.trim(), "environment.flexstack.dev/staging");
    // And can be managed again.
    cluster.helm(&["install", CRDS, &crds]).await;
}

#[tokio::test]
async fn definitions_that_were_applied_by_hand_can_be_taken_over() {
    let cluster = Cluster {
        plane: ControlPlane::start().await.unwrap(),
        home: Scratch::new("psvc-helm").unwrap(),
    };
    let by_hand = privateservice_tests::command::repository().join("crds");
    cluster.plane.install_crds(&by_hand).await.unwrap();
    let crds = chart(CRDS).display().to_string();
    cluster
        .helm(&[
            "upgrade",
            "--install",
            CRDS,
            &crds,
            "--take-ownership",
            "--force-conflicts",
        ])
        .await;
}
