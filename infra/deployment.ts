import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { failureTopic } from '#shared/pipeline/trigger.ts'
import { committerAlarms, failedInvocationsAlarm, pipelineAlarms } from './alarms.ts'
import { exempt, logicalId, type Resources, sub, type Value } from './cloudformation.ts'
import {
  BROKERS_FUNCTION,
  CUSTOM_RESOURCE_TIMEOUT,
  TABLES_FUNCTION,
  tableResources,
  topicId,
  topicResources,
  TOPICS_FUNCTION,
} from './custom-resources-template.ts'
import { dashboard } from './dashboard.ts'
import { endpointPolicy } from './endpoint-policy.ts'
import { eventSourceMapping, mappingId, requireRoomForPollers } from './event-source-mapping.ts'
import { hasJobs, JOBS_FUNCTION, jobsAlarms, jobsFunction } from './jobs.ts'
import { lifecycleRules } from './lifecycle.ts'
import { FAILED_INVOCATIONS, roleId } from './role.ts'
import { modelVariant } from './model-variant.ts'
import { roles } from './roles.ts'
import { hasScores, RESCORE_FUNCTION, rescoreAlarms, rescoreFunction, scoreAlarms } from './scores.ts'
import { kafkaNetwork, StageError, type StageSettings } from './stage.ts'

/** A pipeline, and the folder of functions/ that it lies in. */
export interface PipelineFolder {
  readonly folder: string
  readonly pipeline: Pipeline
}

/** What serverless.yml takes from the pipelines of a stage. */
export interface Deployment {
  /** The functions of the pipelines, and those that make topics and tables. */
  readonly functions: { readonly [name: string]: Value }
  readonly resources: { readonly Resources: Resources; readonly extensions: { readonly [logicalId: string]: Value } }
  /** The files of the cluster that the stage makes, each as what serverless.yml would include; empty where it makes none. */
  readonly network: Value
  readonly cluster: Value
  readonly endpoints: Value
  /** The file of the endpoint that scores flights; empty for a stage that has none. */
  readonly model: Value
  readonly modelVariant: Value
}

const NOTHING = {}
/** Runs at once. The committer begins one each minute and may take five; a redrive may be invoked by a loop. */
const RESERVED = { committer: 2, redrive: 2, [JOBS_FUNCTION]: 2 }
/** Functions that are no pipeline's. */
const OTHERS = new Set([
  'committer',
  'redrive',
  JOBS_FUNCTION,
  RESCORE_FUNCTION,
  BROKERS_FUNCTION,
  TABLES_FUNCTION,
  TOPICS_FUNCTION,
])

/** @throws StageError when the pipelines cannot be deployed together */
export function deployment(settings: StageSettings, folders: readonly PipelineFolder[]): Deployment {
  const pipelines = folders.map(({ pipeline }) => pipeline)
  requireOwnNames(pipelines)
  requireRoomForPollers(pipelines)
  const own = settings.cluster === null
  const isOnDemand = pipelines.some(({ trigger }) => trigger.mode === 'on-demand')
  return {
    functions: functions(settings, folders),
    resources: { Resources: resources(settings, pipelines), extensions: extensions(settings, pipelines) },
    network: own ? '${file(infra/network.yml)}' : NOTHING,
    cluster: own ? '${file(infra/cluster.yml)}' : NOTHING,
    endpoints: own && isOnDemand ? '${file(infra/endpoints.yml)}' : NOTHING,
    model: settings.model === null ? NOTHING : '${file(infra/sagemaker.yml)}',
    modelVariant: settings.model === null ? NOTHING : modelVariant(settings.model),
  }
}

function requireOwnNames(pipelines: readonly Pipeline[]): void {
  const taken = pipelines.find(({ name }) => OTHERS.has(name))
  if (taken !== undefined)
    throw new StageError(`pipeline ${taken.name}: a function of that name is there already; choose another name`)
}

function functions(settings: StageSettings, folders: readonly PipelineFolder[]): { readonly [name: string]: Value } {
  const network = kafkaNetwork(settings)
  return {
    ...Object.fromEntries(folders.map(({ folder, pipeline }) => [pipeline.name, pipelineFunction(folder, pipeline)])),
    [TABLES_FUNCTION]: {
      ...customResourceFunction(TABLES_FUNCTION, 'makes and changes the tables of the pipelines, for CloudFormation'),
      environment: CATALOG,
    },
    ...(hasJobs(folders.map(({ pipeline }) => pipeline)) && {
      [JOBS_FUNCTION]: jobsFunction(
        folders.map(({ pipeline }) => pipeline),
        CATALOG,
      ),
    }),
    ...(hasScores(folders.map(({ pipeline }) => pipeline)) && { [RESCORE_FUNCTION]: rescoreFunction(CATALOG) }),
    ...(network !== null && {
      [BROKERS_FUNCTION]: customResourceFunction(BROKERS_FUNCTION, 'tells CloudFormation where the cluster is reached'),
      [TOPICS_FUNCTION]: {
        ...customResourceFunction(TOPICS_FUNCTION, 'makes and changes the topics of the pipelines, for CloudFormation'),
        environment: { KAFKA_SASL: 'aws-msk-iam' },
        vpc: { subnetIds: network.subnets, securityGroupIds: network.groups },
      },
    }),
  }
}

