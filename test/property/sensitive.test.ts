/**
 * What is marked sensitive is never told, whatever is wrong with it or around it: documents with a secret in every
 * sensitive place, mutated, go the whole way into a lake, and the secret is looked for in all that a dead letter says of its
 * own. (The record's bytes are kept as they are; who may read dead letters may read events.)
 */
import fc from 'fast-check'
import * as z from 'zod'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { definePipeline, type UnknownKeysPolicy } from '#shared/pipeline/pipeline.ts'
import { byteMutation, mutated } from '#test/helpers/byte-mutation.ts'
import { land, recordsOf } from '#test/helpers/landing.ts'

const SECRET = 'hunter2'
const secret = z
  .string({ error: (issue) => `what is ${JSON.stringify(issue.input)}?` })
  .refine((text) => text.length < 20, { error: (issue) => `too long: ${String(issue.input)}` })
  .meta({ sensitive: true })

const Payment = z
  .object({
    id: z.string().max(10),
    pin: secret,
    note: secret.nullable().optional(),
    act: z.enum(['none', 'throw', 'row', 'keys', 'refine']),
    amount: z.int64(),
    holder: z.object({ name: z.string(), iban: secret, aliases: z.array(secret.max(12)) }),
    tokens: z.record(z.string().max(12), z.object({ at: z.int() })).meta({ sensitive: true }),
    byToken: z.record(secret, z.object({ at: z.int(), code: secret.optional() })),
    way: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('card'), number: secret }),
      z.object({ kind: z.literal('cash'), number: z.int() }),
    ]),
    pair: z.tuple([z.int(), z.object({ open: z.int(), code: secret })]),
  })
  .superRefine(({ act, pin }, context) => {
    if (act === 'refine') context.addIssue({ code: 'custom', message: `cannot refine ${pin}`, path: ['act'] })
  })

const flowOf = (unknownKeys: UnknownKeysPolicy) =>
  compileFlow(
    definePipeline({
      name: 'payments',
      topic: 'payments',
      event: Payment,
      row: z.object({ id: z.string(), hash: z.string().max(4), by: z.record(z.string(), z.int()).nullable() }),
      transform: ({ value: { id, pin, act, tokens } }) => {
        if (act === 'throw') throw Object.assign(new RangeError(`${pin}\ud83d`), { name: pin })
        if (act === 'row') return { id, hash: pin, by: null }
        if (act === 'keys') return { id, hash: '', by: tokens as never }
        return { id, hash: 'none', by: null }
      },
      lake: { table: 'payments', layout: 'files' },
      unknownKeys,
    }),
  )
const flows = { strip: flowOf('strip'), reject: flowOf('reject') }

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

const document = (act: string): Json => ({
  id: 'x',
  pin: `${SECRET}-pin`,
  note: `${SECRET}-note`,
  act,
  amount: 1,
  holder: { name: 'A', iban: `${SECRET}-iban`, aliases: [`${SECRET}-a`, `${SECRET}-b`] },
  tokens: { [`${SECRET}-k`]: { at: 1 }, [`${SECRET}-l`]: { at: 2 } },
  byToken: { [`${SECRET}-m`]: { at: 1, code: `${SECRET}-n` } },
  way: { kind: 'card', number: `${SECRET}-card` },
  pair: [1, { open: 1, code: `${SECRET}-code` }],
})

/** A change at one place of a document; `at` picks the place among all of them. */
interface Change {
  readonly at: number
  readonly kind: 'drop' | 'replace' | 'list' | 'object' | 'rename' | 'twice' | 'unknown'
  readonly by: Json
}
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('drop', 'replace', 'replace', 'list', 'object', 'rename', 'twice', 'unknown'),
  by: fc.constantFrom<Json[]>(null, 7, 1.5, true, '', 'text', [], {}, [1], { a: 1 }, 'x'.repeat(50)),
})

/** The document as text with the change made: as text, because an object cannot have a key twice. */
function written(value: Json, { at, kind, by }: Change): string {
  const places = countOf(value)
  let left = at % places
  const write = (part: Json, isField: boolean): string => {
    const isHere = left === 0
    left -= 1
    // Whatever text stands in a secret's place is one.
    const isSecret = typeof by === 'string' && JSON.stringify(part).includes(SECRET)
    if (isHere && kind === 'replace') return JSON.stringify(isSecret ? `${SECRET}${by}` : by)
    const text = content(part)
    if (isHere && kind === 'list') return `[${text}]`
    if (isHere && (kind === 'object' || (kind === 'unknown' && isField))) return `{"${SECRET}-key":${text}}`
    return text
  }
  const content = (part: Json): string => {
    if (Array.isArray(part)) return `[${part.map((item) => write(item, false)).join(',')}]`
    if (typeof part !== 'object' || part === null) return JSON.stringify(part)
    const fields = Object.entries(part).flatMap(([key, item]) => {
      const isHere = left === 0
      const name = isHere && kind === 'rename' ? `${key}~` : key
      const field = `${JSON.stringify(name)}:${write(item, true)}`
      if (isHere && kind === 'drop') return []
      return isHere && kind === 'twice' ? [field, field] : [field]
    })
    return `{${fields.join(',')}}`
  }
  return write(value, false)
}

function countOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1
  return 1 + Object.values(value).reduce<number>((sum, part) => sum + countOf(part), 0)
}

test('a document as it should be lands', async () => {
  const { rows, deadLetters } = await land(flows.reject, recordsOf([JSON.stringify(document('none'))]))
  expect(deadLetters).toEqual([])
  expect(rows).toMatchObject([{ id: 'x', hash: 'none' }])
})

test('a secret shows in no message, field, or error', async () => {
  const acts = fc.constantFrom('none', 'throw', 'row', 'keys', 'refine', 'no such act')
  const some = fc
    .tuple(acts, change, fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(byteMutation, { maxLength: 2 })))
    .map(([act, what, mutations]) => mutations.reduce(mutated, Buffer.from(written(document(act), what))))
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(some, { minLength: 1, maxLength: 100, size: 'max' }),
      fc.constantFrom('strip', 'reject'),
      async (values, keys) => {
        const { reports, rows, deadLetters } = await land(flows[keys], recordsOf(values))
        expect(reports.map(({ error }) => error)).toEqual([null])
        expect(rows.length + deadLetters.length).toBe(values.length)
        for (const { code, field, message, stage } of deadLetters) {
          expect(`${String(field)}: ${String(message)}`).not.toMatch(/hunter/)
          const reason = `${String(stage)} ${String(code)}`
          seen.set(reason, (seen.get(reason) ?? 0) + 1)
        }
      },
    ),
    { numRuns: 40, seed: 7 },
  )
  const reasons = ['JSON_DUPLICATE_KEY', 'JSON_INVALID', 'EVENT_INVALID', 'TRANSFORM_THREW', 'ROW_INVALID']
  const missing = reasons.filter((code) => ![...seen].some(([reason, times]) => reason.endsWith(code) && times > 20))
  expect(missing).toEqual([])
})
