import { withLock } from '#shared/lake/iceberg/table-evolution.ts'
import { createTable, currentSchema, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { DeclaredPartitions } from '#shared/pipeline/partition-by.ts'
import type { TableLock } from '#shared/pipeline/table-lock.ts'
import { always, maybe, timestamp } from '#test/helpers/columns.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const AT = always('at', timestamp('us', true))
const S = maybe('s', 'string')
const lockOf = (columns: readonly Column[], partitionBy: DeclaredPartitions, before?: TableLock): TableLock =>
  lockedTable('t', columns, partitionBy, before).lock
const FIRST = lockOf([AT, S], { at: 'day' })
const TABLE = createTable({ uuid: 'u', location: 's3://b/t', lock: FIRST, properties: {}, now: 1000 })
const names = (metadata: TableMetadata): string[] =>
  currentSchema(metadata)
    .fields.map(({ name }) => name)
    .slice(0, -5)

test('a table that has what its lock says stays the same object', () => {
  expect(withLock(TABLE, FIRST, 2000)).toBe(TABLE)
})

test('new columns are a new schema, new partitions a new spec', () => {
  const second = lockOf([AT, S, maybe('x', 'int32')], { at: 'hour' }, FIRST)
  const evolved = withLock(TABLE, second, 2000)
  expect(names(evolved)).toEqual(['at', 's', 'x'])
  expect(evolved).toMatchObject({
    'current-schema-id': 1,
    'last-column-id': 8,
    'default-spec-id': 1,
    'last-partition-id': 1001,
    'last-updated-ms': 2000,
    properties: { 'inlet.lock-revision': '2' },
  })
  expect(evolved.schemas[0]).toEqual(TABLE.schemas[0])
  expect(evolved['partition-specs'].map((spec) => spec.fields.map(({ name }) => name))).toEqual([
    ['at_day'],
    ['at_hour'],
  ])
  expect(evolved.properties['schema.name-mapping.default']).toContain('"x"')
})

test('columns that come back to what they were use the schema and the spec that are there', () => {
  const second = lockOf([AT, S], { at: 'hour' }, FIRST)
  const third = lockOf([AT, S], { at: 'day' }, second)
  const evolved = withLock(withLock(TABLE, second, 2000), third, 3000)
  expect(evolved).toMatchObject({
    'current-schema-id': 0,
    'default-spec-id': 0,
    properties: { 'inlet.lock-revision': '3' },
  })
  expect(evolved.schemas).toHaveLength(1)
  expect(evolved['partition-specs']).toHaveLength(2)
})

test('an older lock, of code that was rolled back, changes nothing', () => {
  const second = lockOf([AT], { at: 'day' }, FIRST)
  const evolved = withLock(TABLE, second, 2000)
  expect(names(evolved)).toEqual(['at'])
  expect(withLock(evolved, FIRST, 3000)).toBe(evolved)
})

test('a column whose path was changed in the lock has another name, and its values', () => {
  const columns = FIRST.columns.map((field) => (field.id === 2 ? { ...field, path: ['text'] } : field))
  const renamed = lockOf([AT, maybe('text', 'string')], { at: 'hour' }, { ...FIRST, columns })
  const evolved = withLock(TABLE, renamed, 2000)
  expect(names(evolved)).toEqual(['at', 'text'])
  expect(currentSchema(evolved).fields[1]).toMatchObject({ id: 2, name: 'text' })
  expect(evolved['last-column-id']).toBe(FIRST.lastColumnId)
})

test('several steps at once bring all specs', () => {
  const second = lockOf([AT, S], { at: 'hour' }, FIRST)
  const third = lockOf([AT, S], { s: { bucket: 4 } }, second)
  const evolved = withLock(TABLE, third, 2000)
  expect(evolved['partition-specs'].map((spec) => spec['spec-id'])).toEqual([0, 1, 2])
  expect(evolved['default-spec-id']).toBe(2)
})

describe('a table that another writer has changed is left alone', () => {
  const second = lockOf([AT, S, maybe('x', 'int32')], { at: 'day' }, FIRST)

  const withColumn = (name: string, type: string): TableMetadata => {
    const added = { id: 8, name, required: false, type }
    const fields = [...(TABLE.schemas[0]?.fields ?? []), added]
    return { ...TABLE, 'last-column-id': 8, schemas: [...TABLE.schemas, { type: 'struct', 'schema-id': 1, fields }] }
  }

  test('a column with an id that the lock has given to another', () => {
    expect(second.columns.find(({ id }) => id === 8)?.path).toEqual(['x'])
    expect(() => withLock(withColumn('theirs', 'int'), second, 2000)).toThrow(
      'its column "theirs" (field 8) is not in the',
    )
    expect(() => withLock(withColumn('x', 'string'), second, 2000)).toThrow(
      'its column "x" (field 8) is not in the lock',
    )
    expect(() => withLock(withColumn('x', 'int'), lockOf([AT, S], { at: 'hour' }, FIRST), 2000)).toThrow('column "x"')
  })

  test('unless the lock has taken it over, or retired it', () => {
    expect(names(withLock(withColumn('x', 'int'), second, 2000))).toEqual(['at', 's', 'x'])
    const retired = lockOf([AT, S], { at: 'day' }, second)
    expect(names(withLock(withColumn('x', 'int'), retired, 2000))).toEqual(['at', 's'])
  })

  test.each([
    ['another spec', { 'spec-id': 1, fields: [] }],
    [
      'the same id, another transform',
      { 'spec-id': 0, fields: [{ 'source-id': 1, 'field-id': 1000, name: 'at_day', transform: 'hour' }] },
    ],
    [
      'the same id, another column',
      { 'spec-id': 0, fields: [{ 'source-id': 2, 'field-id': 1000, name: 'at_day', transform: 'day' }] },
    ],
    ['the same id, fewer fields', { 'spec-id': 0, fields: [] }],
  ])('%s', (_, spec) => {
    expect(() => withLock({ ...TABLE, 'partition-specs': [spec] }, second, 2000)).toThrow(
      `its partition spec ${spec['spec-id']} is not in the lock`,
    )
  })
})
