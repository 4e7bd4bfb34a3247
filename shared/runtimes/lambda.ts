import process from 'node:process'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { catalogOf, readConfig } from '#shared/config.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { type BatchResponse, batchResponse } from '#shared/pipeline/batch-response.ts'
import type { Lake } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { type Delivery, processBatch } from '#shared/pipeline/process-batch.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { PowertoolsTelemetry, type Telemetry } from './telemetry.ts'

/** What a handler works with; made from the environment on the first invocation where it is not given. */
export interface Surroundings {
  readonly lake: Lake
  readonly telemetry: Telemetry
  readonly concurrency: number
  /** Brings what has landed into the tables of a pipeline that asks for it after each batch. */
  readonly commitTables?: (signal: AbortSignal) => Promise<void>
}

/** The handler of a pipeline: what Lambda calls. */
export type PipelineHandler = (event: unknown, context: Context) => Promise<BatchResponse | undefined>

/**
 * A Lambda handler that lands MSK events. It answers when everything it began has settled. When a slice is not durable it
 * throws, so that Lambda delivers the whole batch again; or, where the pipeline's trigger takes partial responses, it
 * names the records that have to be.
 */
export function lambdaHandler(pipeline: Pipeline, given?: Surroundings): PipelineHandler {
  const flow = compileFlow(pipeline)
  let surroundings = given

  const handler = middy<unknown, BatchResponse | undefined>()
    .before(({ context }) => {
      surroundings ??= fromEnvironment(pipeline)
      surroundings.telemetry.begin(context)
    })
    .after(() => surroundings?.telemetry.end())
    .onError(({ error }) => {
      surroundings?.telemetry.failure(error)
      surroundings?.telemetry.end()
    })
    .handler(async (event, context) => {
      const { lake, telemetry, concurrency } = surroundings as Surroundings
      const delivery = parseMskEvent(event)
      requireTopic(pipeline, delivery)
      const signal = deadline(context.getRemainingTimeInMillis())
      const reports = await processBatch(flow, delivery, { lake, signal, concurrency })
      for (const report of reports) telemetry.slice(report)
      if (pipeline.commit === 'immediate') await commitTables(surroundings as Surroundings, signal)
      return batchResponse(reports, delivery, pipeline.trigger)
    })
  return (event, context) => handler(event, context)
}

function fromEnvironment(pipeline: Pipeline): Surroundings {
  const config = readConfig(process.env)
  const store = openStore(config.lakeUrl)
  return {
    lake: new ObjectStoreLake(store),
    telemetry: new PowertoolsTelemetry(pipeline.name, config),
    concurrency: config.concurrency,
    commitTables: async (signal) => {
      // Loaded only where it is asked for: it takes as long to load as all the rest.
      const [{ openCatalog }, { commitTables: commit }] = await Promise.all([
        import('#shared/lake/iceberg/open-catalog.ts'),
        import('#shared/lake/pipeline-tables.ts'),
      ])
      await commit({ store, tables: openCatalog(catalogOf(config), store), now: Date.now }, pipeline, { signal })
    },
  }
}

/** What has landed is durable, and the committer's schedule brings it in too: a fault here fails no batch. */
async function commitTables({ commitTables: commit, telemetry }: Surroundings, signal: AbortSignal): Promise<void> {
  try {
    await commit?.(signal)
  } catch (error) {
    telemetry.failure(error)
  }
}

/** A tenth of what is left, and at least a second, is kept for what has begun. */
export function deadline(remaining: number): AbortSignal {
  const usable = Math.floor(remaining - Math.max(1000, remaining / 10))
  return usable > 0 ? AbortSignal.timeout(usable) : AbortSignal.abort()
}

function requireTopic(pipeline: Pipeline, { source }: Delivery): void {
  if (source.topic === pipeline.topic) return
  throw new InletError(
    'EVENT_MALFORMED',
    `pipeline ${pipeline.name} reads the topic "${pipeline.topic}", but the event is of "${source.topic}": check the trigger`,
  )
}
