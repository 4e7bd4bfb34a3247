/**
 * Iceberg tables as Glue shows them. Where the metadata is, is all that engines go by; columns and location are for people, for
 * Athena's list of tables and for permissions. All of it is as Iceberg's own GlueCatalog and pyiceberg write it.
 */
import type { Column, Table, TableInput } from '@aws-sdk/client-glue'
import { tableInputOf } from '#shared/lake/glue-table-input.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { IcebergType, NestedField } from './schema.ts'
import { currentSchema, type TableMetadata } from './table-metadata.ts'

const FIELD_ID = 'iceberg.field.id'

/** @throws InletError TABLE_UNREADABLE when it is another kind of table, or has no metadata */
export function metadataLocationOf(name: string, { Parameters: parameters = {}, TableType: type }: Table): string {
  const kind = parameters['table_type']
  if (kind?.toUpperCase() !== 'ICEBERG')
    throw new InletError(
      'TABLE_UNREADABLE',
      `Glue's table ${name} is not an Iceberg table (it is of the type ${kind ?? type ?? 'that nobody named'}) and is left ` +
        'alone: drop it in Glue, or choose another name for the table',
    )
  const location = parameters['metadata_location']
  if (location !== undefined && location !== '') return location
  throw new InletError(
    'TABLE_UNREADABLE',
    `Glue's Iceberg table ${name} has no parameter metadata_location: whoever made it did not finish; drop it in Glue`,
  )
}

export function newTableInput(name: string, location: string, metadata: TableMetadata): TableInput {
  return {
    Name: name,
    TableType: 'EXTERNAL_TABLE',
    Parameters: { table_type: 'ICEBERG', metadata_location: location },
    StorageDescriptor: { Location: metadata.location, Columns: columnsOf(metadata, []) },
  }
}

/** The table with other metadata. What others have put into it stays. */
export function movedTableInput(table: Table, from: string, location: string, metadata: TableMetadata): TableInput {
  return {
    ...tableInputOf(table),
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      ...table.Parameters,
      table_type: 'ICEBERG',
      metadata_location: location,
      previous_metadata_location: from,
    },
    StorageDescriptor: {
      ...table.StorageDescriptor,
      Location: metadata.location,
      Columns: columnsOf(metadata, table.StorageDescriptor?.Columns ?? []),
    },
  }
}

/**
 * The columns of the current schema, behind them those of older ones, each name once; then what others have added by hand.
 * Comments stay.
 */
function columnsOf(metadata: TableMetadata, before: readonly Column[]): Column[] {
  const current = currentSchema(metadata)
  const older = metadata.schemas.filter((schema) => schema !== current).flatMap(({ fields }) => fields)
  const columns = new Map<string, Column>()
  for (const [fields, isCurrent] of [[current.fields, true] as const, [older, false] as const])
    for (const field of fields)
      if (!columns.has(field.name)) columns.set(field.name, columnOf(field, isCurrent, before))
  const names = new Set([...columns.keys()].map((name) => name.toLowerCase()))
  const foreign = before.filter(
    ({ Name = '', Parameters }) => Parameters?.[FIELD_ID] === undefined && !names.has(Name.toLowerCase()),
  )
  return [...columns.values(), ...foreign]
}

function columnOf({ id, name, type, required }: NestedField, isCurrent: boolean, before: readonly Column[]): Column {
  // Glue folds case when it answers.
  const comment = before.find(({ Name }) => Name?.toLowerCase() === name.toLowerCase())?.Comment
  return {
    Name: name,
    Type: glueType(type),
    ...(comment === undefined ? {} : { Comment: comment }),
    Parameters: {
      [FIELD_ID]: String(id),
      'iceberg.field.optional': String(!required),
      'iceberg.field.current': String(isCurrent),
    },
  }
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  long: 'bigint',
  time: 'string',
  uuid: 'string',
  timestamptz: 'timestamp',
}

function glueType(type: IcebergType): string {
  if (typeof type === 'string')
    return PRIMITIVES[type] ?? (type.startsWith('fixed[') ? 'binary' : type.replaceAll(' ', ''))
  switch (type.type) {
    case 'list':
      return `array<${glueType(type.element)}>`
    case 'map':
      return `map<${glueType(type.key)},${glueType(type.value)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}:${glueType(field.type)}`).join(',')}>`
  }
}
