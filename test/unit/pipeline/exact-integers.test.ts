import * as z from 'zod'
import { decodeJson } from '#shared/codecs/json.ts'
import { exactIntegersOf, hasBigints } from '#shared/pipeline/exact-integers.ts'

const Node = z.object({
  id: z.int64(),
  get children() {
    return z.array(Node).optional()
  },
})
interface Chain {
  id: bigint
  next?: Chain | undefined
}
const Chain: z.ZodType<Chain> = z.lazy(() => z.object({ id: z.int64(), next: Chain.optional() }))
const Either = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('exact'), n: z.int64() }),
  z.object({ kind: z.literal('double'), n: z.number() }),
])

/** A value as a pipeline with this contract decodes and checks it. */
function read(schema: z.ZodType, text: string): unknown {
  const decoded = decodeJson(Buffer.from(text), { exactIntegers: hasBigints(schema) })
  if (!decoded.ok) return decoded.rejection.code
  const result = exactIntegersOf(schema).safeParse(decoded.value)
  return result.success ? result.data : result.error.issues.map(({ path, code }) => `${path.join('.')} ${code}`)
}

describe('where a contract wants bigint, integers are exact', () => {
  const [BIG, SMALL] = ['9007199254740993', '7']
  const [big, small] = [9_007_199_254_740_993n, 7n]
  test.each<[string, z.ZodType, string, unknown]>([
    ['in itself', z.int64(), BIG, big],
    ['without bounds', z.bigint(), `${BIG}${BIG}`, 90_071_992_547_409_939_007_199_254_740_993n],
    ['coerced', z.object({ a: z.coerce.bigint() }), `{"a":${BIG}}`, { a: big }],
    ['in a field', z.object({ a: z.int64() }), `{"a":${SMALL}}`, { a: small }],
    ['nullable', z.int64().nullable(), SMALL, small],
    ['null', z.int64().nullable(), 'null', null],
    ['optional', z.object({ a: z.int64().optional() }), `{"a":${SMALL}}`, { a: small }],
    ['missing', z.object({ a: z.int64().optional() }), '{}', {}],
    ['with a default', z.object({ a: z.int64().default(3n) }), '{}', { a: 3n }],
    ['with a prefault', z.object({ a: z.int64().prefault(3n) }), `{"a":${BIG}}`, { a: big }],
    ['with a catch', z.int64().catch(-1n), SMALL, small],
    ['readonly', z.int64().readonly(), SMALL, small],
    ['branded', z.int64().brand<'Id'>(), SMALL, small],
    ['refined', z.int64().refine((id) => id > 0n), SMALL, small],
    ['in a list', z.array(z.int64()), `[${SMALL},${BIG}]`, [small, big]],
    ['in a tuple', z.tuple([z.string(), z.int64()]), `["a",${SMALL}]`, ['a', small]],
    ['in the rest of a tuple', z.tuple([z.string()], z.int64()), `["a",${SMALL},${BIG}]`, ['a', small, big]],
    ['in a record', z.record(z.string(), z.int64()), `{"a":${SMALL},"b":${BIG}}`, { a: small, b: big }],
    ['in a catchall', z.object({}).catchall(z.int64()), `{"a":${SMALL}}`, { a: small }],
    [
      'in an intersection',
      z.object({ a: z.int64() }).and(z.object({ b: z.int64() })),
      '{"a":1,"b":2}',
      { a: 1n, b: 2n },
    ],
    ['at the beginning of a pipe', z.int64().transform(String), BIG, BIG],
    ['behind a preprocess', z.preprocess((value) => value, z.int64()), SMALL, small],
    ['deferred', z.lazy(() => z.int64()), SMALL, small],
    [
      'in a contract that contains itself',
      Node,
      `{"id":1,"children":[{"id":${BIG},"children":[{"id":3}]}]}`,
      { id: 1n, children: [{ id: big, children: [{ id: 3n }] }] },
    ],
    ['in one that does so by deferring', Chain, '{"id":1,"next":{"id":2}}', { id: 1n, next: { id: 2n } }],
    ['in one case of several', Either, '{"kind":"exact","n":5}', { kind: 'exact', n: 5n }],
  ])('%s', (_, schema, text, value) => {
    expect(hasBigints(schema)).toBe(true)
    expect(read(schema, text)).toEqual(value)
  })
})

