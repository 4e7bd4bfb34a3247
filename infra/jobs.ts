import type { Job, JobTarget } from '#shared/pipeline/job.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { failureBucket } from '#shared/pipeline/trigger.ts'
import { type Resources, sub, type Value } from './cloudformation.ts'
import { serviceAlarms } from './alarms.ts'
import { bucketArn } from './event-source-mapping.ts'
import { functionMetric, jobMetric } from './metrics.ts'
import { inCatalog, inLake, lakeKey, listing, readLogs } from './rights.ts'
import { allow, FAILED_INVOCATIONS, roleId, type Statement } from './role.ts'
import type { StageSettings } from './stage.ts'

/** What starts the jobs of the pipelines, where there are any: a function, on a schedule and when a run has ended. */

export const JOBS_FUNCTION = 'jobs'

const TIMEOUT_SECONDS = 120

export function hasJobs(pipelines: readonly Pipeline[]): boolean {
  return pipelines.some(({ jobs }) => jobs.length > 0)
}

/** The function; serverless.yml makes those of the other schedules. */
export function jobsFunction(pipelines: readonly Pipeline[], catalog: Value): Value {
  return {
    handler: `functions/${JOBS_FUNCTION}/handler.handler`,
    description: 'starts Glue and EMR jobs when the data that they need is complete',
    role: sub(`\${${roleId(JOBS_FUNCTION)}.Arn}`),
    timeout: TIMEOUT_SECONDS,
    environment: catalog,
    // The next round is a minute away.
    maximumRetryAttempts: 0,
    destinations: FAILED_INVOCATIONS,
    // Changes of state come at best: the rounds ask for them, too.
    events: [
      { schedule: 'rate(1 minute)' },
      ...stateChanges(pipelines).map((pattern) => ({ eventBridge: { pattern } })),
    ],
  }
}

/** Events that say that a run of one of the jobs has ended (EventBridge's reference of events, "AWS Glue", "Amazon EMR"). */
function stateChanges(pipelines: readonly Pipeline[]): Value[] {
  const glue = namesOf(pipelines, 'glue', ({ job }) => job)
  const applications = namesOf(pipelines, 'emrServerless', ({ application }) => application)
  const clusters = namesOf(pipelines, 'emrStep', ({ cluster }) => cluster)
  return [
    endOf(
      'aws.glue',
      'Glue Job State Change',
      { jobName: glue, state: ['SUCCEEDED', 'FAILED', 'TIMEOUT', 'STOPPED'] },
      glue,
    ),
    endOf(
      'aws.emr-serverless',
      'EMR Serverless Job Run State Change',
      { applicationId: applications, state: ['SUCCESS', 'FAILED', 'CANCELLED'] },
      applications,
    ),
    endOf(
      'aws.emr',
      'EMR Step Status Change',
      { clusterId: clusters, state: ['COMPLETED', 'FAILED', 'CANCELLED'] },
      clusters,
    ),
  ].flat()
}

function endOf(source: string, type: string, detail: Value, names: readonly string[]): Value[] {
  return names.length === 0 ? [] : [{ source: [source], 'detail-type': [type], detail }]
}

/**
 * It reads logs and tables, writes down what it decides, and starts the jobs that are declared, by name. In the lake it is limited to
 * prefixes, as the committer is, and for the same reason.
 */
export function jobsRights(pipelines: readonly Pipeline[]): readonly Statement[] {
  const own = pipelines.filter(({ jobs }) => jobs.length > 0)
  return [
    ...readLogs(),
    allow('ReadTables', ['s3:GetObject'], inLake('tables/*/metadata/*')),
    allow('Runs', ['s3:GetObject', 's3:PutObject'], inLake('jobs/*')),
    allow('CloseRuns', ['s3:DeleteObject'], inLake('jobs/*/open/*')),
    allow('OldWindows', ['s3:DeleteObject'], inLake('jobs/*/windows/*')),
    listing('ListLogsAndRuns', ['log/*', 'jobs/*']),
    lakeKey(),
    allow('Catalog', ['glue:GetTable'], inCatalog(['*'])),
    ...givenUpRights(own),
    ...startRights(own),
  ]
}

