//! The members that ECS requests may have. In: an operation and its JSON. Out: the JSON without nulls, or
//! the error for an unknown, missing or mistyped member. No IO.

use std::sync::OnceLock;

use serde_json::Value;

use crate::errors::AwsError;
use crate::members::Table;

/// In the form of [`Table`], after the ECS API reference, for what the simulator knows.
const SHAPES: &str = "
Tag key!:str value:str
Strategy capacityProvider!:str weight:int base:int
CreateCluster clusterName:str tags:[Tag] settings:any configuration:any capacityProviders:[str] defaultCapacityProviderStrategy:[Strategy] serviceConnectDefaults:any
DescribeClusters clusters:[str] include:[ATTACHMENTS|CONFIGURATIONS|SETTINGS|STATISTICS|TAGS]
DeleteCluster cluster!:str
PutClusterCapacityProviders cluster!:str capacityProviders!:[str] defaultCapacityProviderStrategy!:[Strategy]
Port containerPort:int hostPort:int protocol:tcp|udp name:str appProtocol:http|http2|grpc containerPortRange:str
Restart enabled!:bool ignoredExitCodes:[int] restartAttemptPeriod:int
Pair name:str value:str
Secret name!:str valueFrom!:str
Log logDriver!:awslogs|splunk|awsfirelens options:map secretOptions:[Secret]
Health command!:[str] interval:int timeout:int retries:int startPeriod:int
Depends containerName!:str condition!:START|COMPLETE|SUCCESS|HEALTHY
Ulimit name!:str softLimit!:int hardLimit!:int
Firelens type!:fluentd|fluentbit options:map
Credentials credentialsParameter!:str
Container name!:str image!:str repositoryCredentials:Credentials cpu:int memory:int memoryReservation:int portMappings:[Port] essential:bool restartPolicy:Restart entryPoint:[str] command:[str] environment:[Pair] environmentFiles:any mountPoints:any volumesFrom:any linuxParameters:any secrets:[Secret] dependsOn:[Depends] startTimeout:int stopTimeout:int versionConsistency:enabled|disabled user:str workingDirectory:str readonlyRootFilesystem:bool interactive:bool pseudoTerminal:bool dockerLabels:map ulimits:[Ulimit] logConfiguration:Log healthCheck:Health systemControls:any firelensConfiguration:Firelens
Storage sizeInGiB!:int
Platform cpuArchitecture:X86_64|ARM64 operatingSystemFamily:str
RegisterTaskDefinition family!:str taskRoleArn:str executionRoleArn:str networkMode:bridge|host|awsvpc|none containerDefinitions!:[Container] volumes:any placementConstraints:any requiresCompatibilities:[EC2|FARGATE|EXTERNAL|MANAGED_INSTANCES] cpu:str memory:str tags:[Tag] pidMode:host|task ephemeralStorage:Storage runtimePlatform:Platform enableFaultInjection:bool
DescribeTaskDefinition taskDefinition!:str include:[TAGS]
DeregisterTaskDefinition taskDefinition!:str
ListTaskDefinitions familyPrefix:str status:ACTIVE|INACTIVE|DELETE_IN_PROGRESS sort:ASC|DESC nextToken:str maxResults:int
Registry registryArn!:str port:int containerName:str containerPort:int
Threshold type!:COUNT|BOUNDED_PERCENT|UNBOUNDED_PERCENT value!:int
Breaker enable!:bool rollback!:bool resetOnHealthyTask:bool thresholdConfiguration:Threshold
Alarms alarmNames!:[str] rollback!:bool enable!:bool
Deployment deploymentCircuitBreaker:Breaker maximumPercent:int minimumHealthyPercent:int alarms:Alarms strategy:ROLLING|BLUE_GREEN|LINEAR|CANARY bakeTimeInMinutes:int lifecycleHooks:any earlySuccessCriteria:any
Controller type!:ECS|CODE_DEPLOY|EXTERNAL
Vpc subnets!:[str] securityGroups:[str] assignPublicIp:ENABLED|DISABLED
Network awsvpcConfiguration:Vpc
Alias port!:int dnsName:str testTrafficRules:any
Timeout idleTimeoutSeconds:int perRequestTimeoutSeconds:int
ConnectService portName!:str discoveryName:str clientAliases:[Alias] ingressPortOverride:int timeout:Timeout tls:any
AccessLog format!:TEXT|JSON includeQueryParameters:DISABLED|ENABLED
Connect enabled!:bool namespace:str services:[ConnectService] logConfiguration:Log accessLogConfiguration:AccessLog containerConfigurations:any
Metric metricNames!:[str] resolutionSeconds!:int
Monitoring metricConfigurations:[Metric]
CreateService cluster:str serviceName!:str taskDefinition:str availabilityZoneRebalancing:ENABLED|DISABLED loadBalancers:any serviceRegistries:[Registry] desiredCount:int clientToken:str launchType:EC2|FARGATE|EXTERNAL|MANAGED_INSTANCES capacityProviderStrategy:[Strategy] platformVersion:str role:str deploymentConfiguration:Deployment placementConstraints:any placementStrategy:any networkConfiguration:Network healthCheckGracePeriodSeconds:int schedulingStrategy:REPLICA|DAEMON deploymentController:Controller tags:[Tag] enableECSManagedTags:bool propagateTags:TASK_DEFINITION|SERVICE|NONE enableExecuteCommand:bool serviceConnectConfiguration:Connect volumeConfigurations:any vpcLatticeConfigurations:any monitoring:Monitoring
UpdateService cluster:str service!:str desiredCount:int taskDefinition:str capacityProviderStrategy:[Strategy] deploymentConfiguration:Deployment availabilityZoneRebalancing:ENABLED|DISABLED networkConfiguration:Network placementConstraints:any placementStrategy:any platformVersion:str forceNewDeployment:bool healthCheckGracePeriodSeconds:int deploymentController:Controller enableExecuteCommand:bool enableECSManagedTags:bool loadBalancers:any propagateTags:TASK_DEFINITION|SERVICE|NONE serviceRegistries:[Registry] serviceConnectConfiguration:Connect volumeConfigurations:any vpcLatticeConfigurations:any monitoring:Monitoring
DeleteService cluster:str service!:str force:bool
DescribeServices cluster:str services!:[str] include:[TAGS]
ListServices cluster:str nextToken:str maxResults:int launchType:str schedulingStrategy:REPLICA|DAEMON resourceManagementType:CUSTOMER|ECS
TagResource resourceArn!:str tags!:[Tag]
UntagResource resourceArn!:str tagKeys!:[str]
ListTagsForResource resourceArn!:str
ListTasks cluster:str family:str nextToken:str maxResults:int startedBy:str serviceName:str desiredStatus:RUNNING|PENDING|STOPPED launchType:str
DescribeTasks cluster:str tasks!:[str] include:[TAGS]
StopTask cluster:str task!:str reason:str
Created before:num after:num
ListServiceDeployments service!:str cluster:str status:[PENDING|SUCCESSFUL|STOPPED|STOP_REQUESTED|IN_PROGRESS|ROLLBACK_REQUESTED|ROLLBACK_IN_PROGRESS|ROLLBACK_SUCCESSFUL|ROLLBACK_FAILED] createdAt:Created nextToken:str maxResults:int
DescribeServiceDeployments serviceDeploymentArns!:[str]
DescribeServiceRevisions serviceRevisionArns!:[str]
StopServiceDeployment serviceDeploymentArn!:str stopType:ABORT|ROLLBACK
";

/// Checks a request against its shape and drops nulls, which AWS treats as absent.
pub(crate) fn check(operation: &str, body: &Value) -> Result<Value, AwsError> {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let refuse: fn(String) -> AwsError = if operation.ends_with("TaskDefinition") {
        |text| AwsError::client(text)
    } else {
        |text| AwsError::invalid(text)
    };
    TABLE
        .get_or_init(|| Table::parse(SHAPES))
        .check(operation, body, refuse)
}
