import type { LogEntry } from '#shared/lake/log-entry.ts'
import { isSeal } from '#shared/lake/log-entry.ts'
import { type OffsetRange, rangesSize } from '#shared/pipeline/commit.ts'
import { common, united, without } from './offset-ranges.ts'

/** What became of the offsets of one commit, as its amendments are taken one after another. In ranges, never one by one. */
export class Settlement {
  readonly #commit: LogEntry
  /** Offsets whose record is a row or a counted skip: nothing may cover them again. */
  #settled: readonly OffsetRange[] = []
  /** Offsets whose last verdict is "rejected". */
  #open: readonly OffsetRange[] = []
  /** Offsets that were rejected at any time. */
  #refused: readonly OffsetRange[] = []

  constructor(commit: LogEntry) {
    this.#commit = commit
    this.take(commit)
  }

  /**
   * Takes the next entry: it settles gaps, or records whose verdict was "rejected"; each offset must be one or the other.
   * @returns what is wrong
   */
  take(entry: LogEntry): string[] {
    const { start, end } = this.#commit
    const covered = united(entry.covered)
    const rejected = united(entry.rejected)
    const faults = [
      ...without(covered, [[start, end]]).map(([f, l]) => `covers ${f}…${l}, outside the commit's ${start}…${end}`),
      ...common(covered, this.#settled).map(([f, l]) =>
        f === l
          ? `covers offset ${f}, which was in the lake already`
          : `covers offsets ${f}…${l}, which were in the lake already`,
      ),
    ]
    this.#settled = united(this.#settled, without(covered, rejected))
    this.#open = united(without(this.#open, covered), rejected)
    this.#refused = united(this.#refused, rejected)
    return faults
  }

  /** Records that are in the lake, each once. */
  get records(): number {
    return rangesSize(this.#settled) + rangesSize(this.#open)
  }

  get openDeadLetters(): number {
    return rangesSize(this.#open)
  }

  get resolvedDeadLetters(): number {
    return rangesSize(without(this.#refused, this.#open))
  }

  /** Offsets that no delivery has brought; a seal reaches behind the last that there was. */
  get gaps(): number {
    const { start, end } = this.#commit
    return isSeal(this.#commit) ? 0 : rangesSize(without(without([[start, end]], this.#settled), this.#open))
  }

  /** The least and the greatest offset of a record. */
  get offsets(): OffsetRange | null {
    const all = united(this.#settled, this.#open)
    const [first, last] = [all[0], all.at(-1)]
    return first === undefined || last === undefined ? null : [first[0], last[1]]
  }
}
