import { commitKey, commitsPrefix } from '#shared/lake/log-keys.ts'
import type { Fault } from './findings.ts'
import type { ListedLog } from './histories.ts'
import type { HistoryProof } from './history-proof.ts'

/** The commits of a log, the newest first: each ends directly before the one that was taken before it. */
export class Chain {
  readonly log: ListedLog
  /** The start of the commit that was taken last. */
  #next: number | undefined

  constructor(log: ListedLog) {
    this.log = log
  }

  /** Takes the commit before. @returns what is wrong with the two */
  take({ range }: HistoryProof): Fault[] {
    if (range === null) return []
    const next = this.#next
    this.#next = range.start
    if (next === undefined || range.end + 1 === next) return []
    if (range.isSeal)
      return [{ object: commitKey(this.log.prefix, range.start), fault: 'is a seal, but commits follow' }]
    return [this.#fault(range.end + 1, next)]
  }

  /** Ends the chain, which begins at offset 0. */
  end(): Fault[] {
    return this.#next === undefined || this.#next === 0 ? [] : [this.#fault(0, this.#next)]
  }

  #fault(from: number, to: number): Fault {
    const fault =
      from < to
        ? `the chain has a hole: no commit covers the offsets ${from}…${to - 1}`
        : `the chain overlaps: two commits cover the offsets ${to}…${from - 1}`
    return { object: commitsPrefix(this.log.prefix), fault }
  }
}