function givenUpRights(pipelines: readonly Pipeline[]): Statement[] {
  const buckets = [...new Set(pipelines.flatMap(({ trigger }) => failureBucket(trigger) ?? []))].map(bucketArn)
  if (buckets.length === 0) return []
  return [
    allow(
      'GivenUp',
      ['s3:GetObject'],
      buckets.map((bucket) => sub(`${bucket}/aws/lambda/*`)),
    ),
    allow(
      'ListGivenUp',
      ['s3:ListBucket'],
      buckets.map((bucket) => sub(bucket)),
    ),
  ]
}

function startRights(pipelines: readonly Pipeline[]): Statement[] {
  const glue = namesOf(pipelines, 'glue', ({ job }) => `glue:\${AWS::Region}:\${AWS::AccountId}:job/${job}`)
  const at = 'emr-serverless:${AWS::Region}:${AWS::AccountId}:/applications'
  const applications = namesOf(pipelines, 'emrServerless', ({ application }) => `${at}/${application}`)
  const runs = applications.map((application) => `${application}/jobruns/*`)
  const roles = namesOf(pipelines, 'emrServerless', ({ role }) => role)
  const clusters = namesOf(
    pipelines,
    'emrStep',
    ({ cluster }) => `elasticmapreduce:\${AWS::Region}:\${AWS::AccountId}:cluster/${cluster}`,
  )
  return [
    ...startRight('Glue', ['glue:StartJobRun', 'glue:GetJobRun', 'glue:GetJobRuns'], glue),
    ...startRight('EmrServerless', ['emr-serverless:StartJobRun'], applications),
    ...startRight('EmrServerlessRuns', ['emr-serverless:GetJobRun'], runs),
    ...(roles.length === 0 ? [] : [passRoles(roles)]),
    ...startRight(
      'EmrSteps',
      ['elasticmapreduce:AddJobFlowSteps', 'elasticmapreduce:ListSteps', 'elasticmapreduce:DescribeStep'],
      clusters,
    ),
  ]
}

function startRight(sid: string, actions: readonly string[], resources: readonly string[]): Statement[] {
  if (resources.length === 0) return []
  return [
    allow(
      sid,
      actions,
      resources.map((resource) => sub(`arn:\${AWS::Partition}:${resource}`)),
    ),
  ]
}

/** Only to EMR Serverless, which asks for the role that a run has. */
function passRoles(roles: readonly string[]): Statement {
  const Condition = { StringEquals: { 'iam:PassedToService': 'emr-serverless.amazonaws.com' } }
  return { ...allow('PassRole', ['iam:PassRole'], roles), Condition }
}

/** What the jobs of a kind have in common, each once. */
function namesOf<K extends JobTarget['kind']>(
  pipelines: readonly Pipeline[],
  kind: K,
  of: (target: JobTarget & { readonly kind: K }) => string,
): string[] {
  const isOfKind = (target: JobTarget): target is JobTarget & { readonly kind: K } => target.kind === kind
  const targets = pipelines.flatMap(({ jobs }) => jobs.map(({ target }: Job) => target))
  return [...new Set(targets.filter(isOfKind).map(of))].sort()
}

/** The alarms of the jobs. */
export function jobsAlarms(settings: StageSettings): Resources {
  const { stack } = settings
  return serviceAlarms(JOBS_FUNCTION, stack, [
    {
      what: 'GivenUp',
      description: `A job of ${stack} has failed as often as it may be tried. "inlet jobs ls" shows which, and why; mend it, then "inlet jobs retry".`,
      metric: jobMetric(settings, 'jobs given up'),
      above: 0,
    },
    {
      what: 'NotSeenTo',
      description: `For 15 minutes ${stack}-jobs could not look at a table, or not start or follow a run. Its log has "job not seen to" with the reason; mend that. What is due is started then.`,
      metric: functionMetric(JOBS_FUNCTION, 'Errors'),
      periods: 3,
      above: 0,
    },
  ])
}
