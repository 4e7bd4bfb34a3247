/** Where in the flow something went wrong. */
export type Stage = 'decode' | 'contract' | 'transform' | 'score' | 'partition' | 'encode' | 'store' | 'commit'

/**
 * Every error that a slice can fail with, with its stage and whether delivering the slice again can help.
 * Faults of a single record are not here: they are rejections (see `outcome.ts`).
 */
const CODES = {
  EVENT_MALFORMED: { stage: 'decode', canRetry: false },
  SCORE_UNAVAILABLE: { stage: 'score', canRetry: true },
  ENCODE_FAILED: { stage: 'encode', canRetry: false },
  STORE_UNAVAILABLE: { stage: 'store', canRetry: true },
  STORE_DENIED: { stage: 'store', canRetry: false },
  STORE_FULL: { stage: 'store', canRetry: true },
  KEY_INVALID: { stage: 'store', canRetry: false },
  DEADLINE_NEAR: { stage: 'commit', canRetry: true },
  LOG_CORRUPT: { stage: 'commit', canRetry: false },
  OFFSETS_RESTARTED: { stage: 'commit', canRetry: false },
  EPOCH_ENDED: { stage: 'commit', canRetry: true },
  EPOCH_EMPTY: { stage: 'commit', canRetry: false },
  TABLE_UNREADABLE: { stage: 'commit', canRetry: false },
  TABLE_CHANGED: { stage: 'commit', canRetry: false },
  TABLE_MISSING: { stage: 'commit', canRetry: false },
  TABLE_DIVERGED: { stage: 'commit', canRetry: false },
  TABLE_CONTENDED: { stage: 'commit', canRetry: true },
  UNBALANCED: { stage: 'commit', canRetry: false },
  UNEXPECTED: { stage: 'commit', canRetry: true },
} as const satisfies Record<string, { stage: Stage; canRetry: boolean }>

export type ErrorCode = keyof typeof CODES

/** A fault that fails a slice (or the whole delivery), never a single record. */
export class InletError extends Error {
  override readonly name = 'InletError'
  readonly code: ErrorCode
  readonly stage: Stage
  readonly canRetry: boolean

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.stage = CODES[code].stage
    this.canRetry = CODES[code].canRetry
  }
}

/** What was thrown, as an `InletError`: our own pass through, anything else is unexpected and may be retried. */
export function asInletError(thrown: unknown, doing: string): InletError {
  if (thrown instanceof InletError) return thrown
  if (thrown instanceof AggregateError) {
    const own = thrown.errors.find((error) => error instanceof InletError)
    return own ?? asInletError(thrown.errors[0], doing)
  }
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  return new InletError('UNEXPECTED', `${doing}: ${reason}`, { cause: thrown })
}

/** A mistake in a pipeline's declaration: thrown while it is defined, so nothing wrong can start. */
export class PipelineDefinitionError extends Error {
  override readonly name = 'PipelineDefinitionError'
}
