import { matches } from './declared-options.ts'

type Unit = 'minute' | 'hour' | 'day'

/** A length of time as a declaration has it: `'90 minutes'`, `'12 hours'`, `'1 day'`. */
export type Duration = `${number} ${Unit | `${Unit}s`}`

const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
const DURATION = /^(?<count>[1-9]\d{0,5}) (?<unit>minute|hour|day)s?$/

/**
 * @returns milliseconds
 * @throws PipelineDefinitionError naming the option
 */
export function durationMs(option: string, text: unknown, expected = "'90 minutes', '12 hours' or '7 days'"): number {
  matches(option, text, DURATION, expected)
  const { count, unit = '' } = DURATION.exec(text as string)?.groups ?? {}
  return Number(count) * (UNITS[unit] ?? 0)
}
