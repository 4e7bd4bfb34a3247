import * as z from 'zod'
import { disclosureOf, holdsSensitive } from '#shared/pipeline/sensitive.ts'

const secret = z.string().meta({ sensitive: true })
const Tree = z.object({
  name: z.string(),
  get children() {
    return z.array(Tree)
  },
})
const SecretTree = z.object({
  name: z.string(),
  pin: secret,
  get children() {
    return z.array(SecretTree)
  },
})

describe('a contract holds something sensitive', () => {
  test.each<[string, z.ZodType]>([
    ['itself', secret],
    ['marked below a wrapper', secret.nullable().default(null)],
    ['marked on a wrapper', z.string().nullable().meta({ sensitive: true })],
    ['with checks behind the mark', secret.min(3)],
    ['an object', z.object({ a: z.string() }).meta({ sensitive: true })],
    ['a field', z.object({ a: z.object({ b: secret }) })],
    ['a catchall', z.object({}).catchall(secret)],
    ['a list', z.array(secret)],
    ['a tuple', z.tuple([z.string(), secret])],
    ['the rest of a tuple', z.tuple([z.string()], secret)],
    ['the values of a record', z.record(z.string(), secret)],
    ['the keys of a record', z.record(secret, z.string())],
    ['a map', z.map(z.string(), secret)],
    ['a set', z.set(secret)],
    ['a union', z.union([z.number(), secret])],
    ['a discriminated union', z.discriminatedUnion('k', [z.object({ k: z.literal(1), s: secret })])],
    ['an intersection', z.object({ a: z.string() }).and(z.object({ b: secret }))],
    ['the beginning of a pipe', secret.transform(Number)],
    ['the end of a pipe', z.string().pipe(secret)],
    ['what is deferred', z.lazy(() => secret)],
    ['what contains itself', SecretTree],
  ])('%s', (_, schema) => {
    expect(holdsSensitive(schema)).toBe(true)
    expect(holdsSensitive(z.object({ x: schema }))).toBe(true)
  })

  test.each<[string, z.ZodType]>([
    ['without marks', z.object({ a: z.string(), b: z.array(z.record(z.string(), z.number())) })],
    ['with another mark', z.string().meta({ column: 'uuid' })],
    ['marked as not sensitive', z.string().meta({ sensitive: false })],
    ['that contains itself', Tree],
    ['of any JSON', z.json()],
  ])('but not one %s', (_, schema) => {
    expect(holdsSensitive(schema)).toBe(false)
  })
})

describe('what may be told of a place', () => {
  const Event = z.object({
    name: z.string(),
    pin: secret,
    wrapped: secret.nullable().optional(),
    account: z.object({ iban: z.string(), bic: z.string() }).meta({ sensitive: true }),
    stops: z.array(z.object({ gate: z.string(), code: secret })),
    pair: z.tuple([z.string(), z.object({ code: secret, open: z.string() })]),
    labels: z.record(z.string(), z.object({ a: z.string() })),
    tokens: z.record(secret, z.object({ a: z.string() })),
    either: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('card'), number: secret, holder: z.string() }),
      z.object({ kind: z.literal('cash'), number: z.string() }),
    ]),
    both: z.object({ a: z.string() }).and(z.object({ b: secret })),
    piped: z.object({ a: z.string(), s: secret }).transform(({ a }) => a),
    more: z.object({}).catchall(z.string()),
    deferred: z.lazy(() => z.object({ a: z.string(), s: secret })),
  })

  test.each<[PropertyKey[], PropertyKey[], boolean]>([
    [[], [], false],
    [['name'], ['name'], true],
    [['pin'], ['pin'], false],
    [['pin', 'length'], ['pin'], false],
    [['wrapped'], ['wrapped'], false],
    [['account'], ['account'], false],
    [['account', 'iban'], ['account'], false],
    [['stops'], ['stops'], false],
    [['stops', 3, 'gate'], ['stops', 3, 'gate'], true],
    [['stops', 3, 'code'], ['stops', 3, 'code'], false],
    [['stops', 'gate'], ['stops'], false],
    [['pair', 0], ['pair', 0], false],
    [['pair', 1, 'open'], ['pair', 1, 'open'], true],
    [['pair', 1, 'code'], ['pair', 1, 'code'], false],
    [['labels'], ['labels'], true],
    [['labels', 'a key is data'], ['labels'], false],
    [['tokens', 'a key is data', 'a'], ['tokens'], false],
    [['either', 'holder'], ['either', 'holder'], true],
    [['either', 'number'], ['either', 'number'], false],
    [['both', 'a'], ['both', 'a'], true],
    [['both', 'b'], ['both', 'b'], false],
    [['piped', 'a'], ['piped', 'a'], true],
    [['piped', 's'], ['piped', 's'], false],
    [['more', 'a key is data'], ['more'], false],
    [['deferred', 'a'], ['deferred', 'a'], true],
    [['deferred', 's'], ['deferred', 's'], false],
    [['no such field'], [], false],
    [['toString'], [], false],
    [['name', 'deeper'], ['name'], false],
  ])('at %j: %j, its value: %j', (path, shown, value) => {
    expect(disclosureOf(Event, path)).toEqual({ path: shown, value })
    // The same below any wrapper.
    const wrapped = z.object({ list: z.array(Event.nullable().default(null)) })
    expect(disclosureOf(wrapped, ['list', 0, ...path])).toEqual({ path: ['list', 0, ...shown], value })
  })

  test('in a contract that contains itself', () => {
    const path = ['children', 0, 'children', 7]
    expect(disclosureOf(SecretTree, [...path, 'name'])).toEqual({ path: [...path, 'name'], value: true })
    expect(disclosureOf(SecretTree, [...path, 'pin'])).toEqual({ path: [...path, 'pin'], value: false })
    expect(disclosureOf(SecretTree, path)).toEqual({ path, value: false })
  })
})
