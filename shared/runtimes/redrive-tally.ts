import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import type { LeftObject } from './failed-batches.ts'

/** What became of the records of a redrive. `found = written + skipped + rejected + resolved + failed`. */
export interface RedriveCounts {
  readonly found: number
  /** Records that became rows. */
  readonly written: number
  readonly rows: number
  readonly skipped: number
  /** Records that were refused again. */
  readonly rejected: number
  /** Records that were in the lake already: by the trigger, or by another redrive. */
  readonly resolved: number
  /** Records that did not land and are where they were. */
  readonly failed: number
}

/** A landing that failed: the records from one offset to another. */
export interface RedriveFailure {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly records: number
  readonly code: string
  readonly message: string
}

/** What a redrive came to, as JSON. */
export interface RedriveSummary extends RedriveCounts {
  /** In a dry run, why records would be refused again: code → records. */
  readonly codes: Readonly<Record<string, number>>
  /** The first landings that failed, and why. */
  readonly failures: readonly RedriveFailure[]
  /** How many objects stay in the failure destination. */
  readonly left: Readonly<Record<LeftObject['because'], number>>
  /** The first of them that are not another function's. */
  readonly leftObjects: readonly LeftObject[]
}

/** Failures, and objects that are left, that are told one by one. */
const MAX_TOLD = 20

/** Adds up what a redrive comes to. */
export class RedriveTally {
  /** For a dry run to fill: code → records. */
  readonly codes = new Map<string, number>()
  readonly #counts = { found: 0, written: 0, rows: 0, skipped: 0, rejected: 0, resolved: 0, failed: 0 }
  readonly #failures: RedriveFailure[] = []
  readonly #left = { foreign: 0, unreadable: 0, failed: 0 }
  readonly #leftObjects: LeftObject[] = []

  land(report: SliceReport): void {
    const { topic, partition, firstOffset, lastOffset, records, known, error } = report
    this.#counts.found += records
    if (error === null) {
      this.#counts.resolved += known
      for (const count of ['written', 'rows', 'skipped', 'rejected'] as const) this.#counts[count] += report[count]
      return
    }
    this.#counts.failed += records
    const { code, message } = error
    if (this.#failures.length < MAX_TOLD)
      this.#failures.push({ topic, partition, firstOffset, lastOffset, records, code, message })
  }

  leave(object: LeftObject): void {
    this.#left[object.because] += 1
    if (object.because !== 'foreign' && this.#leftObjects.length < MAX_TOLD) this.#leftObjects.push(object)
  }

  summary(): RedriveSummary {
    const codes = Object.fromEntries(this.codes)
    return { ...this.#counts, codes, failures: this.#failures, left: this.#left, leftObjects: this.#leftObjects }
  }
}