/** As every function has LAKE_URL, those that ask the catalog have this. */
const CATALOG = { LAKE_CATALOG: '${env:LAKE_CATALOG, self:custom.catalog}' }

function pipelineFunction(folder: string, { name, topic, commit }: Pipeline): Value {
  return {
    handler: `functions/${folder}/handler.handler`,
    description: `${topic} from Kafka to the lake`,
    role: sub(`\${${roleId(name)}.Arn}`),
    ...(commit === 'immediate' && { environment: CATALOG }),
  }
}

function customResourceFunction(name: string, description: string): { readonly [key: string]: Value } {
  return {
    handler: `functions/${name}/handler.handler`,
    description,
    role: sub(`\${${roleId(name)}.Arn}`),
    timeout: CUSTOM_RESOURCE_TIMEOUT,
    destinations: FAILED_INVOCATIONS,
  }
}

function resources(settings: StageSettings, pipelines: readonly Pipeline[]): Resources {
  const topics = topicResources(settings, pipelines)
  const tables = tableResources(pipelines)
  const mappings = pipelines.map((pipeline) => {
    const read = [pipeline.topic, failureTopic(pipeline.trigger)].filter((topic) => topic !== null)
    const made = [...read.map((topic) => topicId(pipelines, topic)), logicalId(pipeline.name, 'Tables')]
    const before = [...made.filter((id) => id in topics || id in tables), ...pollerNeeds(settings, pipeline)]
    return [mappingId(pipeline), eventSourceMapping(settings, pipeline, before)] as const
  })
  return {
    ...roles(settings, pipelines),
    ...topics,
    ...tables,
    ...Object.fromEntries(mappings),
    ...Object.fromEntries(pipelines.flatMap((pipeline) => Object.entries(pipelineAlarms(settings, pipeline)))),
    ...committerAlarms(settings),
    ...failedInvocationsAlarm(settings),
    ...(hasJobs(pipelines) && jobsAlarms(settings)),
    ...(hasScores(pipelines) && rescoreAlarms(settings)),
    ...Object.fromEntries(pipelines.flatMap((pipeline) => Object.entries(scoreAlarms(settings, pipeline)))),
    ...subscription(settings),
    Dashboard: dashboard(settings, pipelines),
  }
}

/** What the pollers of a trigger on demand call, in a network of the stage's own. */
function pollerNeeds({ cluster }: StageSettings, { trigger }: Pipeline): readonly string[] {
  return cluster === null && trigger.mode === 'on-demand' ? ['LambdaEndpoint', 'StsEndpoint'] : []
}

function subscription({ alarmEmail }: StageSettings): Resources {
  if (alarmEmail === null) return {}
  const Properties = { TopicArn: { Ref: 'Alarms' }, Protocol: 'email', Endpoint: alarmEmail }
  return { AlarmEmail: { Type: 'AWS::SNS::Subscription', Properties } }
}

/** What is added to resources that the Framework makes, or that are written in YAML. */
function extensions(settings: StageSettings, pipelines: readonly Pipeline[]): { readonly [logicalId: string]: Value } {
  const names = [...pipelines.map(({ name }) => name), 'committer', 'redrive', TABLES_FUNCTION]
  if (hasJobs(pipelines)) names.push(JOBS_FUNCTION)
  if (hasScores(pipelines)) names.push(RESCORE_FUNCTION)
  if (kafkaNetwork(settings) !== null) names.push(BROKERS_FUNCTION, TOPICS_FUNCTION)
  return {
    ServerlessDeploymentBucket: {
      Metadata: exempt({ CKV_AWS_18: 'It holds bundles and templates; CloudTrail says who deploys' }),
    },
    ...(settings.cluster === null && { S3Endpoint: { Properties: { PolicyDocument: endpointPolicy(pipelines) } } }),
    LakeBucket: { Properties: { LifecycleConfiguration: { Rules: lifecycleRules(pipelines) } } },
    ...Object.fromEntries(names.map((name) => [logicalId(name, 'LambdaFunction'), functionExtension(settings, name)])),
    ...Object.fromEntries(names.map((name) => [logicalId(name, 'LogGroup'), { Metadata: LOG_GROUP_EXEMPT }])),
  }
}

const LOG_GROUP_EXEMPT = exempt({
  CKV_AWS_158: 'Encrypted by CloudWatch; logs hold positions and counts, never values',
  CKV_AWS_338: 'A month; what has to be known for longer is in the commit log',
})

function functionExtension({ reserveConcurrency }: StageSettings, name: string): Value {
  const reserved = reserveConcurrency ? (RESERVED as Readonly<Record<string, number>>)[name] : undefined
  const Metadata = exempt({
    CKV_AWS_115:
      'A reserve takes from what the account has for all; who may starve others has one where the stage says so',
    CKV_AWS_116:
      'A trigger has its failure destination, an invocation that nobody waits for the queue FailedInvocations',
    CKV_AWS_117: 'S3 and Glue are called from outside of any network; only who talks to Kafka is in one',
    CKV_AWS_173: 'No variable is a secret',
  })
  return { Metadata, ...(reserved !== undefined && { Properties: { ReservedConcurrentExecutions: reserved } }) }
}
