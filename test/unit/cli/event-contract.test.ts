import * as z from 'zod'
import { type ContractField, contractFields, eventSchema } from '#shared/cli/event-contract.ts'

const fieldsOf = (schema: z.ZodType): ContractField[] => contractFields(eventSchema(schema))

/** One field as `name: type` with `?` for optional and `| null`, and its rules. */
function lines(schema: z.ZodType): string[] {
  return fieldsOf(schema).map(({ field, type, rules, nullable, optional }) =>
    `${field ?? ''}${optional ? '?' : ''}: ${type}${nullable ? ' | null' : ''} ${rules.join(', ')}`.trimEnd(),
  )
}

test.each<[string, z.ZodType, string]>([
  ['an exact text', z.string().length(3), ': string 3 characters'],
  ['a text of bounds', z.string().min(2).max(5), ': string 2 to 5 characters'],
  ['a text of one bound', z.string().max(5), ': string at most 5 characters'],
  ['a pattern', z.string().regex(/^[A-Z]+$/), ': string /^[A-Z]+$/'],
  ['a format, whose pattern says no more', z.email(), ': string email'],
  ['a date and time', z.iso.datetime(), ': string ISO 8601 datetime'],
  [
    'one of few digits',
    z.iso.datetime({ local: true, offset: true, precision: -1 }),
    ': string ISO 8601 datetime, to the minute, with any offset, Z may be left out',
  ],
  ['milliseconds', z.iso.time({ precision: 3 }), ': string ISO 8601 time, with 3 digits of a second'],
  ['an enum', z.enum(['a', 'b']), ': string "a" | "b"'],
  ['a literal', z.literal(5), ': number 5'],
  ['an integer', z.int(), ': integer'],
  ['an integer of 32 bits', z.int32().min(1), ': integer 32 bits, ≥ 1'],
  ['a number of open bounds', z.number().gt(1).lt(4).multipleOf(0.5), ': number > 1, < 4, a multiple of 0.5'],
  ['floating point of 32 bits', z.float32(), ': number'],
  ['an integer of 64 bits', z.int64(), ': integer'],
  ['what becomes a date', z.coerce.date(), ': string'],
  ['null', z.string().nullable(), ': string | null'],
  ['null in a union', z.union([z.string(), z.number(), z.null()]), ': string | number | null'],
  ['nothing but null', z.null(), ': null | null'],
  ['a check of code', z.string().refine((text) => text !== ''), ': string a check of its own, in code'],
  ['what is sent, not what it becomes', z.string().transform(Number), ': string'],
  ['a secret', z.string().meta({ sensitive: true }), ': string sensitive'],
  ['a tuple', z.tuple([z.string(), z.int()]), ': [string, integer] 2 items'],
  ['anything', z.unknown(), ': anything | null'],
  ['an empty, closed object', z.strictObject({}), ': object no other keys'],
])('%s', (_, schema, line) => {
  expect(lines(schema)).toEqual([line])
})

test('fields within fields, in their order', () => {
  const schema = z.object({
    id: z.string(),
    note: z.string().nullish(),
    kind: z.string().default('x'),
    stops: z.array(z.object({ at: z.string().min(1), 'gate no': z.int().nullable() })).min(1),
    codes: z.array(z.string().length(2)).optional(),
    plain: z.array(z.string()),
    counts: z.record(z.string(), z.int32()),
    place: z.object({ lat: z.number() }).nullable(),
  })
  expect(lines(schema)).toEqual([
    'id: string',
    'note?: string | null',
    'kind?: string "x" when it is missing',
    'stops: array of object at least 1 items',
    'stops[].at: string at least 1 characters',
    'stops[]["gate no"]: integer | null',
    'codes?: array of string',
    'codes[]: string 2 characters',
    'plain: array of string',
    'counts: map of integer',
    'counts{}: integer 32 bits',
    'place: object | null',
    'place.lat: number',
  ])
})

test('cases of a union, each with its fields', () => {
  const schema = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), n: z.number() }),
    z.object({ kind: z.literal('b') }),
  ])
  expect(lines(schema)).toEqual(['(case 1).kind: string "a"', '(case 1).n: number', '(case 2).kind: string "b"'])
  expect(lines(z.object({ of: schema.nullable() }))).toEqual([
    'of: object | null',
    'of (case 1).kind: string "a"',
    'of (case 1).n: number',
    'of (case 2).kind: string "b"',
  ])
})

test('a contract that contains itself comes to an end', () => {
  const Tree = z.object({
    name: z.string(),
    get kids() {
      return z.array(Tree)
    },
  })
  expect(lines(Tree)).toEqual(['name: string', 'kids: array of the event itself'])
  expect(lines(z.object({ root: Tree, spare: Tree }))).toEqual([
    'root: object',
    'root.name: string',
    'root.kids: array of itself again',
    'spare: object',
    'spare.name: string',
    'spare.kids: array of itself again',
  ])
})

test('names that mean something in JSON Schema are names', () => {
  expect(lines(z.object({ items: z.string(), properties: z.object({ type: z.int() }), $ref: z.boolean() }))).toEqual([
    'items: string',
    'properties: object',
    'properties.type: integer',
    '$ref: boolean',
  ])
})
