import process from 'node:process'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { readConfig } from '#shared/config.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { batchResponse } from '#shared/pipeline/batch-response.ts'
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
}

/** The handler of a pipeline: what Lambda calls. */
export type PipelineHandler = (event: unknown, context: Context) => Promise<void>

/**
 * A Lambda handler that lands MSK events. It answers when everything it began has settled, and throws, so that Lambda
 * delivers the whole batch again, when any slice is not durable.
 */
export function lambdaHandler(pipeline: Pipeline, given?: Surroundings): PipelineHandler {
  const flow = compileFlow(pipeline)
  let surroundings = given

  const handler = middy<unknown, void>()
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
      batchResponse(reports)
    })
  return (event, context) => handler(event, context)
}

function fromEnvironment(pipeline: Pipeline): Surroundings {
  const config = readConfig(process.env)
  return {
    lake: new ObjectStoreLake(openStore(config.lakeUrl)),
    telemetry: new PowertoolsTelemetry(pipeline.name, config),
    concurrency: config.concurrency,
  }
}

/** A tenth of what is left, and at least a second, is kept for what has begun. */
function deadline(remaining: number): AbortSignal {
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
