import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { retryLimit, type Trigger } from '#shared/pipeline/trigger.ts'
import type { Batch } from './batch.ts'

/** Milliseconds since 1970, as the timestamps of records. */
export type Time = number

/** How long and how often failed batches are delivered again. */
export class Retries {
  readonly #limit: number
  readonly #maximumAge: number
  readonly #backoff: (setbacks: number) => number

  /** @param backoff milliseconds to wait after so many failures in a row */
  constructor(trigger: Trigger, backoff: (setbacks: number) => number = retryDelay) {
    this.#limit = retryLimit(trigger)
    this.#maximumAge = (trigger.maximumRecordAgeSeconds ?? Number.POSITIVE_INFINITY) * 1000
    this.#backoff = backoff
  }

  /** Uses up a retry. @returns whether there was one left */
  takeOne(batch: Batch): boolean {
    if (batch.retries >= this.#limit) return false
    batch.retries += 1
    return true
  }

  /** Has a batch wait for its next attempt. */
  delay(batch: Batch, now: Time): void {
    batch.setbacks += 1
    batch.notBefore = now + this.#backoff(batch.setbacks)
  }

  /** Whether a record is older than the greatest age that is delivered. */
  isExpired({ timestamp }: Pick<KafkaRecord, 'timestamp'>, now: Time): boolean {
    return now - timestamp > this.#maximumAge
  }

  /** When the first record of a batch expires. */
  expiryOf({ slices }: Batch): Time {
    if (this.#maximumAge === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
    let oldest = Number.POSITIVE_INFINITY
    for (const records of slices.values()) for (const { timestamp } of records) oldest = Math.min(oldest, timestamp)
    return oldest + this.#maximumAge + 1
  }
}

/** Milliseconds to wait after so many failures in a row: 1 s, doubled each time, at most a minute. Lambda's are not known. */
export function retryDelay(setbacks: number): number {
  return Math.min(1000 * 2 ** (setbacks - 1), 60_000)
}
