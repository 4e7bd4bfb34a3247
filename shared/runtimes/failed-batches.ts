import { currentEpoch } from '#shared/lake/epochs.ts'
import type { TopicId } from '#shared/lake/log-keys.ts'
import type { ObjectEntry, ObjectStore } from '#shared/lake/object-store.ts'
import { redriveLog } from '#shared/lake/redrive-log.ts'
import { asInletError } from '#shared/pipeline/errors.ts'
import type { Flow } from '#shared/pipeline/flow.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { type Delivery, landSlice, type SliceReport, writeSlice } from '#shared/pipeline/process-batch.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { parseFailureRecord } from '#shared/trigger/failure-destination.ts'

/** More than any object that Lambda writes: a payload of 6 MB as JSON within JSON, and what describes it. */
const MAX_BYTES = 16_000_000

/** Asked for something that cannot be done as it is asked for. */
export class RedriveRefusedError extends Error {
  override readonly name = 'RedriveRefusedError'
}

/**
 * An object of a failure destination that stays where it is, and why: it is of another function or topic, it is no batch at
 * all (or cannot be read), or not all of it could be landed.
 */
export interface LeftObject {
  readonly key: string
  readonly because: 'foreign' | 'unreadable' | 'failed'
  readonly reason: string
}

export interface FailedBatchesOptions {
  /** Whether a function's batches are meant, by its name. */
  readonly isOwn: (functionName: string) => boolean
  /** The epoch that the batches belong to; needed when their topic has had more than one. */
  readonly epoch: number | undefined
  /** Leaves the objects where they are. */
  readonly dryRun: boolean
  /** Aborted when too little time is left to begin anything. */
  readonly signal: AbortSignal
  /** Files of one landing that are written at a time. */
  readonly concurrency: number
  /** Called for each landing; one that has failed has an error. */
  readonly onSlice: (report: SliceReport) => void
  /** Called for each object that stays, but for those that stay because nothing is written or no time is left. */
  readonly onLeft: (object: LeftObject) => void
  /** Called for each object that was looked at. */
  readonly onObject?: () => void
}

/**
 * Lands the batches that a trigger has given up, which wait in its failure destination. An object is deleted when each of
 * its records is durable; what is no such batch stays. One object is in memory at a time; stopped anywhere, it can be run
 * again.
 * @param lake where the batches land
 * @returns whether there was time for all of them
 * @throws RedriveRefusedError when it is not clear which epoch the batches belong to
 */
export async function redriveFailedBatches(
  destination: ObjectStore,
  lake: ObjectStore,
  flow: Flow,
  options: FailedBatchesOptions,
): Promise<boolean> {
  const { signal, onLeft, onObject } = options
  if (folder(lake.url).startsWith(folder(destination.url)))
    throw new RedriveRefusedError(`${destination.url} holds the lake itself: name the folder that the batches wait in`)
  for await (const entry of destination.list('')) {
    if (signal.aborted) return false
    const left = await landObject(entry, destination, lake, flow, options)
    if (left === 'no time') return false
    if (left !== undefined) onLeft(left)
    onObject?.()
  }
  return true
}

/** @returns why the object stays; undefined when it is gone, or would be */
async function landObject(
  { key, bytes }: ObjectEntry,
  destination: ObjectStore,
  lake: ObjectStore,
  flow: Flow,
  options: FailedBatchesOptions,
): Promise<LeftObject | 'no time' | undefined> {
  if (bytes > MAX_BYTES)
    return { key, because: 'unreadable', reason: `it has ${bytes} bytes, more than any batch that Lambda gives up` }
  const body = await destination.get(key)
  // Another redrive has landed it meanwhile.
  if (body === undefined) return undefined
  const batch = readBatch(body, flow.pipeline, options)
  if ('because' in batch) return { key, ...batch }
  const reports = await land(lake, flow, batch, options)
  const begun = reports.filter(({ error }) => error?.code !== 'DEADLINE_NEAR')
  for (const report of begun) options.onSlice(report)
  if (begun.length < reports.length) return 'no time'
  const error = reports.map((report) => report.error).find((each) => each !== null)
  if (error !== undefined) return { key, because: 'failed', reason: error.message }
  if (!options.dryRun) await destination.delete(key)
  return undefined
}

function readBatch(
  body: Uint8Array,
  pipeline: Pipeline,
  { isOwn }: FailedBatchesOptions,
): Delivery | Omit<LeftObject, 'key'> {
  try {
    const { functionArn, event } = parseFailureRecord(body)
    const name = functionName(functionArn)
    if (!isOwn(name)) return { because: 'foreign', reason: `a batch of another function, ${name}` }
    const delivery = parseMskEvent(event)
    const { topic } = delivery.source
    if (topic === pipeline.topic) return delivery
    return { because: 'foreign', reason: `a batch of the topic "${topic}"; ${pipeline.name} reads "${pipeline.topic}"` }
  } catch (error) {
    return { because: 'unreadable', reason: asInletError(error, 'reading it').message }
  }
}

async function land(
  lake: ObjectStore,
  flow: Flow,
  { source, partitions }: Delivery,
  { epoch: given, signal, concurrency }: FailedBatchesOptions,
): Promise<SliceReport[]> {
  const { name: pipeline, generation } = flow.pipeline
  const topic: TopicId = { pipeline, generation, ...source }
  const epoch = await epochOf(lake, topic, given)
  const write = writeSlice(flow, { signal, concurrency })
  const reports: SliceReport[] = []
  for (const slice of partitions) {
    const log = redriveLog(lake, { ...topic, epoch, partition: slice.partition })
    reports.push(await landSlice(slice, log, write))
  }
  return reports
}

/** A batch does not say which life of its offsets it is of. */
async function epochOf(lake: ObjectStore, topic: TopicId, given: number | undefined): Promise<number> {
  const current = await currentEpoch(lake, topic)
  const of = `the topic ${topic.topic} of ${topic.cluster}`
  if (given !== undefined && given > current)
    throw new RedriveRefusedError(`${of} has no epoch ${given}: the current one is ${current}`)
  if (given === undefined && current > 0)
    throw new RedriveRefusedError(
      `${of} is in epoch ${current}, and a batch does not say which epoch its offsets are of: say it, 0 to ${current}; ` +
        'those that were given up before the last one began are of an older one',
    )
  return given ?? current
}

function folder(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

/** `arn:aws:lambda:eu-west-1:123456789012:function:flights:$LATEST` → `flights`. */
export function functionName(arn: string): string {
  return /^arn:[^:]+:lambda:[^:]*:[^:]*:function:(?<name>[^:]+)/.exec(arn)?.groups?.['name'] ?? arn
}

/**
 * Whether a function is the one of a pipeline: by its name when it is given. Else it ends in the pipeline's, as
 * `inlet-dev-flights` does, and not in a longer one, for another pipeline may read the same topic.
 * @param names of all pipelines
 */
export function ownFunctions(
  pipeline: string,
  names: readonly string[],
  given: string | undefined,
): (functionName: string) => boolean {
  if (given !== undefined) return (name) => name === given
  return (name) => {
    const owners = names.filter((each) => name === each || name.endsWith(`-${each}`))
    return owners.sort((a, b) => b.length - a.length)[0] === pipeline
  }
}
