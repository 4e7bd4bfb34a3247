import * as z from 'zod'
import { strictKeysOf } from '#shared/pipeline/strict-keys.ts'

const Inner = z.object({ a: z.string() })
const Tree = z.object({
  a: z.string(),
  get left() {
    return Tree.optional()
  },
  get right() {
    return z.array(Tree).optional()
  },
})
interface Chain {
  a: string
  next?: Chain | undefined
}
const Chain: z.ZodType<Chain> = z.lazy(() => z.object({ a: z.string(), next: Chain.optional() }))
const Shape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('circle'), r: z.number() }),
  z.object({ kind: z.literal('square'), a: z.number(), inner: Inner.optional() }),
])
const good = { a: 'x' }
const bad = { a: 'x', more: 1 }

/** Paths of the objects that have a key too many. */
function faults(schema: z.ZodType, value: unknown): string[] {
  const { error } = schema.safeParse(value)
  return (error?.issues ?? []).map(({ code, path }) => `${code} at ${path.join('.')}`)
}

describe('a key that the contract does not name is refused, wherever the object lies', () => {
  test.each<[string, z.ZodType, unknown, unknown, string]>([
    ['itself', Inner, good, bad, ''],
    ['in a field', z.object({ f: Inner }), { f: good }, { f: bad }, 'f'],
    ['in a list', z.array(Inner), [good, good], [good, bad], '1'],
    ['in a tuple', z.tuple([z.string(), Inner]), ['x', good], ['x', bad], '1'],
    ['in the rest of a tuple', z.tuple([z.string()], Inner), ['x', good], ['x', good, bad], '2'],
    ['in a record', z.record(z.string(), Inner), { k: good }, { k: bad }, 'k'],
    ['in a catchall', z.object({}).catchall(Inner), { k: good }, { k: bad }, 'k'],
    ['nullable', Inner.nullable(), good, bad, ''],
    ['optional', z.object({ f: Inner.optional() }), {}, { f: bad }, 'f'],
    ['with a default', z.object({ f: Inner.default(good) }), {}, { f: bad }, 'f'],
    ['with a prefault', z.object({ f: Inner.prefault(good) }), {}, { f: bad }, 'f'],
    ['readonly', Inner.readonly(), good, bad, ''],
    ['refined', Inner.refine(({ a }) => a !== ''), good, bad, ''],
    ['at the beginning of a pipe', Inner.transform(({ a }) => a), good, bad, ''],
    ['behind a preprocess', z.preprocess((value) => value, Inner), good, bad, ''],
    [
      'written as text',
      z
        .string()
        .transform((text) => JSON.parse(text) as unknown)
        .pipe(Inner),
      JSON.stringify(good),
      JSON.stringify(bad),
      '',
    ],
    ['deferred', z.lazy(() => Inner), good, bad, ''],
    [
      'in what contains itself',
      Tree,
      { a: 'x', left: good },
      { a: 'x', left: { a: 'x', right: [bad] } },
      'left.right.0',
    ],
    ['in what contains itself by deferring', Chain, { a: 'x', next: good }, { a: 'x', next: bad }, 'next'],
    ['in a case of a discriminated union', Shape, { kind: 'circle', r: 1 }, { kind: 'circle', r: 1, a: 1 }, ''],
    ['within a case', Shape, { kind: 'square', a: 1, inner: good }, { kind: 'square', a: 1, inner: bad }, 'inner'],
    [
      'in an intersection',
      z.object({ a: z.string() }).and(z.object({ b: z.string() })),
      { a: 'x', b: 'x' },
      { a: 'x', b: 'x', c: 'x' },
      '',
    ],
  ])('%s', (_, schema, accepted, refused, path) => {
    const strict = strictKeysOf(schema)
    expect(faults(strict, accepted)).toEqual([])
    expect(faults(strict, refused)).toEqual([`unrecognized_keys at ${path}`])
    // As the contract stands, the key is dropped.
    expect(faults(schema, refused)).toEqual([])
  })

  test('in each case of a plain union', () => {
    const strict = strictKeysOf(z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]))
    expect(faults(strict, { a: 'x' })).toEqual([])
    expect(faults(strict, { b: 'x' })).toEqual([])
    expect(faults(strict, { a: 'x', c: 'x' })).toHaveLength(1)
    expect(faults(strict, { a: 'x', b: 'x' })).toHaveLength(1)
  })

  test('far down', () => {
    const deep = (depth: number): object => (depth === 0 ? bad : { a: 'x', left: deep(depth - 1) })
    expect(faults(strictKeysOf(Tree), deep(60))).toHaveLength(1)
  })
})

describe('what stays', () => {
  test.each<[string, z.ZodType, unknown]>([
    ['an object that takes any key', z.looseObject({ a: z.string() }), bad],
    ['an object with a catchall', Inner.catchall(z.number()), bad],
    ['a record', z.record(z.string(), z.unknown()), bad],
    ['what lies behind the objects of a pipe', Inner.transform(() => bad as z.input<typeof Inner>).pipe(Inner), good],
  ])('%s', (_, schema, value) => {
    expect(faults(strictKeysOf(schema), value)).toEqual([])
  })

  test('an object that is strict already', () => {
    expect(faults(strictKeysOf(z.strictObject({ a: z.string() })), bad)).toEqual(['unrecognized_keys at '])
  })

  test('the checks and the metadata of every schema', () => {
    const schema = z.object({
      a: z.string().optional().meta({ sensitive: true }),
      b: Inner.refine(({ a }) => a !== 'y').meta({ sensitive: true }),
    })
    const strict = strictKeysOf(schema)
    expect(faults(strict, { b: { a: 'y' } })).toEqual(['custom at b'])
    for (const field of [strict.shape.a, strict.shape.b])
      expect(z.globalRegistry.get(field)).toMatchObject({ sensitive: true })
  })

  test('the contract itself', () => {
    strictKeysOf(Inner)
    expect(faults(Inner, bad)).toEqual([])
  })

  test('what catches a fault, catches this one', () => {
    expect(strictKeysOf(Inner.catch({ a: 'caught' })).parse(bad)).toEqual({ a: 'caught' })
  })
})
