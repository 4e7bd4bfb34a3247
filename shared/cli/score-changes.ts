import type { Row } from '#shared/pipeline/outcome.ts'
import type { Score } from '#shared/pipeline/score.ts'

/** How the scores of some rows differ from those that they had, of one column. */
export interface ScoreChange {
  readonly score: string
  readonly column: string
  /** Rows that had a score and have one. */
  readonly compared: number
  /** Of them, those whose score is another one. */
  readonly changed: number
  /** Rows that had none. */
  readonly added: number
  /** Of those that are compared; null where none is, or the column is a text. */
  readonly meanBefore: number | null
  readonly meanAfter: number | null
  readonly meanDifference: number | null
  readonly mostDifference: number | null
}

interface Sums {
  readonly score: string
  readonly column: string
  compared: number
  changed: number
  added: number
  numbers: number
  before: number
  after: number
  differences: number
  most: number
}

/** Compares scores before and after. */
export class ScoreChanges {
  readonly #sums = new Map<string, Sums>()

  add({ name, into }: Score, before: Row, after: Row): void {
    for (const { column } of into) this.#add(name, column, before[column] ?? null, after[column] ?? null)
  }

  get list(): ScoreChange[] {
    return [...this.#sums.values()].map((sums) => {
      const { score, column, compared, changed, added, numbers, before, after, differences, most } = sums
      const mean = (sum: number): number | null => (numbers === 0 ? null : sum / numbers)
      const means = { meanBefore: mean(before), meanAfter: mean(after), meanDifference: mean(differences) }
      return { score, column, compared, changed, added, ...means, mostDifference: numbers === 0 ? null : most }
    })
  }

  #add(score: string, column: string, before: unknown, after: unknown): void {
    const none = { compared: 0, changed: 0, added: 0, numbers: 0, before: 0, after: 0, differences: 0, most: 0 }
    const sums = this.#sums.get(column) ?? { score, column, ...none }
    this.#sums.set(column, sums)
    if (after === null) return
    if (before === null) {
      sums.added += 1
      return
    }
    sums.compared += 1
    if (before !== after) sums.changed += 1
    if (typeof before !== 'number' || typeof after !== 'number') return
    sums.numbers += 1
    sums.before += before
    sums.after += after
    sums.differences += Math.abs(after - before)
    sums.most = Math.max(sums.most, Math.abs(after - before))
  }
}
