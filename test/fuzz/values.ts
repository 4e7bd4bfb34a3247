import { type ByteMutation, BAD_BYTES, FRAGMENTS, mutated } from '#test/helpers/byte-mutation.ts'
import type { Random } from '#test/helpers/simulation/random.ts'

/** The value of a record; null for a tombstone. */
export type Value = Uint8Array | null

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** Values that are broken each, and would make sense side by side. */
const JOINED: readonly string[] = [
  '{"x":[1',
  '2]}',
  '{"a":1},{"a":2}',
  '[1',
  ',2]',
  '{"a":"',
  '"}',
  '\\',
  '"',
  '/*',
  '*/',
]
const RUNS: readonly string[] = [
  '"',
  '\\',
  '[',
  '{',
  '{"a":',
  '[[],',
  '"\\',
  '\\u',
  '9',
  '1e',
  ' ',
  ',',
  '-',
  '\\\\"',
  '"a":1,',
  '\ud83d\ude00',
]

/** What may stand in the place of a value or of a key. */
const TOKENS: readonly string[] = [
  ['"__proto__"', '"constructor"', '"\\u005f_proto__"', '"\\ud83d"', '"\\u0061ct"', '"id"', '""', '"\\n"', '"\\\\"'],
  ['1e400', '-1e999', '1e-400', '-0', '9223372036854775808', '9007199254740993', '0.1', '0', '7'],
  ['null', 'true', '{}', '[]', '{"id":1,"id":2}', '"skip"', '"throw"', '"half"', '"bad row"'],
  [62, 63, 64, 65, 300].map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
].flat()
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/g

/** Values for one delivery: whole events, events gone wrong, and what never was one. */
export function valuesFor(random: Random, samples: readonly string[], count: number): Value[] {
  return Array.from({ length: count }, () => valueFor(random, samples))
}

/** What a value is made by; the rest are no bytes. */
const ODDS = [
  ['whole', 0.15],
  ['tokens', 0.25],
  ['mutated', 0.25],
  ['cut', 0.08],
  ['random', 0.08],
  ['pieces', 0.08],
  ['joined', 0.04],
  ['run', 0.04],
  ['tombstone', 0.02],
] as const

function valueFor(random: Random, samples: readonly string[]): Value {
  const sample = bytesOf(random.pick(samples) ?? '{}')
  const kind = random.event(ODDS)
  switch (kind) {
    case 'whole':
      return sample
    case 'tokens':
      return withTokens(random, random.pick(samples) ?? '{}')
    case 'mutated':
      return Array.from({ length: random.between(1, 4) }, () => mutationBy(random)).reduce(mutated, sample)
    case 'cut':
      return sample.slice(0, random.between(0, sample.length))
    case 'random':
      return Uint8Array.from({ length: random.between(0, 200) }, () => random.between(0, 255))
    case 'pieces':
      return bytesOf(Array.from({ length: random.between(1, 12) }, () => random.pick(FRAGMENTS) ?? '').join(''))
    case 'joined':
      return bytesOf(random.pick(JOINED) ?? '')
    case 'run':
      return runBy(random, sample)
    case 'tombstone':
      return null
    default:
      return new Uint8Array()
  }
}

/** The event with another token in the place of one or two: most of them are JSON still. */
function withTokens(random: Random, sample: string): Uint8Array {
  let text = sample
  for (let i = random.between(1, 2); i > 0; i--) {
    const found = random.pick([...text.matchAll(TOKEN)])
    if (found === undefined) break
    text = text.slice(0, found.index) + (random.pick(TOKENS) ?? '') + text.slice(found.index + found[0].length)
  }
  return bytesOf(text)
}

function mutationBy(random: Random): ByteMutation {
  const kind = random.pick(['replace', 'insert', 'remove', 'copy', 'cut'] as const) ?? 'cut'
  const bytes = random.chance(0.1)
    ? Uint8Array.from(random.pick(BAD_BYTES) ?? [])
    : random.chance(0.3)
      ? Uint8Array.of(random.between(0, 255))
      : bytesOf(random.pick(FRAGMENTS) ?? '')
  return { kind, at: random.between(0, 1 << 30), to: random.between(0, 1 << 30), bytes }
}

/** A long run of one thing, by itself or within an event. */
function runBy(random: Random, sample: Uint8Array): Uint8Array {
  const run = bytesOf((random.pick(RUNS) ?? '').repeat(random.between(10, 4000)))
  if (random.chance(0.5)) return run
  return mutated(sample, { kind: 'insert', at: random.between(0, sample.length), to: 0, bytes: run })
}
