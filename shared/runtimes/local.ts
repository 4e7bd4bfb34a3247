import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'aws-lambda'
import { BatchFailedError } from '#shared/pipeline/batch-response.ts'
import type { Lake } from '#shared/pipeline/commit.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { positionOf } from '#shared/pipeline/record.ts'
import type { Scorer } from '#shared/pipeline/scorer.ts'
import type { Trigger } from '#shared/pipeline/trigger.ts'
import { partitionLength, recordsOf, type ValueFile } from '#shared/sources/value-file.ts'
import { EventSourceMapping } from '#shared/trigger/event-source-mapping.ts'
import type { Discarded } from '#shared/trigger/failure-destination.ts'
import { type KafkaSource, mskEvent } from '#shared/trigger/msk-event.ts'
import { retryDelay } from '#shared/trigger/retries.ts'
import type { EventFile } from './event-file.ts'
import { runEventSource } from './event-source.ts'
import { lambdaHandler } from './lambda.ts'
import type { Telemetry } from './telemetry.ts'

export const LAMBDA_TIMEOUT_MS = 14 * 60 * 1000

export interface LocalRunOptions {
  readonly lake: Lake
  readonly concurrency: number
  /** Asks the models of a pipeline with scores. */
  readonly scorer?: Scorer | undefined
  /** Records of an invocation at the most, in place of the declared number. */
  readonly batchSize: number | undefined
  /** How often a batch that fails is delivered again before the run ends with its error. */
  readonly retries: number
  readonly onSlice: (report: SliceReport) => void
  /** Told how many records of a file no filter of the trigger has let through. */
  readonly onFiltered: (records: number) => void
}

/**
 * Runs the pipeline's Lambda handler over files, one invocation after another: MSK events as they are, values as its
 * trigger would deliver them. Stops at the first batch that would be given up, with the error of its last attempt.
 */
export async function runLocally(
  declared: Pipeline,
  files: readonly EventFile[],
  options: LocalRunOptions,
): Promise<void> {
  const { lake, concurrency, scorer, onSlice } = options
  const pipeline = { ...declared, trigger: localTrigger(declared.trigger, options) }
  const telemetry: Telemetry = { begin() {}, slice: onSlice, failure() {}, end() {} }
  const handler = lambdaHandler(pipeline, { lake, telemetry, concurrency, scorer })
  let invocations = 0
  const invoke = (event: unknown): Promise<unknown> => handler(event, localContext(pipeline, invocations++))
  for (const file of files) {
    if (file.kind === 'values') await deliverValues(pipeline, file.values, invoke, options.onFiltered)
    else for (const event of file.events) await deliver(event, invoke, options.retries)
  }
}

/**
 * The declared trigger, as far as it makes sense of files. All records are there already, and have no time that they could
 * be too old by; who looks on would rather see the first failure than have the run go on around it.
 */
function localTrigger(trigger: Trigger, { batchSize, retries }: LocalRunOptions): Trigger {
  return {
    ...trigger,
    mode: 'on-demand',
    batchSize: batchSize ?? trigger.batchSize,
    batchingWindowSeconds: 0,
    failureDestination: null,
    maximumRetryAttempts: retries,
    maximumRecordAgeSeconds: null,
    bisectBatchOnError: false,
    partialResponses: false,
    pollers: null,
  }
}

async function deliverValues(
  { topic, trigger }: Pipeline,
  file: ValueFile,
  invoke: (event: unknown) => Promise<unknown>,
  onFiltered: (records: number) => void,
): Promise<void> {
  const partitions = Array.from({ length: file.partitions }, (_, partition) => partition)
  const start = new Map(partitions.map((partition) => [partition, 0]))
  const source: KafkaSource = {
    eventSource: 'aws:kafka',
    arn: `arn:aws:kafka:local:000000000000:cluster/${file.cluster}/p${file.partitions}`,
    bootstrapServers: '',
  }
  const mapping = new EventSourceMapping(trigger, topic, start, source)
  await runEventSource(mapping, {
    read: (wanted) => wanted.map((each) => ({ ...each, records: recordsOf(file, topic, each) })),
    end: new Map(partitions.map((partition) => [partition, partitionLength(file, partition)])),
    invoke: (invocation) => invoke(mskEvent(invocation, source)),
    timeoutMs: LAMBDA_TIMEOUT_MS,
    onDiscarded(discarded, cause) {
      throw cause ?? undeliverable(discarded)
    },
  })
  onFiltered(mapping.filtered)
}

function undeliverable({ partitions }: Discarded): BatchFailedError {
  const [record] = partitions.flatMap(({ records }) => records)
  const where = record === undefined ? 'a record' : positionOf(record)
  return new BatchFailedError(`${where} cannot be delivered: alone it is above the 6 MB of an invocation's payload`)
}

/** Delivers an event that is an invocation already. */
async function deliver(event: unknown, invoke: (event: unknown) => Promise<unknown>, retries: number): Promise<void> {
  for (let setbacks = 1; ; setbacks++) {
    try {
      await invoke(event)
      return
    } catch (error) {
      if (setbacks > retries) throw error
      await sleep(retryDelay(setbacks))
    }
  }
}

/** What a handler is told of its invocation, on a machine that is not Lambda's. */
export function localContext(pipeline: Pipeline, invocation: number): Context {
  const deadline = performance.now() + LAMBDA_TIMEOUT_MS
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: pipeline.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${pipeline.name}`,
    memoryLimitInMB: '1024',
    awsRequestId: `local-${invocation}`,
    logGroupName: `/aws/lambda/${pipeline.name}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => deadline - performance.now(),
    done() {},
    fail() {},
    succeed() {},
  }
}
