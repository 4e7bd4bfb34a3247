import { type Column, typeName } from '#shared/pipeline/columns.ts'
import { lockFor, type LockedTable, withFieldIds } from '#shared/pipeline/field-ids.ts'
import { partitionSpecOf } from '#shared/pipeline/partition-spec.ts'
import type { DeclaredPartitions } from '#shared/pipeline/partition-by.ts'
import { LockOutdatedError, NO_LOCK, parseLock, type TableLock } from '#shared/pipeline/table-lock.ts'
import { always, decimal, listOf, mapOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'

const tableOf = (columns: readonly Column[], partitionBy: DeclaredPartitions = {}): LockedTable => ({
  columns,
  partitionSpec: partitionSpecOf(partitionBy, columns),
})
/** `path id`, in the order of the lock. */
const idsOf = (lock: TableLock): string[] => lock.columns.map(({ path, id }) => `${path.join('.')} ${id}`)

const AT = always('at', timestamp('us', true))
const NAME = always('name', 'string')

describe('a first lock', () => {
  test('numbers every field, depth first', () => {
    const lock = lockFor(
      tableOf([
        AT,
        maybe('tags', listOf(maybe, 'string')),
        always('by', mapOf(maybe, structOf(always('a', 'int32'), maybe('b', listOf(always, 'date'))))),
        maybe('last', 'uuid'),
      ]),
    )
    expect(idsOf(lock)).toEqual([
      'at 1',
      'tags 2',
      'tags.element 3',
      'by 4',
      'by.key 5',
      'by.value 6',
      'by.value.a 7',
      'by.value.b 8',
      'by.value.b.element 9',
      'last 10',
    ])
    expect(lock).toMatchObject({ format: 1, revision: 1, lastColumnId: 10, retired: [] })
    expect(lock.columns.map(({ type }) => type)).toEqual(
      'timestamp list string map string struct int32 list date uuid'.split(' '),
    )
    expect(lock.columns.flatMap(({ id, required }) => (required ? id : []))).toEqual([1, 4, 5, 7, 9])
  })

  test('numbers partition fields from 1000', () => {
    const lock = lockFor(tableOf([AT, NAME], { at: 'day', name: [{ bucket: 16 }, { truncate: 3 }] }))
    expect(lock.specs).toEqual([
      {
        id: 0,
        fields: [
          { id: 1000, source: 1, transform: 'day', name: 'at_day' },
          { id: 1001, source: 2, transform: 'bucket[16]', name: 'name_bucket' },
          { id: 1002, source: 2, transform: 'truncate[3]', name: 'name_trunc' },
        ],
      },
    ])
    expect(lock).toMatchObject({ spec: 0, lastPartitionId: 1002 })
  })

  test('of a table without partitions has a spec too, an empty one', () => {
    expect(lockFor(tableOf([AT]))).toMatchObject({ spec: 0, specs: [{ id: 0, fields: [] }], lastPartitionId: 999 })
  })

  test('refuses what Iceberg cannot hold, wherever it lies', () => {
    const milliseconds = tableOf([maybe('s', structOf(maybe('l', listOf(maybe, timestamp('ms', true)))))])
    expect(() => lockFor(milliseconds)).toThrow(
      'lake.lock: "s.l.element": Iceberg\'s version 2 has no timestamp of mill',
    )
  })
})

describe('a lock follows its table', () => {
  const first = lockFor(tableOf([AT, NAME, maybe('s', structOf(always('a', 'int32')))], { at: 'day' }))

  test('and is the same object when nothing has changed', () => {
    const table = tableOf([AT, NAME, maybe('s', structOf(always('a', 'int32')))], { at: 'day' })
    expect(lockFor(table, first)).toBe(first)
    const read = parseLock(JSON.parse(JSON.stringify(first)))
    expect(lockFor(table, read)).toBe(read)
  })

  test('new fields get new ids, and are optional: older files have no values of them', () => {
    const more = structOf(always('b', 'string'), always('a', 'int32'), always('in', structOf(always('c', 'date'))))
    const lock = lockFor(tableOf([always('x', 'double'), AT, NAME, maybe('s', more)], { at: 'day' }), first)
    expect(idsOf(lock)).toEqual(['x 5', 'at 1', 'name 2', 's 3', 's.b 6', 's.a 4', 's.in 7', 's.in.c 8'])
    const required = lock.columns.filter((field) => field.required).map(({ path }) => path.join('.'))
    // What lies in something new is missing with it, and not without it.
    expect(required).toEqual(['at', 'name', 's.a', 's.in.c'])
    expect(lock).toMatchObject({ revision: 2, lastColumnId: 8, spec: 0, lastPartitionId: 1000 })
  })

  test('an id is not given out again, not even to a field of the same name', () => {
    const without = lockFor(tableOf([AT, NAME], { at: 'day' }), first)
    expect(without).toMatchObject({ revision: 2, lastColumnId: 4 })
    expect(without.retired).toEqual([
      { id: 3, path: ['s'], type: 'struct' },
      { id: 4, path: ['s', 'a'], type: 'int32' },
    ])
    const again = lockFor(tableOf([AT, NAME, maybe('s', structOf(always('a', 'int32')))], { at: 'day' }), without)
    expect(idsOf(again)).toEqual(['at 1', 'name 2', 's 5', 's.a 6'])
    expect(again.retired).toEqual(without.retired)
  })

  test('a field that may be null once stays optional', () => {
    const nullable = lockFor(
      tableOf([AT, maybe('name', 'string'), maybe('s', structOf(always('a', 'int32')))], { at: 'day' }),
      first,
    )
    expect(nullable.columns[1]).toEqual({ id: 2, path: ['name'], type: 'string', required: false })
    const table = tableOf([AT, NAME, maybe('s', structOf(always('a', 'int32')))], { at: 'day' })
    expect(lockFor(table, nullable)).toBe(nullable)
  })

  test('the order of the fields is that of the table', () => {
    const lock = lockFor(tableOf([NAME, AT, maybe('s', structOf(always('a', 'int32')))], { at: 'day' }), first)
    expect(idsOf(lock)).toEqual(['name 2', 'at 1', 's 3', 's.a 4'])
    expect(lock.revision).toBe(2)
  })

  test('a dot in a name is not a field within another', () => {
    const lock = lockFor(tableOf([maybe('s.a', 'int32'), maybe('s', structOf(maybe('a', 'int32')))]))
    expect(lock.columns.map(({ path }) => path)).toEqual([['s.a'], ['s'], ['s', 'a']])
  })
})

describe('types', () => {
  const types = { int32: 'int32', int64: 'int64', float: 'float', double: 'double', string: 'string' } as const
  const lockOf = (column: Column): TableLock => lockFor(tableOf([column]))

  test.each([
    [maybe('x', types.int32), maybe('x', types.int64)],
    [maybe('x', types.float), maybe('x', types.double)],
    [maybe('x', decimal(9, 2)), maybe('x', decimal(10, 2))],
  ])('%o may become %o', (before, after) => {
    const lock = lockFor(tableOf([after]), lockOf(before))
    expect(lock.columns).toEqual([{ id: 1, path: ['x'], type: typeName(after.type), required: false }])
    expect(lock.revision).toBe(2)
  })

  test.each([
    [maybe('x', types.int64), maybe('x', types.int32)],
    [maybe('x', types.double), maybe('x', types.float)],
    [maybe('x', types.int32), maybe('x', types.double)],
    [maybe('x', types.int32), maybe('x', types.string)],
    [maybe('x', decimal(10, 2)), maybe('x', decimal(9, 2))],
    [maybe('x', decimal(9, 2)), maybe('x', decimal(10, 3))],
    [maybe('x', types.string), maybe('x', listOf(maybe, 'string'))],
    [maybe('x', listOf(maybe, 'string')), maybe('x', mapOf(maybe, 'string'))],
    [maybe('x', timestamp('us', true)), maybe('x', timestamp('us', false))],
  ])('%o may not become %o', (before, after) => {
    expect(() => lockFor(tableOf([after]), lockOf(before))).toThrow(
      /^lake\.lock: "x" is .* in the table and cannot become /,
    )
  })

  test('what lies in a list may become wider too', () => {
    const lock = lockFor(tableOf([maybe('x', listOf(maybe, 'int64'))]), lockOf(maybe('x', listOf(maybe, 'int32'))))
    expect(lock.columns[1]).toMatchObject({ id: 2, type: 'int64' })
  })
})

describe('partition specs', () => {
  const first = lockFor(tableOf([AT, NAME], { at: 'day' }))

  test('another one gets another id, and new fields new ids', () => {
    const lock = lockFor(tableOf([AT, NAME], { at: 'hour', name: { bucket: 4 } }), first)
    expect(lock).toMatchObject({ spec: 1, lastPartitionId: 1002, revision: 2 })
    expect(lock.specs[1]?.fields.map(({ id, name }) => `${name} ${id}`)).toEqual(['at_hour 1001', 'name_bucket 1002'])
    expect(lock.specs[0]).toEqual(first.specs[0])
  })

  test('a field that was there keeps its id, and a spec that was there too', () => {
    const more = lockFor(tableOf([AT, NAME], { name: { bucket: 4 }, at: 'day' }), first)
    expect(more.specs[1]?.fields.map(({ id, name }) => `${name} ${id}`)).toEqual(['name_bucket 1001', 'at_day 1000'])
    const back = lockFor(tableOf([AT, NAME], { at: 'day' }), more)
    expect(back).toMatchObject({ spec: 0, specs: more.specs, lastPartitionId: 1001, revision: 3 })
  })

  test('the same transform with another number is another field', () => {
    const four = lockFor(tableOf([NAME], { name: { bucket: 4 } }))
    const eight = lockFor(tableOf([NAME], { name: { bucket: 8 } }), four)
    expect(eight.specs.map(({ fields }) => fields[0]?.id)).toEqual([1000, 1001])
  })

  test('a column that the table is or was partitioned by has to stay', () => {
    const none = lockFor(tableOf([AT, NAME]), first)
    expect(none.specs).toHaveLength(2)
    expect(() => lockFor(tableOf([NAME]), none)).toThrow(
      'lake.lock: the table is or was partitioned by "at": the column',
    )
  })
})

describe('the ids of columns', () => {
  const COLUMNS = [AT, maybe('m', mapOf(maybe, structOf(maybe('l', listOf(always, 'int32'))))), NAME]
  const lock = lockFor(tableOf(COLUMNS, { at: 'day' }))

  test('are those of the lock, at every depth', () => {
    expect(withFieldIds(tableOf(COLUMNS, { at: 'day' }), lock)).toEqual([
      { ...AT, id: 1 },
      {
        name: 'm',
        nullable: true,
        id: 2,
        type: {
          kind: 'map',
          keyId: 3,
          value: {
            name: 'value',
            nullable: true,
            id: 4,
            type: {
              kind: 'struct',
              fields: [
                {
                  name: 'l',
                  nullable: true,
                  id: 5,
                  type: { kind: 'list', element: { name: 'element', nullable: false, id: 6, type: { kind: 'int32' } } },
                },
              ],
            },
          },
        },
      },
      { ...NAME, id: 7 },
    ])
  })

  test.each<[string, LockedTable, string]>([
    ['a new column', tableOf([...COLUMNS, maybe('x', 'int32')], { at: 'day' }), 'it has no id for "x"'],
    ['a column that is gone', tableOf(COLUMNS.slice(0, 2), { at: 'day' }), 'it still has "name" among the columns'],
    [
      'another type',
      tableOf([AT, ...COLUMNS.slice(1, 2), always('name', 'binary')], { at: 'day' }),
      'cannot become binary',
    ],
    [
      'a column that may be null now',
      tableOf([AT, ...COLUMNS.slice(1, 2), maybe('name', 'string')], { at: 'day' }),
      '"name" is required in it, and may be null in the row contract',
    ],
    ['another partition', tableOf(COLUMNS, { at: 'hour' }), 'it says nothing of how the table is partitioned now'],
    ['another order', tableOf(COLUMNS.toReversed(), { at: 'day' }), 'its fields have another order'],
  ])('are refused for %s', (_, table, message) => {
    expect(() => withFieldIds(table, lock)).toThrow(message)
  })

  test('the error of a lock that is out of date has the one that is needed', () => {
    const table = tableOf([...COLUMNS, maybe('x', 'int32')], { at: 'day' })
    let thrown: unknown
    try {
      withFieldIds(table, lock)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(LockOutdatedError)
    expect((thrown as LockOutdatedError).needed).toEqual(lockFor(table, lock))
    expect(() => withFieldIds(tableOf([AT]), NO_LOCK)).toThrow(LockOutdatedError)
  })
})
