/** How a table follows its lock (specification, "Schema Evolution" and "Partition Evolution"). */
import { InletError } from '#shared/pipeline/errors.ts'
import type { TableLock } from '#shared/pipeline/table-lock.ts'
import { specOf } from './partition-spec.ts'
import { fieldsById, type NestedField, sameStruct, structOf } from './schema.ts'
import {
  later,
  LOCK_LAST_ID,
  LOCK_REVISION,
  lockProperties,
  numberProperty,
  type TableMetadata,
} from './table-metadata.ts'

/**
 * The table with the columns and the partition spec of a lock. The same object when it has them, or a newer lock's: code that
 * was rolled back does not take columns away that newer code has added.
 * @throws InletError TABLE_CHANGED when another writer gave out an id that the lock may give to something else
 */
export function withLock(metadata: TableMetadata, lock: TableLock, now: number): TableMetadata {
  if (numberProperty(metadata, LOCK_REVISION, 0) >= lock.revision) return metadata
  requireOwnIds(metadata, lock)
  const struct = structOf(lock)
  const known = metadata.schemas.find((schema) => sameStruct(schema, struct))
  const id = known?.['schema-id'] ?? 1 + Math.max(...metadata.schemas.map((schema) => schema['schema-id']))
  const newSpecs = lock.specs.map(specOf).filter((spec) => !hasSpec(metadata, spec['spec-id']))
  return {
    ...metadata,
    schemas: known === undefined ? [...metadata.schemas, { ...struct, 'schema-id': id }] : metadata.schemas,
    'current-schema-id': id,
    'last-column-id': Math.max(metadata['last-column-id'], lock.lastColumnId),
    'partition-specs': [...metadata['partition-specs'], ...newSpecs],
    'default-spec-id': lock.spec,
    'last-partition-id': Math.max(metadata['last-partition-id'], lock.lastPartitionId),
    properties: { ...metadata.properties, ...lockProperties(lock) },
    'last-updated-ms': later(metadata, now),
  }
}

function hasSpec(metadata: TableMetadata, id: number): boolean {
  return metadata['partition-specs'].some((spec) => spec['spec-id'] === id)
}

/** Every id in the table must be the lock's own, or have been taken over by it for the same field. */
function requireOwnIds(metadata: TableMetadata, lock: TableLock): void {
  const lastOwn = numberProperty(metadata, LOCK_LAST_ID, 0)
  for (const schema of metadata.schemas) {
    for (const field of fieldsById(schema).values()) {
      if (field.id <= lastOwn || isLocked(field, lock)) continue
      throw changed(metadata, `its column "${field.name}" (field ${field.id}) is not in the lock`)
    }
  }
  for (const spec of metadata['partition-specs']) {
    const locked = lock.specs.find(({ id }) => id === spec['spec-id'])
    const isSame =
      locked !== undefined &&
      locked.fields.length === spec.fields.length &&
      specOf(locked).fields.every((field, i) => {
        const other = spec.fields[i]
        return (
          field['field-id'] === other?.['field-id'] &&
          field.transform === other.transform &&
          field['source-id'] === other['source-id']
        )
      })
    if (!isSame) throw changed(metadata, `its partition spec ${spec['spec-id']} is not in the lock`)
  }
}

function isLocked(field: NestedField, lock: TableLock): boolean {
  const own = fieldsById(structOf(lock)).get(field.id)
  if (own !== undefined) return sameStruct({ type: 'struct', fields: [own] }, { type: 'struct', fields: [field] })
  return lock.retired.some(({ id, path }) => id === field.id && path.at(-1) === field.name)
}

function changed(metadata: TableMetadata, what: string): InletError {
  return new InletError(
    'TABLE_CHANGED',
    `${metadata.location} was changed by something else: ${what}. Add it there by hand, with its id, and commit the lock file`,
  )
}
