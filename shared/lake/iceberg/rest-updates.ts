/**
 * Changes of a table as clients of Iceberg's REST catalog ask for them (REST catalog's OpenAPI specification, `TableRequirement`
 * and `TableUpdate`): those that a rewrite, an expiry, an append and an overwrite are made of.
 */
import * as z from 'zod'
import { knownSince } from './retention.ts'
import { encodeMetadata, later, parseMetadata, type TableMetadata } from './table-metadata.ts'

const Id = z.union([z.int(), z.bigint()]).transform(BigInt)

const Requirement = z.discriminatedUnion('type', [
  z.object({ type: z.literal('assert-create') }),
  z.object({ type: z.literal('assert-table-uuid'), uuid: z.string() }),
  z.object({ type: z.literal('assert-ref-snapshot-id'), ref: z.string(), 'snapshot-id': Id.nullish() }),
  z.object({ type: z.literal('assert-current-schema-id'), 'current-schema-id': z.int() }),
  z.object({ type: z.literal('assert-last-assigned-field-id'), 'last-assigned-field-id': z.int() }),
  z.object({ type: z.literal('assert-default-spec-id'), 'default-spec-id': z.int() }),
  z.object({ type: z.literal('assert-last-assigned-partition-id'), 'last-assigned-partition-id': z.int() }),
  z.object({ type: z.literal('assert-default-sort-order-id'), 'default-sort-order-id': z.int() }),
])

const Update = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('add-snapshot'),
    snapshot: z.looseObject({ 'snapshot-id': Id, 'sequence-number': z.int(), 'timestamp-ms': z.int() }),
  }),
  z.looseObject({
    action: z.literal('set-snapshot-ref'),
    'ref-name': z.string(),
    type: z.enum(['branch', 'tag']),
    'snapshot-id': Id,
  }),
  z.object({ action: z.literal('remove-snapshots'), 'snapshot-ids': z.array(Id) }),
  z.object({ action: z.literal('set-properties'), updates: z.record(z.string(), z.string()) }),
  z.object({ action: z.literal('remove-properties'), removals: z.array(z.string()) }),
])

/** What a client's commit asks for. */
export const CommitRequest = z.object({ requirements: z.array(Requirement), updates: z.array(Update) })

type TableRequirement = z.output<typeof Requirement>
type TableUpdate = z.output<typeof Update>

/** @returns what the table is not, though the client takes it for that; undefined when all is as it thinks */
export function brokenRequirement(
  metadata: TableMetadata,
  requirements: readonly TableRequirement[],
): string | undefined {
  return requirements.find((requirement) => !holds(metadata, requirement))?.type
}

function holds(metadata: TableMetadata, requirement: TableRequirement): boolean {
  switch (requirement.type) {
    case 'assert-create':
      return false
    case 'assert-table-uuid':
      return metadata['table-uuid'] === requirement.uuid
    case 'assert-ref-snapshot-id':
      return (metadata.refs[requirement.ref]?.['snapshot-id'] ?? null) === (requirement['snapshot-id'] ?? null)
    case 'assert-current-schema-id':
      return metadata['current-schema-id'] === requirement['current-schema-id']
    case 'assert-last-assigned-field-id':
      return metadata['last-column-id'] === requirement['last-assigned-field-id']
    case 'assert-default-spec-id':
      return metadata['default-spec-id'] === requirement['default-spec-id']
    case 'assert-last-assigned-partition-id':
      return metadata['last-partition-id'] === requirement['last-assigned-partition-id']
    case 'assert-default-sort-order-id':
      return metadata['default-sort-order-id'] === requirement['default-sort-order-id']
  }
}

/** An update that was made of another version of the table than this one. */
export class StaleUpdateError extends Error {
  override readonly name = 'StaleUpdateError'
}

/**
 * The table with the updates, in their order.
 * @param now milliseconds since 1970
 * @throws StaleUpdateError; InletError TABLE_UNREADABLE when what comes out is no metadata
 */
export function withUpdates(base: TableMetadata, updates: readonly TableUpdate[], now: number): TableMetadata {
  const updated = updates.reduce(withUpdate, { ...base, 'last-updated-ms': later(base, now) })
  return parseMetadata(base.location, encodeMetadata(updated))
}

function withUpdate(metadata: TableMetadata, update: TableUpdate): TableMetadata {
  switch (update.action) {
    case 'add-snapshot': {
      const snapshot = update.snapshot as unknown as TableMetadata['snapshots'][number]
      const sequence = snapshot['sequence-number']
      if (sequence <= metadata['last-sequence-number'])
        throw new StaleUpdateError(`sequence number ${sequence} is taken`)
      return { ...metadata, 'last-sequence-number': sequence, snapshots: [...metadata.snapshots, snapshot] }
    }
    case 'set-snapshot-ref': {
      const { action: _, 'ref-name': name, ...ref } = update
      const referred = { ...metadata, refs: { ...metadata.refs, [name]: ref } }
      if (name !== 'main') return referred
      const id = update['snapshot-id']
      const entry = { 'snapshot-id': id, 'timestamp-ms': metadata['last-updated-ms'] }
      return { ...referred, 'current-snapshot-id': id, 'snapshot-log': [...metadata['snapshot-log'], entry] }
    }
    case 'remove-snapshots':
      return withoutSnapshots(metadata, new Set(update['snapshot-ids']))
    case 'set-properties':
      return { ...metadata, properties: { ...metadata.properties, ...update.updates } }
    case 'remove-properties': {
      const kept = Object.entries(metadata.properties).filter(([name]) => !update.removals.includes(name))
      return { ...metadata, properties: Object.fromEntries(kept) }
    }
  }
}

function withoutSnapshots(metadata: TableMetadata, gone: ReadonlySet<bigint>): TableMetadata {
  const named = Object.entries(metadata.refs).find(([, ref]) => gone.has(ref['snapshot-id']))
  if (named !== undefined) throw new StaleUpdateError(`${named[0]} is at a snapshot that was to be removed`)
  const snapshots = metadata.snapshots.filter((snapshot) => !gone.has(snapshot['snapshot-id']))
  const kept = new Set(snapshots.map((snapshot) => snapshot['snapshot-id']))
  return { ...metadata, snapshots, 'snapshot-log': knownSince(metadata['snapshot-log'], kept) }
}
