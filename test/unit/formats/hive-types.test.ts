import { hivePartitionType, hiveType } from '#shared/formats/hive-types.ts'
import type { ColumnType } from '#shared/pipeline/columns.ts'
import type { DeclaredTransform } from '#shared/pipeline/partition-by.ts'
import { partitionSpecOf } from '#shared/pipeline/partition-spec.ts'
import { always, decimal, listOf, mapOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'

const STRUCT = structOf(maybe('a', 'uuid'), always('b c', listOf(maybe, timestamp('us', true))), maybe('D`e', 'int32'))

test.each<[ColumnType, parquet: string, json: string]>([
  [{ kind: 'string' }, 'string', 'string'],
  [{ kind: 'binary' }, 'binary', 'string'],
  [{ kind: 'boolean' }, 'boolean', 'boolean'],
  [{ kind: 'int32' }, 'int', 'int'],
  [{ kind: 'int64' }, 'bigint', 'bigint'],
  [{ kind: 'float' }, 'float', 'float'],
  [{ kind: 'double' }, 'double', 'double'],
  [{ kind: 'uuid' }, 'binary', 'string'],
  [{ kind: 'date' }, 'date', 'string'],
  [timestamp('us', true), 'timestamp', 'string'],
  [timestamp('ms', false), 'timestamp', 'string'],
  [decimal(9, 2), 'decimal(9,2)', 'string'],
  [listOf(maybe, 'date'), 'array<date>', 'array<string>'],
  [mapOf(always, 'int64'), 'map<string,bigint>', 'map<string,bigint>'],
  [STRUCT, 'struct<a:binary,`b c`:array<timestamp>,`d``e`:int>', 'struct<a:string,`b c`:array<string>,`d``e`:int>'],
])('%j', (type, parquet, json) => {
  expect([hiveType(type, 'parquet'), hiveType(type, 'json')]).toEqual([parquet, json])
})

test.each<[DeclaredTransform, ColumnType, string]>([
  ['identity', { kind: 'string' }, 'string'],
  ['identity', { kind: 'boolean' }, 'boolean'],
  ['identity', { kind: 'int32' }, 'int'],
  ['identity', { kind: 'date' }, 'date'],
  ['identity', decimal(9, 2), 'decimal(9,2)'],
  // What a directory shows of these is text.
  ['identity', timestamp('us', true), 'string'],
  ['identity', { kind: 'uuid' }, 'string'],
  ['identity', { kind: 'binary' }, 'string'],
  ['year', { kind: 'date' }, 'string'],
  ['month', { kind: 'date' }, 'string'],
  ['day', { kind: 'date' }, 'string'],
  ['hour', timestamp('us', true), 'string'],
  [{ bucket: 7 }, { kind: 'string' }, 'int'],
  [{ truncate: 10 }, { kind: 'int64' }, 'bigint'],
  [{ truncate: 3 }, { kind: 'string' }, 'string'],
])('partitions by %j of %j', (transform, type, expected) => {
  const [field] = partitionSpecOf({ c: transform }, [always('c', type)])
  expect(field && hivePartitionType(field)).toBe(expected)
})
