/** Metadata of Iceberg tables, version 2 (specification, "Table Metadata" and Appendix C, "Table Metadata and Snapshots"). */
import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { InletError } from '#shared/pipeline/errors.ts'
import type { TableLock } from '#shared/pipeline/table-lock.ts'
import { parseExact, stringifyExact } from './exact-json.ts'
import { type PartitionColumn, partitionColumns, type PartitionSpec, specOf } from './partition-spec.ts'
import { nameMapping, type Schema, structOf } from './schema.ts'
import { sliceOrder, type SortOrder, UNSORTED } from './sort-order.ts'

/** A number of 63 bits: exact, however it was parsed. */
const SnapshotId = z.union([z.int(), z.bigint()]).transform(BigInt)
const Integer = z.int()

const SnapshotSchema = z.looseObject({
  'snapshot-id': SnapshotId,
  'parent-snapshot-id': SnapshotId.nullish(),
  'sequence-number': Integer.default(0),
  'timestamp-ms': Integer,
  'manifest-list': z.string(),
  summary: z.record(z.string(), z.string()).default({ operation: 'append' }),
  'schema-id': Integer.nullish(),
})

const RefSchema = z.looseObject({
  'snapshot-id': SnapshotId,
  type: z.enum(['branch', 'tag']),
  'min-snapshots-to-keep': Integer.nullish(),
  'max-snapshot-age-ms': Integer.nullish(),
  'max-ref-age-ms': Integer.nullish(),
})

/** Loose: what other writers keep in it besides, as statistics, is written back as it was. */
const MetadataSchema = z.looseObject({
  'format-version': z.literal(2),
  'table-uuid': z.string(),
  location: z.string(),
  'last-sequence-number': Integer,
  'last-updated-ms': Integer,
  'last-column-id': Integer,
  schemas: z.array(
    z.looseObject({ 'schema-id': Integer, type: z.literal('struct'), fields: z.array(z.looseObject({})) }),
  ),
  'current-schema-id': Integer,
  'partition-specs': z.array(
    z.looseObject({
      'spec-id': Integer,
      fields: z.array(
        z.looseObject({ 'source-id': Integer, 'field-id': Integer, name: z.string(), transform: z.string() }),
      ),
    }),
  ),
  'default-spec-id': Integer,
  'last-partition-id': Integer,
  'sort-orders': z.array(z.looseObject({ 'order-id': Integer, fields: z.array(z.looseObject({})) })),
  'default-sort-order-id': Integer,
  properties: z.record(z.string(), z.string()).default({}),
  'current-snapshot-id': SnapshotId.nullish(),
  snapshots: z.array(SnapshotSchema).default([]),
  'snapshot-log': z.array(z.looseObject({ 'snapshot-id': SnapshotId, 'timestamp-ms': Integer })).default([]),
  'metadata-log': z.array(z.looseObject({ 'metadata-file': z.string(), 'timestamp-ms': Integer })).default([]),
  refs: z.record(z.string(), RefSchema).default({}),
})

export interface Snapshot {
  readonly 'snapshot-id': bigint
  readonly 'parent-snapshot-id'?: bigint | null
  readonly 'sequence-number': number
  readonly 'timestamp-ms': number
  readonly 'manifest-list': string
  readonly summary: Readonly<Record<string, string>>
  readonly 'schema-id'?: number | null
}

/** A branch or a tag. */
export interface SnapshotRef {
  readonly 'snapshot-id': bigint
  readonly type: 'branch' | 'tag'
  readonly 'min-snapshots-to-keep'?: number | null
  readonly 'max-snapshot-age-ms'?: number | null
  readonly 'max-ref-age-ms'?: number | null
}

/** A version of a table. Never changed: each change makes another one, which keeps what is not named here, too. */
export interface TableMetadata {
  readonly 'format-version': 2
  readonly 'table-uuid': string
  /** URI, without a slash at its end. */
  readonly location: string
  readonly 'last-sequence-number': number
  readonly 'last-updated-ms': number
  readonly 'last-column-id': number
  readonly schemas: readonly Schema[]
  readonly 'current-schema-id': number
  readonly 'partition-specs': readonly PartitionSpec[]
  readonly 'default-spec-id': number
  readonly 'last-partition-id': number
  readonly 'sort-orders': readonly SortOrder[]
  readonly 'default-sort-order-id': number
  readonly properties: Readonly<Record<string, string>>
  /** Missing when there is no snapshot. */
  readonly 'current-snapshot-id'?: bigint
  readonly snapshots: readonly Snapshot[]
  readonly 'snapshot-log': readonly { readonly 'snapshot-id': bigint; readonly 'timestamp-ms': number }[]
  readonly 'metadata-log': readonly { readonly 'metadata-file': string; readonly 'timestamp-ms': number }[]
  readonly refs: Readonly<Record<string, SnapshotRef>>
}

