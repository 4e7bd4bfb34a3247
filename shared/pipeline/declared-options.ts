import { PipelineDefinitionError } from './errors.ts'

/** What the options of a declaration are checked with. Each throws a PipelineDefinitionError that names the option. */

export function onlyKnown(options: object, known: readonly string[], prefix: string): void {
  for (const option of Object.keys(options)) {
    if (!known.includes(option))
      throw new PipelineDefinitionError(`${prefix}${option}: unknown option; there are ${known.join(', ')}`)
  }
}

export function oneOf(option: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'string' || !known.includes(value))
    throw new PipelineDefinitionError(`${option}: expected ${known.join(', ')}, found ${JSON.stringify(value)}`)
}

export function matches(option: string, value: unknown, pattern: RegExp, expected: string): void {
  if (typeof value !== 'string' || !pattern.test(value))
    throw new PipelineDefinitionError(`${option}: expected ${expected}, found ${JSON.stringify(value)}`)
}

export function wholeNumber(option: string, value: unknown, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)
    throw new PipelineDefinitionError(
      `${option}: expected a whole number from ${least} to ${most}, found ${JSON.stringify(value)}`,
    )
}
