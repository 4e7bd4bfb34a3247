import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { serviceAlarms } from './alarms.ts'
import { type Resources, sub, type Value } from './cloudformation.ts'
import { functionMetric, pipelineMetric, rescoreMetric } from './metrics.ts'
import { inCatalog, inLake, lakeKey, listing, readLogs } from './rights.ts'
import { allow, FAILED_INVOCATIONS, roleId, type Statement } from './role.ts'
import type { StageSettings } from './stage.ts'

/** Scores of pipelines, where there are any: what may ask which endpoint, and a function for the rows that wait. */

export const RESCORE_FUNCTION = 'rescore'

const TIMEOUT_SECONDS = 900
const HOUR = 3600

export function hasScores(pipelines: readonly Pipeline[]): boolean {
  return pipelines.some(({ scores }) => scores.length > 0)
}

/** The function; serverless.yml makes those of the other schedules. */
export function rescoreFunction(catalog: Value): Value {
  return {
    handler: `functions/${RESCORE_FUNCTION}/handler.handler`,
    description: 'rows that wait for a score get it, once their endpoint answers',
    role: sub(`\${${roleId(RESCORE_FUNCTION)}.Arn}`),
    timeout: TIMEOUT_SECONDS,
    environment: catalog,
    // The next run is minutes away.
    maximumRetryAttempts: 0,
    destinations: FAILED_INVOCATIONS,
    events: [{ schedule: 'rate(5 minutes)' }],
  }
}

/** A pipeline's function asks the endpoints that it names, and remembers which are away. */
export function scoringRights(pipelines: readonly Pipeline[]): readonly Statement[] {
  const endpoints = [...new Set(pipelines.flatMap(({ scores }) => scores.map(({ endpoint }) => endpoint)))].sort()
  if (endpoints.length === 0) return []
  // In its ARNs SageMaker writes all names in lower case.
  const arn = (endpoint: string): Value =>
    sub(`arn:\${AWS::Partition}:sagemaker:\${AWS::Region}:\${AWS::AccountId}:endpoint/${endpoint.toLowerCase()}`)
  const known = endpoints.map((endpoint) => `scoring/${endpoint}/*`)
  return [
    allow('Score', ['sagemaker:InvokeEndpoint'], endpoints.map(arn)),
    allow('Endpoints', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], known.map(inLake)),
    listing('ListEndpoints', known),
  ]
}

/** It reads logs, writes data files of its tables anew, and makes the snapshots that have them. */
export function rescoreRights(pipelines: readonly Pipeline[]): readonly Statement[] {
  const own = pipelines.filter(({ scores }) => scores.length > 0)
  const readAndPut = ['s3:GetObject', 's3:PutObject']
  const inTables = (folder: string): Value[] => own.map(({ table }) => inLake(`tables/${table.name}/${folder}/*`))
  return [
    ...readLogs(),
    allow('ReleaseWaiting', ['s3:DeleteObject'], inLake('log/*/waiting/*')),
    allow('Rows', readAndPut, inTables('data')),
    allow('Snapshots', readAndPut, inTables('metadata')),
    listing('ListLogs', ['log/*']),
    lakeKey(),
    allow('Catalog', ['glue:GetTable', 'glue:UpdateTable'], inCatalog(['*'])),
    ...scoringRights(own),
  ]
}

/** The alarms of the function. */
export function rescoreAlarms(settings: StageSettings): Resources {
  const { stack } = settings
  return serviceAlarms(RESCORE_FUNCTION, stack, [
    {
      what: 'Waiting',
      description: `Rows of ${stack} wait for a score for more than three hours: their endpoint is away, or throttles. The log of ${stack}-rescore says which; see the endpoint, its alarms and its quota. The rows are in the lake meanwhile.`,
      metric: rescoreMetric(settings, 'waiting rows'),
      statistic: 'Minimum',
      period: HOUR,
      periods: 3,
      above: 0,
    },
    {
      what: 'Failing',
      description: `For 15 minutes ${stack}-rescore could not read or write a table. Its log has "rescore failed" with pipeline and code: TABLE_CHANGED wants "inlet table apply" or a deploy of what made the table.`,
      metric: functionMetric(RESCORE_FUNCTION, 'Errors'),
      periods: 3,
      above: 0,
    },
  ])
}

/** The alarms of a pipeline's scores. */
export function scoreAlarms(settings: StageSettings, pipeline: Pipeline): Resources {
  if (pipeline.scores.length === 0) return {}
  const endpoints = pipeline.scores.map(({ endpoint }) => endpoint).join(', ')
  return serviceAlarms(pipeline.name, settings.stack, [
    {
      what: 'EndpointAway',
      description: `An endpoint of ${settings.stack}-${pipeline.name} (${endpoints}) has been taken to be away for 15 minutes: rows land without scores, and wait for them. The function's log has "endpoint is away". REFUSED is a missing endpoint or right; otherwise see the endpoint itself.`,
      metric: pipelineMetric(settings, pipeline, 'breaker open'),
      statistic: 'Maximum',
      periods: 3,
      above: 0,
    },
    {
      what: 'Unscored',
      description: `More than 1% of the rows of ${settings.stack}-${pipeline.name} have no score for good: the model fails with them, or answers what is no score. The reason is in the column that reasonInto names, and in the commits. Mend features or model, then "inlet rescore ${pipeline.name} --from … --to …".`,
      metric: {
        expression: 'IF(scored + unscored > 0, 100 * unscored / (scored + unscored), 0)',
        metrics: {
          scored: pipelineMetric(settings, pipeline, 'scored'),
          unscored: pipelineMetric(settings, pipeline, 'unscored'),
        },
      },
      periods: 3,
      above: 1,
    },
  ])
}
