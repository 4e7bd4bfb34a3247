import type { WaitingBatch } from '#shared/jobs/completeness.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { parseFailureRecord } from '#shared/trigger/failure-destination.ts'
import { functionName } from './failed-batches.ts'

/** Lambda writes below it. */
const PREFIX = 'aws/lambda/'

/** The batches of a pipeline that wait in a failure destination. Objects there never change: each is read once. */
export class WaitingBatches {
  readonly #destination: ObjectStore
  readonly #topic: string
  readonly #isOwn: (functionName: string) => boolean
  /** By key; null for what is another's. */
  #known: ReadonlyMap<string, WaitingBatch | null> = new Map()

  /** @param isOwn whether a function's batches are meant, by its name */
  constructor(destination: ObjectStore, topic: string, isOwn: (functionName: string) => boolean) {
    this.#destination = destination
    this.#topic = topic
    this.#isOwn = isOwn
  }

  async list(): Promise<readonly WaitingBatch[]> {
    const found = new Map<string, WaitingBatch | null>()
    for await (const { key } of this.#destination.list(PREFIX))
      found.set(key, this.#known.has(key) ? (this.#known.get(key) ?? null) : await this.#read(key))
    this.#known = found
    return [...found.values()].filter((batch) => batch !== null)
  }

  async #read(key: string): Promise<WaitingBatch | null> {
    const body = await this.#destination.get(key)
    // It has been redriven meanwhile.
    if (body === undefined) return null
    try {
      const { functionArn, event } = parseFailureRecord(body)
      if (!this.#isOwn(functionName(functionArn))) return null
      const { source, partitions } = parseMskEvent(event)
      if (source.topic !== this.#topic) return null
      const times = partitions.flatMap(({ records }) => records.map(({ timestamp }) => timestamp))
      const latest = times.reduce((a, b) => Math.max(a, b), 0)
      return { key, kafkaTime: latest > 0 ? latest : null }
    } catch (error) {
      // What nobody can read may be of any pipeline, and of any time.
      if (error instanceof InletError && error.code === 'EVENT_MALFORMED') return { key, kafkaTime: null }
      throw error
    }
  }
}
