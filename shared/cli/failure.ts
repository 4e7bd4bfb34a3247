import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'

/** A wrong call: exit code 2. Anything else that goes wrong is 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** One line for a person: what went wrong, without a stack. Only what nobody foresaw shows where it happened. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const foreseen = ['UsageError', 'InletError', 'EventFileError', 'BatchFailedError', 'QueryError']
  if (foreseen.includes(error.name) || error instanceof PipelineDefinitionError) return error.message
  return error.stack ?? error.message
}

export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError ? 2 : 1
}
