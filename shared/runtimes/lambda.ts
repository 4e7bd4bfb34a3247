import process from 'node:process'
import type { Context } from 'aws-lambda'
import { type Config, readConfig } from '#shared/config.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { type BatchResponse, batchResponse } from '#shared/pipeline/batch-response.ts'
import type { Lake } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { type Delivery, processBatch } from '#shared/pipeline/process-batch.ts'
import type { PartitionRecords } from '#shared/pipeline/record.ts'
import type { Scorer } from '#shared/pipeline/scorer.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { invocations } from './invocation.ts'
import { PowertoolsTelemetry, type Telemetry } from './telemetry.ts'
import { linkTraces, type TracedBatch } from './trace-links.ts'

/** What a handler works with; made from the environment on the first invocation where it is not given. */
export interface Surroundings {
  readonly lake: Lake
  readonly telemetry: Telemetry
  readonly concurrency: number
  /** Asks the models of a pipeline with scores; without it their rows wait for them. */
  readonly scorer?: Scorer | undefined
  /** Brings what has landed into the tables of a pipeline that asks for it after each batch. */
  readonly commitTables?: (signal: AbortSignal) => Promise<void>
  /** Told of each batch, to link it with the traces that its records come from; it never fails. */
  readonly trace?: (batch: TracedBatch) => Promise<void>
}

/** The handler of a pipeline: what Lambda calls. */
export type PipelineHandler = (event: unknown, context: Context) => Promise<BatchResponse | undefined>

/**
 * A Lambda handler that lands MSK events. It answers when everything it began has settled. When a slice is not durable it
 * throws, so that Lambda delivers the whole batch again; or, where the pipeline's trigger takes partial responses, it
 * names the records that have to be.
 */
export function lambdaHandler(pipeline: Pipeline, given?: Surroundings): PipelineHandler {
  if (given === undefined) requireScheduled(pipeline)
  if (given === undefined && pipeline.scores.length > 0)
    throw new Error(
      `pipeline ${pipeline.name} has scores: its handler is scoringHandler, of shared/runtimes/scoring.ts`,
    )
  return pipelineHandler(pipeline, () => given ?? deployedIn(readConfig(process.env), pipeline))
}

/** @throws Error for a pipeline whose function has to carry the catalogs' clients */
export function requireScheduled({ name, commit }: Pipeline): void {
  if (commit === 'immediate')
    throw new Error(
      `pipeline ${name} commits after each batch: its handler is immediateHandler, of shared/runtimes/immediate.ts`,
    )
}

/** @param prepare called on the first invocation */
export function pipelineHandler(pipeline: Pipeline, prepare: () => Surroundings): PipelineHandler {
  const flow = compileFlow(pipeline)
  const land = async (event: unknown, surroundings: Surroundings, signal: AbortSignal, context: Context) => {
    const { lake, telemetry, concurrency, scorer, trace } = surroundings
    const began = Date.now()
    const scoring = scorer && { scorer, signal: scoringTime(context) }
    const delivery = parseMskEvent(event)
    requireTopic(pipeline, delivery)
    const reports = await processBatch(flow, delivery, { lake, scoring, signal, concurrency })
    for (const [i, report] of reports.entries()) telemetry.slice(report, oldestOf(delivery.partitions[i]))
    const failed = reports.some(({ error }) => error !== null)
    const { name, topic } = pipeline
    await trace?.({ pipeline: name, topic, partitions: delivery.partitions, began, ended: Date.now(), failed })
    if (pipeline.commit === 'immediate') await commitTables(surroundings, signal)
    return batchResponse(reports, delivery, pipeline.trigger)
  }
  return invocations(prepare, land, (error, { telemetry }) => telemetry.failure(error))
}

/** What a deployed function works with, and the store of its lake. */
export function deployedIn(config: Config, pipeline: Pipeline): Surroundings & { readonly store: ObjectStore } {
  const store = openLake(config.lakeUrl, { catalog: config.catalog, pipelines: [pipeline] })
  const telemetry = new PowertoolsTelemetry(pipeline.name, config)
  // Lambda says anew with each invocation which trace is its.
  const trace = (batch: TracedBatch): Promise<void> => linkTraces(batch, process.env)
  return { store, lake: new ObjectStoreLake(store), telemetry, concurrency: config.concurrency, trace }
}

/** Half of the time that is left: what has no score by then waits for it, and lands. */
function scoringTime(context: Context): AbortSignal {
  return AbortSignal.timeout(Math.max(1, Math.floor(context.getRemainingTimeInMillis() / 2)))
}

/** What has landed is durable, and the committer's schedule brings it in too: a fault here fails no batch. */
async function commitTables({ commitTables: commit, telemetry }: Surroundings, signal: AbortSignal): Promise<void> {
  try {
    await commit?.(signal)
  } catch (error) {
    telemetry.failure(error)
  }
}

/** When the oldest of some records was produced, in milliseconds since 1970. */
function oldestOf(slice: PartitionRecords | undefined): number | undefined {
  return slice?.records.reduce((oldest, { timestamp }) => Math.min(oldest, timestamp), Number.POSITIVE_INFINITY)
}

function requireTopic(pipeline: Pipeline, { source }: Delivery): void {
  if (source.topic === pipeline.topic) return
  throw new InletError(
    'EVENT_MALFORMED',
    `pipeline ${pipeline.name} reads the topic "${pipeline.topic}", but the event is of "${source.topic}": check the trigger`,
  )
}
