import { type PartitionSpec, specOf } from '#shared/lake/iceberg/partition-spec.ts'
import {
  fieldsById,
  type IcebergType,
  type NestedField,
  type StructType,
  structOf,
} from '#shared/lake/iceberg/schema.ts'
import { currentSchema, specWithId, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import type { TableLock } from '#shared/pipeline/table-lock.ts'

/** One step of a table from what it is to what it is to be. */
export interface TableChange {
  readonly kind: 'create' | 'add' | 'retire' | 'rename' | 'widen' | 'make optional' | 'reorder' | 'partition' | 'note'
  /** For people: `rename "a" to "b"`. */
  readonly text: string
}

/** What a table's columns are, and what its new files are partitioned by. */
export interface TableShape {
  readonly schema: StructType
  readonly spec: PartitionSpec
}

export function shapeOfLock(lock: TableLock): TableShape {
  const spec = lock.specs.find(({ id }) => id === lock.spec) ?? { id: lock.spec, fields: [] }
  return { schema: structOf(lock), spec: specOf(spec) }
}

export function shapeOfTable(metadata: TableMetadata): TableShape {
  return { schema: currentSchema(metadata), spec: specWithId(metadata, metadata['default-spec-id']) }
}

/** How a table comes from one shape to another: fields are the same when their ids are. */
export function tableChanges(before: TableShape, after: TableShape): TableChange[] {
  return [
    ...fieldChanges(placedFields(before.schema), placedFields(after.schema)),
    ...orderChanges(before.schema, after.schema),
    ...partitionChanges(before, after),
  ]
}

/** What a table is made with that is not there yet. */
export function creation({ schema, spec }: TableShape): TableChange {
  const count = schema.fields.length
  return { kind: 'create', text: `create it with ${count} columns, ${partitionText({ schema, spec })}` }
}

interface PlacedField extends NestedField {
  /** Names from the column inwards. */
  readonly path: string
}

function placedFields({ fields }: StructType, within = ''): Map<number, PlacedField> {
  const placed = new Map<number, PlacedField>()
  for (const field of fields) {
    const path = `${within}${field.name}`
    placed.set(field.id, { ...field, path })
    for (const [id, child] of placedFields({ type: 'struct', fields: partsOf(field.type) }, `${path}.`))
      placed.set(id, child)
  }
  return placed
}

function partsOf(type: IcebergType): readonly NestedField[] {
  if (typeof type === 'string') return []
  // Those of a list and of a map have no fields of their own in the schema.
  const nested = fieldsById({ type: 'struct', fields: [{ id: 0, name: '', required: false, type }] })
  const ids =
    type.type === 'struct'
      ? type.fields.map(({ id }) => id)
      : type.type === 'list'
        ? [type['element-id']]
        : [type['key-id'], type['value-id']]
  return ids.flatMap((id) => nested.get(id) ?? [])
}

function fieldChanges(
  before: ReadonlyMap<number, PlacedField>,
  after: ReadonlyMap<number, PlacedField>,
): TableChange[] {
  const changes: TableChange[] = []
  for (const [id, { path, name, type, required }] of after) {
    const old = before.get(id)
    if (old === undefined) {
      changes.push({ kind: 'add', text: `add "${path}" (${typeText(type)}${required ? ', required' : ''})` })
      continue
    }
    if (old.name !== name) changes.push({ kind: 'rename', text: `rename "${old.path}" to "${path}"` })
    const [from, to] = [typeText(old.type), typeText(type)]
    if (from !== to) changes.push({ kind: 'widen', text: `widen "${path}" from ${from} to ${to}` })
    if (old.required && !required) changes.push({ kind: 'make optional', text: `let "${path}" be null` })
  }
  for (const [id, { path }] of before)
    if (!after.has(id))
      changes.push({ kind: 'retire', text: `retire "${path}": files keep its values, queries do not show it` })
  return changes
}

/** A primitive's name; of a list, a map or a struct only which of them it is, for its parts are fields, too. */
function typeText(type: IcebergType): string {
  return typeof type === 'string' ? type.replaceAll(' ', '') : type.type
}

function orderChanges(before: StructType, after: StructType): TableChange[] {
  const [old, now] = [before, after].map((schema) => structsOf(schema)) as [Structs, Structs]
  return [...now].flatMap(([id, { path, fields }]) => {
    const known = old.get(id)?.fields.map((field) => field.id) ?? []
    const kept = fields.filter((field) => known.includes(field.id))
    const keptBefore = known.filter((field) => kept.some((each) => each.id === field))
    if (kept.every((field, i) => field.id === keptBefore[i])) return []
    const within = path === '' ? '' : ` within "${path}"`
    return [{ kind: 'reorder' as const, text: `reorder the fields${within}: ${namesOf(fields)}` }]
  })
}

/** Inlet's own columns always come last. */
function namesOf(fields: readonly NestedField[]): string {
  return fields.flatMap(({ name }) => (name.startsWith('_') ? [] : [name])).join(', ')
}

type Structs = ReadonlyMap<number, { readonly path: string; readonly fields: readonly NestedField[] }>

/** Every struct of a schema by the id of its field, the schema itself by 0. */
function structsOf(schema: StructType): Structs {
  const structs = new Map([[0, { path: '', fields: schema.fields }]])
  for (const [id, { path, type }] of placedFields(schema))
    if (typeof type !== 'string' && type.type === 'struct') structs.set(id, { path, fields: type.fields })
  return structs
}

function partitionChanges(before: TableShape, after: TableShape): TableChange[] {
  if (before.spec['spec-id'] === after.spec['spec-id']) return []
  const [from, to] = [before, after].map(partitionText)
  return [{ kind: 'partition', text: `have new files ${to} (spec ${after.spec['spec-id']}), in place of ${from}` }]
}

function partitionText({ schema, spec }: TableShape): string {
  if (spec.fields.length === 0) return 'not partitioned'
  const names = placedFields(schema)
  const fields = spec.fields.map(({ 'source-id': source, transform }) => {
    const name = names.get(source)?.path ?? `field ${source}`
    return transform === 'identity' ? name : `${transform} of ${name}`
  })
  return `partitioned by ${fields.join(', ')}`
}
