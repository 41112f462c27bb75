//! The members that requests to Application Auto Scaling may have. In: an operation and its JSON. Out: the JSON
//! without nulls, or the error for an unknown, missing or mistyped member. No IO.

use std::sync::OnceLock;

use serde_json::Value;

use crate::errors::AwsError;
use crate::members::Table;

/// After the Application Auto Scaling API reference. Which namespaces and dimensions there are is [`super::address`]'s.
const SHAPES: &str = "
Suspended DynamicScalingInSuspended:bool DynamicScalingOutSuspended:bool ScheduledScalingSuspended:bool
RegisterScalableTarget ServiceNamespace!:str ResourceId!:str ScalableDimension!:str MinCapacity:int MaxCapacity:int RoleARN:str SuspendedState:Suspended Tags:map
DeregisterScalableTarget ServiceNamespace!:str ResourceId!:str ScalableDimension!:str
DescribeScalableTargets ServiceNamespace!:str ResourceIds:[str] ScalableDimension:str MaxResults:int NextToken:str
Step MetricIntervalLowerBound:num MetricIntervalUpperBound:num ScalingAdjustment!:int
StepScaling AdjustmentType:ChangeInCapacity|PercentChangeInCapacity|ExactCapacity StepAdjustments:[Step] MinAdjustmentMagnitude:int Cooldown:int MetricAggregationType:Average|Minimum|Maximum
Dimension Name!:str Value!:str
Predefined PredefinedMetricType!:str ResourceLabel:str
TrackedMetric Dimensions:[Dimension] MetricName:str Namespace:str
TrackedStat Metric!:TrackedMetric Stat!:str Unit:str
TrackedQuery Expression:str Id!:str Label:str MetricStat:TrackedStat ReturnData:bool
Customized MetricName:str Namespace:str Dimensions:[Dimension] Statistic:Average|Minimum|Maximum|SampleCount|Sum Unit:str Metrics:[TrackedQuery]
TargetTracking TargetValue!:num PredefinedMetricSpecification:Predefined CustomizedMetricSpecification:Customized ScaleOutCooldown:int ScaleInCooldown:int DisableScaleIn:bool
PutScalingPolicy PolicyName!:str ServiceNamespace!:str ResourceId!:str ScalableDimension!:str PolicyType:StepScaling|TargetTrackingScaling|PredictiveScaling StepScalingPolicyConfiguration:StepScaling TargetTrackingScalingPolicyConfiguration:TargetTracking PredictiveScalingPolicyConfiguration:any
DeleteScalingPolicy PolicyName!:str ServiceNamespace!:str ResourceId!:str ScalableDimension!:str
DescribeScalingPolicies PolicyNames:[str] ServiceNamespace!:str ResourceId:str ScalableDimension:str MaxResults:int NextToken:str
Bounds MinCapacity:int MaxCapacity:int
PutScheduledAction ServiceNamespace!:str Schedule:str Timezone:str ScheduledActionName!:str ResourceId!:str ScalableDimension!:str StartTime:num EndTime:num ScalableTargetAction:Bounds
DeleteScheduledAction ServiceNamespace!:str ScheduledActionName!:str ResourceId!:str ScalableDimension!:str
DescribeScheduledActions ScheduledActionNames:[str] ServiceNamespace!:str ResourceId:str ScalableDimension:str MaxResults:int NextToken:str
DescribeScalingActivities ServiceNamespace!:str ResourceId:str ScalableDimension:str MaxResults:int NextToken:str IncludeNotScaledActivities:bool
TagResource ResourceARN!:str Tags!:map
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
