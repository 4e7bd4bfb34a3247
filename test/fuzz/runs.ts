import { Random } from '#test/helpers/simulation/random.ts'
import { faultOf } from './faults.ts'
import { shrunk } from './shrink.ts'
import type { Subject } from './subjects.ts'
import { type Value, valuesFor } from './values.ts'

const MAX_VALUES = 48

/** An input that fails, as small as it was made. */
export interface Failure {
  readonly pipeline: string
  readonly fault: string
  readonly values: readonly Value[]
}

/** Runs one case, which its number and the seed decide. */
export async function runCase({ flow, samples }: Subject, seed: number, number: number): Promise<Failure | undefined> {
  const random = new Random(Math.imul(seed, 1_000_003) + number)
  const values = valuesFor(random, samples, random.between(1, MAX_VALUES))
  if ((await faultOrCrash({ flow, samples }, values)) === undefined) return undefined
  const subject = { flow, samples }
  const small = await shrunk(values, async (some) => (await faultOrCrash(subject, some)) !== undefined)
  const fault = (await faultOrCrash(subject, small)) ?? 'it fails now and then'
  return { pipeline: flow.pipeline.name, fault, values: small }
}

/** What is wrong with what became of values; what is thrown is a fault too. */
export async function faultOrCrash({ flow }: Subject, values: readonly Value[]): Promise<string | undefined> {
  try {
    return await faultOf(flow, values)
  } catch (error) {
    return `crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
}

/** Values on a command line: base64, a dash for a tombstone. */
export function writeValues(values: readonly Value[]): string {
  return values.map((value) => (value === null ? '-' : `${Buffer.from(value).toString('base64')}.`)).join(',')
}

export function readValues(text: string): Value[] {
  return text
    .split(',')
    .map((part) => (part === '-' ? null : new Uint8Array(Buffer.from(part.replace(/\.$/, ''), 'base64'))))
}
