import type { Score } from './score.ts'

/** Why a row has no score though the endpoint was there: asking again gives the same. */
export type UnscoredReason = 'FEATURES_INVALID' | 'PREDICTION_INVALID' | 'RESPONSE_INVALID' | 'MODEL_ERROR'

/** Why the endpoint could not be asked, or gave no answer: asking later may help. */
export const UNAVAILABLE_REASONS = [
  'UNREACHABLE',
  'THROTTLED',
  'NOT_READY',
  'REFUSED',
  'BREAKER_OPEN',
  'NO_TIME',
  'NOT_SET_UP',
] as const
export type UnavailableReason = (typeof UNAVAILABLE_REASONS)[number]

/** What became of one row. */
export type Verdict =
  | { readonly kind: 'predicted'; readonly prediction: unknown; readonly modelVersion: string | null }
  | { readonly kind: 'unscored'; readonly reason: UnscoredReason }
  | { readonly kind: 'unavailable'; readonly reason: UnavailableReason }

/** Asks the models behind endpoints. Never throws for what is wrong with an endpoint, or a row: the verdicts say so. */
export interface Scorer {
  /**
   * @param features of each row; see `Score.features`
   * @param signal when it aborts, what has no answer yet is unavailable, at once
   * @param known features that the model has answered before, if there are: asked again only to tell a model that fails from
   *   rows that it fails with
   * @returns one for each of the features, in their order
   */
  score(score: Score, features: readonly unknown[], signal: AbortSignal, known?: unknown): Promise<readonly Verdict[]>
}

/** For where no endpoint was said: every row waits for one. */
export const NO_SCORER: Scorer = {
  score: async (_score, features) => features.map(() => ({ kind: 'unavailable', reason: 'NOT_SET_UP' })),
}
