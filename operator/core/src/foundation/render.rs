//! From an Environment to the stack it asks for: the template with what cannot be a parameter filled in, the parameters, the tags. Pure.

use super::{owner, stack_name};
use crate::defaults;
use crate::grants;
use crate::hash::Hash;
use crate::names;
use crate::place::SharedValue;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::environment::{Environment, SharedVariable};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The one source; people read and deploy it too.
const TEMPLATE: &str = include_str!("../../../../config/aws/environment.yaml");

/// Largest template a request carries (AWS: CloudFormation user guide, Quotas).
const TEMPLATE_LIMIT: usize = 51_200;

/// Longest value of a parameter, in bytes (AWS: CloudFormation user guide, Quotas).
const PARAMETER_LIMIT: usize = 4096;

/// The parameter that lists the secrets which the execution role may read beside the operator's own.
const SECRETS: &str = "GrantedSecretArns";

/// What the execution role may do.
const STATEMENTS: &str = "/Resources/ExecutionRole/Properties/Policies/0/PolicyDocument/Statement";

/// The stack an Environment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the stack.
    pub stack: String,
    /// The template, as JSON.
    pub template: String,
    /// Values of its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Tags of the stack, which CloudFormation passes on to everything in it.
    pub tags: BTreeMap<String, String>,
    /// Role CloudFormation works with. Not part of the hash: another role changes nothing in the stack.
    pub role_arn: Option<String>,
    /// Hash of template, parameters and tags.
    pub hash: Hash,
}

/// The stack that an Environment asks for.
///
/// # Errors
/// `InvalidSpec` when it asks for more than a template holds.
pub fn render(environment: &Environment, cluster_id: &str) -> Result<Wanted, Problem> {
    let spec = &environment.spec;
    let name = environment.metadata.name.clone().unwrap_or_default();
    let mut template = template()?;
    if let Some(Value::Array(rules)) =
        template.pointer_mut("/Resources/InternalSecurityGroup/Properties/SecurityGroupIngress")
    {
        rules.extend(spec.network.allow_from.iter().map(|from| ingress(from)));
    }
    let shared = Shared::of(&spec.env);
    let mut readable: BTreeSet<&str> = grants::parameters(&spec.grants).into_iter().collect();
    readable.extend(shared.parameters.iter().map(String::as_str));
    if let Some(Value::Array(statements)) = template.pointer_mut(STATEMENTS) {
        statements.extend((!readable.is_empty()).then(|| read_parameters(&readable)));
        statements.extend((!shared.secrets.is_empty()).then(|| read_secrets(&shared.secrets)));
    }
    let template = template.to_string();
    if template.len() > TEMPLATE_LIMIT {
        return Err(invalid(format!(
            "the stack's template has {} bytes with everything spec.network.allowFrom, spec.grants and spec.env ask for, and CloudFormation takes {TEMPLATE_LIMIT}: \
             write fewer entries",
            template.len()
        )));
    }
    let parameters = parameters(environment, &name);
    if let Some(secrets) = parameters.get(SECRETS)
        && secrets.len() > PARAMETER_LIMIT
    {
        return Err(invalid(format!(
            "the secrets in spec.grants have {} characters together, and a parameter of a stack takes {PARAMETER_LIMIT}: grant fewer of them, \
             with a * at the end of what they have in common",
            secrets.len()
        )));
    }
    let mut tags = spec.tags.clone();
    tags.extend(owner(cluster_id, &name).tags(&name));
    Ok(Wanted {
        stack: stack_name(&name),
        hash: Hash::of(&(&template, &parameters, &tags)),
        template,
        parameters,
        tags,
        role_arn: spec
            .foundation
            .as_ref()
            .and_then(|foundation| foundation.cloud_formation_role_arn.clone()),
    })
}

fn template() -> Result<Value, Problem> {
    // A test reads it, so that no release has one that cannot be read.
    serde_saphyr::from_str(TEMPLATE).map_err(|error| {
        invalid(format!(
            "the operator's own template is unreadable: {error}"
        ))
    })
}

