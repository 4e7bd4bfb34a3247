import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'

/** A wrong call: exit code 2. Anything else that goes wrong is 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** By their names: what throws them is not loaded to say how a command is called. */
const FORESEEN = new Set([
  'UsageError',
  'SettingsError',
  'InletError',
  'KafkaError',
  'ProduceError',
  'LocalClusterError',
  'TriggerError',
  'EventFileError',
  'BatchFailedError',
  'QueryError',
  'ModelError',
  'InstallationError',
])

/** One line for a person: what went wrong, without a stack. Only what nobody foresaw shows where it happened. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (FORESEEN.has(error.name) || error instanceof PipelineDefinitionError) return error.message
  return error.stack ?? error.message
}

export function exitCodeOf(error: unknown): number {
  return error instanceof Error && ['UsageError', 'SettingsError'].includes(error.name) ? 2 : 1
}
