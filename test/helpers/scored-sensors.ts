import * as z from 'zod'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Score } from '#shared/pipeline/score.ts'
import type { UnavailableReason, Scorer, Verdict } from '#shared/pipeline/scorer.ts'

export const ScoredRow = z.object({
  sensor: z.string(),
  at: z.date(),
  value: z.number().nullable(),
  risk: z.number().max(10).nullable(),
  grade: z.string().nullable(),
  model: z.string().nullable(),
  why: z.string().nullable(),
})

/** What the model makes of a value: its own for each, so that a score in another row is seen. */
const riskOf = (value: number): number => value / 1000

/** The sensors with a score of each value; a reading of null is not to be scored. Options as plain JavaScript has them. */
export function scoredSensors(score: object = {}, lake: object = {}, scores: object = {}): Pipeline {
  const place = { layout: 'files', partitionBy: { at: 'day' }, ...lake } as const
  const { table } = declared({}, place)
  return declared({ risk: { ...RISK, ...score }, ...scores }, { ...place, layout: 'iceberg', lock: lockFor(table) })
}

function declared(scores: object, lake: object): Pipeline {
  return definePipeline({
    name: 'sensors',
    topic: 'sensors',
    event: z.object({ sensor: z.string(), at: z.iso.datetime(), value: z.number().nullable() }),
    row: ScoredRow,
    transform: ({ value: { sensor, at, value } }) => {
      if (value === 0) return null
      // A risk of 5 is the transform's own, and must never be taken for the model's.
      const row = { sensor, at: new Date(at), value, risk: 5, grade: 'x', model: 'x', why: 'x' }
      return value !== null && value < 0 ? [row, { ...row, value: -value }] : row
    },
    lake: { table: 'sensors', ...lake },
    scores: scores as Record<string, typeof RISK>,
  })
}

export const RISK = {
  endpoint: 'sensor-risk',
  features: ({ value }: z.output<typeof ScoredRow>) => (value === null ? null : [value]),
  into: 'risk',
  modelVersionInto: 'model',
  reasonInto: 'why',
} as const

/** A model in this process. `answer` says what becomes of a row, when it is not its score. */
export class MemoryScorer implements Scorer {
  readonly asked: (readonly unknown[])[] = []
  /** What it was said, of each call, that a model has answered before. */
  readonly known: unknown[] = []
  readonly #answer: (value: number) => Verdict | undefined
  version = 'v1'

  constructor(answer: (value: number) => Verdict | undefined = () => undefined) {
    this.#answer = answer
  }

  async score(
    _score: Score,
    features: readonly unknown[],
    _signal: AbortSignal,
    known?: unknown,
  ): Promise<readonly Verdict[]> {
    this.asked.push(features)
    this.known.push(known)
    return (features as readonly [number][]).map(
      ([value]) => this.#answer(value) ?? { kind: 'predicted', prediction: riskOf(value), modelVersion: this.version },
    )
  }
}

export const away = (reason: UnavailableReason = 'UNREACHABLE'): Verdict => ({ kind: 'unavailable', reason })