fn ingress(from: &str) -> Value {
    let source = if from.starts_with("sg-") {
        "SourceSecurityGroupId"
    } else {
        "CidrIp"
    };
    json!({"Description": "spec.network.allowFrom", "IpProtocol": "-1", source: from})
}

/// Lets the execution role read parameters. Not a parameter of the stack: only the template can put partition and account into ARNs.
fn read_parameters(paths: &BTreeSet<&str>) -> Value {
    let arns: Vec<Value> = paths
        .iter()
        .map(|path| {
            let arn = format!(
                "arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/{path}"
            );
            json!({"Fn::Sub": arn})
        })
        .collect();
    json!({"Sid": "ReadGrantedParameters", "Effect": "Allow", "Action": "ssm:GetParameters", "Resource": arns})
}

/// Lets the execution role read secrets that all services share. Of one that is named by its name the ARN has six characters more, which AWS
/// chose.
fn read_secrets(ids: &BTreeSet<String>) -> Value {
    let arns: Vec<Value> = ids
        .iter()
        .map(|id| {
            if names::is_arn(id) {
                return json!(id);
            }
            let arn = format!(
                "arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:{id}-??????"
            );
            json!({"Fn::Sub": arn})
        })
        .collect();
    json!({"Sid": "ReadSharedSecrets", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": arns})
}

/// What the variables of all services are read from.
#[derive(Default)]
struct Shared {
    /// Names and ARNs of secrets.
    secrets: BTreeSet<String>,
    /// Paths of parameters.
    parameters: BTreeSet<String>,
}

impl Shared {
    fn of(env: &[SharedVariable]) -> Self {
        let mut all = Self::default();
        for value in env.iter().filter_map(SharedValue::of) {
            match value {
                SharedValue::Plain(_) => {}
                SharedValue::Secret(secret) => drop(all.secrets.insert(secret.id)),
                SharedValue::Parameter(parameter) => {
                    let path = grants::parameter_path(&parameter.name);
                    all.parameters.insert(path.to_owned());
                }
            }
        }
        all
    }
}

fn parameters(environment: &Environment, name: &str) -> BTreeMap<String, String> {
    let spec = &environment.spec;
    let existing = spec.existing.clone().unwrap_or_default();
    let foundation = spec.foundation.clone().unwrap_or_default();
    let retention = spec
        .logging
        .as_ref()
        .and_then(|logging| logging.retention_days)
        .unwrap_or(defaults::LOG_RETENTION_DAYS);
    let groups = existing.security_group_ids.is_none_or(|ids| ids.is_empty());
    let text = |value: Option<String>| value.unwrap_or_default();
    let create = |create: bool| if create { "true" } else { "false" }.to_owned();
    [
        ("EnvironmentName", name.to_owned()),
        ("VpcId", spec.network.vpc_id.clone()),
        ("NamespaceName", spec.namespace.clone()),
        ("LogRetentionDays", retention.to_string()),
        (
            "PermissionsBoundaryArn",
            text(foundation.permissions_boundary_arn),
        ),
        ("KmsKeyArn", text(foundation.kms_key_arn)),
        (SECRETS, grants::secrets(&spec.grants).join(",")),
        ("ExistingClusterArn", text(existing.cluster_arn)),
        ("ExistingLogGroupName", text(existing.log_group_name)),
        ("CreateNamespace", create(existing.namespace_arn.is_none())),
        ("CreateSecurityGroups", create(groups)),
        (
            "CreateExecutionRole",
            create(existing.execution_role_arn.is_none()),
        ),
        ("CreateTaskRole", create(existing.task_role_arn.is_none())),
        (
            "CreateEventQueue",
            create(existing.event_queue_url.is_none()),
        ),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

fn invalid(message: String) -> Problem {
    Problem::new(Reason::InvalidSpec, message)
}
