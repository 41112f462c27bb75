//! The members that Secrets Manager's requests may have. In: an operation and its JSON. Out: the JSON without nulls, or the
//! error. No IO. Invariant: no text of an error holds a value of the request but for a choice out of a fixed set.

use std::sync::OnceLock;

use serde_json::Value;

use super::refusals::{not_simulated, validation};
use super::value::decoded_length;
use crate::errors::AwsError;
use crate::members::Table;

/// In the form of [`Table`], after the Secrets Manager API reference.
const SHAPES: &str = "
Tag Key!:str Value:str
Filter Key!:description|name|tag-key|tag-value|primary-region|owning-service|all Values!:[str]
CreateSecret Name!:str ClientRequestToken:str Description:str KmsKeyId:str SecretBinary:str SecretString:str Tags:[Tag] AddReplicaRegions:any ForceOverwriteReplicaSecret:bool Type:str
PutSecretValue SecretId!:str ClientRequestToken:str SecretBinary:str SecretString:str VersionStages:[str] RotationToken:str
UpdateSecret SecretId!:str ClientRequestToken:str Description:str KmsKeyId:str SecretBinary:str SecretString:str Type:str
UpdateSecretVersionStage SecretId!:str VersionStage!:str RemoveFromVersionId:str MoveToVersionId:str
DescribeSecret SecretId!:str
GetSecretValue SecretId!:str VersionId:str VersionStage:str
BatchGetSecretValue SecretIdList:[str] Filters:[Filter] MaxResults:int NextToken:str
ListSecrets IncludePlannedDeletion:bool MaxResults:int NextToken:str Filters:[Filter] SortOrder:asc|desc SortBy:created-date|last-accessed-date|last-changed-date|name
ListSecretVersionIds SecretId!:str MaxResults:int NextToken:str IncludeDeprecated:bool
TagResource SecretId!:str Tags!:[Tag]
UntagResource SecretId!:str TagKeys!:[str]
DeleteSecret SecretId!:str RecoveryWindowInDays:int ForceDeleteWithoutRecovery:bool
RestoreSecret SecretId!:str
";

/// What AWS knows and the simulator does not: replicas, other people's secrets, rotation across accounts.
const NOT_SIMULATED: [&str; 4] = [
    "AddReplicaRegions",
    "ForceOverwriteReplicaSecret",
    "Type",
    "RotationToken",
];

/// Least and greatest length of a text in characters (Secrets Manager API reference).
const LENGTHS: [(&str, usize, usize); 11] = [
    ("Name", 1, 512),
    ("SecretId", 1, 2048),
    ("ClientRequestToken", 32, 64),
    ("Description", 0, 2048),
    ("KmsKeyId", 0, 2048),
    ("VersionId", 32, 64),
    ("RemoveFromVersionId", 32, 64),
    ("MoveToVersionId", 32, 64),
    ("VersionStage", 1, 256),
    ("NextToken", 1, 4096),
    ("SecretString", 1, usize::MAX),
];

/// The greatest length of a value in bytes (Secrets Manager user guide, quotas).
const GREATEST_VALUE: usize = 65_536;

/// Least and greatest number of items of a list (Secrets Manager API reference).
const COUNTS: [(&str, usize, usize); 4] = [
    ("VersionStages", 1, 20),
    ("SecretIdList", 1, 20),
    ("Filters", 0, 10),
    ("Values", 1, 10),
];

fn constraint(member: &str, what: &str, bound: &str, limit: usize) -> AwsError {
    let mut letters = member.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    let member: String = first.into_iter().chain(letters).collect();
    validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must \
         have {what} {bound} than or equal to {limit}"
    ))
}

fn within(
    member: &str,
    what: &str,
    size: usize,
    least: usize,
    most: usize,
) -> Result<(), AwsError> {
    if size < least {
        return Err(constraint(member, what, "greater", least));
    }
    if size > most {
        return Err(constraint(member, what, "less", most));
    }
    Ok(())
}

/// Checks a request against its shape and drops nulls, which AWS treats as absent.
pub(super) fn check(operation: &str, body: &Value) -> Result<Value, AwsError> {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE.get_or_init(|| Table::parse(SHAPES));
    let body = table.check(operation, body, validation)?;
    for member in NOT_SIMULATED {
        if !body[member].is_null() {
            return Err(not_simulated(&format!("{operation}.{member}")));
        }
    }
    for (member, least, most) in LENGTHS {
        if let Some(text) = body[member].as_str() {
            within(member, "length", text.chars().count(), least, most)?;
        }
    }
    if let Some(text) = body["SecretString"].as_str() {
        within("SecretString", "length", text.len(), 0, GREATEST_VALUE)?;
    }
    if let Some(encoded) = body["SecretBinary"].as_str() {
        let length = decoded_length(encoded)?;
        within("SecretBinary", "length", length, 1, GREATEST_VALUE)?;
    }
    let most = if operation == "BatchGetSecretValue" {
        20
    } else {
        100
    };
    if let Some(size) = body["MaxResults"].as_i64() {
        let size = usize::try_from(size).unwrap_or(0);
        within("MaxResults", "value", size, 1, most)?;
    }
    let filters = body["Filters"].as_array().into_iter().flatten();
    for part in filters.chain([&body]) {
        for (member, least, most) in COUNTS {
            if let Some(items) = part[member].as_array() {
                within(member, "length", items.len(), least, most)?;
            }
        }
    }
    for label in body["VersionStages"].as_array().into_iter().flatten() {
        let length = label.as_str().unwrap_or_default().chars().count();
        within("VersionStages", "length", length, 1, 256)?;
    }
    Ok(body)
}
