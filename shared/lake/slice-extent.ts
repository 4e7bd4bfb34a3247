import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { type Fingerprint, fingerprintOf, joinedFingerprint } from './fingerprint.ts'
import type { Extent } from './log-entry.ts'

/** Which records a slice has taken: their offsets and their fingerprint, kept as they come and go. */
export class SliceExtent {
  readonly #covered: [number, number][] = []
  #fingerprint: Fingerprint | undefined

  /** @param records at least one, in offset order, behind those before */
  add(records: readonly KafkaRecord[]): void {
    for (const { offset } of records) {
      const last = this.#covered.at(-1)
      if (last !== undefined && offset <= last[1])
        throw new RangeError(`offset ${offset} comes behind ${last[1]}: offsets must ascend`)
      if (last !== undefined && offset === last[1] + 1) last[1] = offset
      else this.#covered.push([offset, offset])
    }
    const fingerprint = fingerprintOf(records)
    this.#fingerprint =
      this.#fingerprint === undefined ? fingerprint : joinedFingerprint(this.#fingerprint, fingerprint)
  }

  /** The last offset; undefined when there is none. */
  get last(): number | undefined {
    return this.#covered.at(-1)?.[1]
  }

  /** @throws RangeError when it has no records: nothing can be committed of none */
  get extent(): Extent {
    if (this.#fingerprint === undefined) throw new RangeError('a slice without records has no extent')
    return { covered: this.#covered, fingerprint: this.#fingerprint }
  }
}