describe('where it wants a number, a number is what it would be without any bigint around', () => {
  const Both = z.object({ id: z.int64(), n: z.number() })
  test.each<[string, z.ZodType, string, unknown]>([
    ['small', Both, '{"id":1,"n":2}', { id: 1n, n: 2 }],
    ['large', Both, '{"id":1,"n":100000000000000000000}', { id: 1n, n: 1e20 }],
    ['rounded', Both, '{"id":1,"n":9007199254740993}', { id: 1n, n: 9_007_199_254_740_992 }],
    ['an int', z.object({ id: z.int64(), n: z.int() }), '{"id":1,"n":9007199254740993}', ['n too_big']],
    [
      'coerced',
      z.object({ id: z.int64(), n: z.coerce.number() }),
      '{"id":1,"n":9007199254740993}',
      { id: 1n, n: 2 ** 53 },
    ],
    ['in another case', Either, '{"kind":"double","n":5}', { kind: 'double', n: 5 }],
    ['large, in another case', Either, '{"kind":"double","n":18014398509481984}', { kind: 'double', n: 2 ** 54 }],
    ['among other types', z.union([z.string(), z.number(), z.tuple([z.int64()])]), '18014398509481984', 2 ** 54],
  ])('%s', (_, schema, text, value) => {
    expect(read(schema, text)).toEqual(value)
  })
})

test('what the contract leaves open keeps its digits', () => {
  const Open = z.object({ id: z.int64(), any: z.unknown(), more: z.looseObject({}) })
  expect(read(Open, '{"id":1,"any":[9007199254740993,7],"more":{"n":9007199254740993}}')).toEqual({
    id: 1n,
    any: [9_007_199_254_740_993n, 7],
    more: { n: 9_007_199_254_740_993n },
  })
})

describe('what is no integer is for the contract to refuse', () => {
  const Id = z.object({ id: z.int64() })
  test.each<[string, string]>([
    ['a fraction', '{"id":1.5}'],
    ['a large fraction', '{"id":12345678901234567.5}'],
    ['a large number with an exponent', '{"id":1e20}'],
    ['text', '{"id":"1"}'],
    ['true', '{"id":true}'],
    ['null', '{"id":null}'],
    ['nothing', '{}'],
  ])('%s', (_, text) => {
    expect(read(Id, text)).toEqual(['id invalid_type'])
  })

  test('and so is what needs more than 64 bits', () => {
    expect(read(Id, '{"id":9223372036854775808}')).toEqual(['id too_big'])
    expect(read(Id, '{"id":-9223372036854775809}')).toEqual(['id too_small'])
  })
})

test.each<[string, z.ZodType]>([
  ['numbers', z.object({ a: z.number(), b: z.int() })],
  ['one that contains itself', z.json()],
  ['text that becomes bigint', z.string().transform(BigInt)],
])('a contract without bigint is none: %s', (_, schema) => {
  expect(hasBigints(schema)).toBe(false)
})

test('the value stays as it was', () => {
  const value = Object.freeze({ id: 1, list: Object.freeze([2]) })
  const schema = z.object({ id: z.int64(), list: z.array(z.int64()) })
  expect(exactIntegersOf(schema).parse(value)).toEqual({ id: 1n, list: [2n] })
  expect(value).toEqual({ id: 1, list: [2] })
})

test('so does the contract, with its checks and its metadata', () => {
  const schema = z
    .object({ id: z.int64() })
    .refine(({ id }) => id !== 3n)
    .meta({ sensitive: true })
  const exact = exactIntegersOf(schema)
  expect(schema.safeParse({ id: 1 }).success).toBe(false)
  expect(exact.safeParse({ id: 3 }).success).toBe(false)
  expect(exact.safeParse({ id: 4 }).success).toBe(true)
  expect(z.globalRegistry.get(exact)).toMatchObject({ sensitive: true })
})
