//! What a platform team has in AWS before the operator comes: a network, a cluster, a DNS namespace, a role, a log group; and
//! the Environment that names them. In: an [`Aws`]. Out: the names. Does IO.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::aws::{Aws, element};

/// The Cloud Map namespace of the samples.
pub const NAMESPACE: &str = "flexstack.internal";

const EC2: &str = "2016-11-15";
const IAM: &str = "2010-05-08";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// What exists; empty, where only a network does.
#[derive(Debug, Clone, Default)]
pub struct Seeded {
    /// Account.
    pub account: String,
    /// Region.
    pub region: String,
    /// Id of the VPC.
    pub vpc: String,
    /// Ids of two subnets.
    pub subnets: Vec<String>,
    /// Id of a security group.
    pub security_group: String,
    /// ARN of the cluster.
    pub cluster: String,
    /// ARN of the Cloud Map namespace.
    pub namespace: String,
    /// Its DNS name.
    pub namespace_name: String,
    /// ARN of the execution role.
    pub role: String,
    /// Name of the log group.
    pub log_group: String,
}

/// Makes it all, with `name` in every name and a DNS namespace named `namespace`.
///
/// # Errors
/// When AWS refuses something.
pub async fn seed(aws: &Aws, name: &str, namespace: &str) -> Result<Seeded> {
    let network = network(aws, namespace).await?;
    foundation(aws, name, network).await
}

/// Makes a network and nothing else; `namespace` is the DNS name of what is to be made in it.
///
/// # Errors
/// When AWS refuses something.
pub async fn network(aws: &Aws, namespace: &str) -> Result<Seeded> {
    let xml = aws
        .form("ec2:CreateVpc", EC2, &[("CidrBlock", "10.0.0.0/16")])
        .await?;
    let vpc = element(&xml, "vpcId")?;
    let mut subnets = Vec::new();
    for (zone, block) in [("a", "10.0.0.0/20"), ("b", "10.0.16.0/20")] {
        let zone = format!("{}{zone}", aws.region());
        let fields = [
            ("VpcId", vpc.as_str()),
            ("CidrBlock", block),
            ("AvailabilityZone", zone.as_str()),
        ];
        subnets.push(element(
            &aws.form("ec2:CreateSubnet", EC2, &fields).await?,
            "subnetId",
        )?);
    }
    Ok(Seeded {
        account: aws.account().to_owned(),
        region: aws.region().to_owned(),
        vpc,
        subnets,
        namespace_name: namespace.to_owned(),
        ..Seeded::default()
    })
}

/// Makes the rest, with `name` in every name.
async fn foundation(aws: &Aws, name: &str, network: Seeded) -> Result<Seeded> {
    let group = format!("{name}-members");
    let fields = [
        ("GroupName", group.as_str()),
        ("GroupDescription", "tasks"),
        ("VpcId", network.vpc.as_str()),
    ];
    let xml = aws.form("ec2:CreateSecurityGroup", EC2, &fields).await?;
    let security_group = element(&xml, "groupId")?;

    let role = format!("{name}-execution");
    let fields = [
        ("RoleName", role.as_str()),
        ("AssumeRolePolicyDocument", TRUST),
    ];
    let role = element(&aws.form("iam:CreateRole", IAM, &fields).await?, "Arn")?;
    let log_group = format!("/{name}");
    aws.call("logs:CreateLogGroup", json!({"logGroupName": log_group}))
        .await?;

    let asked = json!({"clusterName": name, "capacityProviders": ["FARGATE", "FARGATE_SPOT"]});
    let cluster = text(
        &aws.call("ecs:CreateCluster", asked).await?,
        "/cluster/clusterArn",
    )?;
    let (namespace, _) = dns_namespace(aws, &network.namespace_name, &network.vpc).await?;
    Ok(Seeded {
        security_group,
        cluster,
        namespace,
        role,
        log_group,
        ..network
    })
}

/// Makes a private DNS namespace; its ARN and id.
async fn dns_namespace(aws: &Aws, name: &str, vpc: &str) -> Result<(String, String)> {
    let asked = json!({"Name": name, "Vpc": vpc, "CreatorRequestId": name});
    let made = aws
        .call("servicediscovery:CreatePrivateDnsNamespace", asked)
        .await?;
    let operation = json!({"OperationId": made["OperationId"]});
    let done = aws.call("servicediscovery:GetOperation", operation).await?;
    let id = text(&done, "/Operation/Targets/NAMESPACE")?;
    let found = aws
        .call("servicediscovery:GetNamespace", json!({"Id": id}))
        .await?;
    Ok((text(&found, "/Namespace/Arn")?, id))
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no {pointer} in {value}"))?
        .to_owned())
}

impl Seeded {
    /// Makes one more DNS namespace beside the first; the same account, network and cluster with it.
    ///
    /// # Errors
    /// When AWS refuses it.
    pub async fn with_namespace(&self, aws: &Aws, name: &str) -> Result<Self> {
        let (namespace, _) = dns_namespace(aws, name, &self.vpc).await?;
        Ok(Self {
            namespace,
            namespace_name: name.to_owned(),
            ..self.clone()
        })
    }

    /// The id of the Cloud Map namespace.
    pub fn namespace_id(&self) -> &str {
        self.namespace.rsplit('/').next().unwrap_or_default()
    }

    /// An Environment that names all of it.
    pub fn environment(&self, name: &str) -> Value {
        json!({
            "apiVersion": "flexstack.dev/v1alpha1",
            "kind": "Environment",
            "metadata": {"name": name},
            "spec": {
                "type": "staging",
                "region": self.region,
                "accountId": self.account,
                "namespace": self.namespace_name,
                "network": {"vpcId": self.vpc, "subnetIds": self.subnets},
                "existing": {
                    "clusterArn": self.cluster,
                    "namespaceArn": self.namespace,
                    "securityGroupIds": [self.security_group],
                    "executionRoleArn": self.role,
                    "logGroupName": self.log_group,
                },
            },
        })
    }
}