/** The table property that names the revision of the lock that the table was last made to fit. */
export const LOCK_REVISION = 'inlet.lock-revision'
/** The table property that names the last column id of that lock: an id above it was given out by another writer. */
export const LOCK_LAST_ID = 'inlet.lock-last-column-id'

/** What a table says of its lock. */
export function lockProperties(lock: TableLock): Record<string, string> {
  return {
    'schema.name-mapping.default': nameMapping(lock),
    [LOCK_REVISION]: String(lock.revision),
    [LOCK_LAST_ID]: String(lock.lastColumnId),
  }
}

export interface NewTable {
  readonly uuid: string
  /** See `TableMetadata`. */
  readonly location: string
  readonly lock: TableLock
  readonly properties: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The first version of a table: without a snapshot. */
export function createTable({ uuid, location, lock, properties, now }: NewTable): TableMetadata {
  const struct = structOf(lock)
  return {
    'format-version': 2,
    'table-uuid': uuid,
    location,
    'last-sequence-number': 0,
    'last-updated-ms': now,
    'last-column-id': lock.lastColumnId,
    schemas: [{ ...struct, 'schema-id': 0 }],
    'current-schema-id': 0,
    'partition-specs': lock.specs.map(specOf),
    'default-spec-id': lock.spec,
    'last-partition-id': lock.lastPartitionId,
    'sort-orders': [UNSORTED, sliceOrder(lock)],
    'default-sort-order-id': UNSORTED['order-id'],
    properties: {
      'write.format.default': 'parquet',
      'write.parquet.compression-codec': 'zstd',
      ...lockProperties(lock),
      ...properties,
    },
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    refs: {},
  }
}

/** @param name for messages. @throws InletError TABLE_UNREADABLE for what is no metadata of version 2 */
export function parseMetadata(name: string, body: Uint8Array): TableMetadata {
  const isCompressed = body[0] === 0x1f && body[1] === 0x8b
  let value: unknown
  try {
    value = parseExact(new TextDecoder('utf-8', { fatal: true }).decode(isCompressed ? gunzipSync(body) : body))
  } catch (error) {
    throw new InletError('TABLE_UNREADABLE', `${name} is not JSON`, { cause: error })
  }
  const parsed = MetadataSchema.safeParse(value)
  if (parsed.success) return withoutEmptyId(parsed.data) as unknown as TableMetadata
  const [issue] = parsed.error.issues
  throw new InletError('TABLE_UNREADABLE', `${name}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

export function encodeMetadata(metadata: TableMetadata): Uint8Array {
  return Buffer.from(`${stringifyExact(metadata)}\n`, 'utf8')
}

/** Some writers say −1, or null, of a table that has no snapshot. */
function withoutEmptyId(metadata: z.output<typeof MetadataSchema>): object {
  const { 'current-snapshot-id': current, ...others } = metadata
  return typeof current === 'bigint' && current !== -1n ? metadata : others
}

export function currentSchema(metadata: TableMetadata): Schema {
  return found(metadata, 'schema', metadata.schemas, (schema) => schema['schema-id'] === metadata['current-schema-id'])
}

export function specWithId(metadata: TableMetadata, id: number): PartitionSpec {
  return found(metadata, `partition spec ${id}`, metadata['partition-specs'], (spec) => spec['spec-id'] === id)
}

/** The columns of a spec's tuples. @throws InletError TABLE_UNREADABLE when the table has no such spec */
export function partitionColumnsOf(metadata: TableMetadata, spec: number): PartitionColumn[] {
  return partitionColumns(specWithId(metadata, spec), [currentSchema(metadata), ...metadata.schemas.toReversed()])
}

export function snapshotWithId(metadata: TableMetadata, id: bigint): Snapshot | undefined {
  return metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === id)
}

export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  const id = metadata['current-snapshot-id']
  return id === undefined ? undefined : snapshotWithId(metadata, id)
}

/** A whole number that a property of the table holds. */
export function numberProperty(metadata: TableMetadata, name: string, otherwise: number): number {
  const text = metadata.properties[name]
  const value = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isSafeInteger(value) ? value : otherwise
}

/** The same table with other properties; those that are null are taken away. */
export function withProperties(
  metadata: TableMetadata,
  changes: Readonly<Record<string, string | null>>,
  now: number,
): TableMetadata {
  const all = Object.entries({ ...metadata.properties, ...changes })
  const properties = Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null))
  return { ...metadata, properties, 'last-updated-ms': later(metadata, now) }
}

/** Time never goes back in a table, whatever the clocks of its writers do. */
export function later(metadata: TableMetadata, now: number): number {
  return Math.max(now, metadata['last-updated-ms'])
}

function found<T>(metadata: TableMetadata, what: string, some: readonly T[], is: (item: T) => boolean): T {
  const item = some.find(is)
  if (item !== undefined) return item
  throw new InletError('TABLE_UNREADABLE', `${metadata.location}: its metadata names a ${what} that it does not hold`)
}
