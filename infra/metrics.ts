import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { logicalId, ref, type Value } from './cloudformation.ts'
import { mappingId } from './event-source-mapping.ts'
import type { StageSettings } from './stage.ts'

/** A metric of CloudWatch: what publishes it is said by each function here. */
export interface Metric {
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions: readonly { readonly Name: string; readonly Value: Value }[]
}

/** What functions publish their own metrics in: stages of an account do not share it. serverless.yml tells them the same. */
export function metricsNamespace({ stack }: StageSettings): string {
  return `Inlet/${stack}`
}

/** What the telemetry of a pipeline's function counts (shared/runtimes/telemetry.ts). */
export type PipelineMetric =
  | 'records'
  | 'written'
  | 'rejected'
  | 'skipped'
  | 'known'
  | 'failed'
  | 'bytes'
  | 'freshness'
  | ScoreMetric

/** What it counts of a pipeline with scores. */
type ScoreMetric = 'scored' | 'unscored' | 'waiting' | 'score latency' | 'score throttles' | 'breaker open'

export function pipelineMetric(settings: StageSettings, { name }: Pipeline, metric: PipelineMetric): Metric {
  return ofService(settings, name, metric)
}

/** What the committer counts (shared/runtimes/committer.ts). */
export type CommitterMetric =
  | 'committed entries'
  | 'committed files'
  | 'committed rows'
  | 'commit failed'
  | 'commit waited'

export function committerMetric(settings: StageSettings, metric: CommitterMetric): Metric {
  return ofService(settings, 'committer', metric)
}

/** What the function of jobs counts (shared/runtimes/jobs.ts). */
export type JobMetric = 'jobs started' | 'jobs succeeded' | 'jobs given up' | 'jobs failed to start'

export function jobMetric(settings: StageSettings, metric: JobMetric): Metric {
  return ofService(settings, 'jobs', metric)
}

/** What the function of rows that wait counts (shared/runtimes/rescore.ts). */
export type RescoreMetric = 'rescored rows' | 'unscored rows' | 'waiting rows' | 'rescore failed'

export function rescoreMetric(settings: StageSettings, metric: RescoreMetric): Metric {
  return ofService(settings, 'rescore', metric)
}

/** What Lambda counts of a function, and the lag of the trigger that it has. */
export type FunctionMetric = 'Invocations' | 'Errors' | 'Throttles' | 'Duration' | 'OffsetLag'

export function functionMetric(functionName: string, MetricName: FunctionMetric): Metric {
  const Dimensions = [{ Name: 'FunctionName', Value: ref(logicalId(functionName, 'LambdaFunction')) }]
  return { Namespace: 'AWS/Lambda', MetricName, Dimensions }
}

/** What Lambda counts of a trigger with provisioned pollers, when it is told to (`MetricsConfig`). */
export type TriggerMetric = 'DroppedEventCount' | 'OnFailureDestinationDeliveredEventCount'

export function triggerMetric(pipeline: Pipeline, MetricName: TriggerMetric): Metric {
  const Dimensions = [{ Name: 'EventSourceMappingUUID', Value: ref(mappingId(pipeline)) }]
  return { Namespace: 'AWS/Lambda', MetricName, Dimensions }
}

/** As Powertools publishes it: by the name of the service. */
function ofService(settings: StageSettings, service: string, MetricName: string): Metric {
  return { Namespace: metricsNamespace(settings), MetricName, Dimensions: [{ Name: 'service', Value: service }] }
}
