import * as z from 'zod'
import { nameMapping } from '#shared/lake/iceberg/schema.ts'
import { lockFor, withFieldIds } from '#shared/pipeline/field-ids.ts'
import { columnsOf } from '#shared/pipeline/row-columns.ts'
import { parseLock, type TableLock } from '#shared/pipeline/table-lock.ts'

const tableOf = (shape: z.core.$ZodLooseShape) => ({ columns: columnsOf(z.object(shape)), partitionSpec: [] })
const idsOf = ({ columns }: TableLock): string[] => columns.map(({ id, path }) => `${path.join('.')} ${id}`)
const lockOf = (shape: z.core.$ZodLooseShape, before?: TableLock): TableLock => lockFor(tableOf(shape), before)

const FIRST = lockOf({ a: z.string(), b: z.object({ c: z.int32(), d: z.string() }) })
const B = z.object({ c: z.int32(), d: z.string() })

describe('a renamed field', () => {
  test('keeps its id, and what is within it too', () => {
    const lock = lockOf({ x: z.string().meta({ alias: 'a' }), y: B.meta({ aliases: ['old', 'b'] }) }, FIRST)
    expect(idsOf(lock)).toEqual(['x 1', 'y 2', 'y.c 3', 'y.d 4'])
    expect(lock.retired).toEqual([])
    expect(lock).toMatchObject({ revision: 2, lastColumnId: 4 })
    expect(lock.columns.map(({ required }) => required)).toEqual([true, true, true, true])
    expect(parseLock(JSON.parse(JSON.stringify(lock)))).toEqual(lock)
  })

  test('is one within a struct that is renamed, too', () => {
    const inner = z.object({ e: z.int().meta({ alias: 'c' }), d: z.string() })
    expect(idsOf(lockOf({ a: z.string(), y: inner.meta({ alias: 'b' }) }, FIRST))).toEqual([
      'a 1',
      'y 2',
      'y.e 3',
      'y.d 4',
    ])
  })

  test.each([
    ['nullable', z.string().meta({ alias: 'a' }).nullable()],
    ['nullable, said outside', z.string().nullable().meta({ alias: 'a' })],
    ['with a default', z.string().meta({ alias: 'a' }).default('')],
    [
      'made by a transform',
      z
        .string()
        .transform(String)
        .pipe(z.string().meta({ alias: 'a' })),
    ],
    ['checked and read-only', z.string().min(1).meta({ alias: 'a' }).readonly()],
  ])('%s', (_, x) => {
    expect(idsOf(lockOf({ x, b: B }, FIRST))[0]).toBe('x 1')
  })

  test('needs its alias no more once the lock knows it, and is not renamed again by it', () => {
    const renamed = lockOf({ x: z.string().meta({ alias: 'a' }), b: B }, FIRST)
    expect(lockOf({ x: z.string(), b: B }, renamed)).toBe(renamed)
    expect(lockOf({ x: z.string().meta({ alias: 'a' }), b: B }, renamed)).toBe(renamed)
    const again = lockOf({ z: z.string().meta({ alias: 'x' }), b: B }, renamed)
    expect(again.columns[0]).toEqual({ id: 1, path: ['z'], type: 'string', required: true, aliases: ['a', 'x'] })
    const back = lockOf({ x: z.string().meta({ alias: 'z' }), b: B }, again)
    expect(back.columns[0]).toMatchObject({ id: 1, path: ['x'], aliases: ['a', 'z'] })
  })

  test('without an alias is another one', () => {
    const lock = lockOf({ x: z.string(), b: B }, FIRST)
    expect(idsOf(lock)).toEqual(['x 5', 'b 2', 'b.c 3', 'b.d 4'])
    expect(lock.retired).toEqual([{ id: 1, path: ['a'], type: 'string' }])
  })

  test('is told of when the lock is out of date', () => {
    expect(() => withFieldIds(tableOf({ x: z.string().meta({ alias: 'a' }), b: B }), FIRST)).toThrow(
      'lake.lock: "x" is still called "a" in it;',
    )
  })

  test('may not become what it cannot', () => {
    expect(() => lockOf({ x: z.boolean().meta({ alias: 'a' }), b: B }, FIRST)).toThrow(
      '"x" is string in the table and cannot',
    )
  })
})

describe('the name mapping', () => {
  const mapping = (lock: TableLock): unknown => JSON.parse(nameMapping(lock))

  test('has the names that a field had, and what is gone', () => {
    const lock = lockOf(
      { x: z.string().meta({ alias: 'a' }), y: z.object({ c: z.int32() }).meta({ alias: 'b' }) },
      FIRST,
    )
    expect(mapping(lock)).toEqual([
      { 'field-id': 1, names: ['x', 'a'] },
      {
        'field-id': 2,
        names: ['y', 'b'],
        fields: [
          { 'field-id': 3, names: ['c'] },
          { 'field-id': 4, names: ['d'] },
        ],
      },
    ])
    expect(mapping(lockOf({ x: z.string() }, lock))).toEqual([
      { 'field-id': 1, names: ['x', 'a'] },
      {
        'field-id': 2,
        names: ['y', 'b'],
        fields: [
          { 'field-id': 4, names: ['d'] },
          { 'field-id': 3, names: ['c'] },
        ],
      },
    ])
  })

  test('has a name once: that of a field of today is its own', () => {
    const renamed = lockOf({ x: z.string().meta({ alias: 'a' }), b: B }, FIRST)
    const reused = lockOf({ x: z.string(), a: z.string().nullable(), b: B }, renamed)
    expect(mapping(reused)).toMatchObject([
      { 'field-id': 1, names: ['x'] },
      { 'field-id': 5, names: ['a'] },
      { 'field-id': 2, names: ['b'] },
    ])
    const gone = lockOf({ a: z.string(), b: B }, lockOf({ b: B }, FIRST))
    expect(mapping(gone)).toMatchObject([{ 'field-id': 5, names: ['a'] }, { 'field-id': 2 }])
  })
})

test.each([
  [{ x: z.string().meta({ alias: 'a' }), a: z.string() }, 'row.x: the alias "a" is the name of a field'],
  [{ x: z.string().meta({ alias: 'x' }) }, 'row.x: the alias "x" is the name of a field'],
  [
    { x: z.string().meta({ alias: 'a' }), y: z.string().meta({ aliases: ['b', 'a'] }) },
    'row.y: "x" has the alias "a" too',
  ],
  [{ x: z.string().meta({ alias: 3 }) }, 'row.x: an alias is the name that the field had before, not 3'],
  [
    { s: z.object({ x: z.string().meta({ aliases: [''] }) }) },
    'row.s.x: an alias is the name that the field had before, not ""',
  ],
])('an alias that is none %#', (shape, message) => {
  expect(() => columnsOf(z.object(shape))).toThrow(message)
})
