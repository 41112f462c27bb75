//! The members that requests to CloudWatch may have. In: an operation and its JSON. Out: the JSON without nulls, or
//! the error for an unknown, missing or mistyped member. No IO.

use std::sync::OnceLock;

use serde_json::Value;

use crate::errors::AwsError;
use crate::members::Table;

/// After the CloudWatch API reference, for what the simulator knows.
const SHAPES: &str = "
Tag Key!:str Value:str
Dimension Name!:str Value!:str
Metric Namespace!:str MetricName!:str Dimensions:[Dimension]
Stat Metric!:Metric Period!:int Stat!:str Unit:str
Query Id!:str MetricStat:Stat Expression:str Label:str ReturnData:bool Period:int AccountId:str
PutMetricAlarm AlarmName!:str AlarmDescription:str ActionsEnabled:bool OKActions:[str] AlarmActions:[str] InsufficientDataActions:[str] MetricName:str Namespace:str Statistic:SampleCount|Average|Sum|Minimum|Maximum ExtendedStatistic:str Dimensions:[Dimension] Period:int Unit:str EvaluationPeriods:int DatapointsToAlarm:int Threshold:num ComparisonOperator:GreaterThanOrEqualToThreshold|GreaterThanThreshold|LessThanThreshold|LessThanOrEqualToThreshold|LessThanLowerOrGreaterThanUpperThreshold|LessThanLowerThreshold|GreaterThanUpperThreshold TreatMissingData:missing|notBreaching|breaching|ignore EvaluateLowSampleCountPercentile:str Metrics:[Query] Tags:[Tag] ThresholdMetricId:str EvaluationCriteria:any EvaluationInterval:int
DescribeAlarms AlarmNames:[str] AlarmNamePrefix:str AlarmTypes:[CompositeAlarm|MetricAlarm] ChildrenOfAlarmName:str ParentsOfAlarmName:str StateValue:OK|ALARM|INSUFFICIENT_DATA ActionPrefix:str MaxRecords:int NextToken:str
DeleteAlarms AlarmNames!:[str]
TagResource ResourceARN!:str Tags!:[Tag]
UntagResource ResourceARN!:str TagKeys!:[str]
ListTagsForResource ResourceARN!:str
";

/// Checks a request against its shape and drops nulls, which AWS treats as absent.
pub(super) fn check(operation: &str, body: &Value) -> Result<Value, AwsError> {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE
        .get_or_init(|| Table::parse(SHAPES))
        .check(operation, body, super::refuse)
}
